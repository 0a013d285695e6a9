r"""95 % intervals of rank correlations: how far chance could have moved a coefficient.

They answer: had other architectures been drawn from the same space, where would the coefficient lie? Rows of one group
are one draw, as architectures that compute the same function should be: they score alike, and counted one by one they
would make an interval many times too narrow. Without groups each row is a draw. For n > 100 the jackknife's standard
error is taken to Fisher's scale, :math:`\operatorname{artanh}`, where the
interval is symmetric; that costs as much as a few coefficients do. Up to n = 100 it is the percentile interval of 1,000
bootstrap samples, which draw groups.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import Ranking
from catalog.analysis.jackknife import Groups, Jackknife, jackknife

Values = NDArray[np.float64]

NORMAL_QUANTILE = 1.959963984540054
"""Of 0.975: 95 % of a normal distribution lie within."""

BOOTSTRAP_ROWS = 100
"""Up to so many rows the interval comes from the bootstrap."""

_FEWEST_DRAWS = 4
_SAMPLES = 1000


@dataclass(frozen=True)
class Interval:
    """A coefficient between the ends of its 95 % interval; NaN where it, or the interval, is not defined.

    A coefficient of exactly 1 or -1 has none: rows that contain no exception say nothing of how rare exceptions are.

    Parameters
    ----------
    value, low, high
        The coefficient and the ends.
    error
        Its standard error.
    """

    value: float
    low: float
    high: float
    error: float

    def named(self, name: str) -> dict[str, float | None]:
        """The columns ``{name}``, ``{name}_low`` and ``{name}_high`` of a frame's row; NULL for NaN."""
        ends = {name: self.value, f"{name}_low": self.low, f"{name}_high": self.high}
        return {column: None if math.isnan(end) else end for column, end in ends.items()}


def tau_interval(first: ArrayLike, second: ArrayLike, groups: Groups | None = None) -> Interval:
    """Kendall's tau-b of two samples without NaN, with its 95 % interval."""
    return intervals(Ranking(np.asarray(first)), Ranking(np.asarray(second)), groups)[0]


def rho_interval(first: ArrayLike, second: ArrayLike) -> Interval:
    """Spearman's rho of two samples without NaN, with its 95 % interval."""
    return intervals(Ranking(np.asarray(first)), Ranking(np.asarray(second)))[1]


def intervals(first: Ranking, second: Ranking, groups: Groups | None = None) -> tuple[Interval, Interval]:
    """Tau-b and rho of two samples, with their 95 % intervals, for less than either alone twice.

    Parameters
    ----------
    first, second
        The two sides.
    groups
        (n,) equal numbers for rows that are one draw.
    """
    return intervals_of(jackknife(first, second, groups), first, second)


def intervals_of(found: tuple[Jackknife, Jackknife], first: Ranking, second: Ranking) -> tuple[Interval, Interval]:
    """`intervals` where tau-b and rho are jackknifed already."""
    tau, rho = (_on_fishers_scale(coefficient) for coefficient in found)
    if len(first) > BOOTSTRAP_ROWS or math.isnan(tau.low):
        return tau, rho
    order = np.lexsort((second.dense, first.dense))  # which rows are drawn must not depend on how they were sorted
    groups = found[0].groups
    taus, rhos = resample(first.dense[order], second.dense[order], None if groups is None else groups[order])
    return _percentiles(tau.value, taus), _percentiles(rho.value, rhos)


def resample(
    first: ArrayLike,
    second: ArrayLike,
    groups: Groups | None = None,
    *,
    samples: int = _SAMPLES,
    seed: int = 0,
) -> tuple[Values, Values]:
    """Tau-b and rho of bootstrap samples of the groups, (samples,) each; NaN where a sample is constant on one side.

    A sample is a number of copies of each group's rows, and the sums over pairs of rows are quadratic forms in these
    numbers. Copies of one row are tied with each other.
    """
    sides = [Ranking(np.asarray(side)).centred for side in (first, second)]
    codes = np.arange(len(sides[0])) if groups is None else np.unique(groups, return_inverse=True)[1]
    count = int(codes.max(initial=-1)) + 1
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=samples)
    copies = drawn[:, codes].astype(np.float64)
    x, y = (np.sign(np.subtract.outer(side, side)) for side in sides)
    taus = _quotient(*(((copies @ product) * copies).sum(axis=1) for product in (x * y, x * x, y * y)))
    x, y = copies @ x.T, copies @ y.T  # twice the centred ranks in each sample
    rhos = _quotient(*((copies * product).sum(axis=1) for product in (x * y, x * x, y * y)))
    return taus, rhos


def _quotient(product: Values, first: Values, second: Values) -> Values:
    spread = np.sqrt(first * second)
    return np.divide(product, spread, where=spread > 0, out=np.full_like(product, math.nan))


def _on_fishers_scale(found: Jackknife) -> Interval:
    value, error = found.value, found.error
    if not math.isfinite(error) or abs(value) == 1 or found.draws < _FEWEST_DRAWS:
        return Interval(value, math.nan, math.nan, math.nan)
    margin = NORMAL_QUANTILE * error / (1 - value**2)
    centre = math.atanh(value)
    return Interval(value, math.tanh(centre - margin), math.tanh(centre + margin), error)


def _percentiles(value: float, drawn: Values) -> Interval:
    drawn = drawn[np.isfinite(drawn)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(value, float(low), float(high), float(drawn.std(ddof=1)))
