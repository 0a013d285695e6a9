"""How much a proxy's ranking depends on its own random seed."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import kendall_tau

Values = NDArray[np.float64]


def seed_spread(scores: Mapping[str, ArrayLike], truth: ArrayLike) -> pl.DataFrame:
    """Tau of each seed of a proxy alone, and between its seeds.

    Parameters
    ----------
    scores
        Proxy name to (n, s) scores by seed, NaN where there is none.
    truth
        (n,) what they are to rank.

    Returns
    -------
    polars.DataFrame
        One row a proxy: ``proxy``, ``seeds``, ``kendall_tau_mean``, ``kendall_tau_deviation`` (of the sample),
        ``kendall_tau_least`` and ``kendall_tau_most`` of the seeds' taus with the truth, ``between_seeds`` (mean tau of
        its pairs of seeds: 1 if the seed does not matter). Each tau is of the rows that have both sides; NULL where a
        number is not defined.
    """
    target = np.asarray(truth, dtype=np.float64)
    rows = []
    for name, values in scores.items():
        columns = list(np.asarray(values, dtype=np.float64).T)
        taus = _taus([(column, target) for column in columns])
        rows.append(
            {
                "proxy": name,
                "seeds": len(columns),
                "kendall_tau_mean": taus.mean(),
                "kendall_tau_deviation": taus.std(),
                "kendall_tau_least": taus.min(),
                "kendall_tau_most": taus.max(),
                "between_seeds": _taus(list(combinations(columns, 2))).mean(),
            }
        )
    return pl.DataFrame(rows, schema=_SCHEMA)


def _taus(pairs: list[tuple[Values, Values]]) -> pl.Series:
    taus = []
    for first, second in pairs:
        known = ~np.isnan(first) & ~np.isnan(second)
        taus.append(kendall_tau(first[known], second[known]))
    return pl.Series(taus, dtype=pl.Float64).fill_nan(None)


_SCHEMA = {
    "proxy": pl.String,
    "seeds": pl.Int64,
    "kendall_tau_mean": pl.Float64,
    "kendall_tau_deviation": pl.Float64,
    "kendall_tau_least": pl.Float64,
    "kendall_tau_most": pl.Float64,
    "between_seeds": pl.Float64,
}
