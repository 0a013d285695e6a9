"""Writing a catalog file anew without the room that replaced rows have left in it.

DuckDB uses that room again and never gives it back. So everything is copied into a file beside the old one, compared,
put on the disk, and given the old one's name. Until then the old file is as it was, and nobody else can write it.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catalog.errors import StoreError
from catalog.message import readable_bytes
from catalog.output_file import flush, flush_names, reason_of
from catalog.quoting import identifier, literal
from catalog.storage.duckdb_errors import reported
from catalog.storage.locking import connect
from catalog.storage.revisions import status_of

_SETTINGS = {"autoload_known_extensions": "false", "autoinstall_known_extensions": "false"}


@dataclass(frozen=True)
class Compacted:
    """The size of a file before and after it was written anew, in bytes; equal where that gained nothing."""

    before: int
    after: int

    def __str__(self) -> str:
        if self.after == self.before:
            return f"{readable_bytes(self.before)}, and it would not become smaller; the file was left as it is."
        return f"{readable_bytes(self.before)} became {readable_bytes(self.after)}."


def compact(path: str | Path, *, wait: float | None = None) -> Compacted:
    """Write a catalog file anew, as small as it can be; it has its old content or the new file's, which is the same.

    Parameters
    ----------
    path
        The catalog.
    wait
        Seconds to wait for another process to let go of the file.

    Raises
    ------
    StoreError
        There is no catalog at `path`, or it is in use, or there is no room for a second file beside it; the old file
        was left as it was, and nothing beside it.
    """
    path = Path(path)
    target = Path(os.path.realpath(path))  # a link stays one
    # Nobody else can open the file until the new one has its name: what they wrote would be lost.
    with connect(path, read_only=False, wait=wait, settings=_SETTINGS) as database, reported(path):
        status_of(database, path)
        database.execute("CHECKPOINT")  # or closing the old file would write its log under the new one's name
        _remove_leftovers(target)
        before = target.stat().st_size
        try:
            with _beside(target) as fresh:
                _copy(database, fresh, path)
                after = fresh.stat().st_size
                if after >= before:
                    return Compacted(before, before)
                fresh.chmod(target.stat().st_mode)
                flush(fresh)
                fresh.replace(target)
                flush_names(target.parent)
        except OSError as error:
            raise StoreError(
                f"cannot write a file beside {path}: {reason_of(error)}; {path} was left as it was."
            ) from error
    return Compacted(before, after)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    fresh = target.with_name(f".{target.name}.{uuid.uuid4().hex}.compact")
    try:
        yield fresh
    finally:
        for leftover in (fresh, fresh.with_name(fresh.name + ".wal")):
            with suppress(OSError):
                leftover.unlink()


def _remove_leftovers(target: Path) -> None:
    """Remove what a killed compaction left; none is running, for this one holds the file."""
    for leftover in target.parent.glob(f".{target.name}.*.compact*"):
        with suppress(OSError):
            leftover.unlink()


def _copy(database: duckdb.DuckDBPyConnection, fresh: Path, path: Path) -> None:
    """Copy all tables and views into a new file, and compare what arrived."""
    ((old,),) = database.execute("SELECT current_database()").fetchall()
    new = f"copy_{uuid.uuid4().hex}"
    database.execute(f"ATTACH {literal(str(fresh.absolute()))} AS {identifier(new)}")
    try:
        database.execute(f"COPY FROM DATABASE {identifier(old)} TO {identifier(new)}")
        database.execute(f"CHECKPOINT {identifier(new)}")
        if _sums(database, old) != _sums(database, new):
            raise StoreError(f"the copy of {path} is not the same as the file, which was left as it was.")
    finally:
        with suppress(duckdb.Error):  # a failed copy may have left it unusable; it is deleted
            database.execute(f"DETACH {identifier(new)}")


def _sums(database: duckdb.DuckDBPyConnection, name: str) -> dict[str, tuple[object, ...]]:
    """What the tables of a database hold: the number of rows, the sum of their hashes, and their comments."""
    tables = database.execute(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = ? ORDER BY ALL", [name]
    ).fetchall()
    comments = database.execute(
        "SELECT table_name, sum(hash(column_name, data_type, comment)) FROM duckdb_columns() "
        "WHERE database_name = ? GROUP BY 1",
        [name],
    ).fetchall()
    described = dict(comments)
    found: dict[str, tuple[object, ...]] = {}
    for schema, table in tables:
        place = ".".join(map(identifier, (name, schema, table)))
        rows = database.execute(f"SELECT count(*), sum(hash(held)) FROM {place} AS held").fetchall()
        found[f"{schema}.{table}"] = (*rows[0], described.get(table))
    return found
