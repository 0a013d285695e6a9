"""Correlation of a space's proxies with one of its columns, read from the wide view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from catalog.analysis.correlation import Ranking, correlate
from catalog.analysis.intervals import intervals
from catalog.analysis.pool import Pool, read_pool

if TYPE_CHECKING:
    from catalog.storage.store import Store


def correlate_space(
    catalog: Store,
    space: str,
    target: str,
    proxies: Sequence[str] | None = None,
    where: str | None = None,
    *,
    with_intervals: bool = False,
) -> pl.DataFrame:
    """`catalog.analysis.correlation.correlate` for columns of a wide view, best tau first.

    The rules of `catalog.analysis.pool.Pool` apply, and the frame counts what they touch: ``left_out`` architectures
    that a predictor was trained on, and their functional twins; ``disconnected`` ones, which rank below all others; a
    score that is missing for any other reason, or was never published, leaves the architecture out (``missing``). Of a
    target that is a cost, such as a latency, less is better, as for `catalog.asking.top.top`.

    Parameters
    ----------
    proxies
        Columns to rank with; by default every proxy column of the space but the spreads of ensembles.
    where
        SQL condition on the wide view that chooses the pool.
    with_intervals
        Whether ``kendall_tau`` and ``spearman_rho`` are followed by the ends ``_low`` and ``_high`` of their 95 %
        intervals, in which functional twins are one draw: see `catalog.analysis.intervals`.

    Raises
    ------
    UnknownColumnError
        `target` or one of `proxies` is no column of the view.
    UsageError
        One of them holds no numbers.
    """
    pool = read_pool(catalog, space, target, proxies, where)
    result = correlate(pool.scores, pool.truth).with_columns(
        direction=pl.Series(list(pool.directions.values()), dtype=pl.Int8),
        left_out=pl.Series(list(pool.left_out.values()), dtype=pl.Int64),
        disconnected=pl.Series(list(pool.disconnected.values()), dtype=pl.Int64),
    )
    result = result.with_columns(missing=pl.col("missing") - pl.col("left_out"))
    if with_intervals:
        result = _with_intervals(result, pool)
    return result.sort("kendall_tau", descending=True, nulls_last=True, maintain_order=True)


def _with_intervals(result: pl.DataFrame, pool: Pool) -> pl.DataFrame:
    ends: list[dict[str, float | None]] = []
    draws = pool.draws
    for scores in pool.scores.values():
        known = pool.known & ~np.isnan(scores)
        tau, rho = intervals(
            Ranking(scores[known]), Ranking(pool.truth[known]), None if draws is None else draws[known]
        )
        ends.append(tau.named("kendall_tau") | rho.named("spearman_rho"))
    schema = [f"{name}{end}" for name in ("kendall_tau", "spearman_rho") for end in ("_low", "_high")]
    columns = pl.DataFrame(ends, schema=dict.fromkeys(schema, pl.Float64))
    order = [[name, f"{name}_low", f"{name}_high"] if f"{name}_low" in schema else [name] for name in result.columns]
    return result.hstack(columns).select(name for names in order for name in names)
