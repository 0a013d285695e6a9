"""A batch of architectures of one space, on its way into the catalog."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import PlacedCells

if TYPE_CHECKING:
    from catalog.architecture.computation.sized import NetworkFacts


@dataclass(frozen=True)
class Members:
    """Architectures by native id, with their native graphs where the id does not determine them.

    Parameters
    ----------
    native_ids
        Each once.
    native_indices
        The benchmark's own numbers, where the space cannot compute them from the graph.
    graphs, cells
        Native graphs of all members in order or, in a space whose two forms are equal, arrays; at most one of them.
    networks
        What follows from the sizes of the graphs that are whole networks, where the reader has worked it out.
    """

    native_ids: Sequence[str]
    native_indices: Sequence[int] | None = None
    graphs: Sequence[ArchitectureGraph] | None = None
    cells: Sequence[PlacedCells] | None = None
    networks: Sequence[NetworkFacts | None] | None = None

    def __len__(self) -> int:
        return len(self.native_ids)

    def taken(self, rows: NDArray[np.int64]) -> Members:
        """The members at `rows`."""
        places = rows.tolist()
        return Members(
            [self.native_ids[row] for row in places],
            None if self.native_indices is None else [self.native_indices[row] for row in places],
            None if self.graphs is None else [self.graphs[row] for row in places],
            None if self.cells is None else _selected(self.cells, rows, len(self)),
            None if self.networks is None else [self.networks[row] for row in places],
        )


def _selected(cells: Sequence[PlacedCells], rows: NDArray[np.int64], count: int) -> list[PlacedCells]:
    place = np.full(count, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    selected = []
    for part in cells:
        keep = place[part.rows] >= 0
        if keep.any():
            repeats = None if part.repeats is None else part.repeats[keep]
            selected.append(PlacedCells(place[part.rows[keep]], part.cells.taken(keep), repeats))
    return selected
