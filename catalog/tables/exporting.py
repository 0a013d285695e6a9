"""Writing a space's wide view to a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import StoreError, UsageError
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.storage.store import Store

FORMATS = ("parquet", "csv", "json")


def export_space(catalog: Store, space: str, path: Path, file_format: str, where: str | None = None) -> tuple[int, int]:
    """Write the rows of the wide view for which `where` holds; the file appears only when it is complete.

    Returns
    -------
    tuple
        Numbers of rows and columns.

    Raises
    ------
    UsageError
        The format is not one of `FORMATS`.
    StoreError
        The file cannot be written.
    """
    if file_format not in FORMATS:
        raise UsageError(
            f"cannot tell the format of {path.name} ({file_format or 'no ending'}); "
            f"give --format, one of {', '.join(FORMATS)}."
        )
    frame = SpaceView.of(catalog, space).frame(where=where)
    partial = path.with_name(path.name + ".partial")
    try:
        if file_format == "parquet":
            frame.write_parquet(partial, compression="zstd")
        elif file_format == "csv":
            frame.write_csv(partial)
        else:
            frame.write_ndjson(partial)
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {error.strerror or error}; nothing was left behind.") from error
    return frame.height, frame.width
