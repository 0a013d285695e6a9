"""Rows as aligned text: what a terminal shows, and what a result looks like in a Python session."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import TYPE_CHECKING

from catalog.storage.answer import plain

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

    from catalog.storage.answer import Answer

_WIDEST_CELL = 120


def as_text(rows: Answer | pa.Table | pl.DataFrame, uncut: Collection[str] = ()) -> str:
    """Aligned columns under their names, numbers to the right, one line a row; long cells are cut but for `uncut`."""
    answer = plain(rows)
    columns = []
    for place, (name, is_number) in enumerate(zip(answer.columns, answer.is_number, strict=True)):
        cells = [text_cell(name, whole=True), *(text_cell(row[place], whole=name in uncut) for row in answer.rows)]
        width = max(map(len, cells))
        columns.append([cell.rjust(width) if is_number else cell.ljust(width) for cell in cells])
    return "\n".join("  ".join(row).rstrip() for row in zip(*columns, strict=True))


def text_cell(value: object, *, whole: bool = False) -> str:
    """A value as people read it: a dash for NULL, six digits, no control characters, cut unless it must stay whole."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _float_cell(value)
    text = ", ".join(f"{key} {count}" for key, count in value.items()) if isinstance(value, dict) else str(value)
    text = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return text if whole or len(text) <= _WIDEST_CELL else text[: _WIDEST_CELL - 1] + "…"


def _float_cell(value: float) -> str:
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.6g}"
