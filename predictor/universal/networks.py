"""The whole networks that are read: those that are known, and one made of a cell of which no network is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch, batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.computation.sized_plan import SizedPlans
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.sizes import REFERENCE_CHANNELS, NetworkInput, Size
from catalog.errors import UsageError
from catalog.spaces import SPACES
from predictor.door import Given
from predictor.universal.stand_ins import replaced, stand_ins

PIXELS = 16
"""Edge of the image that a cell of which no network is known is given."""


Owners = NDArray[np.int64]
"""(G,) which of the architectures a network belongs to."""


def networks_of(given: Given, rows: NDArray[np.int64]) -> Iterator[tuple[ComputationBatch, Owners]]:
    """The networks of some architectures; of cells without a network each is one, applied to one image.

    An architecture has several where an operator is known by a sentence alone: one with each that stands in for it.
    """
    if given.space in SPACES:
        yield given.networks(rows), np.arange(len(rows))
        return
    graphs = [given.native.graphs[row] for row in rows.tolist()]
    found = stand_ins(graphs, given.vocabulary)
    several = [replaced(graph, found) for graph in graphs] if found else [[]] * len(graphs)
    as_they_are = np.array([place for place, forms in enumerate(several) if not forms], dtype=np.int64)
    if len(as_they_are):
        batch, owners = _as_they_are(given, rows[as_they_are], [graphs[place] for place in as_they_are])
        yield batch, as_they_are[owners]
    for place, forms in enumerate(several):
        if forms:
            batch, owners = of_cells(forms)
            yield batch, np.full(len(owners), place)


def _as_they_are(
    given: Given, rows: NDArray[np.int64], graphs: Sequence[ArchitectureGraph]
) -> tuple[ComputationBatch, Owners]:
    try:
        return given.networks(rows), np.arange(len(rows))
    except UsageError:
        return of_cells(graphs)


def of_cells(graphs: Sequence[ArchitectureGraph]) -> tuple[ComputationBatch, Owners]:
    """Networks of graphs of one space: of one without an input each cell is a network."""
    plans = SizedPlans(graphs[0].vocabulary)
    placed = [[graph] if graph.input else _placed(graph) for graph in graphs]
    batch = batch_of_plans([plans.plan(one) for parts in placed for one in parts])
    return fused(batch), np.repeat(np.arange(len(graphs)), [len(parts) for parts in placed])


def _placed(graph: ArchitectureGraph) -> list[ArchitectureGraph]:
    """Each cell in a network of its own: what it calls one width are `REFERENCE_CHANNELS` channels."""
    taken = NetworkInput(shape=(REFERENCE_CHANNELS, PIXELS, PIXELS))
    cells = [replace(cell, sizes=tuple(map(_absolute, cell.sizes))) for cell in graph.as_cells()]
    return [replace(graph, cells=(cell,), input=taken) for cell in cells]


def _absolute(size: Size | None) -> Size | None:
    if size is None or size.channels is None:
        return size
    return replace(size, channels=max(1, round(size.channels * REFERENCE_CHANNELS)))
