"""Spaces of one fixed graph as choices: an operator for each edge or a width for each stage (NATS)."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.choices import Choices, Decision, Genes, options_taken
from catalog.spaces import transnas_micro
from catalog.spaces.base import SearchSpace
from catalog.spaces.nats_sss import STAGES, WIDTHS
from catalog.spaces.nb201 import CELL_EDGES, OPERATORS, format_cell


class NB201Choices(Choices):
    """NAS-Bench-201: one of five operators on each of six edges."""

    is_separable = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.decisions = _of_edges(OPERATORS)

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        return [self.space.graph(format_cell(options_taken(self.decisions, row))) for row in genes.tolist()]


class TransNASChoices(Choices):
    """TransNAS-Bench-101's micro space: one of four operators on each of NAS-Bench-201's six edges."""

    is_separable = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.decisions = _of_edges(transnas_micro.OPERATORS)

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        return [self.space.graph(row) for row in genes.tolist()]


def _of_edges(operators: Sequence[str]) -> tuple[Decision, ...]:
    return tuple(Decision(f"edge {source}->{target}", tuple(operators)) for source, target in CELL_EDGES)


class SizeChoices(Choices):
    """NATS-Bench's size space: one of eight widths in each of five stages."""

    is_separable = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        widths = tuple(str(width) for width in WIDTHS)
        self.decisions = tuple(Decision(f"width of stage {stage + 1}", widths) for stage in range(STAGES))

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        return [self.space.graph(":".join(options_taken(self.decisions, row))) for row in genes.tolist()]
