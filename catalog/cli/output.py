"""Writing rows to standard output."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Collection
from dataclasses import replace
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

_FEWEST_ROWS = 10  # of a screen that is smaller, or that does not say how large it is


def emit(
    rows: Answer | pa.Table | pl.DataFrame,
    output_format: OutputFormat | None,
    uncut: Collection[str] = (),
    *,
    whole: bool = False,
) -> None:
    """Print rows: an aligned table on a terminal, CSV otherwise, unless the user chose a format.

    A table cuts long cells, except those of the columns `uncut`. On a terminal it ends with the screen and says how
    many rows there are, unless it is wanted `whole`.
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
        shown = answer if whole else _on_screen(answer)
        typer.echo(as_text(shown, uncut))
        if len(shown.rows) < len(answer.rows):
            note(f"{len(shown.rows):,} of {len(answer.rows):,} rows; --format csv gives all of them.")


def _on_screen(answer: Answer) -> Answer:
    """As many rows as a terminal shows at once, beside the names of the columns, the count, and the next prompt."""
    if not sys.stdout.isatty():
        return answer
    most = max(shutil.get_terminal_size().lines - 3, _FEWEST_ROWS)
    return answer if len(answer.rows) <= most else replace(answer, rows=answer.rows[:most])


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
