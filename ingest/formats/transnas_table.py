"""Tables of TransNAS-Bench-101's micro space: a column a task, or lists of architectures and values as JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.members import Members
from catalog.errors import IngestError
from catalog.spaces.transnas_micro import TransNASMicro
from catalog.tables.transnas_facts import DIRECTIONS, IN_PERCENT, RANGES, SPLIT, STAGE, TASKS, VALUES
from ingest.formats.transnas_records import Column, read_columns
from ingest.reading.batch import METRIC_SCHEMA, Batch, SourceFacts, metric_rows
from ingest.reading.directions import Directions
from ingest.reading.known_tables import own_source, source_is_known
from ingest.reading.percents import Percents
from ingest.reading.sources import DEFAULT_SIZE_LIMIT


class TransNASTable:
    """Reads one file.

    A file is the benchmark's if all its numbers are, task by task, whatever its form and order. Of any other nobody
    says which images its values are of: they have no split.

    Parameters
    ----------
    source
        The user's name for the source of a table that is not the benchmark's.
    """

    space = TransNASMicro.name

    def __init__(self, *, source: str | None = None, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self.directions = Directions(metrics=dict(DIRECTIONS))
        self._source = source
        self._size_limit = size_limit
        self._content: tuple[Path, list[Column], list[str]] | None = None

    def facts(self, path: Path) -> SourceFacts:
        kind = "transnas-table"
        if not self._is_official(path):
            return SourceFacts(own_source(path, self._source), kind, is_named_by_user=self._source is not None)
        if self._source is not None:
            raise source_is_known(path)
        return SourceFacts(self.space, kind, None, "MIT", TransNASMicro.citation)

    def read(self, path: Path) -> Iterator[Batch]:
        columns, notes = self._read(path)
        members = dict.fromkeys(cell for column in columns for cell in column.cells)
        places = {cell: place for place, cell in enumerate(members)}
        is_official = self._is_official(path)
        known = {"split": SPLIT, "stage": STAGE} if is_official else {}
        parts = [METRIC_SCHEMA.empty_table()]
        for column in columns:
            rows = np.array([places[cell] for cell in column.cells], dtype=np.int64)
            name = TASKS[column.task].metric
            parts.append(metric_rows(rows, column.values, name=name, kind="trained", dataset=column.task, **known))
        yield Batch(
            Members(list(members)), len(members), pa.concat_tables(parts), notes=() if is_official else tuple(notes)
        )

    def _is_official(self, path: Path) -> bool:
        columns, _ = self._read(path)
        return all(digest(column.cells, column.values) == VALUES[column.task] for column in columns)

    def _read(self, path: Path) -> tuple[list[Column], list[str]]:
        """The columns, checked, and what a person should look at."""
        if self._content is None or self._content[0] != path:
            columns = read_columns(path, self._size_limit)
            percents = Percents(path.name)
            for column in columns:
                _check(column, percents)
            percents.refuse_fractions()
            self._content = (path, columns, percents.notes())
        return self._content[1:]


def digest(cells: Sequence[str], values: NDArray[np.float64]) -> str:
    """SHA-256 of what was measured on one task, whatever the order."""
    told = sorted(f"{cell}\t{value!r}\n" for cell, value in zip(cells, values.tolist(), strict=True))
    return hashlib.sha256("".join(told).encode()).hexdigest()


def _check(column: Column, percents: Percents) -> None:
    metric = TASKS[column.task].metric
    allowed = RANGES[metric]
    inside = np.isfinite(column.values) & (column.values >= allowed.low) & (column.values <= allowed.high)
    outside = np.flatnonzero(~inside)
    if len(outside):
        row = int(outside[0])
        raise IngestError(
            f"{column.place(row)}: {column.task} is {column.values[row]:g}; its {metric} is a number {allowed}. "
            "Nothing was stored. Fix the record and run the same command again."
        )
    if metric in IN_PERCENT:
        percents.see_all(column.task, column.values, column.place)
