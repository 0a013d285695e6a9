"""Writing a space's wide view to a file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.output_file import replacing
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.storage.store import Store

FORMATS = ("parquet", "csv", "json")


@dataclass(frozen=True)
class Exported:
    """A file with a wide view."""

    path: Path
    rows: int
    columns: int

    def __str__(self) -> str:
        return f"wrote {self.path}: {self.rows:,} rows, {self.columns} columns."


def export_space(catalog: Store, space: str, path: Path, file_format: str, where: str | None = None) -> Exported:
    """Write the rows of the wide view for which `where` holds; the file appears only when it is complete.

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
    with replacing(path) as partial:
        if file_format == "parquet":
            content = io.BytesIO()  # a full disk must be an OSError, which it is not to polars's writer of parquet
            frame.write_parquet(content, compression="zstd")
            partial.write_bytes(content.getbuffer())
        elif file_format == "csv":
            frame.write_csv(partial)
        else:
            frame.write_ndjson(partial)
    return Exported(path, frame.height, frame.width)
