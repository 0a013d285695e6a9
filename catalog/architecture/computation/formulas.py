"""Activations and normalisations that a network writes as formulas of one tensor, by the operators in them.

``x * sigmoid(x)`` is a SiLU, ``x / sqrt(mean(x ** 2) + e)`` a normalisation by the root mean square.
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog.architecture.computation.written_out import Operators

ARITHMETIC = frozenset({"add", "subtract", "multiply", "divide"})
SCALING = frozenset({"multiply", "divide"})
GATES = frozenset({"sigmoid", "hardsigmoid", "relu6", "clip", "erf", "tanh"})

_MEAN = "mean"
_ROOTS = frozenset({"sqrt", "rsqrt"})
_INSIDE = ARITHMETIC | GATES | _ROOTS | {_MEAN, "softplus", "pow", "square", "reciprocal", "exp", "neg"}
_LONGEST = 16
"""Operators on a way through a formula."""

_CONSTANTS = {"erf": 2, "tanh": 3, "clip": 1, "relu6": 1}
"""How many constants a formula is multiplied by in all, by what it is written with."""


@dataclass(frozen=True)
class Formula:
    """A formula of one tensor.

    Parameters
    ----------
    word, kind
        What it is.
    start
        The operator whose result it is of.
    within
        The operators that it is made of, without its last.
    lacks_constant
        Whether the last constant that it is multiplied by follows it.
    """

    word: str
    kind: str
    start: int
    within: frozenset[int]
    lacks_constant: bool = False


def put_together(operators: Operators) -> None:
    """Make each formula one operator."""
    origins: dict[int, int] = {}
    centred: set[int] = set()
    for place in range(len(operators)):
        if operators.word[place] not in ARITHMETIC or len(operators.takes[place]) != 2:
            continue
        origin = _origin(operators, place, origins)
        if origin is None:
            continue
        origins[place] = origin
        within = _within(operators, place, origin)
        if operators.word[place] == "subtract" and {operators.word[one] for one in within} == {_MEAN}:
            centred.add(place)
        found = _formula(operators, place, origin, within, centred)
        if found is not None:
            operators.become(place, found.word, found.kind, [found.start], found.within)
            _take_constant(operators, place, found)


def _ways(operators: Operators, place: int, origins: dict[int, int]) -> list[int]:
    """An operator and those that its result is a formula of, the nearest first."""
    found = [place]
    while len(found) < _LONGEST and operators.word[found[-1]] in _INSIDE and not operators.parameters[found[-1]]:
        takes = operators.takes[found[-1]]
        before = takes[0] if len(takes) == 1 else origins.get(found[-1])
        if before is None:
            break
        found.append(before)
    return found


def _origin(operators: Operators, place: int, origins: dict[int, int]) -> int | None:
    """The nearest operator that both operands are formulas of."""
    first, second = operators.takes[place]
    on_way = set(_ways(operators, second, origins))
    return next((one for one in _ways(operators, first, origins) if one in on_way), None)


def _within(operators: Operators, place: int, origin: int) -> frozenset[int]:
    found: set[int] = set()
    waiting = [*operators.takes[place]]
    while waiting:
        one = waiting.pop()
        if one != origin and one not in found:
            found.add(one)
            waiting += operators.takes[one]
    return frozenset(found)


def _formula(operators: Operators, place: int, start: int, within: frozenset[int], centred: set[int]) -> Formula | None:
    """The formula that ends with an operator; None where it is none that has a name, or others take a part of it."""
    words = {operators.word[one] for one in within}
    inside = {*within, place}
    if operators.word[place] not in SCALING or any(not inside.issuperset(operators.takers[one]) for one in within):
        return None
    if _MEAN in words:
        return _normalisation(operators, place, start, within, centred) if words & _ROOTS else None
    if operators.word[place] == "divide":
        return None
    name = _activation(words)
    if name is None:
        return None
    scales = sum(operators.is_single(one, SCALING) for one in within)
    wanted = max((count for word, count in _CONSTANTS.items() if word in words), default=0)
    return Formula(name, "activation", start, within, name != "mish" and scales < wanted)


def _activation(words: set[str]) -> str | None:
    if words >= {"softplus", "tanh"}:
        return "mish"
    if words & {"erf", "tanh"}:
        return "gelu"
    if "sigmoid" in words:
        return "silu"
    return "hardswish" if words & GATES else None


def _normalisation(operators: Operators, place: int, start: int, within: frozenset[int], centred: set[int]) -> Formula:
    if start in centred and {*within, place}.issuperset(operators.takers[start]):
        (mean,) = (one for one in operators.takes[start] if operators.word[one] == _MEAN)
        (before,) = operators.takes[mean]
        return Formula("layernorm", "norm", before, within | {start, mean})
    return Formula("rmsnorm", "norm", start, within)


def _take_constant(operators: Operators, place: int, found: Formula) -> None:
    follower = operators.only_taker(place) if found.lacks_constant else None
    if follower is not None and operators.is_single(follower, SCALING) and operators.parameters[follower] == 0:
        operators.absorb(follower)
