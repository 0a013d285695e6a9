"""The catalog file: opening it, reading it in bulk, writing it in transactions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import duckdb

from catalog.errors import StoreError, UsageError
from catalog.quoting import identifier
from catalog.storage.answer import Answer
from catalog.storage.duckdb_errors import reported
from catalog.storage.locking import connect
from catalog.storage.revisions import status_of
from catalog.storage.seals import (
    PARTS,
    Broken,
    Seal,
    Seals,
    change_of,
    is_comparable,
    outdated,
    require_derived,
    seal_all,
)

if TYPE_CHECKING:
    import polars
    import pyarrow as pa

Mode = Literal["read", "write"]
Parameters = Sequence[object] | Mapping[str, object] | None
Tables = Mapping[str, "pa.Table"]


class Store:
    """An open catalog file, as the library's own rooms use it; users hold a `catalog.session.Catalog`.

    >>> with Store.open("catalog.duckdb") as store:
    ...     store.query("SELECT count(*) FROM architecture")

    One process can write a catalog, or any number of processes can read it. A catalog that is open for reading cannot
    touch other files, whatever SQL it is given; see `catalog.storage.user_query` for SQL that a stranger typed.

    What `append` and `execute` change is entered into the seals of the file, in the same transaction, so that
    ``catalog doctor`` finds what anybody else changed: see `catalog.storage.seals`.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, mode: Mode) -> None:
        self.path = path
        self.mode = mode
        self._connection = connection
        self._in_transaction = False
        self._seals = Seals(connection)

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        mode: Mode = "read",
        create: bool = False,
        wait: float | None = None,
        to_derive: bool = False,
    ) -> Store:
        """Open the catalog file at `path`.

        Parameters
        ----------
        path
            The file.
        mode
            ``"read"``, beside other readers, or ``"write"``, alone.
        create
            Whether to create a missing file.
        wait
            Seconds to keep trying while another process holds the file.
        to_derive
            Whether a file whose derived rows another version made may be written, to derive them anew.

        Raises
        ------
        MissingDatabaseError
            There is no such file, and `create` is false.
        LockedError
            Another process holds the file.
        SchemaVersionError
            The file was written by an older or newer version of the catalog.
        StoreError
            The file is no catalog, is damaged, or cannot be read or written.
        """
        path = Path(path)
        if mode not in ("read", "write"):
            raise UsageError(f"unknown mode {mode!r}; a catalog is opened for 'read' or for 'write'.")
        if create and not path.exists():
            from catalog.storage import migration

            try:
                migration.init(path)
            except StoreError:
                if not path.is_file():
                    raise  # otherwise another process has created the same catalog meanwhile
        connection = connect(path, read_only=mode == "read", wait=wait)
        try:
            with reported(path):
                status_of(connection, path).require_current()
                if mode == "write" and not to_derive:
                    require_derived(connection, path)
        except BaseException:
            connection.close()
            raise
        return cls(connection, path, mode)

    def close(self) -> None:
        """Close the file; what was committed is in it."""
        with reported(self.path):
            self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r}, mode={self.mode!r})"

    # Reading

    def query(self, sql: str, parameters: Parameters = None, *, tables: Tables | None = None) -> polars.DataFrame:
        """The rows of an SQL query as a polars frame; see `arrow`."""
        from catalog.storage.frames import as_frame

        return as_frame(self.arrow(sql, parameters, tables=tables))

    def answer(self, sql: str, parameters: Parameters = None) -> Answer:
        """The rows of an SQL query as plain values; see `arrow`."""
        with reported(self.path, self._connection):
            return Answer.of(self._connection.execute(sql, parameters))

    def rows(
        self, sql: str, parameters: Parameters = None, *, tables: Tables | None = None
    ) -> Sequence[tuple[Any, ...]]:
        """The rows of an SQL query as tuples; see `arrow`."""
        with self._lent(tables):
            return self.answer(sql, parameters).rows

    def arrow(self, sql: str, parameters: Parameters = None, *, tables: Tables | None = None) -> pa.Table:
        """The rows of an SQL query as an Arrow table.

        Parameters
        ----------
        sql
            The query, from the program; for a user's text see `catalog.storage.user_query`.
        parameters
            Values for ``?`` or, by name, ``$name``.
        tables
            Arrow tables that the query can read, by name, as if they were in the catalog.

        Raises
        ------
        QueryError
            The SQL is wrong.
        StoreError
            The file cannot be read.
        """
        with self._lent(tables), reported(self.path, self._connection):
            return self._connection.execute(sql, parameters).to_arrow_table()

    # Writing

    @property
    def in_transaction(self) -> bool:
        """Whether a block of `transaction` is running."""
        return self._in_transaction

    def execute(self, sql: str, parameters: Parameters = None, *, tables: Tables | None = None) -> int:
        """Run a statement; returns the number of rows that it changed.

        Raises
        ------
        QueryError
            The SQL is wrong.
        StoreError
            The file cannot be written, or the rows break a rule of the schema.
        """
        if change := change_of(sql):
            return self._change(*change, sql, parameters, tables)
        return self._run(sql, parameters, tables)

    def _change(self, verb: str, table: str, sql: str, parameters: Parameters, tables: Tables | None) -> int:
        """A statement that changes a sealed table; its seal changes with it."""
        if not self._in_transaction:
            with self.transaction():
                return self._change(verb, table, sql, parameters, tables)
        if verb == "UPDATE":
            before = self.totals(table)
            count = self._run(sql, parameters, tables)
            self._seals.note_change(table, before, self.totals(table))
            return count
        rows = self.arrow(f"{sql}\nRETURNING *", parameters, tables=tables)
        self._note_rows(table, rows, 1 if verb == "INSERT INTO" else -1)
        return int(rows.num_rows)

    def totals(self, table: str) -> dict[tuple[Any, ...], Seal]:
        """What the rows of a sealed table are now, by part: see `catalog.storage.seals`."""
        with reported(self.path, self._connection):
            return self._seals.totals(table)

    def broken_parts(self, tables: Iterable[str] = PARTS) -> dict[str, list[Broken]]:
        """The parts of sealed tables whose rows are not those that were stored: see `catalog.storage.seals`."""
        with reported(self.path, self._connection):
            return self._seals.broken(tables)

    def seals_of(self, table: str, rows: pa.Table) -> dict[tuple[Any, ...], Seal]:
        """What the seals of a table would be if it held these rows."""
        with reported(self.path, self._connection):
            return self._seals.of_rows(table, rows)

    def is_sealed(self) -> bool:
        """Whether the file has seals that this version of DuckDB can compare."""
        with reported(self.path, self._connection):
            return is_comparable(self._connection)

    def outdated(self) -> list[str]:
        """The rules of `catalog.derivation.VERSIONS` by another version of which the file was derived."""
        with reported(self.path, self._connection):
            return outdated(self._connection)

    def seal(self) -> None:
        """Seal the file as it is, as derived by this version's rules; inside a transaction that derived it anew."""
        with reported(self.path, self._connection):
            self._seals.forget_noted()
            seal_all(self._connection)

    def delete(self, table: str, where: str, *, tables: Tables | None = None) -> int:
        """Delete the rows of a sealed table for which a condition holds, without reading them; returns their number.

        The table is summed up before and after, which for many rows costs less than to fetch them.
        """
        if not self._in_transaction:
            with self.transaction():
                return self.delete(table, where, tables=tables)
        before = self.totals(table)
        count = self._run(f"DELETE FROM {identifier(table)} WHERE {where}", None, tables)
        if count:
            with reported(self.path, self._connection):
                self._seals.note_deleted(table, before, self._seals.totals(table))
        return count

    def delete_part(self, table: str, column: str, value: object) -> int:
        """Delete all rows of a sealed table whose part has this value; returns their number."""
        count = self._run(f"DELETE FROM {identifier(table)} WHERE {identifier(column)} = ?", [value], None)
        with reported(self.path, self._connection):
            self._seals.drop(table, column, value)
        return count

    def _note_rows(self, table: str, rows: pa.Table, sign: int) -> None:
        with reported(self.path, self._connection):
            self._seals.note_rows(table, rows, sign)

    def _run(self, sql: str, parameters: Parameters, tables: Tables | None) -> int:
        with self._lent(tables), reported(self.path, self._connection):
            result = self._connection.execute(sql, parameters)
            rows = result.fetchall()
        counts = [column[0] for column in result.description or ()] == ["Count"]
        return int(rows[0][0]) if counts and rows else 0

    @contextmanager
    def transaction(self, *, keeps_seals: bool = False) -> Iterator[None]:
        """All or nothing: what the block stores is stored at its end, or not at all if it raises.

        Transactions do not nest: DuckDB has no savepoints.

        Parameters
        ----------
        keeps_seals
            Whether the block brings rows back to what they were when they were sealed, so that seals do not change.
        """
        if self._in_transaction:
            raise StoreError("a transaction is running already, and DuckDB cannot nest them; use the one there is.")
        self.execute("BEGIN TRANSACTION")
        self._in_transaction = True
        try:
            yield
            if not keeps_seals:
                with reported(self.path, self._connection):
                    self._seals.write()
            self.execute("COMMIT")
        except BaseException as error:
            self._roll_back(error)
            raise
        finally:
            self._seals.forget_noted()
            self._in_transaction = False

    def _roll_back(self, error: BaseException) -> None:
        try:
            self.execute("ROLLBACK")
        except StoreError as second:  # a failed commit has rolled back already; the first error says more
            error.add_note(f"rolling back: {second}")

    def append(self, table: str, rows: pa.Table) -> int:
        """Append Arrow rows to a table, column by name, in one statement; returns their number.

        Columns that `rows` lacks become NULL.

        Raises
        ------
        QueryError
            There is no such table or column, or a value has the wrong type.
        StoreError
            The rows break a rule of the schema, or the file cannot be written.
        """
        if table in PARTS and not self._in_transaction:
            with self.transaction():
                return self.append(table, rows)
        columns = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index"
        names = [name for (name,) in self.rows(columns, [table])]
        if not set(rows.column_names) <= set(names):
            statement = f"INSERT INTO {identifier(table)} BY NAME SELECT * FROM appended_rows"
            self.execute(statement, tables={"appended_rows": rows})  # which names what does not fit
        listed = ", ".join(identifier(name) if name in rows.column_names else "NULL" for name in names)
        with reported(self.path, self._connection):
            # A registered table would stay in memory until the end of the transaction: a gigabyte for a record file.
            self._connection.from_arrow(rows).project(listed).insert_into(identifier(table))
        if table in PARTS:
            self._note_rows(table, rows, 1)
        return int(rows.num_rows)

    def next_id(self, table: str) -> int:
        """The first number after all ids of a table; 1 in an empty one."""
        ((largest,),) = self.rows(f"SELECT coalesce(max(id), 0) FROM {identifier(table)}")
        return int(largest) + 1

    def now(self) -> datetime.datetime:
        """The time to stamp a row with."""
        return datetime.datetime.now(datetime.UTC)

    @contextmanager
    def _lent(self, tables: Tables | None) -> Iterator[None]:
        """Arrow tables under their names for one statement."""
        lent: list[str] = []
        try:
            for name, table in (tables or {}).items():
                self._connection.register(name, table)
                lent.append(name)
            yield
        finally:
            for name in lent:
                self._connection.unregister(name)
