r"""What a proxy's ranking is good for: precision at the top, NDCG, and the best architecture that it leads to.

Architectures that a proxy scores alike stand in no order. Every number here is the expectation over all orders that
they could be drawn in, so that the order of the rows decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import Ranking, top_rows
from catalog.analysis.intervals import intervals

if TYPE_CHECKING:
    from catalog.analysis.jackknife import Groups, Mask

Values = NDArray[np.float64]

PRECISION_SHARES = {"precision_1": 0.01, "precision_5": 0.05, "precision_10": 0.1}
BEST_COUNTS = (1, 5, 10, 100)
RANDOM = "random"
"""The name of the ranking that draws at random, in curves."""

_GAIN_SHARE = 0.1


def quality(scores: Mapping[str, ArrayLike], truth: ArrayLike) -> pl.DataFrame:
    """Precision, NDCG, best found and regret of each proxy, on the rows that have its score and the truth.

    Returns
    -------
    polars.DataFrame
        One row a proxy, NULL where a number is not defined:

        * ``proxy``, ``n``;
        * ``precision_1``, ``precision_5``, ``precision_10``: share of the proxy's best 1, 5, 10 % that belong to the
          true best 1, 5, 10 % (all that tie with the last of the true best belong to them);
        * ``ndcg``: `ndcg` at the top 10 %;
        * ``best_1``, ``best_5``, ``best_10``, ``best_100``: the best truth among the proxy's top k; NULL below k rows;
        * ``regret_1``, ``regret_5``, ``regret_10``, ``regret_100``: how far that is from the best of the rows.
    """
    target = np.asarray(truth, dtype=np.float64)
    rows = []
    for name, values in scores.items():
        column = np.asarray(values, dtype=np.float64)
        known = ~np.isnan(column) & ~np.isnan(target)
        rows.append({"proxy": name, "n": int(known.sum()), **_quality(column[known], target[known])})
    return pl.DataFrame(rows, schema=_QUALITY_SCHEMA)


def _quality(scores: Values, truth: Values) -> dict[str, float | None]:
    found: dict[str, float] = {column: precision(scores, truth, share) for column, share in PRECISION_SHARES.items()}
    found["ndcg"] = ndcg(scores, truth, _GAIN_SHARE)
    best = best_of_top(scores, truth, BEST_COUNTS)
    optimum = truth.max(initial=-math.inf)
    found |= {f"best_{count}": value for count, value in zip(BEST_COUNTS, best, strict=True)}
    found |= {
        f"regret_{count}": np.maximum(optimum - value, 0.0) for count, value in zip(BEST_COUNTS, best, strict=True)
    }
    return {column: None if math.isnan(value) else float(value) for column, value in found.items()}


def precision(scores: ArrayLike, truth: ArrayLike, share: float) -> float:
    """Expected share of the best ``ceil(share * n)`` rows by score that belong to the true best; NaN without rows."""
    target = np.asarray(truth, dtype=np.float64)
    if not len(target):
        return math.nan
    count = math.ceil(share * len(target))
    return float(chances_of_top(scores, count)[top_rows(target, share)].sum() / count)


def chances_of_top(scores: ArrayLike, count: int) -> Values:
    """(n,) the probability that a row is one of the best `count` when rows of equal score are drawn in random order."""
    values = np.asarray(scores, dtype=np.float64)
    if count >= len(values):
        return np.ones(len(values))
    last = np.partition(values, len(values) - count)[len(values) - count]
    above, tied = values > last, values == last
    return np.asarray(above + tied * ((count - above.sum()) / tied.sum()))


def ndcg(scores: ArrayLike, truth: ArrayLike, share: float = 1.0) -> float:
    r"""Normalised discounted cumulative gain of the best ``ceil(share * n)`` rows by score.

    Järvelin and Kekäläinen, ACM Transactions on Information Systems 20, 2002. The gain of a row is the share of the
    other rows that its truth beats (ties count half), so that a random order scores about one half at a small share,
    whatever the unit of the truth. NaN below two rows, and where the truth is constant.
    """
    ranking = Ranking(np.asarray(truth, dtype=np.float64))
    if len(ranking) < 2 or ranking.dense.max() == 0:
        return math.nan
    from sklearn.metrics import ndcg_score

    gain = ranking.centred / (len(ranking) - 1) + 0.5
    order = Ranking(np.asarray(scores, dtype=np.float64)).dense  # infinite scores are ranks like others
    return float(ndcg_score([gain], [order], k=math.ceil(share * len(ranking))))


def best_of_top(scores: ArrayLike, truth: ArrayLike, counts: Sequence[int]) -> Values:
    r"""Expected best truth among the top k rows by score, for each k of `counts`; NaN where k exceeds the rows.

    Of the g rows that tie for the last m places every set of m is as likely as another: the j-th smallest truth of them
    is the best drawn with the probability :math:`\binom{j - 1}{m - 1} / \binom{g}{m}`.
    """
    values, target = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    order = np.argsort(-values, kind="stable")
    ranked = values[order]
    best_so_far = np.maximum.accumulate(target[order])
    groups: dict[int, Values] = {}
    found = np.full(len(counts), math.nan)
    for place, count in enumerate(counts):
        if not 1 <= count <= len(values):
            continue
        start = int(np.searchsorted(-ranked, -ranked[count - 1], side="left"))
        end = int(np.searchsorted(-ranked, -ranked[count - 1], side="right"))
        if count == end:
            found[place] = best_so_far[count - 1]
            continue
        if start not in groups:
            groups[start] = np.sort(target[order[start:end]])[::-1]
        before = best_so_far[start - 1] if start else -math.inf
        found[place] = _expected_best(np.maximum(groups[start], before), count - start)
    return found


def _expected_best(falling: Values, drawn: int) -> float:
    """Expected maximum of `drawn` of the values, which fall, without replacement."""
    size = len(falling)
    rest = np.arange(size - 1, drawn - 1, -1)  # how many values are left when the best ones are known not to be drawn
    chances = drawn / size * np.cumprod(np.append(1.0, (rest - drawn + 1) / rest))
    return float((chances * falling[: len(chances)]).sum())


def any_time(
    scores: Mapping[str, ArrayLike], truth: ArrayLike, points: int = 40, *, random: ArrayLike | None = None
) -> pl.DataFrame:
    """The best truth found after k architectures, when they are trained in the order of a proxy.

    Parameters
    ----------
    scores, truth
        Turned so that higher is better, NaN where there is none.
    points
        How many k there are at the most.
    random
        (n,) the truth of the rows that chance draws from; by default all.

    Returns
    -------
    polars.DataFrame
        One row a proxy and k, k growing by a constant factor from 1 to the proxy's rows: ``proxy``, ``k``, ``best``,
        ``regret``. The last proxy is ``random``, which draws k of the rows.
    """
    target = np.asarray(truth, dtype=np.float64)
    rankings = {name: np.asarray(values, dtype=np.float64) for name, values in scores.items()}
    drawn = np.asarray(truth if random is None else random, dtype=np.float64)
    frames = []
    for name, column in {**rankings, RANDOM: np.where(np.isnan(drawn), np.nan, 0.0)}.items():
        known = ~np.isnan(column) & ~np.isnan(target)
        count = int(known.sum())
        counts = np.unique(np.geomspace(1, max(count, 1), points).round().astype(np.int64))[: max(count, 0)]
        best = best_of_top(column[known], target[known], counts.tolist())
        regret = np.maximum(target[known].max(initial=-math.inf) - best, 0.0)
        frames.append(pl.DataFrame({"proxy": [name] * len(counts), "k": counts, "best": best, "regret": regret}))
    return pl.concat(frames).cast({"k": pl.Int64})


def by_quantile(
    scores: Mapping[str, ArrayLike], truth: ArrayLike, parts: int = 10, *, groups: Groups | None = None
) -> pl.DataFrame:
    """Correlation inside each part of the true ranking: where a proxy stops working.

    Parameters
    ----------
    scores, truth
        Turned so that higher is better, NaN where there is none.
    parts
        How many.
    groups
        (n,) equal numbers for rows that are one draw, such as architectures that compute the same function.

    Returns
    -------
    polars.DataFrame
        One row a proxy and part, the worst part first: ``proxy``, ``part``, ``from_share``, ``to_share`` (of the rows
        that have the truth and the score), ``n``, ``truth_low``, ``truth_high``, ``kendall_tau`` with its interval,
        ``spearman_rho``. Rows of equal truth share a part, so that parts may differ in size, or be empty.
    """
    target = np.asarray(truth, dtype=np.float64)
    rows = []
    for name, values in scores.items():
        column = np.asarray(values, dtype=np.float64)
        known = ~np.isnan(column) & ~np.isnan(target)
        inside, ranked = target[known], column[known]
        draws = None if groups is None else groups[known]
        places = _parts_of(inside, parts)
        for part in range(parts):
            rows.append(
                {
                    "proxy": name,
                    "part": part + 1,
                    "from_share": part / parts,
                    "to_share": (part + 1) / parts,
                    **_inside(ranked, inside, places == part, draws),
                }
            )
    return pl.DataFrame(rows, schema=_QUANTILE_SCHEMA)


def _parts_of(truth: Values, parts: int) -> NDArray[np.int64]:
    """(n,) the part of each row, 0 the worst; rows of equal truth share the part of their mean rank."""
    shares = (Ranking(truth).centred + len(truth) / 2) / max(len(truth), 1)
    return np.minimum((shares * parts).astype(np.int64), parts - 1)


def _inside(scores: Values, truth: Values, rows: Mask, groups: Groups | None) -> dict[str, float | int | None]:
    tau, rho = intervals(Ranking(scores[rows]), Ranking(truth[rows]), None if groups is None else groups[rows])
    return {
        "n": int(rows.sum()),
        "truth_low": float(truth[rows].min()) if rows.any() else None,
        "truth_high": float(truth[rows].max()) if rows.any() else None,
        **tau.named("kendall_tau"),
        "spearman_rho": None if math.isnan(rho.value) else rho.value,
    }


_QUALITY_SCHEMA = {
    "proxy": pl.String,
    "n": pl.Int64,
    **dict.fromkeys(PRECISION_SHARES, pl.Float64),
    "ndcg": pl.Float64,
    **{f"best_{count}": pl.Float64 for count in BEST_COUNTS},
    **{f"regret_{count}": pl.Float64 for count in BEST_COUNTS},
}

_QUANTILE_SCHEMA = {
    "proxy": pl.String,
    "part": pl.Int64,
    "from_share": pl.Float64,
    "to_share": pl.Float64,
    "n": pl.Int64,
    "truth_low": pl.Float64,
    "truth_high": pl.Float64,
    "kendall_tau": pl.Float64,
    "kendall_tau_low": pl.Float64,
    "kendall_tau_high": pl.Float64,
    "spearman_rho": pl.Float64,
}
