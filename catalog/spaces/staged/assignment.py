"""The architectures of a staged space as numbers of options: how many there are, each of them, and draws."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from catalog.errors import SpaceFileError
from catalog.spaces.staged.description import Description, Level
from catalog.spaces.staged.formula import Formula

_MOST_BLOCKS = 500
_MANY = 2_000_000
_MOST_POWERS = 300


class StageOption(NamedTuple):
    """What is chosen in one stage: the number of its option, and of the option of each of its blocks."""

    option: int
    blocks: tuple[int, ...]


class Assignment(NamedTuple):
    """One architecture: the number of the network's option, and what is chosen in each stage."""

    network: int
    stages: tuple[StageOption, ...]


class Read(NamedTuple):
    """What a text says of one stage: the numbers of some choices' values, and the options of its blocks."""

    said: Mapping[str, int]
    blocks: tuple[int, ...]


class Assignments:
    """All architectures of a staged space; each set of choices is one, blocks that are not there have none.

    Parameters
    ----------
    description
        The space.
    """

    def __init__(self, description: Description) -> None:
        self.description = description
        self.network: Level = description.network
        self._depths = lru_cache(maxsize=2**16)(self._worked_out)

    @cached_property
    def count(self) -> int:
        """How many there are."""
        return sum(self._weights)

    @cached_property
    def counted(self) -> str:
        """How many there are, in words: of many the first digits, of more than floats can tell the power of ten."""
        if self.count <= _MANY:
            return f"{self.count:,}"
        power = math.log10(self.count)
        return f"about {self.count:.2g}" if power < _MOST_POWERS else f"about 10^{power:.0f}"

    @cached_property
    def _weights(self) -> list[int]:
        """How many there are with each option of the network."""
        return [
            math.prod(sum(self._stage_weights(number, stage)) for stage in range(len(self.description.stages)))
            for number in range(len(self.network.options))
        ]

    def _stage_weights(self, network: int, stage: int) -> list[int]:
        options = len(self.description.stages[stage].block_level.options)
        return [options**depth for depth in self.depths(network, stage)]

    def depths(self, network: int, stage: int) -> tuple[int, ...]:
        """For each option of a stage, how many blocks stand in it."""
        blocks = self.description.stages[stage].blocks
        if isinstance(blocks, Formula):
            names = {choice.name for choice in self.network.choices}
            return self._depths(network if names & blocks.names else 0, stage)
        return (blocks,) * len(self.description.stages[stage].level.options)

    def _worked_out(self, network: int, stage: int) -> tuple[int, ...]:
        described = self.description.stages[stage]
        assert isinstance(described.blocks, Formula)
        found = []
        for own in described.level.values:
            depth = described.blocks.value(described.named(self.network.values[network], own))
            if type(depth) is not int or not 1 <= depth <= _MOST_BLOCKS:
                raise SpaceFileError(
                    f"the space {self.description.name!r}, stage {stage + 1}: blocks is {depth!r:.40}; a whole number "
                    f"from 1 to {_MOST_BLOCKS} is needed."
                )
            found.append(depth)
        return tuple(found)

    def __iter__(self) -> Iterator[Assignment]:
        for network in range(len(self.network.options)):
            stages = [list(self._of_stage(network, stage)) for stage in range(len(self.description.stages))]
            for chosen in itertools.product(*stages):
                yield Assignment(network, chosen)

    def _of_stage(self, network: int, stage: int) -> Iterator[StageOption]:
        options = range(len(self.description.stages[stage].block_level.options))
        for option, depth in enumerate(self.depths(network, stage)):
            for blocks in itertools.product(options, repeat=depth):
                yield StageOption(option, blocks)

    def resolved(self, said: Mapping[str, int], stages: Sequence[Read]) -> Assignment | None:
        """The first that agrees with what is said of the network and of each stage; None where none does."""
        return next(self.agreeing(said, stages), None)

    def agreeing(self, said: Mapping[str, int], stages: Sequence[Read]) -> Iterator[Assignment]:
        """All that agree with what is said of the network and of each stage."""
        for network in self.network.matching(said):
            found = []
            for stage, read in enumerate(stages):
                depths = self.depths(network, stage)
                options = self.description.stages[stage].level.matching(read.said)
                found.append([StageOption(one, read.blocks) for one in options if depths[one] == len(read.blocks)])
                if not found[-1]:
                    break
            else:
                yield from (Assignment(network, chosen) for chosen in itertools.product(*found))

    def drawn(self, count: int, generator: np.random.Generator) -> list[Assignment]:
        """`count` of them drawn uniformly, with replacement."""
        networks = generator.choice(len(self._weights), size=count, p=_chances(self._weights))
        stages: list[list[StageOption]] = [[] for _ in range(count)]
        for network in np.unique(networks).tolist():
            rows = np.flatnonzero(networks == network)
            for stage in range(len(self.description.stages)):
                for row, drawn in zip(rows.tolist(), self._drawn(network, stage, len(rows), generator), strict=True):
                    stages[row].append(drawn)
        return [Assignment(network, tuple(own)) for network, own in zip(networks.tolist(), stages, strict=True)]

    def _drawn(self, network: int, stage: int, count: int, generator: np.random.Generator) -> list[StageOption]:
        depths = self.depths(network, stage)
        weights = self._stage_weights(network, stage)
        options = generator.choice(len(weights), size=count, p=_chances(weights)).tolist()
        level = self.description.stages[stage].block_level
        blocks = generator.integers(len(level.options), size=(count, max(depths))).tolist()
        return [StageOption(option, tuple(row[: depths[option]])) for option, row in zip(options, blocks, strict=True)]

    def distinct(self, count: int, seed: int) -> list[Assignment]:
        """Up to `count` different ones, each set of them as likely as any other; all there are where they are fewer."""
        generator = np.random.default_rng(seed)
        if count * 2 >= self.count:
            every = list(self)
            return [every[place] for place in generator.permutation(len(every))[:count].tolist()]
        found: dict[Assignment, None] = {}
        while len(found) < count:
            found.update(dict.fromkeys(self.drawn(count - len(found), generator)))
        return list(found)

    def neighbours(self, one: Assignment) -> list[Assignment]:
        """Those one choice away: another value of a choice, a deeper stage with more blocks that are all alike."""
        found: dict[Assignment, None] = {}
        for network in _beside(self.network, one.network):
            for stages in self._fitted(network, one.stages):
                found[Assignment(network, stages)] = None
        for place, own in enumerate(one.stages):
            for changed in self._beside_stage(one.network, place, own):
                found[Assignment(one.network, (*one.stages[:place], changed, *one.stages[place + 1 :]))] = None
        return list(found)

    def _beside_stage(self, network: int, stage: int, own: StageOption) -> Iterator[StageOption]:
        described = self.description.stages[stage]
        for option in _beside(described.level, own.option):
            yield from self._deepened(network, stage, StageOption(option, own.blocks))
        for place, block in enumerate(own.blocks):
            for other in _beside(described.block_level, block):
                yield StageOption(own.option, (*own.blocks[:place], other, *own.blocks[place + 1 :]))

    def _deepened(self, network: int, stage: int, own: StageOption) -> Iterator[StageOption]:
        """A stage with the blocks that it has to have: the last ones left out, or more of one kind."""
        missing = self.depths(network, stage)[own.option] - len(own.blocks)
        if missing <= 0:
            yield StageOption(own.option, own.blocks[: len(own.blocks) + missing])
            return
        for block in range(len(self.description.stages[stage].block_level.options)):
            yield StageOption(own.option, (*own.blocks, *(block,) * missing))

    def _fitted(self, network: int, stages: Sequence[StageOption]) -> Iterator[tuple[StageOption, ...]]:
        """The stages with the depths that another option of the network gives them: the same kind of block in all."""
        every = [list(self._deepened(network, stage, own)) for stage, own in enumerate(stages)]
        for kind in range(max(map(len, every))):
            yield tuple(own[min(kind, len(own) - 1)] for own in every)


def _beside(level: Level, option: int) -> list[int]:
    """The options that differ in one choice; where rules leave none, those that differ in the fewest."""
    return level.closest(level.options[option])


def _chances(weights: Sequence[int]) -> NDArray[np.float64]:
    """Whole numbers of any size as probabilities."""
    total = sum(weights)
    chances = np.array([weight / total for weight in weights])
    return np.asarray(chances / chances.sum())
