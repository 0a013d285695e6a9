"""Taking another catalog's rows in: two people's files become one, or stay as they are where they contradict."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.errors import StoreError
from catalog.progress import Listener
from catalog.storage.runs import Run
from catalog.tables import views
from catalog.tables.merge_matching import Conflict, Matches, matched
from catalog.tables.merge_rows import (
    VALUES,
    comparable,
    conflicts,
    missing,
    missing_layers,
    new_architectures,
    translated,
)
from catalog.tables.named_things import structural_ids
from catalog.tables.registration import link_twins

if TYPE_CHECKING:
    from catalog.storage.store import Store

_MOST_CONFLICTS = 1_000
_GRAPHS = ("node", "edge", "node_attribute")


@dataclass(frozen=True)
class Merged:
    """What became of a merge.

    Parameters
    ----------
    other
        The file that was taken in.
    rows
        Table to the number of rows that are new here; empty where nothing was.
    conflicts
        What stands against it; then nothing was stored.
    """

    other: str
    rows: Mapping[str, int]
    conflicts: tuple[Conflict, ...] = ()

    def __str__(self) -> str:
        if self.conflicts:
            return f"{self.other} and this catalog contradict each other; conflicts: {len(self.conflicts):,}."
        if not self.rows:
            return f"{self.other}: everything in it is here already."
        return f"{self.other}: " + ", ".join(f"{count:,} rows of {table}" for table, count in self.rows.items()) + "."


def merge(store: Store, there: Store, listener: Listener | None = None) -> Merged:
    """Take in what another catalog holds, in one transaction; where the two contradict each other, nothing.

    Architectures are the same by their space and native id; files by their bytes; runs by their beginning. Own scores
    that differ by rounding alone are the same, and this catalog's stay.

    Raises
    ------
    StoreError
        One of the two is damaged, or was derived by other rules.
    """
    listener = listener or Listener()
    for file in (store, there):
        _require_whole(file)
    with listener.watch(f"comparing with {there.path.name}") as advance:
        matches = matched(store, there)
        found = list(matches.conflicts)
        values: dict[str, pa.Table] = {}
        if not found:  # what is called otherwise there has no row to compare
            for place, one in enumerate(VALUES):
                values[one.table] = comparable(matches, one)
                found += conflicts(matches, one, values[one.table], _MOST_CONFLICTS)
                advance(place + 1, len(VALUES))
    name = there.path.name
    if found:
        return Merged(name, {}, tuple(found))
    with listener.watch(f"taking {name} in"):
        parts = _parts(matches, values)
        rows = {table: len(part) for table, part in parts.items() if len(part)}
        if not rows and not _said_there(matches):
            return Merged(name, {})
        with Run.start(store, "merge", {"file": name}) as run:
            with store.transaction():
                _store(matches, parts)
            run.detail = f"{sum(rows.values()):,} rows of {name}"
    return Merged(name, rows)


def _require_whole(one: Store) -> None:
    if names := one.outdated():
        raise StoreError(
            f"{one.path} was derived by another version's rules ({', '.join(names)}); nothing was merged. Derive it "
            f"anew with `catalog db upgrade --db {one.path}`."
        )
    if wrong := [table for table, parts in one.broken_parts().items() if parts]:
        raise StoreError(
            f"{one.path} is damaged: rows of {', '.join(wrong)} are not those that were stored; nothing was merged. "
            f"See `catalog doctor --db {one.path}`."
        )


def _parts(matches: Matches, values: Mapping[str, pa.Table]) -> dict[str, pa.Table]:
    """The rows that are new here, by their tables."""
    new = new_architectures(matches)
    structural = ", ".join(map(str, structural_ids(matches.there))) or "NULL"
    derived = f"{new} AND source_id IS NULL AND coalesce(proxy_id IN ({structural}), false)"
    score = next(one for one in VALUES if one.table == "score")
    own = missing(matches, score, values["score"])
    return {
        "space": matches.new_names("space"),
        "operator": matches.new_names("operator", "space, name"),
        "measure": matches.new_names("measure"),
        "run": _runs(matches),
        "proxy": _renumbered(matches, "proxy"),
        "source": _sources(matches),
        "architecture": _architectures(matches),
        **{table: translated(matches, table, new) for table in _GRAPHS},
        **{one.table: missing(matches, one, values[one.table]) for one in VALUES if one.table != "score"},
        "score": pa.concat_tables([translated(matches, "score", derived), own]),
        "layer_score": missing_layers(matches),
        "training_member": _members(matches),
        "search_visit": _visits(matches),
        "operator_embedding": _embeddings(matches),
    }


def _renumbered(matches: Matches, table: str) -> pa.Table:
    """The new rows of a table that has an id of its own."""
    theirs = matches.there.arrow(f"FROM {table}")
    made = matches.here.arrow(
        "SELECT given.* REPLACE (ours AS id) FROM given JOIN mapped ON theirs = given.id WHERE is_new ORDER BY ours",
        tables={"given": theirs, "mapped": matches.maps[table]},
    )
    return made.cast(theirs.schema)


def _runs(matches: Matches) -> pa.Table:
    """New runs, without the digests of contents, which hold for the ids of one catalog."""
    rows = _renumbered(matches, "run")
    place = rows.column_names.index("parameters")
    told = [_without_content(text) for text in rows["parameters"].to_pylist()]
    return rows.set_column(place, "parameters", pa.array(told, pa.string()))


def _without_content(text: str) -> str:
    parameters: dict[str, Any] = json.loads(text)
    if parameters.pop("content", None) is None:
        return text
    return json.dumps(parameters, sort_keys=True)


def _sources(matches: Matches) -> pa.Table:
    theirs = _renumbered(matches, "source")
    made = matches.here.arrow(
        "SELECT given.* REPLACE (ours AS run_id) FROM given JOIN mapped ON theirs = run_id ORDER BY given.id",
        tables={"given": theirs, "mapped": matches.maps["run"]},
    )
    return made.cast(theirs.schema)


def _architectures(matches: Matches) -> pa.Table:
    """New architectures; each stands for itself until twins are linked."""
    rows = _renumbered(matches, "architecture")
    place = rows.column_names.index("canonical_id")
    return rows.set_column(place, "canonical_id", rows["id"])


def _members(matches: Matches) -> pa.Table:
    return matches.here.arrow(
        "FROM theirs ANTI JOIN training_member USING (proxy_id, architecture_id)",
        tables={"theirs": translated(matches, "training_member")},
    )


def _visits(matches: Matches) -> pa.Table:
    """What searches visited whose runs are new here."""
    runs = [theirs for theirs, is_new in _pairs(matches.maps["run"]) if is_new]
    return translated(matches, "search_visit", f"run_id IN ({', '.join(map(str, runs)) or 'NULL'})")


def _pairs(of: pa.Table) -> list[tuple[int, bool]]:
    return list(zip(of["theirs"].to_pylist(), of["is_new"].to_pylist(), strict=True))


def _embeddings(matches: Matches) -> pa.Table:
    return matches.here.arrow(
        "FROM theirs ANTI JOIN operator_embedding USING (encoder, style, sentence)",
        tables={"theirs": matches.there.arrow("FROM operator_embedding")},
    )


def _said_there(matches: Matches) -> list[tuple[str, str, int]]:
    """Directions that only the other catalog knows: the table, the key as SQL, and the direction."""
    found = []
    rows = matches.rows(
        "SELECT name, theirs.direction FROM theirs JOIN measure USING (name) "
        "WHERE measure.direction IS NULL AND theirs.direction IS NOT NULL ORDER BY name",
        theirs=matches.there.arrow("FROM measure"),
    )
    found += [("measure", str(name), int(direction)) for name, direction in rows]
    rows = matches.rows(
        "SELECT proxy.id, theirs.direction FROM theirs JOIN mapped ON mapped.theirs = theirs.id "
        "JOIN proxy ON proxy.id = ours WHERE proxy.direction IS NULL AND theirs.direction IS NOT NULL ORDER BY 1",
        theirs=matches.there.arrow("FROM proxy"),
        mapped=matches.maps["proxy"],
    )
    return found + [("proxy", str(number), int(direction)) for number, direction in rows]


def _store(matches: Matches, parts: Mapping[str, pa.Table]) -> None:
    store = matches.here
    for table, key, direction in _said_there(matches):
        column = "name" if table == "measure" else "id"
        store.execute(f"UPDATE {table} SET direction = ? WHERE {column}::VARCHAR = ?", [direction, key])
    for table, rows in parts.items():
        if len(rows):
            store.append(table, rows)
    store.execute(
        """
        UPDATE source SET row_count = counted.trainings FROM (
            SELECT source_id, count(DISTINCT (architecture_id, dataset, epochs, seed)) AS trainings
            FROM metric GROUP BY source_id
        ) AS counted
        WHERE source.id = source_id AND sha256 IS NULL AND kind = 'own-training' AND row_count != trainings
        """
    )
    for (space,) in matches.there.rows("SELECT name FROM space ORDER BY name"):
        link_twins(store, str(space))
        views.rebuild(store, str(space))
