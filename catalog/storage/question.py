"""A question that is composed but not asked: whoever wants its rows says in which form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.storage.query_limits import CONDITION_LIMITS
from catalog.storage.user_sql import judging

if TYPE_CHECKING:
    import polars
    import pyarrow as pa

    from catalog.storage.answer import Answer
    from catalog.storage.store import Store
    from catalog.storage.user_sql import Condition


@dataclass(frozen=True)
class Question:
    """One SELECT on an open store.

    Asked for plain values it imports nothing; Arrow and polars cost more than most small answers.

    Parameters
    ----------
    store
        The open store.
    sql
        The statement, composed by the program.
    parameters
        Values for its ``?`` or ``$name``.
    """

    store: Store
    sql: str
    parameters: Sequence[object] | Mapping[str, object] | None = None

    def answer(self) -> Answer:
        """The rows as plain values; raises as `Store.answer`."""
        return self.store.answer(self.sql, self.parameters)

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table; raises as `Store.arrow`."""
        return self.store.arrow(self.sql, self.parameters)

    def frame(self) -> polars.DataFrame:
        """The rows as a polars frame; raises as `Store.arrow`."""
        from catalog.storage.frames import as_frame

        return as_frame(self.arrow())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({' '.join(self.sql.split())!r})"


@dataclass(frozen=True)
class ConditionalQuestion(Question):
    """One SELECT that holds a user's condition: it runs in a process of its own, within `CONDITION_LIMITS`.

    That process reads the file; where this one holds it for writing, it is handed the tables that the question reads.

    Parameters
    ----------
    condition
        What the user typed, which is to blame if the statement fails.
    columns
        The columns of each table that the program's part of the statement reads.
    """

    condition: Condition | None = None
    columns: Mapping[str, Sequence[str]] | None = None

    def answer(self) -> Answer:
        """The rows as plain values.

        Raises
        ------
        ConditionError
            The condition failed, or took more than it may.
        """
        from catalog.storage.answer import plain
        from catalog.storage.user_query import plain_rows

        if self.condition is None:
            return super().answer()
        if self.store.mode == "write":
            return plain(self.arrow())
        with judging(self.condition.sql):
            return plain_rows(self.store.path, self.sql, is_judged=True, **CONDITION_LIMITS)

    def arrow(self) -> pa.Table:
        """The rows as an Arrow table; raises as `answer`."""
        from catalog.storage.user_query import arrow_rows

        if self.condition is None:
            return super().arrow()
        with judging(self.condition.sql):
            tables = self._tables(self.condition) if self.store.mode == "write" else None
            return arrow_rows(self.store.path, self.sql, is_judged=True, tables=tables, **CONDITION_LIMITS)

    def _tables(self, condition: Condition) -> dict[str, pa.Table]:
        """The tables that the question reads, with no more columns than it names."""
        from catalog.quoting import identifier

        named = {name.lower() for name in condition.columns}
        asked = {name.lower(): set(columns) for name, columns in (self.columns or {}).items()}
        held = (
            "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
            "WHERE database_name = current_database() AND schema_name = 'main' GROUP BY table_name"
        )
        stored = {
            name: columns
            for name, columns in self.store.rows(held)
            if name.lower() in asked or name.lower() in condition.tables
        }
        every = {column.lower() for columns in stored.values() for column in columns}
        if condition.has_star or not named <= every:  # a name of something else may be a whole row's
            named = every
        tables = {}
        for name, columns in stored.items():
            wanted = asked.get(name.lower(), set())
            listed = [column for column in columns if column in wanted or column.lower() in named] or columns[:1]
            tables[name] = self.store.arrow(f"SELECT {', '.join(map(identifier, listed))} FROM main.{identifier(name)}")
        return tables
