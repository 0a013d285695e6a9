"""Graphs read back from the tables ``node`` and ``edge``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph, Edge, halves_resolution
from catalog.architecture.graph_tables import Identifiers, PlacedCells
from catalog.architecture.operators import SIZED_VOCABULARY, Vocabulary
from catalog.architecture.sizes import NetworkInput, Size, classes_of
from catalog.spaces import SPACES, space_named
from catalog.tables.stored_operators import stored_operators

if TYPE_CHECKING:
    from catalog.storage.store import Store

Form = Literal["native", "canonical"]


def read_graphs(catalog: Store, space: str, ids: Sequence[int], form: Form) -> list[ArchitectureGraph]:
    """The stored graphs of some architectures of one space in one form, in the order of `ids`.

    Both tables are read once, whatever the number of architectures. The cells come as they were stored: a stored
    canonical form is not computed again.

    Raises
    ------
    GraphError
        What is stored of a size or of a network's ends is none.
    """
    wanted = pa.table({"architecture_id": pa.array(ids, pa.int64())})
    selected = """
        FROM {table} SEMI JOIN wanted USING (architecture_id) WHERE form IN ({form}, 'both')
        ORDER BY architecture_id, cell, {order}
    """
    nodes = catalog.arrow(
        "SELECT architecture_id, cell, operator " + selected.format(table="node", form=f"'{form}'", order="position"),
        tables={"wanted": wanted},
    )
    edges = catalog.arrow(
        "SELECT architecture_id, cell, source, target, multiplicity "
        + selected.format(table="edge", form=f"'{form}'", order="source, target"),
        tables={"wanted": wanted},
    )
    operators: defaultdict[tuple[int, str], list[str]] = defaultdict(list)
    for owner, cell, operator in zip(*(column.to_pylist() for column in nodes.columns), strict=True):
        operators[owner, cell].append(operator)
    data_flow: defaultdict[tuple[int, str], list[Edge]] = defaultdict(list)
    for owner, cell, *edge in zip(*(column.to_pylist() for column in edges.columns), strict=True):
        source, target, multiplicity = edge
        data_flow[owner, cell].append((source, target, multiplicity))
    sizes, repeats = _sizes(catalog, wanted, form, operators)
    cells: defaultdict[int, list[CellGraph]] = defaultdict(list)
    for (owner, cell), names in operators.items():
        cells[owner].append(
            CellGraph(
                cell,
                tuple(names),
                tuple(data_flow[owner, cell]),
                halves_resolution(cell),
                tuple(sizes.get((owner, cell), ())),
                repeats.get((owner, cell), 1),
            )
        )
    vocabulary = read_vocabulary(catalog, space)
    ends = _ends(catalog, wanted)
    graphs = []
    for owner in ids:
        order, taken, classes = ends.get(owner, ([], None, None))
        graphs.append(ArchitectureGraph(space, _in_order(cells[owner], order), vocabulary, taken, classes))
    return graphs


_OfCell = dict[tuple[int, str], list[Size | None]]


def _sizes(
    catalog: Store, wanted: pa.Table, form: Form, operators: Mapping[tuple[int, str], Sequence[str]]
) -> tuple[_OfCell, dict[tuple[int, str], int]]:
    """What the sources say of the nodes of some cells, by architecture and cell, and how often each cell repeats."""
    rows = catalog.rows(
        "SELECT architecture_id, cell, position, given FROM node_attribute SEMI JOIN wanted USING (architecture_id) "
        "WHERE form = ? AND given IS NOT NULL",
        [form],
        tables={"wanted": wanted},
    )
    sizes: _OfCell = {}
    repeats: dict[tuple[int, str], int] = {}
    for owner, cell, position, given in rows:
        names = operators.get((owner, cell), ())
        if not position < len(names):
            continue
        size = Size.from_text(given)
        if position == len(names) - 1:
            repeats[owner, cell] = size.repeats or 1
        else:
            sizes.setdefault((owner, cell), [None] * len(names))[position] = size
    return sizes, repeats


def _ends(catalog: Store, wanted: pa.Table) -> dict[int, tuple[list[str], NetworkInput, int | None]]:
    """The whole networks among some architectures: the order of their cells, what they take, and their classes.

    The order is empty where it is that of the names.
    """
    rows = catalog.rows(
        "SELECT id, network_input, classes FROM architecture SEMI JOIN wanted ON architecture_id = id "
        "WHERE network_input IS NOT NULL",
        tables={"wanted": wanted},
    )
    ends = {}
    for owner, text, classes in rows:
        order, taken = NetworkInput.with_cells(text)
        ends[owner] = (order, taken, None if classes is None else classes_of({"classes": classes}))
    return ends


def _in_order(cells: Sequence[CellGraph], order: Sequence[str]) -> tuple[CellGraph, ...]:
    """Cells in the order of the data; as they stand where an order does not name just them."""
    if sorted(order) != sorted(cell.name for cell in cells):
        return tuple(cells)
    return tuple(sorted(cells, key=lambda cell: order.index(cell.name)))


def read_cells(catalog: Store, space: str, form: Form) -> tuple[Identifiers, list[PlacedCells]]:
    """All stored cells of a space in one form, as arrays: what a predictor reads.

    Returns
    -------
    tuple
        The ``architecture.id`` of every architecture in ascending order, and the cells grouped by name and size;
        ``rows`` count within the ids.
    """
    where = f"""
        WHERE form IN ('{form}', 'both') AND architecture_id IN (SELECT id FROM architecture WHERE space = ?)
        ORDER BY architecture_id, cell
    """
    nodes = catalog.arrow(f"SELECT architecture_id, cell, operator FROM node {where}, position", [space])
    edges = catalog.arrow(f"SELECT architecture_id, cell, source, target, multiplicity FROM edge {where}", [space])
    cell_names, node_cells, edge_cells = _cell_codes(nodes["cell"], edges["cell"])
    node_keys = nodes["architecture_id"].to_numpy() * len(cell_names) + node_cells
    edge_keys = edges["architecture_id"].to_numpy() * len(cell_names) + edge_cells
    keys, starts, sizes = np.unique(node_keys, return_index=True, return_counts=True)
    operators = nodes["operator"].combine_chunks().dictionary_encode()
    codes = operators.indices.to_numpy().astype(np.int16)
    vocabulary = tuple(operators.dictionary.to_pylist())
    size_codes, size_table = _size_codes(catalog, space, form)
    repeats = {} if size_codes is None else _cell_repeats(catalog, space, form)
    ids, owners = np.unique(keys // max(1, len(cell_names)), return_inverse=True)
    owner_of_edge = np.searchsorted(keys, edge_keys)
    flow = [edges[name].to_numpy() for name in ("source", "target", "multiplicity")]
    placed = []
    for cell, name in enumerate(cell_names):
        for size in np.unique(sizes[keys % len(cell_names) == cell]).tolist():
            rows = np.flatnonzero((sizes == size) & (keys % len(cell_names) == cell))
            place = np.full(len(keys), -1, dtype=np.int64)
            place[rows] = np.arange(len(rows))
            own = np.flatnonzero(place[owner_of_edge] >= 0)
            adjacency = np.zeros((len(rows), size, size), dtype=np.uint16)
            adjacency[place[owner_of_edge[own]], flow[0][own], flow[1][own]] = flow[2][own]
            places = starts[rows][:, None] + np.arange(size)
            sized = None if size_codes is None else size_codes[places]
            arrays = CellArrays(name, vocabulary, codes[places], adjacency, sized, size_table)
            often = np.array([repeats.get((ids[owner], name), 1) for owner in owners[rows]]) if repeats else None
            placed.append(PlacedCells(owners[rows], arrays, often))
    return ids, placed


def _size_codes(catalog: Store, space: str, form: Form) -> tuple[NDArray[np.int32] | None, tuple[Size, ...]]:
    """For each node in stored order its size's place in a table of sizes, -1 where it has none; None where none has."""
    of_space = "architecture_id IN (SELECT id FROM architecture WHERE space = ?)"
    if not catalog.rows(f"SELECT 1 FROM node_attribute WHERE given IS NOT NULL AND {of_space} LIMIT 1", [space]):
        return None, ()
    told = catalog.arrow(
        f"""
        SELECT CASE
            WHEN position = max(position) OVER (PARTITION BY architecture_id, cell) THEN NULL
            WHEN network_input IS NULL THEN 'c' || given ELSE 'n' || given
        END AS told
        FROM node LEFT JOIN node_attribute USING (architecture_id, form, cell, position)
        JOIN architecture ON architecture.id = architecture_id
        WHERE form IN ('{form}', 'both') AND space = ? ORDER BY architecture_id, cell, position
        """,
        [space],
    )["told"]
    encoded = told.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy().astype(np.int32)
    sizes = ((text[0], Size.from_text(text[1:])) for text in encoded.dictionary.to_pylist())
    return codes, tuple(size.relative() if of == "n" else size for of, size in sizes)


