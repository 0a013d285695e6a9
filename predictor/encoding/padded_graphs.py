"""Graphs of any space as padded arrays: the one form that every predictor reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import SIZED, ArchitectureGraph, CellGraph, label
from catalog.architecture.operators import VOCABULARY, Operator, Vocabulary
from catalog.architecture.sizes import Size

PADDING = -1
NORMAL_CELL_WEIGHT = 3.0
"""Cells that keep the resolution stand about three times for each cell that halves it (DARTS: 6 or 18 against 2)."""


@dataclass(frozen=True)
class CellBatch:
    """Cells padded to one size; the cells of one architecture share an `owner`.

    Parameters
    ----------
    names
        What `operators` indexes: operator names, with what a node says of its size where that makes it another one.
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

    def operators_in(self, vocabulary: Vocabulary) -> list[Operator]:
        """What `names` stand for, in their order."""
        return [_operator(name, vocabulary) for name in self.names]

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
    names, operators = _named(cells)
    return CellBatch(
        names,
        operators,
        cells.adjacency,
        np.ones(cells.operators.shape, dtype=np.float32),
        np.arange(count) if owner is None else owner,
        np.full(count, weight, dtype=np.float32),
    )


def from_graphs(graphs: Sequence[ArchitectureGraph]) -> list[CellBatch]:
    """Batches of the cells of `graphs`, in the form the graphs have; cells of similar size share a batch."""
    names = operator_names(graphs)
    place = {name: index for index, name in enumerate(names)}
    groups: defaultdict[int, list[tuple[int, CellGraph]]] = defaultdict(list)
    for owner, graph in enumerate(graphs):
        for cell in graph.cells:
            groups[padded_size(cell.node_count)].append((owner, cell))
    return [_padded(names, place, size, groups[size]) for size in sorted(groups)]


def operator_names(graphs: Sequence[ArchitectureGraph]) -> tuple[str, ...]:
    """Every operator that occurs, as `CellBatch.names` has it, in order of first occurrence."""
    return tuple(dict.fromkeys(name for graph in graphs for cell in graph.cells for name in _names_of(cell)))


def _names_of(cell: CellGraph) -> tuple[str, ...]:
    if not cell.sizes:
        return cell.operators
    return tuple(label(name, _relative(size)) for name, size in zip(cell.operators, cell.sizes, strict=True))


def _named(cells: CellArrays) -> tuple[tuple[str, ...], NDArray[np.signedinteger[Any]]]:
    """The names of a batch, and (B, N) the place of each node's among them."""
    if cells.sizes is None:
        return cells.vocabulary, cells.operators.astype(np.int16)
    sizes = [None, *map(_relative, cells.size_table)]
    pairs = cells.operators.astype(np.int64) * len(sizes) + cells.sizes + 1
    found, place = np.unique(pairs, return_inverse=True)
    labels = [label(cells.vocabulary[pair // len(sizes)], sizes[pair % len(sizes)]) for pair in found.tolist()]
    names = tuple(dict.fromkeys(labels))
    position = {name: number for number, name in enumerate(names)}
    index = np.array([position[text] for text in labels], dtype=index_type(names))
    return names, index[place].reshape(cells.operators.shape)


def index_type(names: tuple[str, ...]) -> type[np.signedinteger[Any]]:
    """The type of `CellBatch.operators` where it indexes so many names."""
    return np.int16 if len(names) <= np.iinfo(np.int16).max else np.int32


@lru_cache(maxsize=65536)
def _relative(size: Size | None) -> Size | None:
    """What remains of a size where each node counts relative to its own width, as TG-NAS counts; None if nothing."""
    if size is None:
        return None
    known = replace(size, channels=None, params=None, macs=None)
    return None if known.text == Size().text else known


def _operator(name: str, vocabulary: Vocabulary) -> Operator:
    word, _, size = name.partition(SIZED)
    return vocabulary[word].at(Size.from_text(size) if size else None)


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
    operators = np.full((len(group), size), PADDING, dtype=index_type(names))
    adjacency = np.zeros((len(group), size, size), dtype=np.uint16)
    for row, (_, cell) in enumerate(group):
        operators[row, : cell.node_count] = [place[name] for name in _names_of(cell)]
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
        np.array([1.0 if cell.reduction else NORMAL_CELL_WEIGHT for _, cell in group], dtype=np.float32),
    )
