"""Many cells of one size as arrays: the form in which whole spaces are converted and stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture import canonical_labelling as canonical
from catalog.architecture.graph import CellGraph


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
    """

    name: str
    vocabulary: tuple[str, ...]
    operators: NDArray[np.int16]
    adjacency: NDArray[np.unsignedinteger[Any]]

    @classmethod
    def of(cls, cells: Sequence[CellGraph], vocabulary: tuple[str, ...] | None = None) -> CellArrays:
        """Stack cells that have the same name and number of nodes."""
        names = vocabulary or tuple(dict.fromkeys(operator for cell in cells for operator in cell.operators))
        place = {name: index for index, name in enumerate(names)}
        operators = np.array([[place[operator] for operator in cell.operators] for cell in cells], dtype=np.int16)
        adjacency = np.zeros((len(cells), operators.shape[1], operators.shape[1]), dtype=np.uint16)
        triples = np.array(
            [(row, *edge) for row, cell in enumerate(cells) for edge in cell.edges], dtype=np.int64
        ).reshape(-1, 4)
        adjacency[triples[:, 0], triples[:, 1], triples[:, 2]] = triples[:, 3]
        return cls(cells[0].name, names, operators, adjacency)

    def __len__(self) -> int:
        return len(self.operators)

    def __repr__(self) -> str:
        return f"CellArrays({self.name!r}, {len(self)} cells of {self.operators.shape[1]} nodes)"

    def taken(self, rows: NDArray[Any]) -> CellArrays:
        """The cells that an index array or a mask over the batch selects."""
        return CellArrays(self.name, self.vocabulary, self.operators[rows], self.adjacency[rows])

    def keys(self) -> canonical.Colours:
        """(B, N) operator keys for `catalog.architecture.canonical_labelling`."""
        table = np.array([canonical.operator_key(name) for name in self.vocabulary], dtype=np.uint64)
        return np.asarray(table[self.operators])

    def canonically_ordered(self) -> CellArrays:
        """The same cells with their nodes in canonical order; operators are neither contracted nor dropped."""
        rows = np.arange(len(self))[:, None]
        order = canonical.canonical_order(self.keys(), self.adjacency)
        return CellArrays(
            self.name,
            self.vocabulary,
            self.operators[rows, order],
            self.adjacency[rows[:, :, None], order[:, :, None], order[:, None, :]],
        )

    def encodings(self) -> list[bytes]:
        """Encodings of the cells as they are ordered now, as digests take them."""
        return canonical.encode_batch(self.keys(), self.adjacency)

    def depths(self) -> NDArray[np.int64]:
        """(B,) edges on the longest path that ends in the output."""
        linked = self.adjacency > 0
        longest = np.zeros(self.operators.shape, dtype=np.int64)
        for node in range(1, self.operators.shape[1]):
            longest[:, node] = np.where(linked[:, :node, node], longest[:, :node] + 1, 0).max(axis=1)
        return longest[:, -1]

    def cell(self, row: int, *, reduction: bool = False) -> CellGraph:
        """One cell of the batch as a `CellGraph`."""
        sources, targets = np.nonzero(self.adjacency[row])
        counts = self.adjacency[row, sources, targets]
        return CellGraph(
            self.name,
            tuple(self.vocabulary[index] for index in self.operators[row]),
            tuple(zip(sources.tolist(), targets.tolist(), counts.tolist(), strict=True)),
            reduction,
        )
