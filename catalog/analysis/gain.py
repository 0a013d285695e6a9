r"""What a proxy adds to the others: the tau that a regression on all of them loses without it, on rows it never saw.

The regression is additive, of ranks on ranks: each proxy enters by the cubic B-splines of its rank, with a ridge
penalty, so that a proxy that rises and falls again with the truth can say so. Proxies that rank identically enter once.
An interaction of proxies is not modelled: `catalog.analysis.information.information_curve` sees these.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import Ranking, kendall_tau
from catalog.analysis.joint_rows import JointRows
from catalog.analysis.significance import holm, p_value, t_quantile

Values = NDArray[np.float64]
Rows = NDArray[np.int64]

_KNOTS = 5
_PENALTY = 1.0
_ROWS_PER_FOLD = 10


def added_gain(
    scores: Mapping[str, ArrayLike],
    truth: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    folds: int = 10,
    seed: int = 0,
) -> pl.DataFrame:
    r"""Cross-validated tau of all proxies together, of all but one, and the difference: what that one adds.

    The interval is that of the mean over the folds with the variance that Nadeau and Bengio (Machine Learning 52, 2003)
    give it, :math:`(1 / k + n_{test} / n_{train}) s^2`, because the folds share most of their training rows.

    Parameters
    ----------
    scores, truth
        Turned so that higher is better; the rows that `JointRows` keeps are used.
    groups
        Rows of one group share a fold, as architectures that compute the same function should.
    folds
        Number of parts; fewer where there would be less than ten rows in one.
    seed
        Of the sample and of the folds.

    Returns
    -------
    polars.DataFrame
        One row a proxy, in the order of `scores`: ``proxy``, ``n``, ``all_kendall_tau``, ``without_kendall_tau`` (0 if
        there is no other proxy), ``gain``, ``gain_low``, ``gain_high``, ``p_value`` (of no gain), ``p_holm``; NULL for
        a proxy that covers too few rows, and for all below twenty rows.
    """
    model = _Additive.of(scores, truth, groups, folds, seed)
    rows: list[dict[str, Any]] = [{"proxy": name} for name in scores]
    if model is not None:
        whole = model.fold_taus(list(model.places))
        for row in rows:
            if row["proxy"] in model.places:
                others = [name for name in model.places if name != row["proxy"]]
                row |= {"n": len(model), **_gain(whole, model.fold_taus(others))}
    corrected = holm([math.nan if (chance := row.get("p_value")) is None else chance for row in rows])
    frame = pl.DataFrame(rows, schema=_GAIN_SCHEMA)
    return frame.with_columns(p_holm=pl.Series(corrected, dtype=pl.Float64).fill_nan(None))


def best_pairs(
    scores: Mapping[str, ArrayLike],
    truth: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    folds: int = 10,
    seed: int = 0,
    count: int = 10,
) -> pl.DataFrame:
    """The pairs of proxies that rank best together, by the same regression on rows that it never saw.

    Returns
    -------
    polars.DataFrame
        At most `count` rows, best first: ``first``, ``second``, ``n``, ``kendall_tau`` out of fold,
        ``best_single`` (which of the two ranks better by such a regression alone), ``best_single_kendall_tau``,
        ``gain`` (what the pair's tau is above that one's), ``p_corrected`` (of no gain, times the number of all pairs:
        the best of many gains is large by chance). Each tau and the gain are means over the folds, with intervals as in
        `added_gain`: the rows of two folds are predicted by two regressions, whose ties are none between them.
    """
    model = _Additive.of(scores, truth, groups, folds, seed)
    if model is None:
        return pl.DataFrame(schema=_PAIR_SCHEMA)
    alone = {name: model.fold_taus([name]) for name in model.places}
    pairs = [(model.fold_taus(list(pair)), *pair) for pair in combinations(model.places, 2)]
    best = sorted(pairs, key=lambda pair: -float(pair[0].mean()))[:count]
    rows = []
    for taus, first, second in best:
        single = max((first, second), key=lambda name: float(alone[name].mean()))
        over_single = _gain(taus, alone[single])
        margin = _margin(taus)
        rows.append(
            {
                "first": first,
                "second": second,
                "n": len(model),
                "kendall_tau": over_single["all_kendall_tau"],
                "kendall_tau_low": float(taus.mean()) - margin,
                "kendall_tau_high": float(taus.mean()) + margin,
                "best_single": single,
                "best_single_kendall_tau": over_single["without_kendall_tau"],
                **{column: over_single[column] for column in ("gain", "gain_low", "gain_high")},
                "p_corrected": None if (chance := over_single["p_value"]) is None else min(1.0, chance * len(pairs)),
            }
        )
    return pl.DataFrame(rows, schema=_PAIR_SCHEMA)


def _gain(whole: Values, without: Values) -> dict[str, float | None]:
    differences = whole - without
    count = len(differences)
    gain = float(differences.mean())
    margin = _margin(differences)
    found = {
        "all_kendall_tau": float(whole.mean()),
        "without_kendall_tau": float(without.mean()),
        "gain": gain,
        "gain_low": gain - margin,
        "gain_high": gain + margin,
        "p_value": p_value(gain, _error(differences), count),
    }
    return {column: None if math.isnan(value) else value for column, value in found.items()}


def _error(taus: Values) -> float:
    """Standard error of a mean over folds, by Nadeau and Bengio."""
    count = len(taus)
    tested = 1 / count  # share of the rows in a fold
    return math.sqrt((1 / count + tested / (1 - tested)) * taus.var(ddof=1))


def _margin(taus: Values) -> float:
    """Half the 95 % interval of a mean over folds."""
    return t_quantile(len(taus)) * _error(taus)


@dataclass(frozen=True, eq=False)
class _Additive:
    """Ridge regressions of the truth's rank on splines of the proxies' ranks, one a set of proxies and fold.

    Rows are sorted by fold. What the fits need of the training rows are sums of products, which are those of all rows
    less the fold's.

    Parameters
    ----------
    design
        (n, p) splines of all proxies.
    places
        Proxy to its columns of the design.
    truth
        (n,) what is predicted.
    draws
        (n,) equal numbers for rows of one group.
    starts
        (k + 1,) the first row of each fold, and n.
    products, answers
        (k, p, p) and (k, p) sums of products of the rows outside each fold: of the splines, and with the truth's rank.
    """

    design: Values
    places: dict[str, Rows]
    truth: Values
    draws: Rows
    starts: Rows
    products: Values
    answers: Values

    @classmethod
    def of(
        cls, scores: Mapping[str, ArrayLike], truth: ArrayLike, groups: ArrayLike | None, folds: int, seed: int
    ) -> _Additive | None:
        """The regressions on the common rows; None where they are too few."""
        joint = JointRows.of(scores, truth, seed)
        folds = min(folds, len(joint) // _ROWS_PER_FOLD)
        if folds < 2:
            return None
        labels = np.unique(joint.rows if groups is None else np.asarray(groups)[joint.rows], return_inverse=True)[1]
        parts = _folds(labels, folds, np.random.default_rng(seed))
        order = np.argsort(parts, kind="stable")
        starts = np.append(np.flatnonzero(np.diff(parts[order], prepend=-1)), len(parts))
        if len(starts) < 3:
            return None
        design, places = _splines(joint.columns)
        design, target = design[order], joint.truth[order]
        answer = Ranking(target).centred / len(target)
        inside = [slice(start, end) for start, end in pairwise(starts)]
        products = np.stack([design[rows].T @ design[rows] for rows in inside])
        answers = np.stack([design[rows].T @ answer[rows] for rows in inside])
        products, answers = products.sum(axis=0) - products, answers.sum(axis=0) - answers
        return cls(design, places, target, labels[order], starts, products, answers)

    def __len__(self) -> int:
        return len(self.truth)

    def predicted(self, names: Sequence[str]) -> Values:
        """(n,) the truth's rank as the regression on these proxies predicts it, fitted without the row's fold."""
        places = np.unique(np.concatenate([self.places[name] for name in names])) if names else np.zeros(0, np.int64)
        predictions = np.zeros(len(self))
        for fold, (start, end) in enumerate(pairwise(self.starts)):
            penalised = self.products[fold][np.ix_(places, places)] + _PENALTY * np.eye(len(places))
            weights = np.linalg.solve(penalised, self.answers[fold][places])
            predictions[start:end] = self.design[start:end, places] @ weights
        return np.asarray(predictions.round(9))  # equal scores predict equal ranks, whatever the last digits say

    def fold_taus(self, names: Sequence[str]) -> Values:
        """(k,) tau-b in each fold; 0 where the predictions are constant."""
        predictions = self.predicted(names)
        parts = zip(np.split(predictions, self.starts[1:-1]), np.split(self.truth, self.starts[1:-1]), strict=True)
        taus = [kendall_tau(predicted, truth) for predicted, truth in parts]
        return np.array([0.0 if math.isnan(tau) else tau for tau in taus])


def _folds(labels: NDArray[np.generic], folds: int, generator: np.random.Generator) -> Rows:
    """(n,) each row's fold: random, of about equal sizes, one for all rows of a label; a large label fills several."""
    _, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = generator.permutation(len(counts))
    before = np.cumsum(counts[order]) - counts[order]
    fold_of = np.empty(len(counts), dtype=np.int64)
    fold_of[order] = before * folds // len(labels)
    return np.asarray(fold_of[codes])


