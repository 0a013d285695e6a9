"""How a ranking is judged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, spearmanr

Values = NDArray[np.float64]

TOP = 0.1


@dataclass(frozen=True)
class Quality:
    """Agreement of scores with the truth.

    Parameters
    ----------
    tau
        Kendall's tau-b.
    rho
        Spearman's.
    top_tau
        Tau-b among the architectures in the true best tenth.
    """

    tau: float
    rho: float
    top_tau: float


def judge(scores: Values, truth: Values, connected: NDArray[np.bool_]) -> Quality:
    """Judge scores, NaN where there is none; architectures without a path are tied in the last place."""
    ranked = np.where(connected & np.isfinite(scores), scores, -np.inf)
    best = truth >= np.quantile(truth, 1.0 - TOP)
    return Quality(
        float(kendalltau(ranked, truth).statistic),
        float(spearmanr(ranked, truth).statistic),
        float(kendalltau(ranked[best], truth[best]).statistic),
    )
