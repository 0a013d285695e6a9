"""Batches of a reader as data frames."""

from __future__ import annotations

from collections.abc import Iterable

import polars as pl
import pyarrow as pa

from ingest.reading.batch import Batch


def metrics_of(batches: Iterable[Batch]) -> pl.DataFrame:
    """All metrics, with the native id in the column ``architecture``."""
    return _joined((batch, batch.metrics) for batch in batches)


def scores_of(batches: Iterable[Batch]) -> pl.DataFrame:
    """All scores, with the native id in the column ``architecture``."""
    return _joined((batch, batch.scores) for batch in batches)


def _joined(parts: Iterable[tuple[Batch, pa.Table]]) -> pl.DataFrame:
    frames = []
    for batch, table in parts:
        frame = pl.from_arrow(table)
        assert isinstance(frame, pl.DataFrame)
        names = dict(enumerate(batch.members.native_ids))
        frames.append(frame.with_columns(architecture=pl.col("row").replace_strict(names, return_dtype=pl.String)))
    return pl.concat(frames).drop("row")
