"""Graphs as rows of the tables ``architecture``, ``node`` and ``edge``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.canonical_form import Order
from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph, combine_digests
from catalog.architecture.operators import VOCABULARY, Vocabulary
from catalog.architecture.size_tables import SIZED_SCORES, SizedForm, sized_forms

if TYPE_CHECKING:
    from catalog.architecture.computation.sized import NetworkFacts

Identifiers = NDArray[np.int64]


@dataclass(frozen=True)
class GraphRows:
    """What the graphs of a batch of architectures contribute to the tables.

    Parameters
    ----------
    facts
        One row an architecture, in the batch's order: the columns of ``architecture`` that follow from the graph.
    nodes, edges
        Rows of ``node`` and ``edge``, sorted by architecture.
    native_cells, canonical_cells
        The cells as arrays, for whoever counts on them; the same where the space's two forms are equal.
    sized_forms
        The native and the canonical form with what follows from their sizes; none where no graph says any.
    """

    facts: pa.Table
    nodes: pa.Table
    edges: pa.Table
    native_cells: Sequence[PlacedCells]
    canonical_cells: Sequence[PlacedCells]
    sized_forms: Sequence[SizedForm] = ()

    def scored(self, name: str) -> NDArray[np.bool_]:
        """Which architectures of the batch a structural score is of: of sizes, the whole networks alone."""
        if not self.sized_forms or name not in SIZED_SCORES:
            return np.ones(len(self.facts), dtype=bool)
        return np.array([graph.input is not None for graph in self.sized_forms[0].graphs], dtype=bool)


@dataclass(frozen=True)
class PlacedCells:
    """Cells of one size, the place of each one's architecture in the batch, and how often each stands in a row."""

    rows: Identifiers
    cells: CellArrays
    repeats: NDArray[np.int64] | None = None

    def repeated(self, values: NDArray[Any]) -> NDArray[Any]:
        """One number a cell, for all its copies together."""
        return values if self.repeats is None else values * self.repeats


def rows_of_graphs(
    first_id: int,
    native: Sequence[ArchitectureGraph],
    canonical: Sequence[ArchitectureGraph],
    networks: Sequence[NetworkFacts | None] | None = None,
    *,
    orders: Sequence[tuple[Order, ...] | None] | None = None,
    sizes_are_all: bool = True,
) -> GraphRows:
    """Table rows of graphs in both forms, whose architectures get the ids `first_id`, `first_id` + 1, ...

    `networks`, `orders` and `sizes_are_all` are as in `sized_forms`.
    """
    vocabulary = native[0].vocabulary if native else VOCABULARY
    encodings: list[list[tuple[str, bytes]]] = [[] for _ in native]
    depths, nodes, edges = (np.zeros(len(native), dtype=np.int64) for _ in range(3))
    connected = np.ones(len(native), dtype=bool)
    native_cells, canonical_cells = list(placed_cells(native)), list(placed_cells(canonical))
    for placed in canonical_cells:
        cell_depths = placed.cells.depths()
        further = placed.cells.applications().sum(axis=1) - placed.cells.operators.shape[1]
        np.add.at(depths, placed.rows, placed.repeated(cell_depths))
        np.add.at(nodes, placed.rows, placed.repeated(further + placed.cells.operators.shape[1]))
        np.add.at(edges, placed.rows, placed.repeated(further + (placed.cells.adjacency > 0).sum(axis=(1, 2))))
        connected[placed.rows[cell_depths == 0]] = False
        for row, encoding in zip(placed.rows.tolist(), placed.cells.encodings(), strict=True):
            encodings[row].append((placed.cells.name, encoding))
    facts = pa.table(
        {
            "canonical_digest": [
                combine_digests([*cells, *graph.settings()]) for cells, graph in zip(encodings, canonical, strict=True)
            ],
            "is_connected": connected,
            "nodes": pa.array(nodes, pa.int32()),  # one more for each further time that an operator is applied
            "edges": pa.array(edges, pa.int32()),
            "depth": pa.array(depths, pa.int32()),
            "operator_counts": operator_counts(len(native), native_cells, vocabulary),
            "live_operator_counts": operator_counts(len(native), canonical_cells, vocabulary),
            "network_input": pa.array([graph.input and graph.input_text for graph in native], pa.string()),
            "classes": pa.array([graph.classes for graph in native], pa.int32()),
        }
    )
    parts = [("native", placed) for placed in native_cells] + [("canonical", placed) for placed in canonical_cells]
    return GraphRows(
        facts,
        node_rows(first_id, parts),
        edge_rows(first_id, parts),
        native_cells,
        canonical_cells,
        sized_forms(native, canonical, networks, orders=orders, sizes_are_all=sizes_are_all),
    )


def rows_of_arrays(first_id: int, parts: Sequence[PlacedCells], vocabulary: Vocabulary = VOCABULARY) -> GraphRows:
    """Table rows of one-cell architectures given as arrays, in a space whose two forms are equal."""
    count = sum(len(part.rows) for part in parts)
    digests = np.empty(count, dtype=object)
    nodes, edges, depths = (np.zeros(count, dtype=np.int32) for _ in range(3))
    for part in parts:
        ordered = part.cells.canonically_ordered()
        digests[part.rows] = [combine_digests([(ordered.name, encoding)]) for encoding in ordered.encodings()]
        nodes[part.rows] = part.cells.operators.shape[1]
        edges[part.rows] = (part.cells.adjacency > 0).sum(axis=(1, 2))
        depths[part.rows] = part.cells.depths()
    maps = operator_counts(count, parts, vocabulary)
    facts = pa.table(
        {
            "canonical_digest": pa.array(digests, pa.string()),
            "is_connected": depths > 0,
            "nodes": nodes,
            "edges": edges,
            "depth": depths,
            "operator_counts": maps,
            "live_operator_counts": maps,
            "network_input": pa.nulls(count, pa.string()),
            "classes": pa.nulls(count, pa.int32()),
        }
    )
    placed = [("both", part) for part in parts]
    return GraphRows(facts, node_rows(first_id, placed), edge_rows(first_id, placed), parts, parts)


