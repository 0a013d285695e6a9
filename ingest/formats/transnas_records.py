"""The files of TransNAS-Bench-101's micro space: a table with a column a task, or JSON of pairs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from catalog.errors import IdentifierError, IngestError
from catalog.spaces import transnas_micro
from catalog.tables.transnas_facts import TASKS
from ingest.reading.magnitudes import is_number, needed
from ingest.reading.pickled_values import described
from ingest.reading.shown import shown_names
from ingest.reading.sources import read_json
from ingest.reading.text_table import TextTable

_ARCH = "arch"
_READ = (
    f"a table with the columns {_ARCH} and one a task ({', '.join(TASKS)}), a JSON list of [arch, value] pairs whose "
    "file's name says the task, or a JSON object of such lists by task"
)


@dataclass(frozen=True)
class Column:
    """The values of one task.

    Parameters
    ----------
    cells
        The architectures' ids, each once.
    place
        What messages call the place of a value.
    """

    task: str
    cells: Sequence[str]
    values: NDArray[np.float64]
    place: Callable[[int], str]


def read_columns(path: Path, size_limit: int) -> list[Column]:
    """All values of a file, by task.

    Raises
    ------
    IngestError
        The file has another form, names an architecture that the space has not, or one twice.
    """
    if ".json" in path.suffixes:
        found = [
            _of_pairs(path.name, task, pairs) for task, pairs in _lists(path.name, read_json(path, size_limit)).items()
        ]
    else:
        found = _of_table(TextTable.read(path, size_limit))
    if not found or not any(len(column.cells) for column in found):
        raise IngestError(f"{path.name} holds no values; nothing was stored. What is read is {_READ}.")
    return found


def _of_table(table: TextTable) -> list[Column]:
    tasks = [name for name in table.columns if name in TASKS]
    if _ARCH not in table.columns or not tasks:
        raise IngestError(
            f"{table.path.name}: the columns are {shown_names(table.columns)}; what is read is {_READ}. "
            "Nothing was stored."
        )
    if unknown := [name for name in table.columns if name not in (_ARCH, *TASKS)]:
        raise IngestError(
            f"{table.path.name} has columns that mean nothing here: {shown_names(unknown)}. What is read is {_READ}. "
            "Rename or remove the others; nothing was stored."
        )
    cells = _cells(table.texts(_ARCH), table.place)
    return [Column(task, cells, table.numbers(task, -math.inf, math.inf, "a number"), table.place) for task in tasks]


def _lists(name: str, found: Any) -> Mapping[str, Any]:
    """What a JSON file has by task."""
    if isinstance(found, list):
        return {_task_in(name): found}
    if not isinstance(found, Mapping):
        raise IngestError(f"{name}: it is {described(found)}; what is read is {_READ}. Nothing was stored.")
    if unknown := [key for key in found if key not in TASKS]:
        raise IngestError(
            f"{name}: {described(unknown[0])} is none of the benchmark's tasks, which are {', '.join(TASKS)}. What is "
            f"read is {_READ}. Nothing was stored."
        )
    return found


def _task_in(name: str) -> str:
    """The one task that a file's name has, with or without what parts its words."""
    found = [task for task in TASKS if re.search(task.replace("_", r"[\W_]?") + "(?![a-z])", name.lower())]
    if len(found) != 1:
        raise IngestError(
            f"{name}: a list of pairs is of one task, and the file's name says {'several' if found else 'none'}. "
            f"Put one of {', '.join(TASKS)} into the name, or give an object of such lists by task. Nothing was stored."
        )
    return found[0]


def _of_pairs(name: str, task: str, found: Any) -> Column:
    pairs = list(found.items()) if isinstance(found, Mapping) else found
    if not isinstance(pairs, list):
        raise IngestError(
            f"{name}: {task} is {described(found)}; a list of [arch, value] pairs is needed. Nothing was stored."
        )

    def place(row: int) -> str:
        return f"{name}: {task}, record {row + 1} ({described(_first(pairs[row]))})"

    for row, pair in enumerate(pairs):
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise IngestError(
                f"{name}: {task}, record {row + 1} is {described(pair)}; a pair [arch, value] is needed. "
                "Nothing was stored."
            )
    values = [_number(value, place, row) for row, (_, value) in enumerate(pairs)]
    return Column(task, _cells([cell for cell, _ in pairs], place), np.array(values, dtype=np.float64), place)


def _first(pair: Any) -> Any:
    return pair[0]


def _number(value: Any, place: Callable[[int], str], row: int) -> float:
    if not is_number(value):
        _fail(place(row), f"the value is {described(value)}; {needed(value)}")
    return float(value)


def _cells(given: Sequence[Any], place: Callable[[int], str]) -> list[str]:
    """The ids of architectures, each once."""
    first: dict[str, int] = {}
    for row, cell in enumerate(given):
        try:
            native = transnas_micro.format_cell(transnas_micro.parse(cell))
        except IdentifierError as error:
            _fail(place(row), str(error).rstrip("."))
        if native in first:
            _fail(place(row), f"the architecture {native} stands at {place(first[native])} already")
        first[native] = row
    return list(first)


def _fail(where: str, what: str) -> NoReturn:
    raise IngestError(f"{where}: {what}. Nothing was stored. Fix the record and run the same command again.")


def is_of_pairs(found: Any) -> bool:
    """Whether a JSON document is one of pairs, and none of NAS-Bench-Suite-Zero's."""
    if isinstance(found, list):
        return not any(isinstance(item, Mapping) for item in found)
    return not isinstance(found, Mapping) or not any(_holds_records(values) for values in found.values())


def _holds_records(values: Any) -> bool:
    return isinstance(values, Mapping) and any(isinstance(fields, Mapping) for fields in values.values())
