"""What a staged space is: a skeleton of stem, stages and tail, and the choices at each network, stage and block."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from catalog.architecture.sizes import NetworkInput, Size
from catalog.errors import GraphError, SpaceFileError
from catalog.spaces.staged.formula import Formula, Names, Value
from catalog.spaces.staged.patterns import Pattern

MOST_OPTIONS = 200_000
"""Combinations of the choices of one network, stage or block."""


@dataclass(frozen=True)
class Choice:
    """One thing that is chosen, and the values that it can have; `texts` are the values as ids write them."""

    name: str
    values: tuple[Value, ...]

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """The values as ids write them."""
        return tuple(map(str, self.values))


@dataclass(frozen=True)
class Level:
    """The choices of one network, stage or block, and the rules by which they go together."""

    choices: tuple[Choice, ...] = ()
    rules: tuple[Formula, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Constants that rules may refer to."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the choices."""
        return tuple(choice.name for choice in self.choices)

    @cached_property
    def options(self) -> tuple[tuple[int, ...], ...]:
        """Every combination that keeps the rules, as numbers of values.

        Raises
        ------
        SpaceFileError
            There are too many, or none.
        """
        count = math.prod(len(choice.values) for choice in self.choices)
        if count > MOST_OPTIONS:
            raise SpaceFileError(
                f"the choices {', '.join(self.names)} have {count:,} combinations; {MOST_OPTIONS:,} are the most of "
                "one network, stage or block. Make some of them choices of each stage or block."
            )
        used = frozenset(name for rule in self.rules for name in rule.names)
        known = tuple((name, value) for name, value in self.settings.items() if name in used)
        kept = _kept(self.choices, self.rules, known)
        if not kept:
            rules = "; ".join(rule.text for rule in self.rules)
            raise SpaceFileError(f"no combination of the choices {', '.join(self.names)} keeps the rules {rules!r}.")
        return kept

    @cached_property
    def values(self) -> tuple[dict[str, Value], ...]:
        """Each option as choice to value."""
        return tuple(_valued(self.choices, numbers) for numbers in self.options)

    @cached_property
    def places(self) -> dict[tuple[int, ...], int]:
        """Option to its number."""
        return {numbers: place for place, numbers in enumerate(self.options)}

    def constant(self, name: str, default: str = "") -> str:
        """A setting as ids write it."""
        return str(self.settings.get(name, default))

    def nearest(self, numbers: tuple[int, ...]) -> int:
        """The number of the option that differs from these values in the fewest choices; the first of several."""
        place = self.places.get(numbers)
        return self.closest(numbers)[0] if place is None else place

    def closest(self, numbers: tuple[int, ...]) -> list[int]:
        """The numbers of the options that differ from these values in one choice; where none does, in the fewest."""
        varied = (
            (*numbers[:at], other, *numbers[at + 1 :])
            for at, choice in enumerate(self.choices)
            for other in range(len(choice.values))
            if other != numbers[at]
        )
        found = sorted(self.places[one] for one in varied if one in self.places)
        if found:
            return found
        distances = [sum(a != b for a, b in zip(option, numbers, strict=True)) for option in self.options]
        fewest = min((distance for distance in distances if distance), default=0)
        return [place for place, distance in enumerate(distances) if distance and distance == fewest]

    def matching(self, said: Mapping[str, int]) -> tuple[int, ...]:
        """The numbers of the options that agree with the numbers of some choices' values."""
        if len(said) == len(self.choices):
            place = self.places.get(tuple(said[name] for name in self.names))
            return () if place is None else (place,)
        key = tuple(sorted(said.items()))
        if key not in self._matching:
            places = [(self.names.index(name), number) for name, number in said.items()]
            self._matching[key] = tuple(
                place for place, option in enumerate(self.options) if all(option[at] == number for at, number in places)
            )
        return self._matching[key]

    def broken(self, said: Mapping[str, int]) -> str:
        """Which values of choices, told by their numbers, break which rule; the values alone where no rule says it."""
        values = {choice.name: choice.values[said[choice.name]] for choice in self.choices if choice.name in said}
        known = {**self.settings, **values}
        told = ", ".join(f"{name} = {value}" for name, value in values.items()) or "nothing"
        for rule in self.rules:
            if rule.names <= set(known) and not rule.value(known):
                return f"{told} is against the rule {rule.text!r}"
        return f"no architecture has {told} and what else it says"

    @cached_property
    def _matching(self) -> dict[tuple[tuple[str, int], ...], tuple[int, ...]]:
        """What was asked before: as many answers as there are sets of values."""
        return {}


