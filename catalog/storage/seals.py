"""Seals: what proves that the rows of a file are those that the catalog wrote.

A seal is the number of rows of a part of a table, for example of one source's metrics, and the sum of their hashes. It
is kept with every change that `catalog.storage.store.Store` makes, in the same transaction; a row that was changed,
deleted, doubled or moved by anybody else leaves the seal as it was. The sum is over whole rows and does not depend on
their order, so that adding rows costs one pass over these rows alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from catalog.derivation import VERSIONS
from catalog.errors import StoreError
from catalog.quoting import identifier

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PARTS: Mapping[str, tuple[str, ...]] = {
    "source": ("id",),
    "space": ("name",),
    "operator": ("space", "name"),
    "architecture": ("space",),
    "node": (),
    "edge": (),
    "node_attribute": (),
    "metric": ("source_id",),
    "measure": ("name",),
    "proxy": ("id",),
    "score": ("proxy_id", "source_id"),
    "layer_score": ("proxy_id",),
    "training_curve": ("source_id",),
    "search_visit": ("run_id",),
    "operator_embedding": ("encoder",),
    "training_member": ("proxy_id",),
    "run": ("id",),
}
"""The sealed tables, and the columns whose values divide each into parts; ``wide_column`` follows from the others."""

_DERIVED = {"architecture": ("canonical_id",)}  # follows from the digests, which are sealed
_CHANGE = re.compile(r"\s*(INSERT INTO|DELETE FROM|UPDATE)\s+(\w+)")
_ONE_COLUMN = re.compile(r"\s*UPDATE\s+(\w+)\s+SET\s+(\w+)\s*=\s*[\w.]+\s+(?:FROM|WHERE)\s")
_PROBE = "SELECT hash('seal', 1, 1.5::DOUBLE, NULL)::VARCHAR"
_HASH, _VERSION = "hash", "version"

Part = tuple[Any, ...]
"""The values of a part's columns."""


@dataclass(frozen=True)
class Seal:
    """Rows of a part of a table: their number, and the sum of their hashes."""

    rows: int = 0
    checksum: int = 0

    def __add__(self, other: Seal) -> Seal:
        return Seal(self.rows + other.rows, self.checksum + other.checksum)

    def __sub__(self, other: Seal) -> Seal:
        return Seal(self.rows - other.rows, self.checksum - other.checksum)


@dataclass(frozen=True)
class Broken:
    """A part of a table whose rows are not those that were sealed.

    Parameters
    ----------
    values
        Of the columns that make the part; as text, all in one, where no row of it is left.
    sealed, now
        What was stored, and what is there; without rows where there is nothing.
    """

    values: Part
    sealed: Seal
    now: Seal


def label(part: Part) -> str:
    """A part as the table ``seal`` names it."""
    return ", ".join("" if value is None else str(value) for value in part)


def change_of(sql: str) -> tuple[str, str] | None:
    """The verb of a statement that changes what is sealed of a table, and the table."""
    if (one := _ONE_COLUMN.match(sql)) and one[2] in _DERIVED.get(one[1], ()):
        return None
    found = _CHANGE.match(sql)
    return (found[1], found[2]) if found and found[2] in PARTS else None


