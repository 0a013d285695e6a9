"""Entering architectures into the catalog: graphs, digests and structural proxies, each function's twins linked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.canonical_form import canonical_forms, canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import GraphRows, PlacedCells, rows_of_arrays, rows_of_graphs
from catalog.architecture.members import Members
from catalog.architecture.operators import SHARED, Operator
from catalog.architecture.size_tables import attribute_rows, sized_scores
from catalog.architecture.structural import STRUCTURAL_PROXIES, count_scores, graph_scores
from catalog.errors import IngestError
from catalog.spaces.base import SearchSpace
from catalog.tables.proxies import ProxyFacts, ensure_proxies
from catalog.tables.stored_operators import operator_rows

if TYPE_CHECKING:
    from catalog.architecture.computation.sized import NetworkFacts
    from catalog.storage.store import Store

Identifiers = NDArray[np.int64]
Scores = Mapping[str, NDArray[np.float64]]

ANY_SPACE = "*"
"""The space of the operators that all spaces share."""

_OUTCOMES = (("ok", None), ("failed", "not a finite number"), ("disconnected", "no path from input to output"))


def ensure_space(catalog: Store, space: SearchSpace, own_operators: Sequence[Operator] = ()) -> None:
    """Make sure that the space, the operators and the structural proxies have their rows."""
    ensure_shared_operators(catalog)
    if not len(catalog.arrow("SELECT 1 FROM space WHERE name = ?", [space.name])):
        catalog.append("space", space_rows(space))
    known = set(catalog.arrow("SELECT name FROM operator WHERE space = ?", [space.name])["name"].to_pylist())
    missing = [operator for operator in own_operators if operator.name not in known]
    if missing:
        catalog.append("operator", operator_rows(space.name, missing))


def ensure_shared_operators(catalog: Store) -> None:
    """Make sure that the operators that every space has have their rows; an older version knew fewer."""
    known = set(catalog.arrow("SELECT name FROM operator WHERE space = ?", [ANY_SPACE])["name"].to_pylist())
    if missing := [operator for operator in SHARED if operator.name not in known]:
        catalog.append("operator", operator_rows(ANY_SPACE, missing))


def renew_operators(catalog: Store, space: SearchSpace) -> None:
    """Make a built-in space's own operators those that this version knows; an older one may have had others."""
    catalog.execute(
        "DELETE FROM operator WHERE space = ? AND NOT list_contains(?::VARCHAR[], name)",
        [space.name, [operator.name for operator in space.own_operators]],
    )
    ensure_space(catalog, space, space.own_operators)


def space_rows(space: SearchSpace) -> pa.Table:
    """The row of the table ``space``."""
    return pa.table(
        {
            "name": [space.name],
            "description": [space.description],
            "native_id_name": [space.native_id_name],
            "size": pa.array([space.size], pa.int64()),
            "citation": pa.array([space.citation], pa.string()),
            "definition": pa.array([space.definition], pa.string()),
        }
    )


def known_ids(catalog: Store, space: str, native_ids: Sequence[str]) -> pa.Array:
    """The ``architecture.id`` of each native id; null where the catalog does not hold it."""
    wanted = pa.table({"place": np.arange(len(native_ids)), "native_id": pa.array(native_ids, pa.string())})
    found = catalog.arrow(
        """
        SELECT architecture.id FROM wanted
        LEFT JOIN architecture ON architecture.space = ? AND architecture.native_id = wanted.native_id
        ORDER BY place
        """,
        [space],
        tables={"wanted": wanted},
    )
    return found["id"].combine_chunks()


