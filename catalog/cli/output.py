"""Writing rows to standard output and notes to standard error."""

from __future__ import annotations

import io
import json
import math
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import typer

from catalog.cli.options import OutputFormat
from catalog.errors import UsageError

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

_WIDEST_CELL = 120


def emit(rows: pa.Table | pl.DataFrame, output_format: OutputFormat | None, uncut: Collection[str] = ()) -> None:
    """Print rows: an aligned table on a terminal, CSV otherwise, unless the user chose a format.

    A table cuts long cells, except those of the columns `uncut`.
    """
    table: pa.Table = rows if hasattr(rows, "to_pylist") else rows.to_arrow()
    chosen = output_format or (OutputFormat.TABLE if sys.stdout.isatty() else OutputFormat.CSV)
    if chosen is OutputFormat.PARQUET:
        _emit_parquet(table)
    elif chosen is OutputFormat.JSON:
        _require_distinct_names(table)
        typer.echo(json.dumps([_jsonable(row) for row in table.to_pylist()], indent=1, default=str))
    elif chosen is OutputFormat.CSV:
        typer.echo(_as_csv(table), nl=False)
    elif table.column_names == ["explain_key", "explain_value"]:
        typer.echo("\n".join(table["explain_value"].to_pylist()))  # a drawing of many lines, not a cell
    else:
        typer.echo(as_text(table, uncut))


def note(message: str) -> None:
    """A line for the person at the terminal; never mixed with the data."""
    typer.echo(message, err=True)


def _require_distinct_names(table: pa.Table) -> None:
    """A JSON object would keep only the last of two columns with one name."""
    names = table.column_names
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two columns are named {', '.join(twice)}; JSON needs distinct names: rename one with AS.")


def _jsonable(value: Any) -> Any:
    """JSON has no NaN or infinity: they become null, also within lists and structures."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    return value


def _emit_parquet(table: pa.Table) -> None:
    import pyarrow.parquet

    if sys.stdout.isatty():
        raise UsageError("parquet is binary: send it to a file, for example with `--format parquet > rows.parquet`.")
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(table, buffer, compression="zstd")
    sys.stdout.buffer.write(buffer.getvalue())


def _as_csv(table: pa.Table) -> str:
    import csv

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(table.column_names)
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        writer.writerow(["" if value is None else _csv_cell(value) for value in row])
    return buffer.getvalue()


def _csv_cell(value: object) -> object:
    return (
        json.dumps(dict(value) if _is_map(value) else value, default=str) if isinstance(value, list | dict) else value
    )


def _is_map(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, tuple) and len(item) == 2 for item in value) and bool(value)


def as_text(table: pa.Table, uncut: Collection[str] = ()) -> str:
    """Aligned columns under their names, numbers to the right; one line a row."""
    import pyarrow.types

    if not table.num_columns:
        return ""
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_number = pyarrow.types.is_floating(column.type) or pyarrow.types.is_integer(column.type)
        cells = [text_cell(value, whole=name in uncut) for value in column.to_pylist()]
        width = max(len(cell) for cell in [name, *cells])
        columns.append([cell.rjust(width) if is_number else cell.ljust(width) for cell in [name, *cells]])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def text_cell(value: object, *, whole: bool = False) -> str:
    """A value as people read it: a dash for NULL, six digits, no control characters, cut unless it must stay whole."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _float_cell(value)
    if isinstance(value, list | dict):
        text = ", ".join(f"{key} {count}" for key, count in value) if _is_map(value) else str(value)
    else:
        text = str(value)
    text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return text if whole or len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"


def _float_cell(value: float) -> str:
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.6g}"
