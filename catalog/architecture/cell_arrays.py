"""Many cells of one size as arrays: the form in which whole spaces are converted and stored."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture import canonical_labelling as canonical
from catalog.architecture.graph import CellGraph
from catalog.architecture.operators import label
from catalog.architecture.sizes import Size


@dataclass(frozen=True)
class CellArrays:
    """A batch of cells with the same name and the same number of nodes.

    Parameters
    ----------
    name
        The cells' name, for example ``cell``.
    vocabulary
        Operator names that `operators` indexes.
    operators
        (B, N) indices into `vocabulary`, in topological order, the output last.
    adjacency
        (B, N, N) edge multiplicities, row = source.
    sizes
        (B, N) places in `size_table`, -1 where the source says nothing; None where it says nothing of any node.
    size_table
        The sizes that occur, each once.
    """

    name: str
    vocabulary: tuple[str, ...]
    operators: NDArray[np.int16]
    adjacency: NDArray[np.unsignedinteger[Any]]
    sizes: NDArray[np.int32] | None = None
    size_table: tuple[Size, ...] = ()

    @classmethod
    def of(cls, cells: Sequence[CellGraph], vocabulary: tuple[str, ...] | None = None) -> CellArrays:
        """Stack cells that have the same name and number of nodes."""
        names = vocabulary or tuple(dict.fromkeys(chain.from_iterable([cell.operators for cell in cells])))
        place = {name: index for index, name in enumerate(names)}
        operators = _table([cell.operators for cell in cells], place).astype(np.int16)
        adjacency = np.zeros((len(cells), operators.shape[1], operators.shape[1]), dtype=np.uint16)
        rows = np.repeat(np.arange(len(cells)), [len(cell.edges) for cell in cells])
        numbers = chain.from_iterable(chain.from_iterable([cell.edges for cell in cells]))
        triples = np.fromiter(numbers, np.int64, 3 * len(rows)).reshape(-1, 3)
        adjacency[rows, triples[:, 0], triples[:, 1]] = triples[:, 2]
        sizes, table = _sizes_of(cells)
        return cls(cells[0].name, names, operators, adjacency, sizes, table)

    def __len__(self) -> int:
        return len(self.operators)

    def __repr__(self) -> str:
        return f"CellArrays({self.name!r}, {len(self)} cells of {self.operators.shape[1]} nodes)"

    def taken(self, rows: NDArray[Any]) -> CellArrays:
        """The cells that an index array or a mask over the batch selects."""
        sizes = None if self.sizes is None else self.sizes[rows]
        return replace(self, operators=self.operators[rows], adjacency=self.adjacency[rows], sizes=sizes)

    def keys(self) -> canonical.Colours:
        """(B, N) operator keys for `catalog.architecture.canonical_labelling`."""
        table = np.array([canonical.operator_key(name) for name in self.vocabulary], dtype=np.uint64)
        keys = table[self.operators]
        if self.sizes is not None:
            labels, place = self.labels()
            keys = np.array([canonical.operator_key(text) for text in labels], dtype=np.uint64)[place]
        return np.asarray(keys)

    def labels(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """What decides the function of each node: the labels that occur, and (B, N) places among them."""
        if self.sizes is None:
            return self.vocabulary, self.operators.astype(np.int64)
        width = len(self.size_table) + 1
        codes = self.operators.astype(np.int64) * width + self.sizes + 1
        unique, place = np.unique(codes, return_inverse=True)
        sizes = (None, *self.size_table)
        labels = tuple(label(self.vocabulary[code // width], sizes[code % width]) for code in unique.tolist())
        return labels, place.reshape(codes.shape)

    def canonical_order(self) -> canonical.Order:
        """(B, N) the places of each cell's nodes in canonical order."""
        return canonical.canonical_order(self.keys(), self.adjacency)

    def canonically_ordered(self) -> CellArrays:
        """The same cells with their nodes in canonical order; operators are neither contracted nor dropped."""
        rows = np.arange(len(self))[:, None]
        order = self.canonical_order()
        return replace(
            self,
            operators=self.operators[rows, order],
            adjacency=self.adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]],
            sizes=None if self.sizes is None else self.sizes[rows, order],
        )

    def encodings(self) -> list[bytes]:
        """Encodings of the cells as they are ordered now, as digests take them."""
        return canonical.encode_batch(self.keys(), self.adjacency)

    def applications(self) -> NDArray[np.int64]:
        """(B, N) how many times each operator is applied in a row."""
        if self.sizes is None:
            return np.ones(self.operators.shape, dtype=np.int64)
        table = np.array([*(size.repeats or 1 for size in self.size_table), 1], dtype=np.int64)
        return np.asarray(table[self.sizes])  # the last one for places of -1

    def depths(self) -> NDArray[np.int64]:
        """(B,) edges on the longest path that ends in the output, as many a node as its operator is applied."""
        linked = self.adjacency > 0
        applications = self.applications()
        longest = np.zeros(self.operators.shape, dtype=np.int64)
        for node in range(1, self.operators.shape[1]):
            reached = np.where(linked[:, :node, node], longest[:, :node] + applications[:, node, None], 0)
            longest[:, node] = reached.max(axis=1)
        return longest[:, -1]

    def cell(self, row: int, *, reduction: bool = False) -> CellGraph:
        """One cell of the batch as a `CellGraph`."""
        sources, targets = np.nonzero(self.adjacency[row])
        counts = self.adjacency[row, sources, targets]
        sizes = () if self.sizes is None else tuple(self._size(place) for place in self.sizes[row].tolist())
        return CellGraph(
            self.name,
            tuple(self.vocabulary[index] for index in self.operators[row]),
            tuple(zip(sources.tolist(), targets.tolist(), counts.tolist(), strict=True)),
            reduction,
            sizes if any(size is not None for size in sizes) else (),
        )

    def _size(self, place: int) -> Size | None:
        return self.size_table[place] if place >= 0 else None


def _sizes_of(cells: Sequence[CellGraph]) -> tuple[NDArray[np.int32] | None, tuple[Size, ...]]:
    """`CellArrays.sizes` and its table of some cells."""
    if not any(cell.sizes for cell in cells):
        return None, ()
    nothing = (None,) * cells[0].node_count
    sizes = [cell.sizes or nothing for cell in cells]
    distinct = dict.fromkeys(chain((None,), chain.from_iterable(sizes)))
    place = {size: number for number, size in enumerate(distinct, -1)}
    return _table(sizes, place).astype(np.int32), tuple(size for size in distinct if size is not None)


def _table(rows: Sequence[Sequence[Hashable]], place: Mapping[Any, int]) -> NDArray[np.int64]:
    """The places of what stands in rows of one length."""
    width = len(rows[0])
    return np.fromiter(map(place.__getitem__, chain.from_iterable(rows)), np.int64, len(rows) * width).reshape(
        -1, width
    )