def _valued(choices: Sequence[Choice], numbers: Sequence[int]) -> dict[str, Value]:
    return {choice.name: choice.values[number] for choice, number in zip(choices, numbers, strict=True)}


@lru_cache(maxsize=256)
def _kept(
    choices: tuple[Choice, ...], rules: tuple[Formula, ...], known: tuple[tuple[str, Any], ...]
) -> tuple[tuple[int, ...], ...]:
    """The combinations that keep the rules: worked out once where stages have the same choices."""
    every = itertools.product(*(range(len(choice.values)) for choice in choices))
    if not rules:
        return tuple(every)
    settings = dict(known)
    return tuple(
        numbers for numbers in every if all(rule.value({**settings, **_valued(choices, numbers)}) for rule in rules)
    )


def worked_out(given: Any, names: Names) -> Any:
    """A value, or what a formula gives; of a list each of its members."""
    if isinstance(given, Formula):
        return given.value(names)
    return [worked_out(one, names) for one in given] if isinstance(given, list) else given


@dataclass(frozen=True)
class Node:
    """An operator, what is said of its size, values or formulas, and whether it is there; None where it always is."""

    operator: str
    fields: tuple[tuple[str, Any], ...] = ()
    when: Formula | None = None

    def size(self, names: Names) -> Size | None:
        """Its size where the choices have these values.

        Raises
        ------
        SpaceFileError
            A field has a value that no operator can have.
        """
        if not self.fields:
            return None
        said = {name: worked_out(given, names) for name, given in self.fields}
        try:
            size = Size.of({name: _whole(value) for name, value in said.items()})
        except GraphError as error:
            raise SpaceFileError(f"the node {self.operator!r}: {error}") from None
        return None if size == Size() else size


def _whole(value: Any) -> Any:
    """A number without a fraction as a whole number: what a division gives is one, too."""
    return int(value) if isinstance(value, float) and math.isfinite(value) and value == int(value) else value


@dataclass(frozen=True)
class Part:
    """Operators one after the other.

    Parameters
    ----------
    nodes
        The operators.
    when
        Whether the part is there; None where it always is.
    residual
        Whether its input is added to its output.
    shortcut
        Operators that the added input passes first.
    """

    nodes: tuple[Node, ...]
    when: Formula | None = None
    residual: bool | Formula = False
    shortcut: tuple[Node, ...] = ()


@dataclass(frozen=True)
class Stage:
    """One stage: how many blocks stand in it, what is the same in all of them, and what is chosen."""

    blocks: int | Formula
    settings: tuple[tuple[str, Any], ...]
    level: Level
    block_level: Level

    def named(self, network: Names, own: Names) -> dict[str, Any]:
        """The values of the network, of the stage's choices, and its settings, each of which may use those before."""
        names = {**network, **own}
        for name, given in self.settings:
            names[name] = worked_out(given, names)
        return names


@dataclass(frozen=True)
class Description:
    """One staged space, as its file describes it.

    Parameters
    ----------
    taken
        The network's input: its fields, values or formulas.
    ids
        How the id of a network, a stage and a block is written.
    table
        What the space's public table looks like, for its reader; empty where there is none.
    text
        The file.
    """

    name: str
    description: str
    citation: str
    taken: Mapping[str, Any]
    classes: int | None
    network: Level
    stem: tuple[Part, ...]
    stages: tuple[Stage, ...]
    block: tuple[Part, ...]
    tail: tuple[Part, ...]
    ids: tuple[Pattern, Pattern, Pattern]
    table: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    def input(self, names: Names) -> NetworkInput:
        """What the network takes where its choices have these values.

        Raises
        ------
        SpaceFileError
            It is no input of a network.
        """
        try:
            return NetworkInput.of({name: worked_out(given, names) for name, given in self.taken.items()})
        except GraphError as error:
            raise SpaceFileError(f"the space {self.name!r}: {error}") from None
