"""Writing a space's wide view to a file."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.output_file import replacing
from catalog.tables.space_view import SpaceView
from catalog.tables.spreadsheet import STARTS, as_cell, warning

if TYPE_CHECKING:
    import polars as pl

    from catalog.storage.store import Store

FORMATS = ("parquet", "csv", "json", "spreadsheet")


@dataclass(frozen=True)
class Exported:
    """A file with a wide view; `formulas` are the columns of a CSV whose texts a spreadsheet may run."""

    path: Path
    rows: int
    columns: int
    formulas: tuple[str, ...] = ()

    def __str__(self) -> str:
        counts = f"wrote {self.path}: {self.rows:,} rows, {self.columns} columns."
        return "\n  note: ".join(filter(None, (counts, warning(self.formulas))))


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
    formulas: tuple[str, ...] = ()
    with replacing(path) as partial:
        if file_format == "parquet":
            content = io.BytesIO()  # a full disk must be an OSError, which it is not to polars's writer of parquet
            frame.write_parquet(content, compression="zstd")
            partial.write_bytes(content.getbuffer())
        elif file_format in ("csv", "spreadsheet"):
            formulas = _formula_columns(frame)
            (_for_spreadsheets(frame, formulas) if file_format == "spreadsheet" else frame).write_csv(partial)
        else:
            frame.write_ndjson(partial)
    return Exported(path, frame.height, frame.width, formulas if file_format == "csv" else ())


def _formula_columns(frame: pl.DataFrame) -> tuple[str, ...]:
    import polars as pl

    texts = frame.select(pl.col(pl.String).str.contains(f"^{STARTS}").any())
    return tuple(name for name in texts.columns if texts[name][0])


def _for_spreadsheets(frame: pl.DataFrame, columns: tuple[str, ...]) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(pl.col(name).map_elements(as_cell, return_dtype=pl.String) for name in columns)
