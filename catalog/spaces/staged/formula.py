"""What a space's file works out: a small language of arithmetic and conditions over the values of its choices.

``"=channels * 2"`` is a value, ``"layer == 0 and first"`` a condition. The language knows numbers, words, the
operators ``+ - * / // %``, comparisons with ``and``, ``or``, ``not`` and ``in``, ``a if condition else b``, and the
functions of `FUNCTIONS`. It can do nothing else.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from catalog.architecture.sizes import LARGEST_COUNT
from catalog.errors import SpaceFileError

Value = int | float | str | bool
Names = Mapping[str, Any]
_Run = Callable[[Names], Any]

_LONGEST = 500
_MOST_DIGITS = 15
"""Behind the point, of what is rounded: those that a number has."""


def divisible(value: float, divisor: int) -> int:
    """The multiple of `divisor` nearest to `value`, and not less than nine tenths of it (Sandler et al. 2018)."""
    nearest = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * value else nearest


def _rounded(value: float, digits: int | None = None) -> float:
    """As Python rounds, which would work out powers of ten of any size."""
    if digits is not None and not 0 <= digits <= _MOST_DIGITS:
        raise ValueError(f"round to {digits!r:.40} digits; 0 to {_MOST_DIGITS} are allowed")
    return round(value, digits)


FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {"ceil": math.ceil, "floor": math.floor, "round": _rounded, "min": min, "max": max, "divisible": divisible}
)
"""What a formula may call."""

_BINARY: Mapping[type, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        ast.Add: operator.add,
        ast.Sub: operator.sub,
        ast.Mult: operator.mul,
        ast.Div: operator.truediv,
        ast.FloorDiv: operator.floordiv,
        ast.Mod: operator.mod,
    }
)
_COMPARED: Mapping[type, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        ast.Eq: operator.eq,
        ast.NotEq: operator.ne,
        ast.Lt: operator.lt,
        ast.LtE: operator.le,
        ast.Gt: operator.gt,
        ast.GtE: operator.ge,
        ast.In: lambda one, several: one in several,
        ast.NotIn: lambda one, several: one not in several,
    }
)


@dataclass(frozen=True)
class Formula:
    """One formula, ready to be worked out.

    Parameters
    ----------
    text
        As it was written.
    names
        What it refers to.
    """

    text: str
    names: frozenset[str]
    _run: _Run = field(compare=False, repr=False)

    @classmethod
    def parse(cls, text: str) -> Formula:
        """Read a formula.

        Raises
        ------
        SpaceFileError
            It says something that the language does not know.
        """
        if len(text) > _LONGEST:
            raise SpaceFileError(f"a formula of {len(text):,} characters; {_LONGEST} is the most")
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise SpaceFileError(f"{text!r:.80} is no formula") from None
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} - set(FUNCTIONS)
        return cls(text, frozenset(names), _compiled(tree.body))

    def value(self, names: Names) -> Any:
        """What it gives for these values.

        Raises
        ------
        SpaceFileError
            It cannot be worked out for them, as where a word is multiplied.
        """
        try:
            return _bounded(self._run(names))
        except (TypeError, ValueError, ArithmeticError, KeyError) as error:
            used = ", ".join(f"{name} = {names.get(name)!r:.40}" for name in sorted(self.names))
            raise SpaceFileError(f"{self.text!r:.80} cannot be worked out for {used or 'anything'}: {error}.") from None


def _compiled(node: ast.expr) -> _Run:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float | str):
        value = node.value
        return lambda _: value
    if isinstance(node, ast.Name):
        name = node.id
        return lambda names: names[name]
    if isinstance(node, ast.List | ast.Tuple):
        parts = [_compiled(part) for part in node.elts]
        return lambda names: tuple(_single(part(names)) for part in parts)
    if isinstance(node, ast.UnaryOp):
        return _unary(node)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        applied, left, right = _BINARY[type(node.op)], _compiled(node.left), _compiled(node.right)
        return lambda names: applied(_number(left(names)), _number(right(names)))
    if isinstance(node, ast.BoolOp):
        several = [_compiled(part) for part in node.values]
        decides = any if isinstance(node.op, ast.Or) else all
        return lambda names: decides(part(names) for part in several)
    if isinstance(node, ast.Compare) and all(type(one) in _COMPARED for one in node.ops):
        return _comparison(node)
    if isinstance(node, ast.IfExp):
        asked, then, otherwise = _compiled(node.test), _compiled(node.body), _compiled(node.orelse)
        return lambda names: then(names) if asked(names) else otherwise(names)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
        called, given = FUNCTIONS[node.func.id], [_compiled(part) for part in node.args]
        if not node.keywords:
            return lambda names: called(*(_number(part(names)) for part in given))
    raise SpaceFileError(
        f"{ast.unparse(node)!r:.80} is nothing that a formula can say; it has numbers, words in quotes, names, + - * / "
        f"// %, comparisons, and, or, not, in, if else, and {', '.join(FUNCTIONS)}"
    )


def _unary(node: ast.UnaryOp) -> _Run:
    inner = _compiled(node.operand)
    if isinstance(node.op, ast.Not):
        return lambda names: not inner(names)
    sign = -1 if isinstance(node.op, ast.USub) else 1
    return lambda names: sign * _number(inner(names))


def _comparison(node: ast.Compare) -> _Run:
    parts = [_compiled(part) for part in (node.left, *node.comparators)]
    tests = [_COMPARED[type(one)] for one in node.ops]

    def compared(names: Names) -> bool:
        values = [part(names) for part in parts]
        return all(test(one, other) for test, one, other in zip(tests, values, values[1:], strict=False))

    return compared


def _number(value: Any) -> Any:
    if isinstance(value, str | tuple):
        raise TypeError(f"{value!r:.40} is no number")
    return _bounded(value)


def _single(value: Any) -> Any:
    """A member of a list, which is no list itself: lists of lists of themselves would have no end of members."""
    if isinstance(value, tuple):
        raise TypeError("a list within a list")
    return value


def _bounded(value: Any) -> Any:
    """A value as it is, but for numbers that no size has: those can grow until nobody can work with them."""
    if isinstance(value, int | float) and not -LARGEST_COUNT <= value <= LARGEST_COUNT:
        raise ValueError(f"a number beyond {LARGEST_COUNT:,}, or none")
    return value
