"""The rows of a query as plain Python values, for answers that are smaller than the import of an array library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb
    import polars as pl
    import pyarrow as pa

NUMBERS = frozenset(
    "TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT UHUGEINT FLOAT DOUBLE".split()
)
"""DuckDB's types whose values are right-aligned in a table."""


@dataclass(frozen=True)
class Answer:
    """Rows with the names of their columns.

    Parameters
    ----------
    columns
        Names, in order; two may be equal.
    is_number
        Of each column, whether it holds integers or floating-point numbers.
    rows
        The values: a map or a structure is a dictionary.
    """

    columns: tuple[str, ...]
    is_number: tuple[bool, ...]
    rows: Sequence[tuple[Any, ...]]

    @classmethod
    def of(
        cls, result: duckdb.DuckDBPyConnection | duckdb.DuckDBPyRelation, rows: Sequence[tuple[Any, ...]] | None = None
    ) -> Answer:
        """The result of the statement that a connection ran last, or `rows` that were read from it."""
        described = result.description or ()
        return cls(
            tuple(str(column[0]) for column in described),
            tuple(str(column[1]) in NUMBERS for column in described),
            result.fetchall() if rows is None else rows,
        )

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Answer({len(self):,} rows: {', '.join(self.columns)})"


def plain(rows: Answer | pa.Table | pl.DataFrame) -> Answer:
    """Rows of any form as plain values."""
    if isinstance(rows, Answer):
        return rows
    import polars

    frame = rows if isinstance(rows, polars.DataFrame) else polars.from_arrow(rows)
    assert isinstance(frame, polars.DataFrame)
    return Answer(tuple(frame.columns), tuple(kind.is_numeric() for kind in frame.dtypes), frame.rows())