def enter(catalog: Store, space: SearchSpace, members: Members, run_id: int) -> tuple[Identifiers, int]:
    """Enter the members that the catalog does not hold yet.

    Returns
    -------
    tuple
        The ``architecture.id`` of every member, in order, and the number of new architectures.

    Raises
    ------
    IngestError
        A user's own space holds another graph under a member's native id.
    """
    known = known_ids(catalog, space.name, members.native_ids)
    missing = np.flatnonzero(known.is_null().to_numpy(zero_copy_only=False))
    ids = known.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    if not space.ids_determine_graphs and len(missing) < len(members):
        _check_same_graphs(catalog, space, members, ids)
    if len(missing):
        fresh = members if len(missing) == len(members) else members.taken(missing)
        ids[missing] = (
            _enter_arrays(catalog, space, fresh, run_id)
            if fresh.cells
            else _enter_graphs(catalog, space, fresh, run_id)
        )
    return ids, len(missing)


def _check_same_graphs(catalog: Store, space: SearchSpace, members: Members, ids: Identifiers) -> None:
    """Where a native id says nothing of the graph, one id must not come to mean two graphs."""
    if members.graphs is None:
        return
    held = np.flatnonzero(ids >= 0).tolist()
    stored = catalog.arrow(
        "SELECT id, canonical_digest FROM architecture SEMI JOIN held USING (id)",
        tables={"held": pa.table({"id": ids[ids >= 0]})},
    )
    digests = dict(zip(stored["id"].to_pylist(), stored["canonical_digest"].to_pylist(), strict=True))
    forms = canonical_graphs([members.graphs[row] for row in held])
    for row, form in zip(held, forms, strict=True):
        if form.digest_as_is() != digests[int(ids[row])]:
            raise IngestError(
                f"the space {space.name!r} holds another graph under the id {members.native_ids[row]!r:.200}; nothing "
                "was stored. Give the new graph another id."
            )


def _enter_graphs(catalog: Store, space: SearchSpace, members: Members, run_id: int) -> Identifiers:
    graphs = members.graphs if members.graphs is not None else [space.graph(name) for name in members.native_ids]
    first = catalog.next_id("architecture")
    rows, scores = derived_from_graphs(space, first, graphs, members.networks)
    indices: Sequence[int | None] = members.native_indices or [space.native_index(graph) for graph in graphs]
    return _store(catalog, space, first, members.native_ids, indices, rows, scores, run_id)


def derived_from_graphs(
    space: SearchSpace,
    first_id: int,
    graphs: Sequence[ArchitectureGraph],
    networks: Sequence[NetworkFacts | None] | None = None,
) -> tuple[GraphRows, dict[str, NDArray[np.float64]]]:
    """Everything that follows from native graphs, whose architectures have ids from `first_id` on.

    Returns
    -------
    tuple
        The rows, and the structural scores by their proxies' names, without the depth, which is among the rows.
    """
    forms = canonical_forms(graphs)
    rows = rows_of_graphs(
        first_id, graphs, forms.graphs, networks, orders=forms.orders, sizes_are_all=space.sizes_are_all
    )
    scores = {**space.structural_scores(graphs, forms.graphs), **sized_scores(rows.sized_forms)}
    for placed in rows.native_cells:
        for name, values in count_scores(placed.cells, space.vocabulary).items():
            scores.setdefault(name, np.zeros(len(graphs)))[placed.rows] += placed.repeated(values)
    for placed in rows.canonical_cells:
        for name, values in graph_scores(placed.cells, space.vocabulary).items():
            scores.setdefault(name, np.zeros(len(graphs)))[placed.rows] += placed.repeated(values)
    return rows, scores


def derived_from_cells(
    space: SearchSpace, first_id: int, parts: Sequence[PlacedCells]
) -> tuple[GraphRows, dict[str, NDArray[np.float64]]]:
    """`derived_from_graphs` of one-cell architectures given as arrays, in a space whose two forms are equal."""
    count = sum(len(part.rows) for part in parts)
    rows = rows_of_arrays(first_id, parts, space.vocabulary)
    scores: dict[str, NDArray[np.float64]] = {}
    for part in parts:
        found = {
            **space.structural_scores_of_cells(part.cells),
            **count_scores(part.cells, space.vocabulary),
            **graph_scores(part.cells, space.vocabulary),
        }
        for name, values in found.items():
            scores.setdefault(name, np.empty(count))[part.rows] = values
    return rows, scores