def _splines(columns: Mapping[str, Values]) -> tuple[Values, dict[str, Rows]]:
    """(n, p) centred splines of the ranks, and each proxy's places among them, which proxies that rank alike share."""
    from sklearn.preprocessing import SplineTransformer

    rankings = {name: Ranking(values) for name, values in columns.items()}
    alike: dict[bytes, Rows] = {}
    blocks: list[Values] = []
    places = {}
    for name, ranking in rankings.items():
        key = ranking.dense.tobytes()
        if key not in alike:
            shares = (ranking.centred / len(ranking) + 0.5).reshape(-1, 1)
            spline = SplineTransformer(_KNOTS, knots=np.linspace(0, 1, _KNOTS).reshape(-1, 1), include_bias=False)
            block = spline.fit_transform(shares)
            alike[key] = len(blocks) * block.shape[1] + np.arange(block.shape[1])
            blocks.append(block - block.mean(axis=0))
        places[name] = alike[key]
    return np.concatenate(blocks, axis=1), places


_GAIN_SCHEMA: dict[str, Any] = {
    "proxy": pl.String,
    "n": pl.Int64,
    "all_kendall_tau": pl.Float64,
    "without_kendall_tau": pl.Float64,
    "gain": pl.Float64,
    "gain_low": pl.Float64,
    "gain_high": pl.Float64,
    "p_value": pl.Float64,
}

_PAIR_SCHEMA: dict[str, Any] = {
    "first": pl.String,
    "second": pl.String,
    "n": pl.Int64,
    **{f"kendall_tau{end}": pl.Float64 for end in ("", "_low", "_high")},
    "best_single": pl.String,
    "best_single_kendall_tau": pl.Float64,
    **{f"gain{end}": pl.Float64 for end in ("", "_low", "_high")},
    "p_corrected": pl.Float64,
}
