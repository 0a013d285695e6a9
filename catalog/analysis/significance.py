"""Is one proxy better than another, or is it chance: paired differences of tau, and Holm's correction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.jackknife import Comparisons, Groups, standard_error

Values = NDArray[np.float64]

LEVEL = 0.05
"""Corrected p-values below it are called significant."""


def holm(p_values: ArrayLike) -> Values:
    """P-values that many tests at once deserve: the probability that any false one among them comes out as small.

    Holm, "A simple sequentially rejective multiple test procedure", 1979. The smallest of m is multiplied by m, the
    next by m - 1, and so on; none is corrected to less than a smaller one. NaN stands for no test and stays NaN. SciPy
    (1.17) has no correction for this probability.
    """
    values = np.asarray(p_values, dtype=np.float64)
    corrected = np.full(len(values), math.nan)
    order = np.argsort(values, kind="stable")[: int((~np.isnan(values)).sum())]
    corrected[order] = np.minimum(1, np.maximum.accumulate(values[order] * np.arange(len(order), 0, -1)))
    return corrected


def p_value(difference: float, error: float, count: int) -> float:
    """Two-sided p-value of Student's t for a difference of none, from `count` draws; NaN where it is not defined."""
    if math.isnan(difference) or math.isnan(error) or count < 2:
        return math.nan
    if error == 0:  # no row on its own makes a difference: a copy, or two rankings that no row tells apart
        return 1.0 if difference == 0 else math.nan
    from scipy.stats import t

    return float(2 * t.sf(abs(difference) / error, count - 1))


def t_quantile(count: int) -> float:
    """Half the width of a 95 % interval in standard errors, from `count` draws: Student's t; NaN below two."""
    from scipy.stats import t

    return float(t.ppf(0.975, count - 1)) if count > 1 else math.nan


def paired_differences(
    scores: Mapping[str, ArrayLike],
    truth: ArrayLike,
    references: Mapping[str, ArrayLike],
    *,
    groups: Groups | None = None,
) -> pl.DataFrame:
    """How much better each proxy ranks than each reference, on the rows that have both scores and the truth.

    The error of a difference is the jackknife's of the difference itself: both taus are taken without the same row, so
    that what moves both moves nothing.

    Parameters
    ----------
    scores
        Proxy name to its scores.
    truth
        What they are to rank.
    references
        Name to scores; one that is called as a proxy is that proxy.
    groups
        (n,) equal numbers for rows that are one draw, such as architectures that compute the same function.

    Returns
    -------
    polars.DataFrame
        One row a reference and proxy: ``reference``, ``proxy``, ``n``, ``kendall_tau``, ``reference_kendall_tau``,
        ``difference`` with its 95 % interval ``difference_low`` to ``difference_high``, ``p_value`` (two-sided, for no
        difference), ``p_holm`` (corrected over the proxies of a reference), ``verdict`` (``better`` or ``worse`` if
        significant at 5 % after the correction, else ``tied``). NULL where a number is not defined, as for a reference
        against itself.
    """
    columns = {name: np.asarray(values, dtype=np.float64) for name, values in {**references, **scores}.items()}
    comparisons = Comparisons(columns, np.asarray(truth, dtype=np.float64), groups)
    return compare(comparisons, list(scores), list(references))


def compare(comparisons: Comparisons, proxies: Sequence[str], references: Sequence[str]) -> pl.DataFrame:
    """`paired_differences` of columns whose coefficients may be computed already."""
    frames = []
    for reference in references:
        rows = [_compared(comparisons, name, reference) for name in proxies]
        corrected = holm([math.nan if (chance := row.get("p_value")) is None else chance for row in rows])
        for row, chance in zip(rows, corrected, strict=True):
            row["p_holm"] = None if math.isnan(chance) else float(chance)
            row["verdict"] = verdict(row.get("difference"), chance)
        frames.append(pl.DataFrame(rows, schema=_SCHEMA))
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *frames])


def verdict(difference: float | None, corrected: float) -> str | None:
    """``better``, ``worse`` or ``tied``; None where there was no test."""
    if difference is None or math.isnan(corrected):
        return None
    if corrected >= LEVEL:
        return "tied"
    return "better" if difference > 0 else "worse"


def _compared(comparisons: Comparisons, name: str, reference: str) -> dict[str, Any]:
    common = comparisons.rows(name, reference)
    count = int(common.sum())
    own, other = comparisons.both(name, common)[0], comparisons.both(reference, common)[0]
    row: dict[str, Any] = {"reference": reference, "proxy": name, "n": count}
    values = {"kendall_tau": own.value, "reference_kendall_tau": other.value}
    if name != reference:
        difference, error = own.value - other.value, standard_error(own.without - other.without, own.groups)
        margin = t_quantile(own.draws) * error
        values |= {"difference": difference, "p_value": p_value(difference, error, own.draws)}
        values |= {"difference_low": difference - margin, "difference_high": difference + margin}
    return row | {column: None if math.isnan(value) else value for column, value in values.items()}


_SCHEMA: dict[str, Any] = {
    "reference": pl.String,
    "proxy": pl.String,
    "n": pl.Int64,
    "kendall_tau": pl.Float64,
    "reference_kendall_tau": pl.Float64,
    "difference": pl.Float64,
    "difference_low": pl.Float64,
    "difference_high": pl.Float64,
    "p_value": pl.Float64,
    "p_holm": pl.Float64,
    "verdict": pl.String,
}
