r"""Mutual information of proxies with the truth, alone and one after the other, less what chance alone would show.

Values are put into bins that hold equally many rows, so that no outlier decides the bins. The plug-in estimate
(entropies of the observed shares) is too high: with b x b cells and n rows unrelated values share about
:math:`(b - 1)^2 / (2 n \ln 2)` bits, and with the cells of several proxies together most cells hold a row or none, so
that pure noise "explains" nearly all. Every number here is therefore the plug-in estimate less its mean over
permutations that destroy only the relation in question, and stands beside what the same procedure gives for shuffled
truth. Architectures that compute the same function score alike, which a permutation of rows would not keep: with
`groups` one of each is counted, or noise that is a function of the architecture would seem to tell 0.4 bits over
NAS-Bench-201.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import Ranking
from catalog.analysis.joint_rows import JointRows, one_of_each, sample
from catalog.analysis.significance import holm

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

_ROWS_PER_CELL = 20
_FEWEST_ROWS = 8
_FEWEST_PERMUTATIONS = 400
_MOST_BINS = 16
_CURVE_BINS = 8
_CURVE_PERMUTATIONS = 4
_CHANCE_PERMUTATIONS = 40


def rank_bins(values: ArrayLike, bins: int) -> Codes:
    """(n,) the bin of each value by its mean rank, 0 the lowest: bins of as many rows each, ties in one bin."""
    ranking = Ranking(np.asarray(values, dtype=np.float64))
    shares = (ranking.centred + len(ranking) / 2) / max(len(ranking), 1)
    return np.minimum((shares * bins).astype(np.int64), bins - 1)


def plug_in_information(first: Codes, second: Codes) -> float:
    """Mutual information in bits of two codes, from the observed shares: too high, see above."""
    joint = _joint(first, second)
    return max(0.0, _entropy(first) + _entropy(second) - _entropy(joint))


def mutual_information(
    scores: Mapping[str, ArrayLike],
    truth: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    permutations: int | None = None,
    seed: int = 0,
) -> pl.DataFrame:
    """How many bits each proxy tells about the truth, on the rows that have both.

    Parameters
    ----------
    groups
        (n,) equal numbers for rows of which one is counted, such as architectures that compute the same function.
    permutations
        How often the truth is shuffled; the smallest p-value is one over that plus one. By default often enough that
        this is significant after Holm's correction.
    seed
        Of the sample and of the shuffles.

    Returns
    -------
    polars.DataFrame
        One row a proxy, in the order of `scores`: ``proxy``, ``n`` (of many rows a sample), ``bins`` of either side,
        ``plug_in``, ``null_mean`` and ``null_high`` (mean and 95 % quantile for shuffled truth), ``information``
        (``plug_in`` less ``null_mean``: about zero for noise, of either sign), ``p_value`` and ``p_holm``; NULL below
        eight rows or where a side is constant.
    """
    target = np.asarray(truth, dtype=np.float64)
    if permutations is None:
        permutations = max(_FEWEST_PERMUTATIONS, 40 * len(scores))
    rows = []
    for name, values in scores.items():
        column = np.asarray(values, dtype=np.float64)
        known = sample(one_of_each(np.flatnonzero(~np.isnan(column) & ~np.isnan(target)), groups), seed)
        rows.append({"proxy": name, **_against_shuffles(column[known], target[known], permutations, seed)})
    corrected = holm([math.nan if (chance := row.get("p_value")) is None else chance for row in rows])
    frame = pl.DataFrame(rows, schema=_INFORMATION_SCHEMA)
    return frame.with_columns(p_holm=pl.Series(corrected, dtype=pl.Float64).fill_nan(None))


def _against_shuffles(scores: Values, truth: Values, permutations: int, seed: int) -> dict[str, Any]:
    count = len(scores)
    bins = min(_MOST_BINS, max(2, math.isqrt(count // _ROWS_PER_CELL)))
    row: dict[str, Any] = {"n": count, "bins": bins}
    x, y = rank_bins(scores, bins), rank_bins(truth, bins)
    if count < _FEWEST_ROWS or len(np.unique(x)) == 1 or len(np.unique(y)) == 1:
        return row
    found = plug_in_information(x, y)
    generator = np.random.default_rng(seed)
    # Shuffling changes the joint entropy alone.
    alone = _entropy(x) + _entropy(y)
    null = np.array([alone - _entropy(x * bins + generator.permutation(y)) for _ in range(permutations)])
    return row | {
        "plug_in": found,
        "null_mean": float(null.mean()),
        "null_high": float(np.quantile(null, 0.95)),
        "information": found - float(null.mean()),
        "p_value": (1 + int((null >= found - 1e-12).sum())) / (permutations + 1),
    }


def information_curve(
    scores: Mapping[str, ArrayLike],
    truth: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    steps: int = 5,
    shuffles: int = 10,
    seed: int = 0,
) -> pl.DataFrame:
    r"""Bits about the truth that proxies tell together: first the most telling one, then what tells most beyond it.

    The gain of a proxy is :math:`I(Y; X | S)`, its information on the truth Y within the cells of the proxies S taken
    so far, less its mean over shuffles of the truth *within* these cells. Those keep what S tells and how full the
    cells are, so a proxy that is noise given S gains nothing on average, however many cells there are. Where cells hold
    few rows, gains come out too low. The best of many gains is too high by what the null curve shows. All proxies are
    judged on the rows that `JointRows` keeps.

    Parameters
    ----------
    groups
        As `mutual_information` takes them.
    steps
        How many proxies are taken at most.
    shuffles
        How often the whole procedure is repeated for shuffled truth.
    seed
        Of the sample and of the shuffles.

    Returns
    -------
    polars.DataFrame
        One row a step: ``step``, ``proxy``, ``n``, ``gain``, ``gain_high`` (95 % quantile of the best gain at this step
        if no proxy that is left told anything), ``information`` (the sum of the gains so far),
        ``plug_in`` (what the uncorrected estimate claims), ``null_information`` and ``null_high`` (mean and 95 %
        quantile of ``information`` where the truth was shuffled first), ``null_plug_in``. Empty without common rows.
    """
    joint = JointRows.of(scores, truth, seed, groups)
    if len(joint) < _FEWEST_ROWS:
        return pl.DataFrame(schema=_CURVE_SCHEMA)
    bins = min(_CURVE_BINS, max(2, math.isqrt(len(joint) // _ROWS_PER_CELL)))
    codes = {name: rank_bins(values, bins) for name, values in joint.columns.items()}
    y = rank_bins(joint.truth, bins)
    generator = np.random.default_rng(seed)
    curve = _greedy(codes, y, steps, generator)
    chances = _gains_by_chance(codes, [name for name, *_ in curve], y, generator)
    nulls = [_greedy(codes, generator.permutation(y), steps, generator) for _ in range(shuffles)]
    rows = []
    for step, (name, gain, information, plug_in) in enumerate(curve):
        null = np.array([one[step][2] for one in nulls])
        rows.append(
            {
                "step": step + 1,
                "proxy": name,
                "n": len(joint),
                "gain": gain,
                "gain_high": chances[step],
                "information": information,
                "plug_in": plug_in,
                "null_information": float(null.mean()),
                "null_high": float(np.quantile(null, 0.95)),
                "null_plug_in": float(np.mean([one[step][3] for one in nulls])),
            }
        )
    return pl.DataFrame(rows, schema=_CURVE_SCHEMA)


def _greedy(
    codes: Mapping[str, Codes], y: Codes, steps: int, generator: np.random.Generator
) -> list[tuple[str, float, float, float]]:
    """Of each step the proxy taken, its gain, the sum of the gains, and the plug-in information of all taken."""
    cells = np.zeros(len(y), dtype=np.int64)
    left = dict(codes)
    total = 0.0
    curve = []
    for _ in range(min(steps, len(codes))):
        shuffled = [_shuffled_within(cells, y, generator) for _ in range(_CURVE_PERMUTATIONS)]
        gains = {name: _gain(_joint(cells, code), y, shuffled) for name, code in left.items()}
        taken = max(gains, key=lambda name: gains[name])
        cells = _joint(cells, left.pop(taken))
        total += gains[taken]
        curve.append((taken, gains[taken], total, plug_in_information(cells, y)))
    return curve


def _gains_by_chance(
    codes: Mapping[str, Codes], taken: Sequence[str], y: Codes, generator: np.random.Generator
) -> list[float]:
    """Of each step the 95 % quantile of the best gain where the truth is shuffled within the cells so far."""
    cells = np.zeros(len(y), dtype=np.int64)
    left = dict(codes)
    size = int(y.max()) + 1
    quantiles = []
    for name in taken:
        shuffled = [_shuffled_within(cells, y, generator) for _ in range(_CHANCE_PERMUTATIONS)]
        best = np.full(len(shuffled), -math.inf)
        for code in left.values():
            joint = _joint(cells, code)
            entropies = np.array([_entropy(joint * size + other) for other in shuffled])
            null = np.mean([np.roll(entropies, shift + 1) for shift in range(_CURVE_PERMUTATIONS)], axis=0)
            best = np.maximum(best, null - entropies)  # as `_gain` has it, against as many others
        quantiles.append(float(np.quantile(best, 0.95)))
        cells = _joint(cells, left.pop(name))
    return quantiles


def _gain(cells: Codes, y: Codes, shuffled: Sequence[Codes]) -> float:
    """How much more order there is than in the shuffled codes, in bits."""
    size = int(y.max()) + 1
    null = [_entropy(cells * size + other) for other in shuffled]
    return float(np.mean(null)) - _entropy(cells * size + y)


def _shuffled_within(cells: Codes, y: Codes, generator: np.random.Generator) -> Codes:
    """The codes in random order within each cell."""
    here = np.argsort(cells, kind="stable")
    there = np.argsort(cells + generator.random(len(cells)))
    result = np.empty_like(y)
    result[here] = y[there]
    return result


def _joint(first: Codes, second: Codes) -> Codes:
    """One code for each pair of codes, without gaps."""
    joined = first * (int(second.max(initial=0)) + 1) + second
    return np.asarray(np.unique(joined, return_inverse=True)[1], dtype=np.int64)


def _entropy(codes: Codes) -> float:
    """Entropy of the observed shares, in bits."""
    counts = np.bincount(codes)
    counts = counts[counts > 0]
    return float(math.log2(len(codes)) - (counts * np.log2(counts)).sum() / len(codes))


_INFORMATION_SCHEMA: dict[str, Any] = {
    "proxy": pl.String,
    "n": pl.Int64,
    "bins": pl.Int64,
    "plug_in": pl.Float64,
    "null_mean": pl.Float64,
    "null_high": pl.Float64,
    "information": pl.Float64,
    "p_value": pl.Float64,
}

_CURVE_SCHEMA: dict[str, Any] = {
    "step": pl.Int64,
    "proxy": pl.String,
    "n": pl.Int64,
    "gain": pl.Float64,
    "gain_high": pl.Float64,
    "information": pl.Float64,
    "plug_in": pl.Float64,
    "null_information": pl.Float64,
    "null_high": pl.Float64,
    "null_plug_in": pl.Float64,
}
