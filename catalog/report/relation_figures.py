"""How a proxy relates to the target: their values, and their ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.report.figure import Choice, Chooser, Figure, Specification, axis, layout, packed, packed_numbers
from catalog.report.hexagonal_bins import hexagonal_bins
from catalog.report.hover_drawings import HoverDrawings
from catalog.report.number_format import readable
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.table import slug

Values = NDArray[np.float64]

POINTS = 1500
"""Up to here every architecture is a point; more are drawn as hexagons."""

_HEAVY_TAIL = 20.0  # a column whose largest value is this many times its median is shown by its logarithm
_FEW = 0.01  # share of the worst architectures that may stand on the lower edge


def relation_choices(
    pools: Sequence[PoolAnalysis], proxies: Sequence[str], drawn: Mapping[str, HoverDrawings]
) -> tuple[Choice, Choice]:
    """Values and ranks of each proxy and target, to be chosen on the page."""
    choosers = (
        Chooser("pool", "Ranking of", tuple(found.label for found in pools), is_shown=False),
        Chooser("proxy", "Proxy", tuple(proxies)),
    )
    values: dict[tuple[int, ...], Figure] = {}
    ranks: dict[tuple[int, ...], Figure] = {}
    for number, found in enumerate(pools):
        for place, proxy in enumerate(proxies):
            if proxy in found.pool.scores and (rows := _shown(found, proxy)) is not None:
                values[number, place] = _values(found, proxy, rows, drawn[found.pool.space])
                ranks[number, place] = _ranks(found, proxy, rows, drawn[found.pool.space])
    hover = "Point at a place to see a cell there."
    return (
        Choice("values", "Proxy against target.", f"Each architecture by its values. {hover}", choosers, values),
        Choice(
            "ranks",
            "Rank against rank.",
            f"100 is the best of the pool; a perfect proxy lies on the diagonal. {hover}",
            choosers,
            ranks,
        ),
    )


def _shown(found: PoolAnalysis, proxy: str) -> NDArray[np.int64] | None:
    """Rows with a finite score and a target; None for fewer than two."""
    known = np.isfinite(found.pool.scores[proxy]) & np.isfinite(found.pool.truth)
    return np.flatnonzero(known) if known.sum() > 1 else None


def _values(found: PoolAnalysis, proxy: str, rows: NDArray[np.int64], drawings: HoverDrawings) -> Figure:
    pool = found.pool
    score, truth = pool.plain_scores(proxy)[rows], pool.plain_truth[rows]
    name = proxy
    if score.min() > 0 and score.max() > _HEAVY_TAIL * np.median(score):
        score, name = np.log10(score), f"log10 {proxy}"
    moved = 0
    if len(rows) > POINTS:  # bins must be small where most architectures are
        score, beside = _within(score, low=_FEW / 2, high=1 - _FEW / 2)
        edges = (_FEW, 1.0) if pool.target_direction > 0 else (0.0, 1 - _FEW)
        truth, below = _within(truth, *edges)
        moved = beside + below
    sentence = f"{_tau(found, proxy)} Shown are {len(rows):,} architectures"
    sentence += f"; {moved:,} with extreme values stand on the edge." if moved else "."
    return Figure(
        slug("values", found.label, proxy),
        f"{proxy} against {pool.target}",
        "",
        sentence,
        _points_or_hexagons(found, rows, (score, truth), (name, pool.target), drawings),
    )


def _ranks(found: PoolAnalysis, proxy: str, rows: NDArray[np.int64], drawings: HoverDrawings) -> Figure:
    pool = found.pool
    score, truth = (_percent_rank(column[rows]) for column in (pool.scores[proxy], pool.truth))
    names = (f"rank by {proxy}", f"rank by {pool.target}")
    specification = _points_or_hexagons(found, rows, (score, truth), names, drawings)
    diagonal = {"color": "ink", "width": 1, "dash": "dot"}
    specification["data"].append(
        {"type": "scatter", "mode": "lines", "x": [0, 100], "y": [0, 100], "line": diagonal, "hoverinfo": "skip"}
        | {"showlegend": False}
    )
    return Figure(
        slug("ranks", found.label, proxy),
        f"Ranks by {proxy} and by {pool.target}",
        "",
        _tau(found, proxy),
        specification,
    )


def _tau(found: PoolAnalysis, proxy: str) -> str:
    row = found.table.row(by_predicate=pl.col("proxy") == proxy, named=True)
    digits = 3
    tau, low, high = (readable(row[name], digits) for name in ("kendall_tau", "kendall_tau_low", "kendall_tau_high"))
    rho = readable(row["spearman_rho"], digits)
    return f"{proxy}: tau-b {tau} [{low}, {high}], rho {rho} over {row['n']:,} architectures."


def _points_or_hexagons(
    found: PoolAnalysis,
    rows: NDArray[np.int64],
    places: tuple[Values, Values],
    names: tuple[str, str],
    drawings: HoverDrawings,
) -> Specification:
    x, y = places
    meta = {"cells": drawings.identifier, "x": names[0], "y": names[1]}
    if len(rows) <= POINTS:
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": packed(x),
            "y": packed(y),
            "meta": meta,
            "customdata": packed_numbers(drawings.places(found.pool, rows)),
            "hoverinfo": "none",
            "showlegend": False,
            "marker": {"color": "series-1", "size": 6, "opacity": 0.55},
        }
    else:
        bins = hexagonal_bins(x, y, _priority(found.pool.ids[rows]))
        trace = {
            "type": "hexbin",
            "x": packed(bins.x),
            "y": packed(bins.y),
            "count": packed_numbers(bins.count),
            "dx": bins.dx,
            "dy": bins.dy,
            "meta": meta,
            "customdata": packed_numbers(drawings.places(found.pool, rows[bins.member])),
        }
    return {"data": [trace], "layout": layout(axis(names[0]), axis(names[1]))}


def _within(values: Values, low: float, high: float) -> tuple[Values, int]:
    """Values moved to the middle range of their quantiles, and how many were moved."""
    floor, ceiling = np.quantile(values, [low, high])
    return np.clip(values, floor, ceiling), int(((values < floor) | (values > ceiling)).sum())


def _percent_rank(values: Values) -> Values:
    """Mean rank, 0 for the worst and 100 for the best."""
    from scipy.stats import rankdata

    return np.asarray(100 * (rankdata(values) - 1) / max(len(values) - 1, 1))


def _priority(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """A fixed order that has nothing to do with the architectures' own: Knuth's multiplicative hash."""
    return np.asarray((ids.astype(np.uint64) * np.uint64(2654435761)) & np.uint64(0xFFFFFFFF)).astype(np.int64)
