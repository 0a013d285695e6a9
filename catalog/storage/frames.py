"""Arrow tables as polars frames."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import QueryError

if TYPE_CHECKING:
    import polars
    import pyarrow as pa


def as_frame(rows: pa.Table) -> polars.DataFrame:
    """A table as a frame.

    Raises
    ------
    QueryError
        Two columns have one name, which a frame cannot hold.
    """
    import polars

    try:
        frame = polars.from_arrow(rows)
    except polars.exceptions.DuplicateError:
        raise QueryError("two columns of the query have one name; give each its own with AS.") from None
    assert isinstance(frame, polars.DataFrame)
    return frame
