"""The one rule for accuracies in percent: a column that never passes 1 holds fractions, and is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.errors import IngestError

ALLOWED = "accuracies are percent, 0 to 100"
"""What a reader's message says where a value lies outside."""

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|\d+")
_RANKS = re.compile(r"top|at|\d+")  # of top-1 and accuracy@5
_ACCURACY_WORDS = ("accuracy", "acc")


@dataclass
class _Column:
    """What is known of one column: its largest value, and how many values could be fractions among percents."""

    count: int = 0
    largest: float = 0.0
    where: str = ""
    small: int = 0
    first_small: str = ""


class Percents:
    """Watches the accuracies of one file, column by column, also where they come batch by batch.

    A single value of at most 1 is legal: an untrained network may classify less than 1 % of ImageNet. A column whose
    values are *all* that small holds fractions. Zeros alone say nothing, because 0 is 0 in both units.

    Parameters
    ----------
    file
        What messages call the file.
    """

    def __init__(self, file: str) -> None:
        self._file = file
        self._columns: dict[str, _Column] = {}

    def see(self, column: str, value: float, where: str) -> None:
        """Take in one value from 0 to 100."""
        known = self._columns.setdefault(column, _Column())
        known.count += 1
        if value > known.largest:
            known.largest, known.where = value, where
        if 0 < value <= 1:
            known.small += 1
            known.first_small = known.first_small or where

    def see_all(self, column: str, values: NDArray[np.float64], place: Callable[[int], str]) -> None:
        """Take in a whole column; `place` names the place of a row."""
        if not len(values):
            return
        largest = int(values.argmax())
        small = np.flatnonzero((values > 0) & (values <= 1))
        first_small = place(int(small[0])) if len(small) else ""
        self._columns[column] = _Column(len(values), float(values[largest]), place(largest), len(small), first_small)

    def refuse_fractions(self) -> None:
        """Call it when all of the file was seen.

        Raises
        ------
        IngestError
            The largest value of a column is at most 1.
        """
        for name, column in self._columns.items():
            if 0 < column.largest <= 1:
                raise IngestError(
                    f"{column.where}: {name} is {column.largest:g}, and no value of {name} in {self._file} is larger, "
                    f"so these are fractions; {ALLOWED}. Multiply them by 100; nothing was stored."
                )

    def notes(self) -> list[str]:
        """What a person should look at: columns of percents with some values that could be fractions."""
        return [
            f"{name}: {column.small:,} of {column.count:,} values are 1 or less and were stored as percents, as they "
            f"stand (the first: {column.first_small}). Look whether they are fractions."
            for name, column in self._columns.items()
            if column.small and column.largest > 1
        ]


def is_accuracy(name: str) -> bool:
    """Whether a metric of this name is an accuracy: ``accuracy``, ``best_accuracy``, ``top-1 acc``, ``accuracy@5``."""
    words = [word for word in (word.lower() for word in _WORD.findall(name)) if not _RANKS.fullmatch(word)]
    return bool(words) and words[-1] in _ACCURACY_WORDS


def is_misspelt_accuracy(name: str) -> bool:
    """Whether the name is ``accuracy`` in another spelling, which would make a second column of the same thing."""
    return name != "accuracy" and re.sub(r"[\W_]+", "", name).casefold() in _ACCURACY_WORDS
