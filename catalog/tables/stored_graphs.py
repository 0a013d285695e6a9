"""Graphs read back from the tables ``node`` and ``edge``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph, Edge, halves_resolution
from catalog.architecture.graph_tables import Identifiers, PlacedCells
from catalog.architecture.operators import SIZED_VOCABULARY, VOCABULARY, Operator, Vocabulary
from catalog.spaces import SPACES

if TYPE_CHECKING:
    from catalog.storage.store import Store

Form = Literal["native", "canonical"]


def read_graphs(catalog: Store, space: str, ids: Sequence[int], form: Form) -> list[ArchitectureGraph]:
    """The stored graphs of some architectures of one space in one form, in the order of `ids`.

    Both tables are read once, whatever the number of architectures. The cells come as they were stored: a stored
    canonical form is not computed again.
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
    cells: defaultdict[int, list[CellGraph]] = defaultdict(list)
    for (owner, cell), names in operators.items():
        cells[owner].append(
            CellGraph(cell, tuple(names), tuple(data_flow[owner, cell]), reduction=halves_resolution(cell))
        )
    vocabulary = read_vocabulary(catalog, space)
    return [ArchitectureGraph(space, tuple(cells[owner]), vocabulary) for owner in ids]


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
            arrays = CellArrays(name, vocabulary, codes[starts[rows][:, None] + np.arange(size)], adjacency)
            placed.append(PlacedCells(owners[rows], arrays))
    return ids, placed


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
    rows = catalog.arrow(
        "SELECT name, kind, short, medium, long, kernel, dilation, depthwise, has_weights "
        "FROM operator WHERE space = ?",
        [space],
    ).to_pylist()
    return (VOCABULARY if space in SPACES else SIZED_VOCABULARY).extended(Operator(**row) for row in rows)
