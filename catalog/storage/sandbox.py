"""Running SQL that a user typed: it can read the catalog and nothing else on the machine."""

from __future__ import annotations

import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from catalog.errors import CatalogError, QueryError, UsageError
from catalog.quoting import literal
from catalog.storage.duckdb_errors import raise_interrupt, readable, reported, store_error
from catalog.storage.locking import CLOSED_TO_OTHERS, require_file, waited_for
from catalog.storage.revisions import status_of
from catalog.storage.user_sql import check_statement

if TYPE_CHECKING:
    import pyarrow as pa

SPILL_LIMIT = "4GB"
"""Largest size of the private folder to which a query that outgrows its memory may spill."""

_ROWS_A_BATCH = 2_048  # DuckDB's smallest: a batch of long texts must not outgrow the limit before it is measured
_AMOUNT = re.compile(r"\d+(\.\d+)?\s*[KMGT]i?B", re.IGNORECASE)
_REPEAT_INTERRUPT = 0.05  # seconds; an interrupt that arrives before the statement starts would be lost


def run_user_query(
    path: str | Path,
    sql: str,
    *,
    timeout: float | None = None,
    memory_limit: str | None = None,
    wait: float | None = None,
) -> pa.Table:
    """The rows that a user's query gives.

    The file is opened for reading only; files, folders, extensions and the network are out of reach, and the
    configuration is locked. A query that outgrows its memory spills into a private folder of at most
    `SPILL_LIMIT`, which is removed at the end.

    Parameters
    ----------
    path
        The catalog file.
    sql
        One statement that reads.
    timeout
        Seconds after which the query is stopped; None for no limit.
    memory_limit
        Largest memory of the query, and again of its result, for example ``"500MB"``; None for DuckDB's own
        choice, which is 80 % of the machine's.
    wait
        Seconds to wait for another process to let go of the file.

    Raises
    ------
    QueryError
        The query is refused, is wrong, or runs out of time or memory.
    StoreError
        The file cannot be read.
    """
    path = Path(path)
    if timeout is not None and timeout <= 0:
        raise UsageError(f"the timeout is {timeout:g} seconds; it must be greater than 0.")
    if memory_limit is not None and not _AMOUNT.fullmatch(memory_limit.strip()):
        raise UsageError(f"{memory_limit!r} is no amount of memory; allowed is for example 500MB or 4GB.")
    require_file(path)
    with reported(path), _spill_folder() as spill:
        check_statement(sql)
        with _closed_connection(path, spill, memory_limit, wait) as connection:
            return _answer(connection, path, sql, timeout)


@contextmanager
def _spill_folder() -> Iterator[str]:
    """A private folder; an empty name, which forbids spilling, where the system gives none."""
    try:
        folder = tempfile.TemporaryDirectory(prefix="catalog-query-", ignore_cleanup_errors=True)
    except OSError:
        yield ""
        return
    with folder as name:
        yield name


@contextmanager
def _closed_connection(
    path: Path, spill: str, memory_limit: str | None, wait: float | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to which the catalog is attached read-only, and every door behind it closed.

    The file is attached to a database of its own in memory, so that the limits of one query do not touch other
    connections of this process to the same file.
    """
    doors = {name: value for name, value in CLOSED_TO_OTHERS.items() if name != "enable_external_access"}
    doors |= {"temp_directory": spill, "allow_persistent_secrets": "false"}
    with duckdb.connect(":memory:", config=doors) as connection:
        attach = f"ATTACH {literal(str(path.absolute()))} AS catalog (TYPE duckdb, READ_ONLY)"
        waited_for(lambda: connection.execute(attach), path, wait)
        connection.execute("USE catalog")
        status_of(connection, path).require_current()
        if spill:  # by SET: DuckDB 1.5 shows this limit when it comes with the configuration, but does not keep it
            connection.execute(f"SET max_temp_directory_size = {literal(SPILL_LIMIT)}")
        if memory_limit is not None:
            connection.execute(f"SET memory_limit = {literal(memory_limit)}")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        yield connection


def _answer(connection: duckdb.DuckDBPyConnection, path: Path, sql: str, timeout: float | None) -> pa.Table:
    room = _memory_limit(connection)
    expired = threading.Event()
    try:
        with _stopped_after(connection, timeout, expired):
            return _fetched(connection, sql, room)
    except (duckdb.Error, OSError) as error:  # pyarrow reports DuckDB's errors in mid-result as OSError
        raise_interrupt(error, connection)
        if expired.is_set():
            raise QueryError(
                f"the query was stopped after {timeout:g} seconds. Ask for less, or allow more with --timeout."
            ) from error
        raise _explained(error, connection, path, room) from error
    finally:
        connection.interrupt()  # an abandoned result is still being computed, and closing would wait for its end


def _fetched(connection: duckdb.DuckDBPyConnection, sql: str, room: int) -> pa.Table:
    """The rows of a statement, batch by batch: a result lies outside DuckDB's memory and its limit."""
    import pyarrow

    reader = connection.execute(sql).to_arrow_reader(_ROWS_A_BATCH)
    batches, size = [], 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > room:
            raise _too_large(room)
    return pyarrow.Table.from_batches(batches, reader.schema)


@contextmanager
def _stopped_after(
    connection: duckdb.DuckDBPyConnection, seconds: float | None, expired: threading.Event
) -> Iterator[None]:
    """Interrupt the connection's statements once the time is over, and set `expired` when that happens."""
    if seconds is None:
        yield
        return
    done = threading.Event()

    def watch() -> None:
        if done.wait(min(seconds, threading.TIMEOUT_MAX)):
            return
        expired.set()
        connection.interrupt()
        while not done.wait(_REPEAT_INTERRUPT):
            connection.interrupt()

    watcher = threading.Thread(target=watch, name="query-timeout", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _too_large(room: int) -> QueryError:
    return QueryError(
        f"the result is larger than the memory limit of {room / 1e6:,.0f} MB. "
        "Ask for fewer rows or columns, aggregate in SQL, or allow more with --memory-limit."
    )


def _memory_limit(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchone()
    assert row is not None
    return int(row[0])


def _explained(error: Exception, connection: duckdb.DuckDBPyConnection, path: Path, room: int) -> CatalogError:
    """The catalog's error for what went wrong while a user's query ran."""
    text = readable(error)
    if "Arrow Appender" in text:  # texts of more than 2 GB in one batch
        return _too_large(room)
    if isinstance(error, duckdb.OutOfMemoryException) or str(error).startswith("Out of Memory"):
        return QueryError(f"the query ran out of memory: {text}\nAsk for less, or allow more with --memory-limit.")
    if isinstance(error, duckdb.IOException) or str(error).startswith("IO Error"):
        return store_error(error, path)
    if "Table with name" in text:
        rows = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'catalog' ORDER BY table_name"
        ).fetchall()
        text += f"\nTables: {', '.join(row[0] for row in rows)}."
    return QueryError(text)