def _enter_arrays(catalog: Store, space: SearchSpace, members: Members, run_id: int) -> Identifiers:
    first = catalog.next_id("architecture")
    rows, scores = derived_from_cells(space, first, members.cells or ())
    indices: Sequence[int | None] = members.native_indices or [None] * len(members)
    return _store(catalog, space, first, members.native_ids, indices, rows, scores, run_id)


def _store(
    catalog: Store,
    space: SearchSpace,
    first: int,
    native_ids: Sequence[str],
    native_indices: Sequence[int | None],
    rows: GraphRows,
    scores: Scores,
    run_id: int,
) -> Identifiers:
    ids = np.arange(first, first + len(native_ids), dtype=np.int64)
    architectures = pa.table(
        {
            "id": ids,
            "space": pa.DictionaryArray.from_arrays(np.zeros(len(ids), dtype=np.int32), [space.name]),
            "native_id": pa.array(native_ids, pa.string()),
            "native_index": pa.array(native_indices, pa.int64()),
            "canonical_id": ids,
            **{name: rows.facts[name] for name in rows.facts.column_names},
        }
    )
    catalog.append("architecture", architectures)
    catalog.append("node", rows.nodes)
    catalog.append("edge", rows.edges)
    if rows.sized_forms:
        catalog.append("node_attribute", attribute_rows(first, rows.sized_forms))
    connected = rows.facts["is_connected"].to_numpy(zero_copy_only=False)
    proxy_ids = ensure_structural_proxies(catalog)
    depth = rows.facts["depth"].to_numpy().astype(np.float64)
    for name, values in {**scores, "depth": depth}.items():
        of = rows.scored(name)
        catalog.append("score", structural_rows(ids[of], proxy_ids[name], values[of], connected[of], run_id))
    return ids


def structural_rows(
    ids: Identifiers, proxy_id: int, values: NDArray[np.float64], connected: NDArray[np.bool_], run_id: int
) -> pa.Table:
    """Rows of the table ``score`` of one structural proxy."""
    missing = ~np.isfinite(values)
    outcome = missing * np.where(connected, 1, 2)  # index into _OUTCOMES
    count = len(ids)
    return pa.table(
        {
            "architecture_id": ids,
            "proxy_id": pa.array(np.full(count, proxy_id, dtype=np.int32)),
            "source_id": pa.nulls(count, pa.int32()),
            "input": pa.nulls(count, pa.string()),
            "seed": pa.nulls(count, pa.int32()),
            "value": pa.array(values, mask=missing),
            "status": pa.array([status for status, _ in _OUTCOMES]).take(pa.array(outcome)),
            "reason": pa.array([reason for _, reason in _OUTCOMES]).take(pa.array(outcome)),
            "seconds": pa.nulls(count, pa.float64()),
            "run_id": pa.array(np.full(count, run_id, dtype=np.int32)),
        }
    )


def ensure_structural_proxies(catalog: Store) -> dict[str, int]:
    """Name to ``proxy.id`` of the structural proxies, entered where they are missing."""
    return ensure_proxies(
        catalog,
        [ProxyFacts(proxy.name, proxy.version, proxy.direction, proxy.description) for proxy in STRUCTURAL_PROXIES],
    )


REPRESENTATIVES = """
    SELECT space, canonical_digest, arg_min(id, (coalesce(native_index, id), id)) AS representative
    FROM architecture GROUP BY space, canonical_digest
"""
"""The representative of every function: its smallest native index, then the first."""


def link_twins(catalog: Store, space: str) -> None:
    """Point every architecture of a space at the representative of its function."""
    catalog.execute(
        f"""
        UPDATE architecture SET canonical_id = twin.representative FROM ({REPRESENTATIVES}) AS twin
        WHERE architecture.space = ? AND twin.space = architecture.space
            AND architecture.canonical_digest = twin.canonical_digest
            AND architecture.canonical_id != twin.representative
        """,
        [space],
    )
