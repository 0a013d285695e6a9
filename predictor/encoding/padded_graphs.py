"""Graphs of any space as padded arrays: the one form that every predictor reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph, halves_resolution
from catalog.architecture.graph_tables import PlacedCells
from catalog.architecture.operators import VOCABULARY, Vocabulary

PADDING = -1
_MOST_NAMES = 2**15  # what 16 bits can tell apart
NORMAL_CELL_WEIGHT = 3.0
"""Cells that keep the resolution stand about three times for each cell that halves it (DARTS: 6 or 18 against 2)."""


@dataclass(frozen=True)
class CellBatch:
    """Cells padded to one size; the cells of one architecture share an `owner`.

    Parameters
    ----------
    names
        Operator names that `operators` indexes, with sizes where the graphs give some (`label`).
    operators
        (B, N) indices, `PADDING` where a place is empty. Nodes stand in topological order, the output in the last
        place that is not empty.
    adjacency
        (B, N, N) edge multiplicities, row = source; empty places have none.
    scale
        (B, N) factor on an operator's relative parameters, for cells whose nodes differ in channels.
    owner
        (B,) place of the cell's architecture in the pool.
    weight
        (B,) how often the cell stands in the network, relative to a cell that halves the resolution.
    """

    names: tuple[str, ...]
    operators: NDArray[np.signedinteger[Any]]
    adjacency: NDArray[np.unsignedinteger[Any]]
    scale: NDArray[np.float32]
    owner: NDArray[np.int64]
    weight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.operators)

    def __repr__(self) -> str:
        return f"CellBatch({len(self)} cells padded to {self.operators.shape[1]} nodes)"

    @property
    def mask(self) -> NDArray[np.bool_]:
        """(B, N) whether a node stands in a place."""
        return np.asarray(self.operators != PADDING)

    def rows(self, index: NDArray[Any] | slice) -> CellBatch:
        """A part of the batch; owners stay as they are."""
        return replace(
            self,
            operators=self.operators[index],
            adjacency=self.adjacency[index],
            scale=self.scale[index],
            owner=self.owner[index],
            weight=self.weight[index],
        )

    def parts(self, cells_of_adjacency: int = 2**22) -> Iterator[CellBatch]:
        """The batch in slices whose adjacency holds at most so many numbers, so that memory stays bounded."""
        step = max(1, cells_of_adjacency // max(1, self.operators.shape[1] ** 2))
        for start in range(0, len(self), step):
            yield self.rows(slice(start, start + step))


def from_arrays(
    cells: CellArrays, owner: NDArray[np.int64] | None = None, weight: float = NORMAL_CELL_WEIGHT
) -> CellBatch:
    """A batch of whole arrays of cells of one size; every cell is an architecture of its own unless `owner` says so."""
    count = len(cells)
    names, places = cells.labels()
    return CellBatch(
        names,
        places.astype(index_type(len(names))),
        cells.adjacency,
        np.ones(cells.operators.shape, dtype=np.float32),
        np.arange(count) if owner is None else owner,
        np.full(count, weight, dtype=np.float32),
    )


def from_placed(placed: PlacedCells) -> CellBatch:
    """A batch of the cells of some architectures, each with its weight."""
    batch = from_arrays(placed.cells, placed.rows, weight_of(reduction=halves_resolution(placed.cells.name)))
    return batch if placed.repeats is None else replace(batch, weight=batch.weight * placed.repeats.astype(np.float32))


def weight_of(*, reduction: bool) -> float:
    """How often a cell stands in the network, relative to one that halves the resolution."""
    return 1.0 if reduction else NORMAL_CELL_WEIGHT


def from_graphs(graphs: Sequence[ArchitectureGraph]) -> list[CellBatch]:
    """Batches of the cells of `graphs`, in the form the graphs have; cells of similar size share a batch."""
    names = operator_names(graphs)
    place = {name: index for index, name in enumerate(names)}
    groups: defaultdict[int, list[tuple[int, CellGraph]]] = defaultdict(list)
    for owner, graph in enumerate(graphs):
        for cell in graph.as_cells():
            groups[padded_size(cell.node_count)].append((owner, cell))
    return [_padded(names, place, size, groups[size]) for size in sorted(groups)]


def operator_names(graphs: Sequence[ArchitectureGraph]) -> tuple[str, ...]:
    """Every operator that occurs, with its size where one is given, in order of first occurrence."""
    return tuple(dict.fromkeys(name for graph in graphs for cell in graph.as_cells() for name in cell.labels()))


def index_type(names: int) -> type[np.signedinteger[Any]]:
    """The type of `CellBatch.operators` where it tells so many names apart, and `PADDING`."""
    return np.int16 if names < _MOST_NAMES else np.int32


def vocabulary_of(graphs: Sequence[ArchitectureGraph]) -> Vocabulary:
    """What the operator names of `graphs` mean: the vocabulary that they bring."""
    return graphs[0].vocabulary if graphs else VOCABULARY


def padded_size(nodes: int) -> int:
    """Places for a cell of so many nodes: exact for small cells, else the next step of about a quarter."""
    size = 8
    if nodes <= size:
        return max(nodes, 2)
    while size < nodes:
        size += max(2, size // 4)
    return size


def _padded(
    names: tuple[str, ...], place: dict[str, int], size: int, group: Sequence[tuple[int, CellGraph]]
) -> CellBatch:
    operators = np.full((len(group), size), PADDING, dtype=index_type(len(names)))
    adjacency = np.zeros((len(group), size, size), dtype=np.uint16)
    for row, (_, cell) in enumerate(group):
        operators[row, : cell.node_count] = [place[name] for name in cell.labels()]
    edges = np.array(
        [(row, *edge) for row, (_, cell) in enumerate(group) for edge in cell.edges], dtype=np.int64
    ).reshape(-1, 4)
    adjacency[edges[:, 0], edges[:, 1], edges[:, 2]] = edges[:, 3]
    return CellBatch(
        names,
        operators,
        adjacency,
        np.ones(operators.shape, dtype=np.float32),
        np.array([owner for owner, _ in group], dtype=np.int64),
        np.array([_weight(cell) for _, cell in group], dtype=np.float32),
    )


def _weight(cell: CellGraph) -> float:
    return cell.repeats * weight_of(reduction=cell.reduction)