class Seals:
    """The seals of an open file; changes are noted, and written at the end of the transaction that made them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._noted: dict[tuple[str, Part], Seal] = {}
        self._emptied: set[tuple[str, Part]] = set()
        self._types: dict[str, dict[str, str]] = {}

    def totals(self, table: str) -> dict[Part, Seal]:
        """What the rows of a table really are, by part."""
        return _by_part(self._connection.table(identifier(table)).aggregate(*self._asked(table)).fetchall())

    def broken(self, tables: Iterable[str] = PARTS) -> dict[str, list[Broken]]:
        """The parts of sealed tables that are not as they were sealed, in order."""
        stored = stored_seals(self._connection)
        result: dict[str, list[Broken]] = {}
        for table in tables:
            now = {label(part): (part, seal) for part, seal in self.totals(table).items()}
            sealed = {part: seal for (of, part), seal in stored.items() if of == table}
            result[table] = [
                Broken(part, sealed.get(name, Seal()), seal)
                for name in sorted({*now, *sealed})
                for part, seal in [now.get(name, ((name,), Seal()))]
                if seal != sealed.get(name, Seal())
            ]
        return result

    def note_rows(self, table: str, rows: pa.Table, sign: int) -> None:
        """Note rows that were added to a table (`sign` 1) or deleted from it (-1)."""
        for part, seal in self.of_rows(table, rows).items():
            if sign < 0 and not self._has_rows(table, part):  # whatever comes next starts anew
                self._emptied.add((table, part))
                self._noted[table, part] = Seal()
            else:
                self._note(table, part, seal if sign > 0 else Seal() - seal)

    def of_rows(self, table: str, rows: pa.Table) -> dict[Part, Seal]:
        """What rows would be in a table, by part; columns that they lack are NULL."""
        if not rows.num_rows:
            return {}
        columns = self._columns(table)
        missing = [f"NULL AS {identifier(name)}" for name in columns if name not in rows.column_names]
        given = self._connection.from_arrow(rows)
        if missing:
            given = given.project(", ".join(["*", *missing]))
        # A view of the rows, which a whole query needs, would keep them in memory until the end of the transaction.
        return _by_part(given.aggregate(*self._asked(table)).fetchall())

    def note_change(self, table: str, before: Mapping[Part, Seal], after: Mapping[Part, Seal]) -> None:
        """Note what an update made of a table."""
        for part in {*before, *after}:
            change = after.get(part, Seal()) - before.get(part, Seal())
            if change != Seal():
                self._note(table, part, change)

    def note_deleted(self, table: str, before: Mapping[Part, Seal], after: Mapping[Part, Seal]) -> None:
        """Note what a deletion left of a table; a part of which nothing is left has no seal, whatever it was."""
        self.note_change(table, before, after)
        for part in before.keys() - after.keys():
            self._emptied.add((table, part))
            self._noted[table, part] = Seal()

    def drop(self, table: str, column: str, value: object) -> None:
        """Take away the seals of parts whose rows were all deleted."""
        place = PARTS[table].index(column)
        held = [part for part in self._parts_of(table) if part[place] == str(value)]
        self._delete([(table, ", ".join(part)) for part in held])
        names = PARTS[table]
        for key in [key for key in self._noted if key[0] == table and key[1][names.index(column)] == value]:
            del self._noted[key]

    def write(self) -> None:
        """Write what was noted; in the transaction that made the changes."""
        emptied = self._emptied
        noted = {key: seal for key, seal in self._noted.items() if seal != Seal() or key in emptied}
        if not noted:
            return
        if not is_comparable(self._connection):
            self._connection.execute("DELETE FROM seal WHERE subject NOT IN (?, ?)", [_HASH, _VERSION])
            return
        stored = stored_seals(self._connection, {table for table, _ in noted})
        entries: dict[tuple[str, str], Seal] = {}
        for (table, part), seal in noted.items():
            key = table, label(part)
            entries[key] = seal if (table, part) in emptied else stored.get(key, Seal()) + seal
        self._delete([key for key in entries if key in stored])
        _insert(self._connection, {key: seal for key, seal in entries.items() if seal != Seal()})

    def forget_noted(self) -> None:
        """Forget what was noted, because it was rolled back."""
        self._noted.clear()
        self._emptied.clear()

    def _note(self, table: str, part: Part, seal: Seal) -> None:
        self._noted[table, part] = self._noted.get((table, part), Seal()) + seal

    def _columns(self, table: str) -> dict[str, str]:
        """The columns of a table that are sealed, with their types."""
        if table not in self._types:
            rows = self._connection.execute(
                "SELECT column_name, data_type FROM duckdb_columns() "
                "WHERE database_name = current_database() AND schema_name = 'main' AND table_name = ? "
                "ORDER BY column_index",
                [table],
            ).fetchall()
            self._types[table] = {name: kind for name, kind in rows if name not in _DERIVED.get(table, ())}
        return self._types[table]

    def _asked(self, table: str) -> tuple[str, str]:
        """What is asked of rows of a table to seal them, and the groups of rows of which it is asked."""
        columns = self._columns(table)
        values = ", ".join(f"{identifier(name)}::{kind}" for name, kind in columns.items())
        parts = ", ".join(f"{identifier(name)}::{columns[name]}" for name in PARTS[table] if name in columns)
        return f"count(*), coalesce(sum(hash({values})), 0){', ' if parts else ''}{parts}", parts

    def _has_rows(self, table: str, part: Part) -> bool:
        same = " AND ".join(f"{identifier(name)} IS NOT DISTINCT FROM ?" for name in PARTS[table]) or "true"
        found = self._connection.execute(f"SELECT 1 FROM {table} WHERE {same} LIMIT 1", list(part)).fetchone()
        return found is not None

    def _parts_of(self, table: str) -> Iterator[Sequence[str]]:
        count = len(PARTS[table])
        for _, part in stored_seals(self._connection, {table}):
            yield part.split(", ", count - 1)

    def _delete(self, keys: Sequence[tuple[str, str]]) -> None:
        if keys:
            self._connection.execute(
                "DELETE FROM seal USING (SELECT unnest(?) AS subject, unnest(?) AS part) AS gone "
                "WHERE seal.subject = gone.subject AND seal.part = gone.part",
                [[table for table, _ in keys], [part for _, part in keys]],
            )


def _by_part(rows: Sequence[tuple[Any, ...]]) -> dict[Part, Seal]:
    return {tuple(part): Seal(int(count), int(checksum)) for count, checksum, *part in rows if count}


def is_comparable(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether the file was sealed with hashes that this version of DuckDB computes alike."""
    stored = connection.execute("SELECT value FROM seal WHERE subject = ?", [_HASH]).fetchall()
    return stored == connection.execute(_PROBE).fetchall()


