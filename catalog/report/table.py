"""A table of a page: a frame with the words and digits in which people read it."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from catalog.report.number_format import readable

REFERENCE = "reference"
"""The mark of a row that is no proxy but what proxies are held against."""

APART = "apart"
"""The mark of a row that is not compared with those above it."""


@dataclass(frozen=True)
class Column:
    """How one column of a frame is shown.

    Parameters
    ----------
    name
        Of the frame's column.
    label
        The heading; the name without it.
    digits
        Digits behind the point.
    help
        What the column says, shown when one points at the heading.
    low, high
        Names of the columns with the ends of the interval that is shown beside the value.
    is_number
        Whether the column holds numbers; they stand to the right.
    is_share
        Whether a share is shown in percent.
    shows_small
        Whether a number too small for `digits` is shown nevertheless.
    is_long
        Whether its texts may take several lines.
    """

    name: str
    label: str = ""
    digits: int | None = None
    help: str = ""
    low: str | None = None
    high: str | None = None
    is_number: bool = True
    is_share: bool = False
    shows_small: bool = False
    is_long: bool = False

    @property
    def heading(self) -> str:
        """What stands above it."""
        return self.label or self.name

    def text(self, value: object) -> str:
        """A value as it is shown."""
        if self.is_share and isinstance(value, int | float):
            return f"{readable(100 * float(value), self.digits)} %"
        return readable(value, self.digits, shows_small=self.shows_small)

    def interval(self, values: Mapping[str, object]) -> str:
        """The interval of a row in brackets; nothing where there is none."""
        if self.low is None or self.high is None:
            return ""
        low, high = values[self.low], values[self.high]
        return "" if low is None or high is None else f"[{self.text(low)}, {self.text(high)}]"


@dataclass(frozen=True)
class Cell:
    """One shown value: its text, what it is sorted by, and the interval beside it."""

    text: str
    order: float | None
    aside: str
    is_number: bool
    is_long: bool = False


@dataclass(frozen=True)
class Row:
    """One shown row; `mark` is the class that sets it apart, or nothing."""

    cells: tuple[Cell, ...]
    mark: str


@dataclass(frozen=True, eq=False)
class Table:
    """A frame to be shown on a page and to be written to files.

    Parameters
    ----------
    identifier
        Of the table on its page, and its file name: lower-case letters, digits, hyphens and underscores.
    title
        The caption.
    frame
        All columns, shown or not: the files get every one.
    columns
        The shown ones in their order; the first names the row.
    note
        A sentence after the title.
    marks
        Row number to the class that sets the row apart.
    """

    identifier: str
    title: str
    frame: pl.DataFrame
    columns: tuple[Column, ...]
    note: str = ""
    marks: Mapping[int, str] = field(default_factory=dict)

    @classmethod
    def of(cls, identifier: str, title: str, frame: pl.DataFrame, note: str = "") -> Table:
        """All columns of a frame under their own names."""
        columns = (Column(name, is_number=kind.is_numeric()) for name, kind in frame.schema.items())
        return cls(identifier, title, frame, tuple(columns), note)

    @property
    def rows(self) -> list[Row]:
        """What is shown."""
        return [
            Row(tuple(_cell(column, values) for column in self.columns), self.marks.get(number, ""))
            for number, values in enumerate(self.frame.iter_rows(named=True))
        ]

    def __repr__(self) -> str:
        return (
            f"Table({self.identifier!r}, {self.frame.height} rows, {len(self.columns)} of {self.frame.width} columns)"
        )


def slug(*words: object) -> str:
    """Words as an identifier for an element or a file: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9_]+", "-", "-".join(str(word) for word in words).lower()).strip("-") or "unnamed"


def _cell(column: Column, values: Mapping[str, object]) -> Cell:
    value = values[column.name]
    return Cell(column.text(value), _number(value), column.interval(values), column.is_number, column.is_long)


def _number(value: object) -> float | None:
    if isinstance(value, int | float) and not (isinstance(value, float) and math.isnan(value)):
        return max(-sys.float_info.max, min(sys.float_info.max, float(value)))  # "inf" is no number to a script
    return None
