"""A query's result on its page: the rows of the table, and the columns that the chart can draw."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.types

from catalog.report.figure import packed, packed_numbers, words
from catalog.report.linked_table import LinkedTable
from catalog.report.table import Column, Table

if TYPE_CHECKING:
    from catalog.serving.worker_tasks import Result

LISTED = 500
"""Rows that the page's table shows at the most; the chart draws all that were handed over."""

PLAN = ["explain_key", "explain_value"]
"""Columns of a drawing of many lines, which is no table."""

_CELLS = 15_000  # of a table; more would keep a browser busy

_MOST_GROUPS = 12  # texts that colours can tell apart
_LONGEST = 400
_ID = "architecture_id"
_NAME = re.compile(r"(^|_)(id|index|seed)'*$")


def result_table(result: Result, noun: str = "rows") -> LinkedTable:
    """The first rows; an ``architecture_id`` leads to the architecture's page."""
    rows = result.rows
    rows = rows.slice(0, min(LISTED, max(1, _CELLS // max(1, rows.num_columns))))
    names = _distinct(rows.column_names)
    data = {name: _shown(name, column) for name, column in zip(names, rows.columns, strict=True)}
    columns = tuple(
        Column(name, label=label, is_number=data[name].dtype.is_numeric())
        for name, label in zip(names, rows.column_names, strict=True)
    )
    table = Table("result", _title(result, rows.num_rows, noun), pl.DataFrame(data), columns)
    links = {
        name: [None if number is None else f"/architectures/{number}" for number in data[name].to_list()]
        for name in names
        if name == _ID and pa.types.is_integer(rows[_ID].type)
    }
    return LinkedTable(table, links)


def _title(result: Result, shown: int, noun: str) -> str:
    count = f"{result.total:,} {noun.removesuffix('s') if result.total == 1 else noun} in {result.seconds:.2f} s"
    return count if shown == result.total else f"The first {shown:,} of {count}"


def _distinct(names: Sequence[str]) -> list[str]:
    """Names that a frame can hold: SQL may give one name twice."""
    taken: set[str] = set()
    result = []
    for name in names:
        while name in taken:
            name += "'"
        taken.add(name)
        result.append(name)
    return result


def _shown(name: str, column: pa.ChunkedArray) -> pl.Series:
    """Numbers as they are, so that they sort; everything else as text, and so a number that is a name."""
    kind = column.type
    if pa.types.is_integer(kind) and _NAME.search(name):
        return pl.Series([_text(value) for value in column.to_pylist()], dtype=pl.String)
    if pa.types.is_floating(kind) or (pa.types.is_integer(kind) and kind.bit_width <= 64):
        return pl.Series(column.to_pylist(), dtype=pl.Float64 if pa.types.is_floating(kind) else None, strict=False)
    if pa.types.is_decimal(kind):
        return pl.Series([None if value is None else float(value) for value in column.to_pylist()], dtype=pl.Float64)
    return pl.Series([_text(value) for value in column.to_pylist()], dtype=pl.String)


def _text(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def chart_data(result: Result) -> dict[str, Any] | None:
    """The columns that a chart can draw, for the page's script; None where no column holds numbers.

    ``numbers`` are packed 32-bit floats; ``groups`` are columns of a few texts, with the number of each row's text.
    """
    rows = result.rows
    numbers: dict[str, object] = {}
    groups: dict[str, object] = {}
    ids: object = None
    for name, column in zip(_distinct(rows.column_names), rows.columns, strict=True):
        if name == _ID and pa.types.is_integer(column.type) and not column.null_count:
            ids = packed_numbers(column.to_numpy())
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
            numbers[name] = packed([_float(value) for value in column.to_pylist()])
        elif pa.types.is_string(column.type) or pa.types.is_boolean(column.type):
            texts = [_text(value) or "" for value in column.to_pylist()]
            kinds = sorted(set(texts))
            if len(kinds) <= _MOST_GROUPS:
                place = {text: number for number, text in enumerate(kinds)}
                codes = packed_numbers([place[text] for text in texts])
                groups[name] = {"words": [words(text) or "(none)" for text in kinds], "codes": codes}
    if not numbers or not rows.num_rows:
        return None
    return {"count": rows.num_rows, "total": result.total, "numbers": numbers, "groups": groups, "ids": ids}


def _float(value: Any) -> float:
    return math.nan if value is None else float(value)
