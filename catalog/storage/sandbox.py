"""Running SQL that a user typed: it can read the catalog and nothing else on the machine.

This is what the process of a query does; `catalog.storage.user_query` starts it, and ends it where nothing here can.
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack

import duckdb
from duckdb.sqltypes import DuckDBPyType

from catalog.errors import CatalogError, QueryError
from catalog.quoting import identifier, literal
from catalog.storage.answer import Answer
from catalog.storage.duckdb_errors import raise_interrupt, readable, reported, store_error
from catalog.storage.foreign import require_own_functions
from catalog.storage.locking import CLOSED_TO_OTHERS, TIMES_IN_UTC, require_file, waited_for
from catalog.storage.query_limits import QueryLimits, check_limits, out_of_memory, stopped, too_large
from catalog.storage.revisions import status_of
from catalog.storage.user_sql import check_statement

if TYPE_CHECKING:
    import pyarrow as pa

Rows = TypeVar("Rows")

SPILL_LIMIT = "4GB"
"""Largest size of the private folder to which a query that outgrows its memory may spill."""

_ANSWER = "catalog_answer"
_INEXACT = ("interval", "uhugeint", "time with time zone", "bit", "variant", "geometry")
_TIMESTAMPS = ("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone")
_HUGEINT = 38  # digits of the decimal that DuckDB gives for one
_ROWS_A_BATCH = 2_048  # DuckDB's smallest: a batch of long texts must not outgrow the limit before it is measured
_REPEAT_INTERRUPT = 0.05  # seconds; an interrupt that arrives before the statement starts would be lost


@dataclass(frozen=True)
class Reading(Generic[Rows]):
    """In which form a result is read.

    Parameters
    ----------
    read
        Gives the rows of a result that may take so many bytes.
    is_text
        Whether a column of this type is given as DuckDB writes it.
    """

    read: Callable[[duckdb.DuckDBPyRelation, int], Rows]
    is_text: Callable[[DuckDBPyType], bool]


def run_user_query(path: str | Path, sql: str, **limits: Unpack[QueryLimits]) -> pa.Table:
    """The rows that a user's query gives, as an Arrow table; see `read_user_query`."""
    return read_user_query(path, sql, ARROW, **limits)


