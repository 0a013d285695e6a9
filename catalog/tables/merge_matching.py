"""Which rows of two catalogs are the same thing, and where the two contradict each other about one.

Nothing is guessed: what is called alike and is not the same is a conflict, and so is one thing under two names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from catalog.storage.runs import REMOVED
from catalog.tables.column_names import OWN_GRAPHS
from catalog.tables.official_sources import is_reserved
from catalog.tables.own_proxies import OWN_VERSION
from catalog.tables.proxies import PUBLISHED_VERSION

if TYPE_CHECKING:
    from catalog.storage.store import Store

OF_ONE_FILE = ("upgrade", "remove", "rename", "merge")
"""Kinds of runs that are about a file itself, and stay with it."""

_MAP = pa.schema([("theirs", pa.int64()), ("ours", pa.int64()), ("is_new", pa.bool_())])
_OPERATOR = ("kind", "kernel", "dilation", "depthwise", "has_weights", "short", "medium", "long", "generic", "size")
_Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Conflict:
    """One thing that two catalogs say differently: what it is, its name, and what either says."""

    what: str
    name: str
    here: str
    there: str


@dataclass
class Matches:
    """Two catalogs, and which of the second's rows are which of the first's.

    Attributes
    ----------
    here, there
        The catalog that takes in, and the other one.
    maps
        Of ``architecture``, ``source``, ``proxy`` and ``run``: a table with the id there (``theirs``), the id here
        (``ours``), and whether the row is new here (``is_new``).
    conflicts
        What stands against a merge.
    """

    here: Store
    there: Store
    maps: dict[str, pa.Table] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def rows(self, sql: str, **tables: pa.Table) -> Sequence[tuple[Any, ...]]:
        """Rows of a query on the first catalog that also reads tables of the second."""
        return self.here.rows(sql, tables=tables)

    def new_names(self, table: str, key: str = "name") -> pa.Table:
        """The rows of a small table of the second catalog whose name the first does not have."""
        theirs = self.there.arrow(f"FROM {table}")
        return self.here.arrow(f"FROM theirs ANTI JOIN {table} USING ({key})", tables={"theirs": theirs})


def matched(here: Store, there: Store) -> Matches:
    """Match what two catalogs hold; nothing is changed."""
    matches = Matches(here, there)
    matches.conflicts += [*_spaces(matches), *_operators(matches), *_measures(matches)]
    matches.conflicts += _architectures(matches)
    matches.conflicts += _proxies(matches)
    _runs(matches)
    matches.conflicts += _sources(matches)
    return matches


def _spaces(matches: Matches) -> Iterator[Conflict]:
    sql = "SELECT name, native_id_name, definition FROM space ORDER BY name"
    ours = {name: rest for name, *rest in matches.here.rows(sql)}
    for name, *rest in matches.there.rows(sql):
        if ours.get(name, rest) != rest:
            yield Conflict("space", name, "its description", "another description; rename one of the two")


def _operators(matches: Matches) -> Iterator[Conflict]:
    differs = " OR ".join(f"theirs.{name} IS DISTINCT FROM operator.{name}" for name in _OPERATOR)
    rows = matches.rows(
        f"SELECT operator.space, operator.name, operator.kind, theirs.kind FROM theirs JOIN operator "
        f"USING (space, name) WHERE {differs} ORDER BY ALL",
        theirs=matches.there.arrow("FROM operator"),
    )
    for space, name, here, there in rows:
        yield Conflict("operator", f"{space} {name}", str(here), f"{there}, with other facts")


def _measures(matches: Matches) -> Iterator[Conflict]:
    rows = matches.rows(
        "SELECT name, concat_ws(', ', measure.unit, measure.direction), concat_ws(', ', theirs.unit, theirs.direction) "
        "FROM theirs JOIN measure USING (name) WHERE measure.unit IS DISTINCT FROM theirs.unit "
        "OR measure.direction != theirs.direction ORDER BY name",
        theirs=matches.there.arrow("FROM measure"),
    )
    for name, here, there in rows:
        yield Conflict("metric", name, f"unit, direction: {here}", f"unit, direction: {there}")


def _architectures(matches: Matches) -> Iterator[Conflict]:
    theirs = matches.there.arrow("SELECT id, space, native_id, canonical_digest FROM architecture")
    first = matches.here.next_id("architecture")
    joined = matches.here.arrow(
        "SELECT theirs.id AS theirs, architecture.id AS ours "
        "FROM theirs LEFT JOIN architecture USING (space, native_id) ORDER BY theirs.id",
        tables={"theirs": theirs},
    )
    is_new = joined["ours"].is_null().to_numpy()
    ours = joined["ours"].fill_null(0).to_numpy().copy()
    ours[is_new] = first + np.arange(is_new.sum())
    matches.maps["architecture"] = pa.table([joined["theirs"], ours, is_new], schema=_MAP)
    rows = matches.rows(
        "SELECT space, native_id, architecture.canonical_digest, theirs.canonical_digest "
        "FROM theirs JOIN architecture USING (space, native_id) "
        "WHERE architecture.canonical_digest != theirs.canonical_digest ORDER BY ALL",
        theirs=theirs,
    )
    for space, name, here, there in rows:
        yield Conflict("architecture", f"{space} {name}", f"graph {here}", f"graph {there}")


def _proxies(matches: Matches) -> Iterator[Conflict]:
    sql = "SELECT * FROM proxy ORDER BY id"
    ours: _Rows = matches.here.arrow(sql).to_pylist()
    by_key = {_key(row): row for row in ours}
    columns = {(row["column"], row["version"] == PUBLISHED_VERSION): row for row in ours}
    found: list[tuple[int, int, bool]] = []
    following = matches.here.next_id("proxy")
    for row in matches.there.arrow(sql).to_pylist():
        held = by_key.get(_key(row))
        if held is None:
            if other := columns.get((row["column"], row["version"] == PUBLISHED_VERSION)):
                yield Conflict("proxy", row["column"], _configured(other), _configured(row))
            found.append((row["id"], following, True))
            following += 1
            continue
        found.append((row["id"], held["id"], False))
        if held["column"] != row["column"]:
            yield Conflict("proxy", row["name"], f"column {held['column']}", f"column {row['column']}")
        if row["version"] == OWN_VERSION and held["description"] != row["description"]:
            yield Conflict("proxy", row["name"], held["description"], row["description"])
        if None not in (held["direction"], row["direction"]) and held["direction"] != row["direction"]:
            yield Conflict("proxy", row["name"], f"direction {held['direction']}", f"direction {row['direction']}")
    matches.maps["proxy"] = _as_map(found)


def _key(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["name"], row["version"], row["configuration"], row["checkpoint_digest"]


def _configured(row: dict[str, Any]) -> str:
    weights = f", weights {row['checkpoint_digest'][:8]}" if row["checkpoint_digest"] else ""
    return f"{row['name']} version {row['version']}, {row['configuration']}{weights}"


def _runs(matches: Matches) -> None:
    """A run is told by its kind and its beginning; one that was taken out here is not the one that is there."""
    sql = "SELECT id, kind, started_at, outcome FROM run ORDER BY id"
    ours = {(kind, begun): number for number, kind, begun, outcome in matches.here.rows(sql) if outcome != REMOVED}
    referred = {
        number
        for table in ("source", "score", "layer_score", "search_visit")
        for (number,) in matches.there.rows(f"SELECT DISTINCT run_id FROM {table}")
    }
    found: list[tuple[int, int, bool]] = []
    following = matches.here.next_id("run") + 1  # after the run of the merge
    for number, kind, begun, outcome in matches.there.rows(sql):
        if number not in referred and (kind in OF_ONE_FILE or outcome == REMOVED):
            continue
        held = ours.get((kind, begun))
        found.append((number, following if held is None else held, held is None))
        following += held is None
    matches.maps["run"] = _as_map(found)


def _sources(matches: Matches) -> Iterator[Conflict]:
    sql = """
        SELECT source.*,
            CASE WHEN sha256 IS NULL THEN source.version ELSE coalesce(parameters->>'$.space', '') END AS belongs_to
        FROM source LEFT JOIN run ON run.id = run_id ORDER BY source.id
    """
    ours: _Rows = matches.here.arrow(sql).to_pylist()
    found: list[tuple[int, int, bool]] = []
    following = matches.here.next_id("source")
    for row in matches.there.arrow(sql).to_pylist():
        same = [one for one in ours if all(one[key] == row[key] for key in ("kind", "sha256", "belongs_to"))]
        held = next((one for one in same if one["name"] == row["name"]), None)
        if held is None and row["sha256"] is not None and same:
            yield Conflict("source", row["path"], f"called {same[0]['name']}", f"called {row['name']}")
        if held is None and (other := _namesake(ours, row)):
            yield Conflict("source", row["name"], _file(other), _file(row))
        found.append((row["id"], following if held is None else held["id"], held is None))
        following += held is None
    matches.maps["source"] = _as_map(found)


def _namesake(ours: _Rows, row: dict[str, Any]) -> dict[str, Any] | None:
    """A source of the same name with other bytes; several files share the name of a benchmark, or of a user's space."""
    shares = is_reserved(row["name"]) or row["kind"] == OWN_GRAPHS
    for one in ours:
        is_other = one["sha256"] != row["sha256"]
        if one["name"] == row["name"] and is_other and (not shares or one["path"] == row["path"]):
            return one
    return None


def _file(row: dict[str, Any]) -> str:
    return f"{row['path']}, sha256 {str(row['sha256'])[:12]}, {row['row_count']:,} records"


def _as_map(rows: Sequence[tuple[int, int, bool]]) -> pa.Table:
    return pa.Table.from_pylist(
        [{"theirs": theirs, "ours": ours, "is_new": is_new} for theirs, ours, is_new in rows], schema=_MAP
    )
