"""What the records of a staged space's table say: of which architecture each is, and what was measured."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from string import Formatter

import numpy as np
import pyarrow as pa

from catalog.errors import IngestError
from catalog.spaces.staged.public_table import MetricColumn, PublicTable, alternatives
from catalog.spaces.staged.space import StagedSpace
from ingest.formats.staged_architectures import Architectures
from ingest.formats.staged_records import Row, number
from ingest.reading.batch import METRIC_SCHEMA, metric_rows
from ingest.reading.percents import ALLOWED, Percents, is_accuracy
from ingest.reading.pickled_values import described
from ingest.reading.shown import shown_names

_Value = tuple[int, float, int]
"""Place of the architecture, value, and number of the training from 1."""


class Content:
    """The records of one file, checked: which architecture each is of, and what was measured."""

    def __init__(self, path: Path, space: StagedSpace, table: PublicTable, rows: Sequence[Row]) -> None:
        self.path = path
        self.rows = rows = [row.moved(table.moved) for row in rows]
        self._space = space
        if not rows:
            raise IngestError(f"{path.name} holds no records; nothing was stored.")
        self._refuse_columns(table)
        self._refuse_unfinished(table)
        architectures = Architectures(space, table)
        found = [architectures.of(row) for row in rows]
        self.assignments = list(dict.fromkeys(found))
        self.native_ids = [space.id_of(one) for one in self.assignments]
        places = {one: place for place, one in enumerate(self.assignments)}
        self.members = [places[one] for one in found]
        """The place of each record's architecture."""
        if not table.several:
            self._refuse_twice()
        percents = Percents(path.name)
        trainings = _occurrences(self.members) if table.several else [0] * len(rows)
        self._values = [_values(rows, self.members, trainings, metric, percents) for metric in table.metrics]
        self._counts = [
            {
                member: number(row, count.column, count.times)
                for member, row in zip(self.members, rows, strict=True)
                if row.get(count.column) is not None
            }
            for count in table.counts
        ]
        percents.refuse_fractions()
        self.notes = percents.notes()

    @property
    def digest(self) -> str:
        """SHA-256 of all that was measured, whatever the file's form and order."""
        told = sorted(
            f"{self.native_ids[row]}\t{number}\t{repeat}\t{value!r}\n"
            for number, values in enumerate(self._values)
            for row, value, repeat in values
        )
        return hashlib.sha256("".join(told).encode()).hexdigest()

    def metrics(self, table: PublicTable) -> pa.Table:
        """Rows of the table ``metric``."""
        parts = [METRIC_SCHEMA.empty_table()]
        for metric, values in zip(table.metrics, self._values, strict=True):
            facts = {name: getattr(metric, name) for name in ("name", "kind", "dataset", "split", "epochs", "stage")}
            given = {name: value for name, value in facts.items() if value is not None}
            if metric.repeats is not None or table.several:
                given["repeat"] = np.array([repeat for _, _, repeat in values], dtype=np.int16)
            owners = np.array([owner for owner, _, _ in values], dtype=np.int64)
            parts.append(metric_rows(owners, np.array([value for _, value, _ in values], dtype=float), **given))
        for count, published in zip(table.counts, self._counts, strict=True):
            parts.append(
                metric_rows(
                    np.array(list(published), dtype=np.int64),
                    np.array(list(published.values()), dtype=float),
                    name=count.name,
                    kind="reported",
                    dataset=count.dataset,
                )
            )
        return pa.concat_tables(parts)

    def _refuse_columns(self, table: PublicTable) -> None:
        """A misspelt column would be left out in silence."""
        known = re.compile("|".join(_known_columns(table)))
        names = dict.fromkeys(name for row in self.rows for name in row.said)
        if unknown := [name for name in names if not known.fullmatch(name)]:
            raise IngestError(
                f"{self.path.name} has columns that mean nothing here: {shown_names(unknown)}. What is read is "
                f"{table.about}. Rename or remove the others; nothing was stored."
            )

    def _refuse_unfinished(self, table: PublicTable) -> None:
        for row in self.rows:
            for path, value in table.refused.items():
                if row.has(path, value):
                    row.fail(f"{path} is {described(row.get(path))}: the record has no results.")

    def _refuse_twice(self) -> None:
        first: dict[int, Row] = {}
        for row, member in zip(self.rows, self.members, strict=True):
            if member in first:
                row.fail(f"the architecture {self.native_ids[member]} stands at {first[member].where} already.")
            first[member] = row


def _occurrences(members: Sequence[int]) -> list[int]:
    """Of each record, how many before it are of the same architecture."""
    seen: Counter[int] = Counter()
    found = []
    for member in members:
        found.append(seen[member])
        seen[member] += 1
    return found


def _values(
    rows: Sequence[Row], members: Sequence[int], trainings: Sequence[int], metric: MetricColumn, percents: Percents
) -> list[_Value]:
    """One metric of all records, one value a training."""
    found = []
    for row, member, training in zip(rows, members, trainings, strict=True):
        if any(row.has(path, value) for path, value in metric.unless.items()):
            continue
        for repeat in range(metric.repeats or 1):
            columns = [column.format(repeat=repeat) for column in metric.columns]
            column = next((one for one in columns if row.get(one) is not None), None)
            if column is None:
                if metric.optional:
                    continue
                row.fail(f"{' or '.join(columns)} is missing; a number is needed.")
            value = number(row, column, metric.times)
            if is_accuracy(metric.name):
                if not 0 <= value <= 100:
                    row.fail(f"{column} is {value:g}; {ALLOWED}.")
                percents.see(metric.columns[0], value, row.where)
            found.append((member, value, training * (metric.repeats or 1) + repeat + 1))
    return found


def _known_columns(table: PublicTable) -> list[str]:
    """The columns that a table may have, as expressions: the paths up to their first dot, any number for braces."""
    paths = [
        *table.choices.values(),
        *table.fixed,
        *table.refused,
        *(count.column for count in table.counts),
        *table.ignored,
    ]
    paths += [column for metric in table.metrics for column in metric.columns]
    if table.arch is not None:
        paths.append(table.arch)
    if table.stages is not None:
        paths.append(table.stages)
    firsts = dict.fromkeys(one.partition(".")[0] for path in paths for one in alternatives(path))
    return [
        "".join(re.escape(fixed) + (r"\d+" if name else "") for fixed, name, _, _ in Formatter().parse(first))
        for first in firsts
    ]
