"""What follows from native graphs, derived anew and compared with what is stored: forms, digests, counts, scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.computation.sized import NetworkFacts, SizedNetworks
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import GraphRows, placed_cells
from catalog.architecture.size_tables import attribute_rows
from catalog.errors import GraphError, IdentifierError
from catalog.spaces.base import SearchSpace
from catalog.tables.registration import derived_from_cells, derived_from_graphs, structural_rows
from catalog.tables.stored_graphs import read_graphs
from catalog.tables.stored_spaces import space_of

if TYPE_CHECKING:
    from catalog.storage.store import Store

_CHUNK = 20_000
_INDEXED = 50_000  # a larger space computes no native index from a graph without listing itself first


@dataclass(frozen=True)
class Derived:
    """What follows from the native graphs of some architectures.

    Parameters
    ----------
    ids
        Their ``architecture.id``.
    unreadable
        Architectures whose stored native graph is none, or is not the one that their native id names.
    facts
        ``id`` and the columns of ``architecture`` that follow from the graph.
    nodes, edges, attributes
        Rows of ``node``, ``edge`` and, of sized graphs, ``node_attribute`` in both forms.
    scores
        Structural scores: ``architecture_id``, ``name``, ``value``, ``status`` and ``reason``.
    """

    ids: pa.Table
    unreadable: Sequence[int]
    facts: pa.Table
    nodes: pa.Table
    edges: pa.Table
    attributes: pa.Table
    scores: pa.Table

    def tables(self) -> list[tuple[str, pa.Table, str]]:
        """Name, rows, and the condition that the stored rows among them keep; a traced node's row is no derived one."""
        return [
            ("node", self.nodes, "true"),
            ("edge", self.edges, "true"),
            ("node_attribute", self.attributes, "name IS NULL"),
        ]


def derived(catalog: Store, space: str) -> Iterator[Derived]:
    """Derive everything of a space anew, some thousand architectures at a time.

    A native id that determines its graph is believed more than the stored graph.
    """
    definition = space_of(catalog, space)
    rows = catalog.rows("SELECT id, native_id FROM architecture WHERE space = ? ORDER BY id", [space])
    for start in range(0, len(rows), _CHUNK):
        yield _derived(catalog, definition, rows[start : start + _CHUNK])


def _derived(catalog: Store, space: SearchSpace, rows: Sequence[tuple[int, str]]) -> Derived:
    graphs, networks = _counted(space, _native_graphs(catalog, space, rows))
    kept = [(number, graph) for (number, _), graph in zip(rows, graphs, strict=True) if graph is not None]
    ids = np.array([number for number, _ in kept], dtype=np.int64)
    native = [graph for _, graph in kept]
    if space.forms_are_equal:
        made, scores = derived_from_cells(space, 0, list(placed_cells(native)))
    else:
        made, scores = derived_from_graphs(space, 0, native, networks)
    facts = made.facts.append_column("id", pa.array(ids))
    if space.size is not None and space.size <= _INDEXED:
        indices = pa.array([space.native_index(graph) for graph in native], pa.int64())
        facts = facts.append_column("native_index", indices)
    return Derived(
        pa.table({"id": pa.array([number for number, _ in rows], pa.int64())}),
        [number for (number, _), graph in zip(rows, graphs, strict=True) if graph is None],
        facts,
        _owned(made.nodes, ids),
        _owned(made.edges, ids),
        _owned(attribute_rows(0, made.sized_forms), ids),
        _scores(ids, made, scores),
    )


def _native_graphs(
    catalog: Store, space: SearchSpace, rows: Sequence[tuple[int, str]]
) -> list[ArchitectureGraph | None]:
    graphs: list[ArchitectureGraph | None] = []
    if space.ids_determine_graphs and _names_graphs(space, rows[0][1]):
        for _, native_id in rows:
            try:
                graph = space.graph(native_id)
                graphs.append(graph if space.native_id(graph) == native_id else None)
            except IdentifierError:
                graphs.append(None)
        return graphs
    read = _readable(catalog, space.name, [number for number, _ in rows])
    for (_, native_id), stored in zip(rows, read, strict=True):
        known = stored is not None and _is_whole(stored) and _is_named(space, stored, native_id)
        graphs.append(stored if known else None)
    return graphs


def _readable(catalog: Store, space: str, ids: Sequence[int]) -> list[ArchitectureGraph | None]:
    """The native graphs of some architectures; None where what is stored of sizes is none."""
    try:
        return list(read_graphs(catalog, space, ids, "native"))
    except GraphError:
        if len(ids) == 1:
            return [None]
        half = len(ids) // 2
        return [*_readable(catalog, space, ids[:half]), *_readable(catalog, space, ids[half:])]


