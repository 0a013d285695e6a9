"""The whole networks that are read: those that are known, and one made of a cell of which no network is known."""

from __future__ import annotations

from collections.abc import Sequence
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

PIXELS = 16
"""Edge of the image that a cell of which no network is known is given."""


Owners = NDArray[np.int64]
"""(G,) which of the architectures a network belongs to."""


def networks_of(given: Given, rows: NDArray[np.int64]) -> tuple[ComputationBatch, Owners]:
    """The networks of some architectures; of cells without a network each is one, applied to one image."""
    if given.space in SPACES:
        return given.networks(rows), np.arange(len(rows))
    try:
        return given.networks(rows), np.arange(len(rows))
    except UsageError:
        return of_cells([given.native.graphs[row] for row in rows.tolist()])


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
