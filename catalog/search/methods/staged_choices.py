"""Staged spaces as choices: each choice of the network, of each stage, and of each block of the deepest stage."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.choices import Choices, Decision, Genes
from catalog.spaces.staged.assignment import Assignment, StageOption
from catalog.spaces.staged.description import Level
from catalog.spaces.staged.space import StagedSpace


class StagedChoices(Choices):
    """Any staged space.

    Choices of blocks that a shallower stage does not have change nothing; values that break a rule stand for the
    nearest ones that keep it.
    """

    space: StagedSpace

    def __init__(self, space: StagedSpace) -> None:
        self.space = space
        description = space.description_of
        found = _decisions("", description.network)
        self._depths = []
        for number, stage in enumerate(description.stages, 1):
            networks = range(len(description.network.options))
            depth = max(max(space.assignments.depths(network, number - 1)) for network in networks)
            self._depths.append(depth)
            found += _decisions(f" of stage {number}", stage.level)
            for block in range(1, depth + 1):
                found += _decisions(f" of block {block} of stage {number}", stage.block_level)
        self.decisions = tuple(found)

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        return [self.space.graph_of(self._assignment(row)) for row in genes.tolist()]

    def _assignment(self, row: Sequence[int]) -> Assignment:
        description = self.space.description_of
        at = len(description.network.choices)
        network = description.network.nearest(tuple(row[:at]))
        stages = []
        for number, stage in enumerate(description.stages):
            width = len(stage.level.choices)
            option = stage.level.nearest(tuple(row[at : at + width]))
            at += width
            width = len(stage.block_level.choices)
            every = [
                stage.block_level.nearest(tuple(row[at + block * width : at + (block + 1) * width]))
                for block in range(self._depths[number])
            ]
            at += width * self._depths[number]
            stages.append(StageOption(option, tuple(every[: self.space.assignments.depths(network, number)[option]])))
        return Assignment(network, tuple(stages))


def _decisions(where: str, level: Level) -> list[Decision]:
    return [Decision(f"{choice.name}{where}", choice.texts) for choice in level.choices]