def _counted(
    space: SearchSpace, graphs: Sequence[ArchitectureGraph | None]
) -> tuple[list[ArchitectureGraph | None], list[NetworkFacts | None] | None]:
    """The graphs whose sizes are possible, None in the place of the others, and what follows from the sizes of each."""
    if not space.sizes_are_all:
        return list(graphs), None
    sized = SizedNetworks(space.vocabulary)
    possible: list[ArchitectureGraph | None] = []
    networks: list[NetworkFacts | None] = []
    for graph in graphs:
        try:
            network = None if graph is None or graph.input is None else sized.facts(graph)
        except GraphError:
            possible.append(None)
            continue
        possible.append(graph)
        if graph is not None:
            networks.append(network)
    return possible, networks


def _names_graphs(space: SearchSpace, native_id: str) -> bool:
    try:
        space.graph(native_id)
    except IdentifierError:
        return False
    return True


def _is_whole(graph: ArchitectureGraph) -> bool:
    """Whether the stored cells are graphs: known operators, and edges that lead forward between stored nodes."""
    return bool(graph.cells) and all(
        all(operator in graph.vocabulary for operator in cell.operators)
        and len({edge[:2] for edge in cell.edges}) == len(cell.edges)
        and all(source < target < cell.node_count and count > 0 for source, target, count in cell.edges)
        for cell in graph.cells
    )


def _is_named(space: SearchSpace, graph: ArchitectureGraph, native_id: str) -> bool:
    if not space.ids_determine_graphs:
        return True
    try:
        return space.native_id(graph) == native_id
    except (IdentifierError, GraphError):
        return False


def _owned(rows: pa.Table, ids: NDArray[np.int64]) -> pa.Table:
    """Rows whose architectures are places among `ids`, with the ids."""
    place = rows.column_names.index("architecture_id")
    return rows.set_column(place, "architecture_id", pa.array(ids[rows["architecture_id"].to_numpy()]))


def _scores(ids: NDArray[np.int64], made: GraphRows, scores: dict[str, NDArray[np.float64]]) -> pa.Table:
    connected = made.facts["is_connected"].to_numpy(zero_copy_only=False)
    depth = made.facts["depth"].to_numpy().astype(np.float64)
    tables = []
    for name, values in {**scores, "depth": depth}.items():
        of = made.scored(name)
        rows = structural_rows(ids[of], 0, values[of], connected[of], 0)
        named = pa.array([name] * len(rows), pa.string())
        tables.append(rows.select(["architecture_id", "value", "status", "reason"]).append_column("name", named))
    return pa.concat_tables(tables)


def differing(catalog: Store, made: Derived) -> dict[int, list[str]]:
    """The architectures for which something else is stored than was derived, and what it is."""
    found: defaultdict[int, list[str]] = defaultdict(list)
    for number in made.unreadable:
        found[number].append("native graph")
    readable = made.facts.select(["id"])
    columns = [name for name in made.facts.column_names if name != "id"]
    listed = ", ".join(
        f"CASE WHEN architecture.{name} IS DISTINCT FROM made.{name} THEN '{name}' END" for name in columns
    )
    rows = catalog.rows(
        f"SELECT id, list_filter([{listed}], lambda one: one IS NOT NULL) AS wrong "
        "FROM made JOIN architecture USING (id) WHERE len(wrong) > 0 ORDER BY id",
        tables={"made": made.facts},
    )
    for number, wrong in rows:
        found[int(number)] += wrong
    for table, made_rows, condition in made.tables():
        names = ", ".join(made_rows.column_names)
        held = f"SELECT {names} FROM {table} SEMI JOIN readable ON readable.id = architecture_id WHERE {condition}"
        rows = catalog.rows(
            f"SELECT DISTINCT architecture_id FROM ((({held}) EXCEPT ALL (SELECT {names} FROM made)) UNION ALL "
            f"((SELECT {names} FROM made) EXCEPT ALL ({held}))) ORDER BY 1",
            tables={"made": made_rows, "readable": readable},
        )
        for (number,) in rows:
            found[int(number)].append(f"{table}s")
    for number, name in catalog.rows(_WRONG_SCORES, tables={"made": made.scores}):
        found[int(number)].append(f"score {name}")
    return dict(found)


_WRONG_SCORES = """
    SELECT made.architecture_id, made.name FROM made
    LEFT JOIN (
        SELECT architecture_id, proxy.name, count(*) AS copies, any_value(value) AS value, any_value(status) AS status
        FROM score JOIN proxy ON proxy.id = proxy_id
        WHERE source_id IS NULL AND proxy.configuration = '{}' AND proxy.checkpoint_digest IS NULL
            AND proxy.name IN (SELECT DISTINCT name FROM made)
            AND architecture_id BETWEEN (SELECT min(architecture_id) FROM made)
            AND (SELECT max(architecture_id) FROM made)
        GROUP BY ALL
    ) AS held ON held.architecture_id = made.architecture_id AND held.name = made.name
    WHERE copies IS DISTINCT FROM 1 OR held.value IS DISTINCT FROM made.value
        OR held.status IS DISTINCT FROM made.status
    ORDER BY ALL
"""
