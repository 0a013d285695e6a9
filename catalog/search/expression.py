"""Scores as formulas: ``nwot - 0.3*log10(params)``, read by a small grammar and never run as Python.

The text is parsed by Python's own parser and then every node of the tree must be on a short list: numbers, names,
``+ - * / **``, signs, and the functions of `FUNCTIONS`. A name is a column or a proxy; one that is no plain name stands
in double quotes. Everything is computed in double precision on whole columns; what has no finite value is NaN.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError

Values = NDArray[np.float64]

FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "abs": (np.abs, 1),
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "log10": (np.log10, 1),
    "log1p": (np.log1p, 1),
    "log2": (np.log2, 1),
    "max": (np.maximum, 2),
    "min": (np.minimum, 2),
    "sqrt": (np.sqrt, 1),
}
"""The functions that a formula may call, and how many arguments each takes."""

LONGEST = 1000
"""Characters of a formula."""
DEEPEST = 50
"""Levels of its tree."""

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.Pow: np.power,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: np.positive, ast.USub: np.negative}
_ALLOWED = f"allowed are numbers, names, + - * / **, parentheses and {', '.join(FUNCTIONS)}"
_PLAIN_NAME = re.compile(r"[A-Za-z_]\w*")
_QUOTED = re.compile(r'"[^"]*"')


@dataclass(frozen=True)
class Expression:
    """A formula that was checked, ready to compute.

    Parameters
    ----------
    text
        As the user wrote it.
    names
        The columns and proxies that it needs, in order of their first mention.
    """

    text: str
    names: tuple[str, ...]
    tree: ast.expr

    @property
    def name(self) -> str | None:
        """The one name that the formula is, None if it computes anything."""
        return self.names[0] if isinstance(self.tree, ast.Name | ast.Constant) else None

    def evaluate(self, values: Mapping[str, Values]) -> Values:
        """The formula's value for every row; NaN where a name has no value or the result is not finite.

        Parameters
        ----------
        values
            A column of equal length for each of `names`.
        """
        with np.errstate(all="ignore"):
            result = np.asarray(_computed(self.tree, values), dtype=np.float64)
        known = np.logical_and.reduce([np.isfinite(values[name]) for name in self.names])  # NaN to the power 0 is 1
        return np.where(known & np.isfinite(result), result, np.nan)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"


def parse(text: str) -> Expression:
    """Read a formula.

    Raises
    ------
    UsageError
        The text is no formula; the message says where and what is allowed.
    """
    shown = re.sub(r"[\r\n\t]", " ", text).strip()
    if not shown:
        raise UsageError("a score is empty; name a column or a proxy, or write a formula such as nwot - log10(params).")
    if len(shown) > LONGEST:
        raise UsageError(f"a formula of {len(shown):,} characters is too long; {LONGEST:,} are allowed.")
    if _PLAIN_NAME.fullmatch(shown):  # also a column that is a word of Python, such as index or lambda
        return Expression(shown, (shown,), ast.Name(shown))
    if (comment := _QUOTED.sub(_blank, shown).find("#")) >= 0:
        raise _wrong(shown, comment, "holds a #, behind which nothing would be read")
    tree = _parsed(shown)
    names: dict[str, None] = {}
    _check(tree, shown, names, depth=0)
    if not names:
        raise UsageError(f"the formula {shown!r} names no column and no proxy, so it cannot rank anything.")
    return Expression(shown, tuple(names), tree)


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _parsed(text: str) -> ast.expr:
    if "\0" in text:
        raise _wrong(text, text.index("\0"), "holds a NUL character")
    try:
        with warnings.catch_warnings(action="ignore"):  # what Python thinks of a number before a word is no news here
            return ast.parse(text, mode="eval").body
    except SyntaxError as error:
        place = error.offset - 1 if error.offset else len(text)  # without a place, the end came too early
        raise _wrong(text, place, f"cannot be read ({error.msg})") from None
    except (ValueError, RecursionError, MemoryError) as error:  # too many digits, or too deep
        raise _wrong(text, 0, f"cannot be read ({error})") from None


def _check(node: ast.expr, text: str, names: dict[str, None], depth: int) -> None:
    """Refuse every node that is not on the list, and collect the names."""
    place = len(text.encode()[: node.col_offset].decode(errors="ignore"))
    if depth > DEEPEST:
        raise _wrong(text, place, f"is nested more than {DEEPEST} levels deep")
    match node:
        case ast.Name(id=name):
            if name in FUNCTIONS:
                raise _wrong(text, place, f"names the function {name} without arguments")
            names[name] = None
        case ast.Constant(value=str() as name) if text[place] == '"':
            if f'"{name}"' != text[place : place + len(name) + 2]:
                raise _wrong(text, place, "holds a quoted name that is not what stands between two quotes")
            names[name] = None
        case ast.Constant(value=float() | int() as number) if not isinstance(number, bool):
            if abs(number) > 1e300:
                raise _wrong(text, place, "holds a number that is too large")
        case ast.UnaryOp(op=operator, operand=operand) if type(operator) in _UNARY:
            _check(operand, text, names, depth + 1)
        case ast.BinOp(left=left, op=operation, right=right) if type(operation) in _BINARY:
            _check(left, text, names, depth + 1)
            _check(right, text, names, depth + 1)
        case ast.Call(func=ast.Name(id=function), args=arguments, keywords=[]):
            _check_call(function, arguments, text, place)
            for argument in arguments:
                _check(argument, text, names, depth + 1)
        case _:
            raise _wrong(text, place, f"holds something else than a formula may ({_ALLOWED})")


def _check_call(function: str, arguments: list[ast.expr], text: str, place: int) -> None:
    if function not in FUNCTIONS:
        raise _wrong(text, place, f"calls {function!r}; functions are {', '.join(FUNCTIONS)}")
    wanted = FUNCTIONS[function][1]
    if len(arguments) != wanted:
        raise _wrong(text, place, f"gives {function} {len(arguments)} arguments instead of {wanted}")


def _wrong(text: str, place: int, what: str) -> UsageError:
    """The error with the formula and a mark under the place, cut to a window that fits a line."""
    start = max(0, place - 50)
    window = text[start : start + 100]
    return UsageError(
        f"the formula {what}, at character {place + 1}:\n  {window}\n  {' ' * (place - start)}^\n"
        "Example: nwot - 0.3*log10(params); a column that is no plain name stands in double quotes."
    )


def _computed(node: ast.expr, values: Mapping[str, Values]) -> Any:
    match node:
        case ast.Name(id=name) | ast.Constant(value=str() as name):
            return np.asarray(values[name], dtype=np.float64)
        case ast.Constant(value=float() | int() as number):
            return np.float64(number)
        case ast.UnaryOp(op=operator, operand=operand):
            return _UNARY[type(operator)](_computed(operand, values))
        case ast.BinOp(left=left, op=operation, right=right):
            return _BINARY[type(operation)](_computed(left, values), _computed(right, values))
        case ast.Call(func=ast.Name(id=function), args=arguments):
            return FUNCTIONS[function][0](*(_computed(argument, values) for argument in arguments))
    raise AssertionError(f"{ast.dump(node)} was not checked")  # `_check` lets nothing else through