def operator_counts(count: int, parts: Sequence[PlacedCells], vocabulary: Vocabulary) -> pa.DictionaryArray:
    """Operator to number of nodes of each of `count` architectures, inputs and outputs left out."""
    names = _counted({name for part in parts for name in part.cells.vocabulary}, vocabulary)
    counts = np.zeros((count, len(names)), dtype=np.int32)
    for part in parts:
        applications = part.cells.applications()
        for index, name in enumerate(part.cells.vocabulary):
            if name in names:
                found = (applications * (part.cells.operators == index)).sum(axis=1)
                np.add.at(counts[:, names.index(name)], part.rows, part.repeated(found))
    return _count_maps(names, counts)


def _counted(found: Set[str], vocabulary: Vocabulary) -> tuple[str, ...]:
    """The operators of some nodes that are neither input nor output, in the vocabulary's order."""
    return tuple(
        operator.name for operator in vocabulary if operator.name in found and operator.kind not in ("input", "output")
    )


def _count_maps(names: Sequence[str], counts: NDArray[np.int32]) -> pa.DictionaryArray:
    """Maps of the counts that are not 0, each different one once: DuckDB takes in a million maps in seconds."""
    distinct, places = _distinct_rows(counts)
    rows, columns = np.nonzero(distinct)
    offsets = np.concatenate([[0], np.cumsum((distinct > 0).sum(axis=1))]).astype(np.int32)
    keys = pa.DictionaryArray.from_arrays(columns.astype(np.int16), list(names)).dictionary_decode()
    maps = pa.MapArray.from_arrays(offsets, keys, pa.array(distinct[rows, columns], pa.int32()))
    return pa.DictionaryArray.from_arrays(places, maps)


def _distinct_rows(counts: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The different rows of counts, in their order, and the place of every row among them."""
    places = np.zeros(len(counts), dtype=np.int32)
    for column in counts.T:
        mixed = places.astype(np.int64) * (column.max(initial=0) + 1) + column
        places = pa.array(mixed).dictionary_encode().indices.to_numpy()
    first = np.zeros(places.max(initial=-1) + 1, dtype=np.int64)
    first[places[::-1]] = np.arange(len(places))[::-1]
    return counts[first], places


def placed_cells(graphs: Sequence[ArchitectureGraph]) -> Iterable[PlacedCells]:
    """All cells of `graphs`, grouped by name and size."""
    groups: defaultdict[tuple[str, int], list[tuple[int, CellGraph]]] = defaultdict(list)
    for row, graph in enumerate(graphs):
        for cell in graph.cells:
            groups[cell.name, cell.node_count].append((row, cell))
    for members in groups.values():
        rows = np.array([row for row, _ in members], dtype=np.int64)
        repeats = np.array([cell.repeats for _, cell in members], dtype=np.int64)
        cells = CellArrays.of([cell for _, cell in members])
        yield PlacedCells(rows, cells, repeats if (repeats != 1).any() else None)


def node_rows(first_id: int, parts: Sequence[tuple[str, PlacedCells]]) -> pa.Table:
    """Rows of ``node`` for (form, cells) parts, sorted by architecture, form, cell and position."""
    tables = []
    for form, part in parts:
        count, size = part.cells.operators.shape
        tables.append(
            pa.table(
                {
                    "architecture_id": np.repeat(first_id + part.rows, size),
                    "form": _constant(form, count * size),
                    "cell": _constant(part.cells.name, count * size),
                    "position": np.tile(np.arange(size, dtype=np.int16), count),
                    "operator": pa.DictionaryArray.from_arrays(
                        part.cells.operators.astype(np.int32).ravel(), list(part.cells.vocabulary)
                    ),
                }
            )
        )
    return _sorted(tables) if tables else _empty("position", "operator")


def edge_rows(first_id: int, parts: Sequence[tuple[str, PlacedCells]]) -> pa.Table:
    """Rows of ``edge`` for (form, cells) parts, sorted by architecture, form, cell, source and target."""
    tables = []
    for form, part in parts:
        cells, sources, targets = np.nonzero(part.cells.adjacency)
        tables.append(
            pa.table(
                {
                    "architecture_id": first_id + part.rows[cells],
                    "form": _constant(form, len(cells)),
                    "cell": _constant(part.cells.name, len(cells)),
                    "source": sources.astype(np.int16),
                    "target": targets.astype(np.int16),
                    "multiplicity": part.cells.adjacency[cells, sources, targets].astype(np.int16),
                }
            )
        )
    return _sorted(tables) if tables else _empty("source", "target", "multiplicity")


def _empty(*columns: str) -> pa.Table:
    """No rows, of no cells: nobody knows their operators."""
    word = pa.dictionary(pa.int32(), pa.string())
    types = {"architecture_id": pa.int64(), "form": word, "cell": word, "operator": word}
    names = ("architecture_id", "form", "cell", *columns)
    return pa.schema([(name, types.get(name, pa.int16())) for name in names]).empty_table()


def _constant(word: str, count: int) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(count, dtype=np.int32), [word])


def _sorted(tables: Sequence[pa.Table]) -> pa.Table:
    """One table sorted by architecture; parts are sorted already, so a stable sort keeps the rest in order."""
    table = pa.concat_tables(tables).unify_dictionaries().combine_chunks()
    order = np.argsort(table["architecture_id"].to_numpy(), kind="stable")
    return table.take(pa.array(order))
