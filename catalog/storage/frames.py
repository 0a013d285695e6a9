"""Arrow tables as polars frames whose numbers one can compute with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import QueryError

if TYPE_CHECKING:
    import polars
    import pyarrow as pa

_LARGEST = 38
"""Digits of the decimals in which Arrow carries DuckDB's integers of 128 bits."""


def as_frame(rows: pa.Table) -> polars.DataFrame:
    """A table as a frame.

    DuckDB sums whole numbers in 128 bits, which arrive as decimals; they become integers of 64 bits where all of a
    column fit.

    Raises
    ------
    QueryError
        Two columns have one name, or polars has no type for a column.
    """
    import polars

    try:
        frame = polars.from_arrow(rows)
    except polars.exceptions.DuplicateError:
        raise QueryError("two columns of the query have one name; give each its own with AS.") from None
    except polars.exceptions.ComputeError as error:
        kinds = ", ".join(f"{field.name} {field.type}" for field in rows.schema)
        raise QueryError(
            f"a column of the query is of a type that polars does not have ({kinds}); cast it, for example to VARCHAR."
        ) from error
    assert isinstance(frame, polars.DataFrame)
    return frame.with_columns(
        narrow
        for column in frame.iter_columns()
        if column.dtype == polars.Decimal(_LARGEST, 0)
        and (narrow := column.cast(polars.Int64, strict=False)).null_count() == column.null_count()
    )
