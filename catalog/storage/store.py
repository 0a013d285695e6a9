"""The catalog file: opening it, reading it in bulk, writing it in transactions."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
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
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, mode: Mode) -> None:
        self.path = path
        self.mode = mode
        self._connection = connection
        self._in_transaction = False

    @classmethod
    def open(cls, path: str | Path, *, mode: Mode = "read", create: bool = False, wait: float | None = None) -> Store:
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

            migration.init(path)
        connection = connect(path, read_only=mode == "read", wait=wait)
        try:
            with reported(path):
                status_of(connection, path).require_current()
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

    def rows(self, sql: str, parameters: Parameters = None) -> Sequence[tuple[Any, ...]]:
        """The rows of an SQL query as tuples; see `arrow`."""
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
        with self._lent(tables), reported(self.path, self._connection):
            result = self._connection.execute(sql, parameters)
            rows = result.fetchall()
        counts = [column[0] for column in result.description or ()] == ["Count"]
        return int(rows[0][0]) if counts and rows else 0

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: what the block stores is stored at its end, or not at all if it raises.

        Transactions do not nest: DuckDB has no savepoints.
        """
        if self._in_transaction:
            raise StoreError("a transaction is running already, and DuckDB cannot nest them; use the one there is.")
        self.execute("BEGIN TRANSACTION")
        self._in_transaction = True
        try:
            yield
            self.execute("COMMIT")
        except BaseException as error:
            self._roll_back(error)
            raise
        finally:
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
        columns = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index"
        names = [name for (name,) in self.rows(columns, [table])]
        if not set(rows.column_names) <= set(names):
            statement = f"INSERT INTO {identifier(table)} BY NAME SELECT * FROM appended_rows"
            self.execute(statement, tables={"appended_rows": rows})  # which names what does not fit
        listed = ", ".join(identifier(name) if name in rows.column_names else "NULL" for name in names)
        with reported(self.path, self._connection):
            # A registered table would stay in memory until the end of the transaction: a gigabyte for a record file.
            self._connection.from_arrow(rows).project(listed).insert_into(identifier(table))
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
