r"""Tau-b and rho, and what they would be without each single row: their standard errors, and those of differences.

Quenouille, "Notes on bias in estimation", 1956; Tukey 1958. Deleting one row at a time would cost n times the
coefficient. Both coefficients are ratios of sums over pairs, though, and each row's pairs can be counted for all rows
at once (`catalog.analysis.concordance`), so that all n of them cost as much as a few.

Rows that compute the same function have the same score and nearly the same truth: they are one draw and not many. With
`groups` the changes of a group's rows are added up before they are squared, as for clustered samples (Liang and Zeger,
Biometrika 73, 1986). Without it, errors over NAS-Bench-201, whose largest functions stand in 460 cells each, are about
a tenth of what they should be.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.analysis.concordance import concordance, untied
from catalog.analysis.correlation import Ranking

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Groups = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Jackknife:
    """A coefficient, and the same without each row.

    Parameters
    ----------
    value
        The coefficient of all rows; NaN where it is not defined.
    without
        (n,) the coefficient of all rows but one.
    groups
        (n,) equal numbers for rows that are one draw; None if each is its own.
    """

    value: float
    without: Values
    groups: Groups | None = None

    @property
    def error(self) -> float:
        """`standard_error` of the coefficient; NaN if it is not defined."""
        return standard_error(self.without, self.groups) if math.isfinite(self.value) else math.nan

    @property
    def draws(self) -> int:
        """Independent draws among the rows."""
        return len(self.without) if self.groups is None else len(np.unique(self.groups))

    def __repr__(self) -> str:
        return f"Jackknife({self.value:.4f} +- {self.error:.4f}, {len(self.without)} rows)"


def standard_error(without: Values, groups: Groups | None = None) -> float:
    r"""The jackknife's standard error of a statistic from its values without each row; NaN below three draws.

    :math:`\frac{n - 1}{n} \sqrt{\frac{G}{G - 1} \sum_g (\sum_{i \in g} \theta_{(i)} - \bar\theta)^2}` for G groups,
    which for rows that are groups of one is :math:`\sqrt{\frac{n - 1}{n} \sum_i (\theta_{(i)} - \bar\theta)^2}`.
    """
    count = len(without)
    if count < 3 or not np.isfinite(without).all():
        return math.nan
    changes = without - without.mean()
    if groups is not None:
        codes = np.unique(groups, return_inverse=True)[1]
        changes = np.bincount(codes, weights=changes)
    draws = len(changes)
    if draws < 3:
        return math.nan
    return float((count - 1) / count * np.sqrt(draws / (draws - 1) * np.square(changes).sum()))


def jackknife(first: Ranking, second: Ranking, groups: Groups | None = None) -> tuple[Jackknife, Jackknife]:
    r"""Kendall's tau-b and Spearman's rho with their values without each row, in O(n log n).

    Without a row, tau's numerator loses the row's concordant pairs, and its denominator the row's untied pairs. A
    centred mean rank is half a sum of signs, :math:`c_j = \frac12 \sum_k \operatorname{sign}(x_j - x_k)`, so without
    row i every other row's rank moves by half a sign, and rho's sums of products change by sums that sorting gives.

    Parameters
    ----------
    first, second
        The two sides.
    groups
        (n,) equal numbers for rows that are one draw.
    """
    agreeing = concordance(first, second).astype(np.float64)
    untied_first, untied_second = untied(first).astype(np.float64), untied(second).astype(np.float64)
    numerator, square_first, square_second = (pairs.sum() / 2 for pairs in (agreeing, untied_first, untied_second))
    tau = _jackknife(
        (numerator, square_first, square_second),
        (numerator - agreeing, square_first - untied_first, square_second - untied_second),
        groups,
    )
    x, y = first.centred, second.centred
    numerator, square_first, square_second = (float(product.sum()) for product in (x * y, x * x, y * y))
    crossed = _above_less_below(second, x) + _above_less_below(first, y)
    rho = _jackknife(
        (numerator, square_first, square_second),
        (
            numerator - x * y - crossed / 2 + agreeing / 4,
            square_first - x * x - _above_less_below(first, x) + untied_first / 4,
            square_second - y * y - _above_less_below(second, y) + untied_second / 4,
        ),
        groups,
    )
    return tau, rho


def _jackknife(
    everything: tuple[float, float, float], without: tuple[Values, Values, Values], groups: Groups | None
) -> Jackknife:
    whole = _ratio(*(np.array([part]) for part in everything))
    return Jackknife(float(whole[0]), _ratio(*without), groups)


def _above_less_below(ranking: Ranking, weights: Values) -> Values:
    """Of each row, the weights of the rows that rank above it less those of the rows below."""
    by_rank = np.bincount(ranking.dense, weights=weights, minlength=1)
    up_to = np.cumsum(by_rank)
    below = up_to - by_rank
    return np.asarray((up_to[-1] - up_to - below)[ranking.dense])


def _ratio(numerator: Values, first: Values, second: Values) -> Values:
    """A correlation; NaN where a side is constant."""
    spread = first * second
    # The squares come from sums and may round; those of two rows that differ are never below a half.
    defined = (first > 0.1) & (second > 0.1)
    ratio = np.divide(numerator, np.sqrt(np.where(defined, spread, 1.0)))
    ratio[~defined] = math.nan
    return np.asarray(np.clip(ratio, -1.0, 1.0))


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Tau-b and rho of many columns with one truth on any rows, each computed once.

    Parameters
    ----------
    columns
        Name to (n,) values, NaN where there is none.
    truth
        (n,) what they are to rank.
    groups
        (n,) equal numbers for rows that are one draw.
    """

    columns: Mapping[str, Values]
    truth: Values
    groups: Groups | None = None
    _truths: dict[bytes, Ranking] = field(default_factory=dict, repr=False)
    _found: dict[tuple[str, bytes], tuple[Jackknife, Jackknife]] = field(default_factory=dict, repr=False)

    def rows(self, *names: str) -> Mask:
        """(n,) rows that have the truth and all of the named columns."""
        known = ~np.isnan(self.truth)
        for name in names:
            known &= ~np.isnan(self.columns[name])
        return known

    def both(self, name: str, rows: Mask) -> tuple[Jackknife, Jackknife]:
        """Tau-b and rho of one column with the truth on `rows`."""
        key = np.packbits(rows).tobytes()
        if key not in self._truths:
            self._truths[key] = Ranking(self.truth[rows])
        if (name, key) not in self._found:
            groups = None if self.groups is None else self.groups[rows]
            self._found[name, key] = jackknife(Ranking(self.columns[name][rows]), self._truths[key], groups)
        return self._found[name, key]
