"""Writing rows to standard output."""

from __future__ import annotations

import io
import sys
from collections.abc import Collection
from typing import TYPE_CHECKING

import typer

from catalog.asking.row_text import as_csv, as_json
from catalog.asking.text_table import as_text
from catalog.cli.options import OutputFormat
from catalog.cli.progress import note
from catalog.errors import UsageError
from catalog.message import visible
from catalog.storage.answer import Answer, plain
from catalog.tables import spreadsheet

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa


def emit(
    rows: Answer | pa.Table | pl.DataFrame, output_format: OutputFormat | None, uncut: Collection[str] = ()
) -> None:
    """Print rows: an aligned table on a terminal, CSV otherwise, unless the user chose a format.

    A table cuts long cells, except those of the columns `uncut`.
    """
    chosen = chosen_format(output_format)
    if chosen is OutputFormat.PARQUET:
        _emit_parquet(rows)
        return
    answer = plain(rows)
    if chosen is OutputFormat.JSON:
        typer.echo(as_json(answer))
    elif chosen in (OutputFormat.CSV, OutputFormat.SPREADSHEET):
        _emit_csv(answer, for_spreadsheets=chosen is OutputFormat.SPREADSHEET)
    elif answer.columns == ("explain_key", "explain_value"):
        typer.echo(visible("\n".join(value for _, value in answer.rows)))  # a drawing of many lines, not a cell
    else:
        typer.echo(as_text(answer, uncut))


def chosen_format(output_format: OutputFormat | None) -> OutputFormat:
    """The format that was asked for, or the one that suits where standard output goes."""
    return output_format or (OutputFormat.TABLE if sys.stdout.isatty() else OutputFormat.CSV)


def _emit_parquet(rows: Answer | pa.Table | pl.DataFrame) -> None:
    import polars

    from catalog.storage.frames import as_frame

    if sys.stdout.isatty():
        raise UsageError("parquet is binary: send it to a file, for example with `--format parquet > rows.parquet`.")
    if isinstance(rows, Answer):
        frame = polars.DataFrame(rows.rows, schema=list(rows.columns), orient="row", infer_schema_length=None)
    else:
        frame = rows if isinstance(rows, polars.DataFrame) else as_frame(rows)
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd")
    sys.stdout.buffer.write(buffer.getvalue())


def _emit_csv(answer: Answer, *, for_spreadsheets: bool) -> None:
    """CSV has every value as it is; what a terminal would obey is shown to it instead."""
    text = as_csv(answer, spreadsheet.as_cell if for_spreadsheets else lambda value: value)
    typer.echo(visible(text) if sys.stdout.isatty() else text, nl=False, color=True)  # it would remove escapes
    if for_spreadsheets:
        return
    places = range(len(answer.columns))
    found = [answer.columns[place] for place in places if any(spreadsheet.runs(row[place]) for row in answer.rows)]
    if told := spreadsheet.warning(found):
        note(f"note: {told}")
