"""Spaces of one fixed graph as choices: an operator for each edge (NAS-Bench-201) or a width for each stage (NATS)."""

from __future__ import annotations

from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.choices import Choices, Decision, Genes, options_taken
from catalog.spaces.base import SearchSpace
from catalog.spaces.nats_sss import STAGES, WIDTHS
from catalog.spaces.nb201 import CELL_EDGES, OPERATORS, format_cell


class NB201Choices(Choices):
    """NAS-Bench-201: one of five operators on each of six edges."""

    is_separable = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        self.decisions = tuple(Decision(f"edge {source}->{target}", OPERATORS) for source, target in CELL_EDGES)

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        return [self.space.graph(format_cell(options_taken(self.decisions, row))) for row in genes.tolist()]


class SizeChoices(Choices):
    """NATS-Bench's size space: one of eight widths in each of five stages."""

    is_separable = True

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        widths = tuple(str(width) for width in WIDTHS)
        self.decisions = tuple(Decision(f"width of stage {stage + 1}", widths) for stage in range(STAGES))

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        return [self.space.graph(":".join(options_taken(self.decisions, row))) for row in genes.tolist()]
