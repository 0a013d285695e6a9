"""How well anything could rank: the agreement of the truth with itself, and simple rankings to compare with."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import TOP_SHARE, Ranking, kendall_tau, top_rows
from catalog.analysis.intervals import intervals
from catalog.analysis.jackknife import Groups
from catalog.analysis.ranking import RANDOM

Values = NDArray[np.float64]

CEILING = "noise ceiling"
"""The name of the line that says how well one training predicts another."""


def noise_ceiling(repeats: ArrayLike, *, groups: Groups | None = None) -> pl.DataFrame:
    """Rank correlation between trainings of the same architectures with different seeds.

    Parameters
    ----------
    repeats
        (n, s) the truth by repeat of the training, NaN where there is none.
    groups
        (n,) equal numbers for rows that are one draw, such as architectures that compute the same function.

    Returns
    -------
    polars.DataFrame
        One row a pair of repeats ``first`` < ``second``, counted from 1, and one row a repeat with ``second`` = 0 for
        the mean of the others: ``n``, ``kendall_tau`` with its interval, ``spearman_rho``, ``top_kendall_tau`` (among
        the best 10 % by ``second``). A proxy is judged by a mean over repeats, which one repeat predicts less well than
        a proxy without error would: the mean of the others comes closer to that.
    """
    values = np.asarray(repeats, dtype=np.float64)
    count = values.shape[1] if values.ndim == 2 else 0
    rows = []
    for first in range(count):
        for second in range(first + 1, count):
            found = _agreement(values[:, first], values[:, second], groups)
            rows.append({"first": first + 1, "second": second + 1, **found})
    for first in range(count) if count > 1 else ():
        others = np.delete(values, first, axis=1)
        known = ~np.isnan(others)
        mean = np.where(known, others, 0.0).sum(axis=1) / np.where(known.any(axis=1), known.sum(axis=1), math.nan)
        rows.append({"first": first + 1, "second": 0, **_agreement(values[:, first], mean, groups)})
    return pl.DataFrame(rows, schema={"first": pl.Int64, "second": pl.Int64, **_SCHEMA})


def reference_lines(
    truth: ArrayLike,
    references: Mapping[str, ArrayLike],
    repeats: ArrayLike | None = None,
    *,
    groups: Groups | None = None,
) -> pl.DataFrame:
    """The correlations that any proxy should be read against.

    Parameters
    ----------
    truth
        (n,) the truth.
    references
        Name to (n,) values that rank it: params, FLOPs, the accuracy of a short training.
    repeats, groups
        As `noise_ceiling` takes them.

    Returns
    -------
    polars.DataFrame
        ``name``, ``n``, ``kendall_tau`` with its interval, ``spearman_rho``, ``top_kendall_tau``: one row ``random``
        (zero by definition), one a reference, and, where there are two repeats, ``noise ceiling``: means over the pairs
        of repeats; its interval spans the ends of the pairs' intervals.
    """
    target = np.asarray(truth, dtype=np.float64)
    zero = dict.fromkeys(("kendall_tau", "spearman_rho", "top_kendall_tau"), 0.0)
    rows: list[dict[str, Any]] = [{"name": RANDOM, "n": int((~np.isnan(target)).sum()), **zero}]
    rows += [
        {"name": name, **_agreement(np.asarray(values, dtype=np.float64), target, groups)}
        for name, values in references.items()
    ]
    frame = pl.DataFrame(rows, schema={"name": pl.String, **_SCHEMA})
    ceilings = noise_ceiling(np.zeros((0, 0)) if repeats is None else repeats, groups=groups)
    pairs = ceilings.filter(pl.col("second") > 0)
    if pairs.is_empty():
        return frame
    ceiling = pairs.select(
        pl.lit(CEILING).alias("name"),
        pl.col("n").max(),
        pl.col("kendall_tau").mean(),
        pl.col("kendall_tau_low").min(),
        pl.col("kendall_tau_high").max(),
        pl.col("spearman_rho", "top_kendall_tau").mean(),
    )
    return pl.concat([frame, ceiling])


def _agreement(first: Values, second: Values, groups: Groups | None) -> dict[str, Any]:
    known = ~np.isnan(first) & ~np.isnan(second)
    one, other = first[known], second[known]
    tau, rho = intervals(Ranking(one), Ranking(other), None if groups is None else groups[known])
    top = top_rows(other, TOP_SHARE)
    top_tau = kendall_tau(one[top], other[top])
    return {
        "n": int(known.sum()),
        **tau.named("kendall_tau"),
        "spearman_rho": None if math.isnan(rho.value) else rho.value,
        "top_kendall_tau": None if math.isnan(top_tau) else top_tau,
    }


_SCHEMA = {
    "n": pl.Int64,
    **{f"kendall_tau{end}": pl.Float64 for end in ("", "_low", "_high")},
    "spearman_rho": pl.Float64,
    "top_kendall_tau": pl.Float64,
}
