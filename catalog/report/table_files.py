"""Tables as files: CSV and JSON with every column, LaTeX with what the page shows.

A name in a file may come from a stranger. A spreadsheet must not run it and LaTeX must not obey it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Sequence
from pathlib import Path

from catalog.errors import StoreError
from catalog.output_file import make_folder, write_text
from catalog.report.table import Column, Table
from catalog.tables.spreadsheet import as_cell

_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "[": "{[}",  # at the start of a line it would be an argument of the line's end before it
    "]": "{]}",
    "–": "--",
    "−": "$-$",
    "∞": r"$\infty$",
    "·": r"\textperiodcentered{}",
}


def write_tables(tables: Sequence[Table], folder: Path) -> list[Path]:
    """Write each table as ``NAME.csv``, ``NAME.json`` and ``NAME.tex``.

    Raises
    ------
    StoreError
        The folder cannot be made, or a file cannot be written.
    """
    files = {
        folder / f"{table.identifier}.{ending}": text
        for table in tables
        for ending, text in (("csv", as_csv(table)), ("json", as_json(table)), ("tex", as_latex(table)))
    }
    try:
        make_folder(folder)
        for path, text in files.items():
            write_text(path, text)
    except StoreError as error:
        raise StoreError(f"the tables cannot be written to {folder}; choose another folder: {error}") from error
    return list(files)


def as_csv(table: Table) -> str:
    """Every column and row; a text that a spreadsheet would take for a formula stands after an apostrophe."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([_harmless(name) for name in table.frame.columns])
    for row in table.frame.iter_rows():
        writer.writerow([_harmless(value) for value in row])
    return buffer.getvalue()


def _harmless(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return as_cell(value)


def as_json(table: Table) -> str:
    """One object a row; what is not known is null."""
    rows = [{name: _json_value(value) for name, value in row.items()} for row in table.frame.iter_rows(named=True)]
    return json.dumps({"title": table.title, "rows": rows}, indent=1, ensure_ascii=False, default=str) + "\n"


def _json_value(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_latex(table: Table) -> str:
    """The shown columns for the package booktabs, intervals in brackets."""
    columns = "".join("r" if column.is_number else "l" for column in table.columns)
    heading = " & ".join(latex(column.heading) for column in table.columns)
    body = [
        " & ".join(_latex_cell(column, row) for column in table.columns) + r" \\"
        for row in table.frame.iter_rows(named=True)
    ]
    lines = [
        f"% {' '.join(table.title.split())}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        rf"{heading} \\",
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def _latex_cell(column: Column, row: dict[str, object]) -> str:
    return " ".join(filter(None, (latex(column.text(row[column.name])), latex(column.interval(row)))))


def latex(text: str) -> str:
    """A text that LaTeX sets as it stands."""
    return "".join(_LATEX.get(character, character) for character in text if character.isprintable())
