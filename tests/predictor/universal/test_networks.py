"""A cell of which no network is known is one of its own."""

from __future__ import annotations

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import Size
from predictor.universal.networks import of_cells
from predictor.universal.recipe import terms_of


def cell(*operators: str, size: Size | None = None) -> ArchitectureGraph:
    names = ["input", *operators, "output"]
    edges = [(place, place + 1) for place in range(len(names) - 1)]
    sizes = [None, *[size] * len(operators), None] if size else []
    drawn = CellGraph.build("cell", names, edges, sizes=tuple(sizes), vocabulary=SIZED_VOCABULARY)
    return ArchitectureGraph("own", (drawn,), SIZED_VOCABULARY)


def test_cells_without_a_network_are_ranked_by_what_they_hold() -> None:
    wide = cell("conv3x3", size=Size(channels=2))
    networks, owners = of_cells([cell("conv1x1"), cell("conv3x3"), wide, cell("conv3x3", "avg_pool_3x3")])
    scores = terms_of(networks).score
    assert owners.tolist() == [0, 1, 2, 3]
    assert scores[0] < scores[1] < scores[2]
    assert scores[3] < scores[1]
