"""DuckDB's exceptions as the catalog's own errors: the one place where they are told apart."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from catalog.errors import CatalogError, QueryError, StoreError

_SQL_FAULTS = (duckdb.ProgrammingError, duckdb.DataError, duckdb.NotSupportedError, duckdb.PermissionException)
_KIND = re.compile(r"^[A-Z][A-Za-z]*(?: [A-Za-z]+)* Error: ")
_ADVICE = re.compile(r"\nStack Trace|\nPossible solutions:| Use \"SET ")  # of no use to whoever reads it here
_INTERRUPTED = ("Query interrupted", "KeyboardInterrupt:")  # the second where it was importing a module of its own
_NO_ROOM = ("No space left on device", "File too large", "Disk quota exceeded", "not enough disk space")
_NOT_ALLOWED = ("Read-only file system", "Permission denied", "Operation not permitted")
_FOREIGN = ("not a valid DuckDB database file", "external extensions", "_scanner")  # SQLite's need an extension
_WRITES = "transaction is launched in read-only mode"  # SQL that may only read wants to write
_DAMAGED = ("Corrupt database file", "Could not read enough bytes", "Failed to deserialize", "Failed to load metadata")


@contextmanager
def reported(path: Path, connection: duckdb.DuckDBPyConnection | None = None) -> Iterator[None]:
    """Raise what DuckDB raises inside the block as the catalog's errors.

    DuckDB reports Ctrl-C during a statement of `connection` as another error; it becomes a `KeyboardInterrupt`.
    """
    try:
        yield
    except duckdb.Error as error:
        raise_interrupt(error, connection)
        raise catalog_error(error, path) from error
    except RuntimeError as error:
        raise_interrupt(error, connection)
        raise


def raise_interrupt(error: Exception, connection: duckdb.DuckDBPyConnection | None) -> None:
    """Raise `KeyboardInterrupt` if that is what `error` stands for.

    DuckDB 1.5 returns from a statement at Ctrl-C but leaves it running, and the next one, such as ROLLBACK, would wait
    for its end; so the statement is stopped first.
    """
    if any(words in str(error) for words in _INTERRUPTED):
        if connection is not None:
            connection.interrupt()
        raise KeyboardInterrupt from error


def catalog_error(error: duckdb.Error, path: Path) -> CatalogError:
    """The catalog's error for an exception of DuckDB that concerns the file at `path`."""
    if isinstance(error, _SQL_FAULTS) or _WRITES in str(error):
        return QueryError(readable(error))
    return store_error(error, path)


def store_error(error: Exception, path: Path) -> StoreError:
    """One clear line about a file that cannot be opened, read or written."""
    text = readable(error)
    if any(words in text for words in _NO_ROOM):
        return StoreError(
            f"cannot write {path}: no room left on the disk ({first_line(error)}). "
            "Nothing of this step was stored. Free some space and run the same command again."
        )
    if any(words in text for words in _NOT_ALLOWED):
        return StoreError(
            f"cannot open or write {path}: {_system_reason(text)}. "
            "The file and its folder must be readable, and writable for every command that stores something."
        )
    if "Is a directory" in text:
        return StoreError(f"{path} is a directory, not a database file; give the path of a file with --db.")
    if any(words in text for words in _FOREIGN):
        return StoreError(
            f"{path} is not a DuckDB database file; it was left as it is. "
            "Give another path with --db, or create a catalog with `catalog db init --db NEW.duckdb`."
        )
    if "version number" in text:
        return StoreError(
            f"{path} was written in a storage format that DuckDB {duckdb.__version__} cannot read. "
            "Upgrade DuckDB with `pip install -U duckdb`."
        )
    if any(words in text for words in _DAMAGED):
        return StoreError(
            f"{path} is damaged or cut short ({first_line(error)}). "
            "Restore it from a copy, or create a new catalog and ingest again."
        )
    if isinstance(error, duckdb.ConstraintException):
        return StoreError(f"{path}: the rows break a rule of the schema and were not stored: {first_line(error)}")
    return StoreError(f"{path}: {first_line(error)}")


def readable(error: Exception) -> str:
    """A DuckDB message without its kind, stack trace and blank lines; candidates and the marked line stay."""
    text = _ADVICE.split(str(error), maxsplit=1)[0]
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    lines[0] = _KIND.sub("", lines[0])
    return "\n".join(lines)


def first_line(error: Exception) -> str:
    """The first line of a DuckDB message."""
    return readable(error).splitlines()[0]


def _system_reason(text: str) -> str:
    return next(words for words in _NOT_ALLOWED if words in text).lower()
