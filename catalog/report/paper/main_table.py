"""The table of a paper: at most eight columns of what a report found, the best in bold, intervals below the values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from catalog.development import explanation
from catalog.report.across_tasks import task_table
from catalog.report.number_format import NOTHING
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.pool_tables import correlation_table
from catalog.report.table import Column, Table

MOST_COLUMNS = 8
"""Columns of one table, so that it can be read at a page's width."""

ONE_RANKING = (
    *("proxy", "kendall_tau", "spearman_rho", "top_kendall_tau", "precision_10", "regret_10"),
    *("difference_params", "n"),
)
"""What is shown of a single ranking."""

REFERENCE = " (reference)"
_SMALL_IS_GOOD = ("regret_", "mean_rank")
_NEITHER = ("n", "tasks")


@dataclass(frozen=True)
class PaperCell:
    """A value as it is shown, the interval below it, and whether it is the best of its column."""

    text: str
    interval: str = ""
    is_best: bool = False


@dataclass(frozen=True)
class PaperRow:
    """A proxy, or a reference line; `mark` stands behind the name."""

    name: str
    cells: tuple[PaperCell, ...]
    is_reference: bool
    mark: str


@dataclass(frozen=True, eq=False)
class PaperTable:
    """One table: its headings, of which the first is that of the names, its rows, and its notes."""

    title: str
    headings: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: tuple[PaperRow, ...]
    table: Table


DEVELOPED = "\N{DAGGER}"
APART = "\N{DOUBLE DAGGER}"


def paper_tables(pools: Sequence[PoolAnalysis], names: Mapping[str, str]) -> list[PaperTable]:
    """The table, in as many parts of `MOST_COLUMNS` columns as several rankings need."""
    developed = {name for found in pools for name in found.developed}
    if len(pools) == 1:
        table, pool = correlation_table(pools[0]), pools[0].pool
        chosen = [column for column in table.columns if column.name in ONE_RANKING]
        title = f"How well proxies rank {display(pool.target, names)} of {display(pool.space, names)}"
        return [_part(table, title, chosen, names, developed)]
    table = task_table(pools)
    by_name = {column.name: column for column in table.columns}
    tasks = [name for name in by_name if name.endswith(".kendall_tau")]
    first = [by_name["proxy"], by_name["mean_rank"]]
    room = MOST_COLUMNS - len(first)
    parts = [tasks[start : start + room] for start in range(0, len(tasks), room)]
    title = table.title if len(parts) == 1 else f"{table.title}, part {{}} of {len(parts)}"
    return [
        _part(table, title.format(number), [*first, *(by_name[name] for name in part)], names, developed)
        for number, part in enumerate(parts, 1)
    ]


def notes(pools: Sequence[PoolAnalysis]) -> list[str]:
    """What has to stand below the table, a sentence each."""
    said = ["95 % intervals in brackets; the best value of each column in bold; slanted rows are reference lines."]
    for found in pools:
        meaning = explanation(found.pool.space, found.developed)
        said += [f"{DEVELOPED} {meaning}"] if meaning else []
    if any(found.apart for found in pools):
        said.append(f"{APART} Over architectures of its own, and not to be compared with the other rows.")
    return list(dict.fromkeys(said))


def display(text: str, names: Mapping[str, str]) -> str:
    """A name, or the label of a ranking, as the paper calls it."""
    if text.endswith(REFERENCE):
        return f"{display(text.removesuffix(REFERENCE), names)}{REFERENCE}"
    return names.get(text) or " · ".join(names.get(part, part) for part in text.split(" · "))


def _part(
    table: Table, title: str, columns: Sequence[Column], names: Mapping[str, str], developed: set[str]
) -> PaperTable:
    rows = list(table.frame.iter_rows(named=True))
    compared = [number for number in range(len(rows)) if not table.marks.get(number)]
    best = {column.name: _best(column, [rows[number] for number in compared]) for column in columns[1:]}
    shown = []
    for number, row in enumerate(rows):
        name, mark = str(row["proxy"]), table.marks.get(number, "")
        cells = tuple(
            PaperCell(
                column.text(row[column.name]),
                column.interval(row),
                number in compared
                and best[column.name] not in (None, NOTHING)
                and column.text(row[column.name]) == best[column.name],
            )
            for column in columns[1:]
        )
        signs = [DEVELOPED] if name in developed else []
        signs += [APART] if mark == "apart" else []
        shown.append(PaperRow(display(name, names), cells, mark == "reference", "".join(signs)))
    headings = tuple(names.get(column.name) or display(column.heading, names) for column in columns)
    return PaperTable(title, headings, tuple(columns), tuple(shown), table)


def _best(column: Column, rows: Sequence[Mapping[str, object]]) -> str | None:
    """The best value as it is shown, so that equal ones are bold alike; None where no end is the good one."""
    if column.name in _NEITHER or not column.is_number:
        return None
    values = [value for row in rows if isinstance(value := row[column.name], int | float) and math.isfinite(value)]
    if not values:
        return None
    return column.text(min(values) if column.name.startswith(_SMALL_IS_GOOD) else max(values))
