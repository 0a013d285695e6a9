"""The rows of an answer as the text of a file: CSV and JSON."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from catalog.errors import UsageError

if TYPE_CHECKING:
    from catalog.storage.answer import Answer


def as_json(answer: Answer) -> str:
    """A list of objects, one a row; an object would keep only the last of two columns with one name."""
    names = answer.columns
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise UsageError(f"two columns are named {', '.join(twice)}; JSON needs distinct names: rename one with AS.")
    rows = [_jsonable(dict(zip(names, row, strict=True))) for row in answer.rows]
    return json.dumps(rows, indent=1, default=str)


def _jsonable(value: Any) -> Any:
    """JSON has no NaN or infinity: they become null, also within lists and structures."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, dict):
        return {str(key): _jsonable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(part) for part in value]
    return value


def as_csv(answer: Answer, written: Callable[[Any], Any]) -> str:
    """A line of names and a line a row; `written` is asked of every name and value."""
    import csv

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(map(written, answer.columns))
    for row in answer.rows:
        writer.writerow(["" if value is None else written(_csv_cell(value)) for value in row])
    return buffer.getvalue()


def _csv_cell(value: object) -> object:
    return json.dumps(value, default=str) if isinstance(value, list | tuple | dict) else value
