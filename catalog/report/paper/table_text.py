"""The table of a paper as LaTeX and as CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence

from catalog.report.paper.latex_text import comment, latex
from catalog.report.paper.main_table import PaperCell, PaperRow, PaperTable, display
from catalog.tables.spreadsheet import as_cell

_WIDEST_HEADING = 15
_BOX = r"\catalogbox"
_NEW_BOX = rf"\ifdefined{_BOX}\else\newsavebox{{{_BOX}}}\fi"
_FIT = tuple(
    line.replace("BOX", _BOX)
    for line in (
        r"\ifdim\wdBOX>\textwidth\sbox{BOX}{\resizebox{\textwidth}{!}{\usebox{BOX}}}\fi",
        r"\ifdim\dimexpr\htBOX+\dpBOX\relax>0.75\textheight"
        r"\sbox{BOX}{\resizebox{!}{0.75\textheight}{\usebox{BOX}}}\fi",
        r"\usebox{BOX}",
    )
)
"""Never wider than the page, and low enough for its caption and notes."""


def as_latex(tables: Sequence[PaperTable], notes: Sequence[str], command: str) -> str:
    """A float of the whole page's width for each table, for the packages booktabs and graphicx."""
    lines = [
        comment("For \\input in a paper that loads the packages booktabs and graphicx."),
        comment(f"Made by: {command}"),
        _NEW_BOX,
    ]
    for number, table in enumerate(tables, 1):
        label = "tab:proxies" if len(tables) == 1 else f"tab:proxies-{number}"
        lines += [r"\begin{table*}", r"\centering", rf"\caption{{{latex(table.title)}.}}", rf"\label{{{label}}}"]
        lines += [rf"\sbox{{{_BOX}}}{{%", *_tabular(table), "}%", *_FIT]
        lines += [r"\par\smallskip", rf"{{\footnotesize {' '.join(map(latex, notes))}\par}}", r"\end{table*}"]
    return "\n".join(lines) + "\n"


def _tabular(table: PaperTable) -> list[str]:
    proxies = [_row(row) for row in table.rows if not row.is_reference]
    references = [_row(row) for row in table.rows if row.is_reference]
    return [
        rf"\begin{{tabular}}{{l{'r' * (len(table.headings) - 1)}}}",
        r"\toprule",
        " & ".join(_heading(heading, "l" if not place else "r") for place, heading in enumerate(table.headings))
        + r" \\",
        r"\midrule",
        *proxies,
        *([r"\midrule", *references] if references else []),
        r"\bottomrule",
        r"\end{tabular}",
    ]


def _heading(text: str, side: str) -> str:
    """A long heading in several lines, broken behind spaces and underscores."""
    lines = [""]
    for part in re.split(r"(?<=[_ ])", text):
        if lines[-1] and len(lines[-1] + part.rstrip()) > _WIDEST_HEADING:
            lines.append("")
        lines[-1] += part
    set_lines = [latex(line.strip()) for line in lines]
    stacked = r"\\".join(set_lines)
    return stacked if len(set_lines) == 1 else rf"\shortstack[{side}]{{{stacked}}}"


def _row(row: PaperRow) -> str:
    name = latex(row.name + row.mark)
    cells = [rf"\textit{{{name}}}" if row.is_reference else name, *map(_cell, row.cells)]
    return " & ".join(cells) + r" \\"


def _cell(cell: PaperCell) -> str:
    value = rf"\textbf{{{latex(cell.text)}}}" if cell.is_best else latex(cell.text)
    if not cell.interval:
        return value
    return rf"\begin{{tabular}}[t]{{@{{}}r@{{}}}}{value}\\[-2pt]{{\scriptsize {latex(cell.interval)}}}\end{{tabular}}"


def as_csv(tables: Sequence[PaperTable], names: Mapping[str, str]) -> str:
    """The same columns and rows with every digit, the ends of intervals in columns of their own."""
    headings: list[str] = []
    values: dict[str, list[object]] = {}
    for table in tables:
        rows = list(table.table.frame.iter_rows(named=True))
        for heading, column in zip(table.headings, table.columns, strict=True):
            ends = {f"{heading} (low)": column.low, f"{heading} (high)": column.high} if column.low else {}
            for head, source in {heading: column.name, **ends}.items():
                if head not in values:
                    headings.append(head)
                    values[head] = [row[str(source)] for row in rows]
        for column in table.columns[:1]:
            values[table.headings[0]] = [display(str(row[column.name]), names) for row in rows]
    first = tables[0]
    headings.append("remark")
    values["remark"] = [
        " ".join(filter(None, [row.mark, _remark(first, number)])) for number, row in enumerate(first.rows)
    ]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([as_cell(head) for head in headings])
    writer.writerows([[_known(values[head][number]) for head in headings] for number in range(len(first.rows))])
    return buffer.getvalue()


def _remark(table: PaperTable, number: int) -> str:
    frame = table.table.frame
    return str(frame["remark"][number] or "") if "remark" in frame.columns else ""


def _known(value: object) -> object:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return as_cell(value)