def _cell_repeats(catalog: Store, space: str, form: Form) -> dict[tuple[int, str], int]:
    """By architecture and cell how often the cell stands in a row, where that is more than once."""
    rows = catalog.rows(
        """
        SELECT architecture_id, cell, repeats FROM node_attribute JOIN architecture ON architecture.id = architecture_id
        WHERE form = ? AND space = ?
        QUALIFY position = max(position) OVER (PARTITION BY architecture_id, cell) AND repeats IS NOT NULL
        """,
        [form, space],
    )
    return {(owner, cell): repeats for owner, cell, repeats in rows}


def _cell_codes(
    of_nodes: pa.ChunkedArray, of_edges: pa.ChunkedArray
) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """The cells' names, and each node's and each edge's number among them."""
    names = sorted(pc.unique(of_nodes).to_pylist())
    table = pa.array(names, pa.string())
    return (
        names,
        pc.index_in(of_nodes, table).to_numpy().astype(np.int64),
        pc.index_in(of_edges, table).to_numpy().astype(np.int64),
    )


def read_vocabulary(catalog: Store, space: str) -> Vocabulary:
    """The operators that need no description and those that the space brought itself."""
    base = space_named(space).vocabulary if space in SPACES else SIZED_VOCABULARY
    return base.extended(stored_operators(catalog, space))