def stored_seals(connection: duckdb.DuckDBPyConnection, tables: set[str] | None = None) -> dict[tuple[str, str], Seal]:
    """The seals that the file holds, by table and part."""
    rows = connection.execute(
        "SELECT subject, part, rows, value FROM seal WHERE list_contains(?, subject)", [sorted(tables or PARTS)]
    ).fetchall()
    return {(table, part): Seal(int(count), int(value)) for table, part, count, value in rows}


def seal_all(connection: duckdb.DuckDBPyConnection) -> None:
    """Seal the file as it is, as derived by this version's rules; inside a transaction."""
    connection.execute("DELETE FROM seal")
    ((probe,),) = connection.execute(_PROBE).fetchall()
    rows = [(_HASH, "", probe), *((_VERSION, name, str(number)) for name, number in VERSIONS.items())]
    for row in rows:
        connection.execute("INSERT INTO seal (subject, part, value) VALUES (?, ?, ?)", row)
    seals = Seals(connection)
    for table in PARTS:
        _insert(connection, {(table, label(part)): seal for part, seal in seals.totals(table).items()})


def _insert(connection: duckdb.DuckDBPyConnection, entries: Mapping[tuple[str, str], Seal]) -> None:
    if entries:
        connection.execute(
            "INSERT INTO seal SELECT unnest(?), unnest(?), unnest(?), unnest(?)",
            [
                [table for table, _ in entries],
                [part for _, part in entries],
                [seal.rows for seal in entries.values()],
                [str(seal.checksum) for seal in entries.values()],
            ],
        )


def outdated(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The rules of `VERSIONS` by another version of which the file was derived, or nobody knows by which."""
    rows = connection.execute("SELECT part, value FROM seal WHERE subject = ?", [_VERSION]).fetchall()
    return [name for name, number in VERSIONS.items() if (name, str(number)) not in rows]


def require_derived(connection: duckdb.DuckDBPyConnection, path: object) -> None:
    """Refuse to add to a file that other rules derived: equal functions would have two digests.

    Raises
    ------
    StoreError
        They did.
    """
    if names := outdated(connection):
        raise StoreError(
            f"{path} was derived by another version's rules ({', '.join(names)}); nothing was stored. Derive it anew "
            f"with `catalog db upgrade --db {path}`."
        )
