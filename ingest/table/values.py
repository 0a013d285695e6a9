"""The numbers of a user's table: as they stand, or refused with the line, the value and what is allowed."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pyarrow as pa

from catalog.tables.plausible import Range, plausible
from ingest.reading.metric_columns import MetricColumns, ScoreColumns
from ingest.reading.percents import ALLOWED, Percents, is_accuracy
from ingest.reading.pickled_values import described
from ingest.table import units
from ingest.table.mapping import Column, MetricColumn, ProxyColumn
from ingest.table.rows import Rows

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_NOT_FINITE = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_LARGEST = {"epochs": 100_000, "seed": 2**31 - 1, "repeat": 2**15 - 1}
_FACTS = ("kind", "dataset", "split", "stage", "device")


class Values:
    """The values of the columns of one table.

    Parameters
    ----------
    rows
        The table.
    owners
        The native id of each row's architecture; None for a row that is left out.
    columns
        What its columns mean.
    """

    def __init__(self, rows: Rows, owners: Sequence[str | None], columns: Sequence[Column]) -> None:
        self._rows = rows
        self._owners = owners
        self._percents = Percents(rows.name)
        self.found: dict[tuple[object, ...], tuple[float, int]] = {}
        """The value, and the row, by architecture, column, epochs, seed and repeat."""
        for column in columns:
            self._read(column)
        self._percents.refuse_fractions()
        self._columns = {column.column: column for column in columns}

    @property
    def notes(self) -> list[str]:
        """What a person should look at."""
        return self._percents.notes()

    def tables(self, places: Mapping[str, int]) -> tuple[pa.Table, pa.Table]:
        """Metrics and scores of the architectures that have a place in a batch."""
        metrics, scores = MetricColumns(), ScoreColumns()
        for (owner, name, *numbers), (value, _) in self.found.items():
            place = places.get(str(owner))
            if place is None:
                continue
            column = self._columns[str(name)]
            counted: dict[str, Any] = dict(zip(_LARGEST, numbers, strict=True))
            if isinstance(column, MetricColumn):
                facts = {fact: getattr(column, fact) for fact in _FACTS}
                metrics.add(place, column.metric, value, **facts, **counted)
                continue
            is_number = math.isfinite(value)
            scores.add(
                place,
                column.proxy,
                value if is_number else None,
                data=column.dataset,
                seed=counted["seed"],
                reason=None if is_number else f"the source has {value}",
            )
        return metrics.table(), scores.table()

    def _read(self, column: Column) -> None:
        counted = [self._counted(column, fact) for fact in _LARGEST]
        cells = self._rows.columns[column.column]
        for row, owner in enumerate(self._owners):
            if owner is None or cells[row] is None:
                continue
            value = self._number(row, column.column, cells[row])
            if isinstance(column, MetricColumn):
                value = self._of_metric(row, column, value)
            elif math.isfinite(value):
                self._check_range(row, column.column, value, plausible(column.proxy))
            self._keep(row, column, (owner, column.column, *(numbers[row] for numbers in counted)), value)

    def _counted(self, column: Column, fact: str) -> Sequence[int | None]:
        """The epochs, seed or repeat of each row: a number, or what a column has."""
        said = getattr(column, fact, None)
        if not isinstance(said, str):
            return [said] * len(self._rows)
        return [
            None if cell is None or self._owners[row] is None else self._whole(row, said, cell, _LARGEST[fact])
            for row, cell in enumerate(self._rows.columns[said])
        ]

    def _whole(self, row: int, name: str, cell: Any, largest: int) -> int:
        value = self._number(row, name, cell)
        if not (0 <= value <= largest and value.is_integer()):
            self._rows.fail(row, f"{name} is {described(cell)}; a whole number from 0 to {largest:,} is needed.")
        return int(value)

    def _number(self, row: int, name: str, cell: Any) -> float:
        """A cell as a number; NaN and infinities only where the cell says them."""
        if isinstance(cell, Decimal):
            cell = str(cell)
        is_text = isinstance(cell, str) and (_NUMBER.fullmatch(cell) or _NOT_FINITE.fullmatch(cell))
        if not is_text and (not isinstance(cell, int | float) or isinstance(cell, bool)):
            self._rows.fail(
                row, f"{name} is {described(cell)}; a number such as 0.25 or 1e-3, or an empty cell, is needed."
            )
        try:
            value = float(cell)
        except OverflowError:
            value = math.inf
        is_said = isinstance(cell, float) or (isinstance(cell, str) and _NOT_FINITE.fullmatch(cell) is not None)
        if not math.isfinite(value) and not is_said:
            self._rows.fail(row, f"{name} is {described(cell)}, beyond what a number of 64 bits holds (1.8e308).")
        is_whole = isinstance(cell, int) or _WHOLE.fullmatch(cell if isinstance(cell, str) else "")
        if is_whole and int(value) != int(cell):
            self._rows.fail(
                row, f"{name} is {described(cell)}; whole numbers beyond 2^53 would be rounded: write it as 1.5e20."
            )
        return value

    def _of_metric(self, row: int, column: MetricColumn, value: float) -> float:
        name = column.column
        if not math.isfinite(value):
            self._rows.fail(row, f"{name} is {value}; a metric is a number. Leave the cell empty where there is none.")
        factor = units.factor(column.metric, column.unit)
        is_converted = factor is not None and factor != 1
        if factor is not None and is_converted:
            value = float(Decimal(repr(value)) * factor)
        if is_accuracy(column.metric) or units.unit_of(column.metric, column.unit) == units.PERCENT:
            if not 0 <= value <= 100:
                self._rows.fail(row, f"{name} is {value:g}; {ALLOWED}.")
            if not is_converted:
                self._percents.see(name, value, f"{self._rows.name} {self._rows.labels[row]}")
        self._check_range(row, name, value, plausible(column.metric))
        return value

    def _check_range(self, row: int, name: str, value: float, allowed: Range | None) -> None:
        if allowed is not None and not allowed.low <= value <= allowed.high:
            self._rows.fail(row, f"{name} is {value:g}; a value {allowed} is needed.")

    def _keep(self, row: int, column: Column, key: tuple[object, ...], value: float) -> None:
        before, first = self.found.setdefault(key, (value, row))
        if before == value or (math.isnan(before) and math.isnan(value)):
            return
        hint = "seed" if isinstance(column, ProxyColumn) else "seed or repeat"
        self._rows.fail(
            row,
            f"{column.column} of {described(key[0])} is {value!r}, but {before!r} at {self._rows.labels[first]}; one "
            f'value is needed, or a column that tells them apart: {hint} = "its name" in the mapping.',
        )


def number_facts(column: Column) -> list[str]:
    """The columns of the table from which a column takes its epochs, seed and repeat."""
    return [
        str(getattr(column, field.name))
        for field in fields(column)
        if field.name in _LARGEST and isinstance(getattr(column, field.name), str)
    ]