def read_user_query(
    path: str | Path,
    sql: str,
    reading: Reading[Rows],
    *,
    is_judged: bool = False,
    tables: Mapping[str, pa.Table] | None = None,
    before: Callable[[int], None] = lambda _: None,
    prepared: Attached | None = None,
    **limits: Unpack[QueryLimits],
) -> Rows:
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
    reading
        In which form: `ARROW`, or `PLAIN`, which imports no array library and suits small results.
    is_judged
        Whether the program composed the statement, from parts that were judged.
    tables
        The only tables that the query can read, by name, instead of those of the file, which is not opened then.
    before
        Called with the bytes that the query may take, when it is about to run.
    prepared
        A connection to the file, if there is one already; it serves one query.
    limits
        See `QueryLimits`.

    Raises
    ------
    QueryError
        The query is refused, is wrong, or runs out of time or memory.
    StoreError
        The file cannot be read.
    """
    check_limits(limits)
    path = Path(path)
    if tables is None:
        require_file(path)
    with reported(path):
        if not is_judged:
            check_statement(sql)
        with ExitStack() as opened:
            if prepared is None or tables is not None:
                prepared = opened.enter_context(attached(path if tables is None else None, limits.get("wait")))
            connection = _closed(prepared, tables, limits)
            before(_memory_limit(connection))
            return _read(connection, path, sql, limits.get("timeout"), reading)


@dataclass(frozen=True)
class Attached:
    """A connection to which a catalog is attached, and its folder for what outgrows its memory, or an empty name."""

    connection: duckdb.DuckDBPyConnection
    spill: str


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
def attached(path: Path | None, wait: float | None = None) -> Iterator[Attached]:
    """A connection to which a catalog, if any, is attached read-only, and most doors behind it closed.

    The file is attached to a database of its own in memory, so that the limits of one query do not touch other
    connections of this process to the same file.

    Raises
    ------
    StoreError
        The file cannot be read.
    """
    doors = {name: value for name, value in CLOSED_TO_OTHERS.items() if name != "enable_external_access"}
    with _spill_folder() as spill:
        doors |= {"temp_directory": spill, "allow_persistent_secrets": "false"}
        with duckdb.connect(":memory:", config=doors) as connection:
            if path is not None:
                _attach(connection, path, wait)
            yield Attached(connection, spill)


def _closed(
    prepared: Attached, tables: Mapping[str, pa.Table] | None, limits: QueryLimits
) -> duckdb.DuckDBPyConnection:
    """The connection with the tables that are lent, the limits that it has to keep, and every door closed."""
    connection = prepared.connection
    for name, table in (tables or {}).items():
        connection.register(name, table)
    if prepared.spill:  # by SET: DuckDB 1.5 shows this limit when it comes with the configuration, but does not keep it
        connection.execute(f"SET max_temp_directory_size = {literal(SPILL_LIMIT)}")
    if (memory_limit := limits.get("memory_limit")) is not None:
        connection.execute(f"SET memory_limit = {literal(memory_limit)}")
    connection.execute(TIMES_IN_UTC)
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, wait: float | None) -> None:
    attach = f"ATTACH {literal(str(path.absolute()))} AS catalog (TYPE duckdb, READ_ONLY)"
    waited_for(lambda: connection.execute(attach), path, wait)
    connection.execute("USE catalog")
    status_of(connection, path).require_current()
    require_own_functions(connection, path)


def _read(
    connection: duckdb.DuckDBPyConnection, path: Path, sql: str, timeout: float | None, reading: Reading[Rows]
) -> Rows:
    room = _memory_limit(connection)
    expired = threading.Event()
    try:
        with _stopped_after(connection, timeout, expired):
            return reading.read(_told(connection, sql, reading), room)
    except MemoryError as error:
        raise out_of_memory("this process may take no more.") from error
    except (duckdb.Error, OSError) as error:  # pyarrow reports DuckDB's errors in mid-result as OSError
        raise_interrupt(error, connection)
        if expired.is_set():
            raise stopped(timeout) from error
        raise _explained(error, connection, path, room) from error
    finally:
        connection.interrupt()  # an abandoned result is still being computed, and closing would wait for its end


def _told(connection: duckdb.DuckDBPyConnection, sql: str, reading: Reading[Rows]) -> duckdb.DuckDBPyRelation:
    """The result of a statement, not computed yet, with the columns as texts that have no other exact form."""
    relation = connection.sql(sql)
    texts = [reading.is_text(kind) for kind in relation.types]
    if not any(texts):
        return relation
    places = [f"c{place}" for place in range(len(texts))]  # names may be equal
    shown = ", ".join(
        f"{place}::VARCHAR AS {identifier(name)}" if is_text else f"{place} AS {identifier(name)}"
        for place, name, is_text in zip(places, relation.columns, texts, strict=True)
    )
    return relation.query(_ANSWER, f"SELECT {shown} FROM {_ANSWER} AS told({', '.join(places)})")


def _has_no_exact_form(kind: DuckDBPyType) -> bool:
    """Whether Arrow or Python would lose or refuse values of a type, or of one inside it."""
    if kind.id in ("list", "array", "map", "struct", "union"):
        inner = kind.children
        types = [one for _, one in inner if isinstance(one, DuckDBPyType)]  # an array has its size among its children
        return any(not name for name, _ in inner) or any(map(_has_no_exact_form, types))
    return kind.id in _INEXACT


def _is_a_time(kind: DuckDBPyType) -> bool:
    """The same, and times: Python knows no infinite ones, none after the year 9999 and no nanoseconds."""
    return kind.id in ("date", "time", *_TIMESTAMPS) or _has_no_exact_form(kind)


def as_arrow(result: duckdb.DuckDBPyRelation, room: int) -> pa.Table:
    """A result as an Arrow table, read batch by batch: it lies outside DuckDB's memory and its limit of `room` bytes.

    Raises
    ------
    QueryError
        The rows need more than `room` bytes.
    """
    import pyarrow

    reader = result.to_arrow_reader(_ROWS_A_BATCH)
    batches, size = [], 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > room:
            raise too_large(room)
    return _with_plain_integers(pyarrow.Table.from_batches(batches, reader.schema))


def _with_plain_integers(table: pa.Table) -> pa.Table:
    """Sums of integers, which DuckDB gives as decimals, as integers wherever all of a column fit."""
    import pyarrow
    import pyarrow.types

    for place, field in enumerate(table.schema):
        if pyarrow.types.is_decimal(field.type) and field.type.scale == 0 and field.type.precision == _HUGEINT:
            try:
                column = table.column(place).cast(pyarrow.int64())
            except pyarrow.ArrowInvalid:
                continue  # a larger number stays a decimal
            table = table.set_column(place, field.name, column)
    return table


def as_answer(result: duckdb.DuckDBPyRelation, room: int) -> Answer:
    """A result as plain values; raises as `as_arrow`."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    while batch := result.fetchmany(_ROWS_A_BATCH):
        rows += batch
        size += sum(_size(value) for row in batch for value in row)
        if size > room:
            raise too_large(room)
    return Answer.of(result, rows)


ARROW = Reading(as_arrow, _has_no_exact_form)
"""An Arrow table."""

ARROW_TO_SHOW = Reading(as_arrow, _is_a_time)
"""An Arrow table for people: times are texts."""

PLAIN = Reading(as_answer, _is_a_time)
"""Plain values; times are texts."""


def _size(value: object) -> int:
    """Bytes of a value, with what it holds."""
    held = (*value.keys(), *value.values()) if isinstance(value, dict) else value
    inner = sum(map(_size, held)) if isinstance(held, list | tuple) else 0
    return sys.getsizeof(value) + inner


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


def _memory_limit(connection: duckdb.DuckDBPyConnection) -> int:
    row = connection.execute("SELECT parse_formatted_bytes(current_setting('memory_limit'))").fetchone()
    assert row is not None
    return int(row[0])


def _explained(error: Exception, connection: duckdb.DuckDBPyConnection, path: Path, room: int) -> CatalogError:
    """The catalog's error for what went wrong while a user's query ran."""
    text = readable(error)
    if "Arrow Appender" in text:  # texts of more than 2 GB in one batch
        return too_large(room)
    if isinstance(error, duckdb.OutOfMemoryException) or str(error).startswith("Out of Memory"):
        return out_of_memory(text)
    if isinstance(error, duckdb.IOException) or str(error).startswith("IO Error"):
        return store_error(error, path)
    if "Table with name" in text:
        rows = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name = 'catalog' ORDER BY table_name"
        ).fetchall()
        names = [name for (name,) in rows]
        hint = re.search(r'\nDid you mean "(.*?)"\?', text)
        if hint and hint[1] not in names:  # DuckDB also proposes tables of its own
            text = text.replace(hint[0], "")
        text += f"\nTables: {', '.join(names)}."
    return QueryError(text)
