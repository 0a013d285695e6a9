"""Rows of the table ``metric``, collected one by one and handed over as Arrow."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from ingest.reading.batch import METRIC_SCHEMA, SCORE_SCHEMA


class _Columns:
    """Rows as lists by column."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._columns: dict[str, list[Any]] = {field.name: [] for field in schema}

    def __len__(self) -> int:
        return len(self._columns["row"])

    def table(self) -> pa.Table:
        """All rows."""
        return pa.table(
            [pa.array(self._columns[field.name], field.type) for field in self._schema], schema=self._schema
        )


class MetricColumns(_Columns):
    """Metrics of one batch, in `METRIC_SCHEMA`."""

    def __init__(self) -> None:
        super().__init__(METRIC_SCHEMA)

    def add(
        self,
        row: int,
        name: str,
        value: float | None,
        *,
        kind: str = "trained",
        dataset: str | None = None,
        split: str | None = None,
        epochs: int | None = None,
        stage: str | None = None,
        device: str | None = None,
        seed: int | None = None,
        repeat: int | None = None,
    ) -> None:
        """One metric of the architecture at `row` of the batch."""
        values = (row, name, kind, dataset, split, epochs, stage, device, seed, repeat, value)
        for column, item in zip(self._columns.values(), values, strict=True):
            column.append(item)


class ScoreColumns(_Columns):
    """Published scores of one batch, in `SCORE_SCHEMA`."""

    def __init__(self) -> None:
        super().__init__(SCORE_SCHEMA)

    def add(
        self,
        row: int,
        proxy: str,
        value: float | None,
        *,
        data: str | None = None,
        seed: int | None = None,
        reason: str | None = None,
        seconds: float | None = None,
    ) -> None:
        """One score of the architecture at `row`; a score without a value failed for `reason`."""
        status = "ok" if value is not None else "failed"
        values = (row, proxy, data, seed, value, status, reason, seconds)
        for column, item in zip(self._columns.values(), values, strict=True):
            column.append(item)
