"""Do proxies say the same thing: Spearman's rho among them, clusters, and rho with the truth given a third number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.correlation import Ranking, spearman
from catalog.analysis.intervals import NORMAL_QUANTILE
from catalog.analysis.jackknife import Groups

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

Branch = tuple[tuple[float, ...], tuple[float, ...]]


@dataclass(frozen=True, eq=False)
class Ranks:
    """Rankings of columns on any rows, each computed once.

    Parameters
    ----------
    columns
        Name to (n,) values, NaN where there is none.
    """

    columns: Mapping[str, Values]
    _found: dict[tuple[str, bytes], Ranking] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, columns: Mapping[str, ArrayLike]) -> Ranks:
        """The columns as numbers."""
        return cls({name: np.asarray(values, dtype=np.float64) for name, values in columns.items()})

    def rows(self, *names: str) -> Mask:
        """(n,) rows that have all of the named columns."""
        return np.asarray(np.logical_and.reduce([~np.isnan(self.columns[name]) for name in names]))

    def ranking(self, name: str, rows: Mask) -> Ranking:
        """The ranking of one column on `rows`."""
        key = name, np.packbits(rows).tobytes()
        if key not in self._found:
            self._found[key] = Ranking(self.columns[name][rows])
        return self._found[key]

    def rho(self, first: str, second: str, rows: Mask | None = None) -> float:
        """Spearman's rho of two columns on `rows`, by default those that have both; NaN where a side is constant."""
        common = self.rows(first, second) if rows is None else rows
        return spearman(self.ranking(first, common), self.ranking(second, common))

    def residuals(self, name: str, given: str, rows: Mask) -> Values:
        """What the ranks of one column on `rows` are beyond a straight line in those of another."""
        ranks, control = self.ranking(name, rows).centred, self.ranking(given, rows).centred
        spread = float((control**2).sum())
        return ranks - control * (float((ranks * control).sum()) / spread if spread > 0 else 0.0)


def spearman_matrix(columns: Mapping[str, ArrayLike]) -> pl.DataFrame:
    """Spearman's rho of all pairs of columns, each on the rows that have both.

    Returns
    -------
    polars.DataFrame
        ``proxy``, and one column a column, in the same order; NULL where rho is not defined.
    """
    ranks = Ranks.of(columns)
    names = list(columns)
    matrix = np.full((len(names), len(names)), math.nan)
    for place, name in enumerate(names):
        for other in range(place + 1):
            matrix[place, other] = matrix[other, place] = ranks.rho(name, names[other])
    return square(names, matrix)


def square(names: Sequence[str], matrix: Values) -> pl.DataFrame:
    """A matrix with a name for each row and column; NaN becomes NULL."""
    data = {name: pl.Series(matrix[:, place]).fill_nan(None) for place, name in enumerate(names)}
    return pl.DataFrame({"": list(names)}, schema={"": pl.String}).hstack(pl.DataFrame(data)).rename({"": "proxy"})


@dataclass(frozen=True)
class Clustering:
    """Proxies that agree, side by side.

    Parameters
    ----------
    order
        The names from left to right.
    linkage
        (m - 1, 4) as `scipy.cluster.hierarchy.linkage` gives it.
    branches
        The dendrogram: of each junction four x, in which the names stand at 0, 1, 2, ..., and four heights.
    """

    order: list[str]
    linkage: Values
    branches: list[Branch]


def cluster(matrix: pl.DataFrame) -> Clustering:
    r"""Average-linkage clustering by the distance :math:`1 - |\rho|`: a proxy and its opposite know the same.

    Parameters
    ----------
    matrix
        As `spearman_matrix` gives it; a pair without rho is as far apart as can be.
    """
    names = matrix["proxy"].to_list()
    if len(names) < 2:
        return Clustering(names, np.zeros((0, 4)), [])
    from scipy.cluster.hierarchy import dendrogram, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - np.abs(matrix.select(names).to_numpy())
    distance = np.clip(np.nan_to_num(distance, nan=1.0), 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    found = linkage(squareform(distance, checks=False), method="average", optimal_ordering=True)
    tree = dendrogram(found, no_plot=True)
    # scipy puts the leaves at 5, 15, 25, ...
    branches = [
        (tuple((x - 5) / 10 for x in across), tuple(map(float, up)))
        for across, up in zip(tree["icoord"], tree["dcoord"], strict=True)
    ]
    return Clustering([names[leaf] for leaf in tree["leaves"]], np.asarray(found), branches)


def partial_spearman(
    scores: Mapping[str, ArrayLike],
    truth: ArrayLike,
    controls: Mapping[str, ArrayLike],
    *,
    groups: Groups | None = None,
) -> pl.DataFrame:
    r"""Spearman's rho of each proxy with the truth when a control, such as params, is held fixed.

    :math:`\rho_{xy \cdot z} = (\rho_{xy} - \rho_{xz} \rho_{yz}) / \sqrt{(1 - \rho_{xz}^2)(1 - \rho_{yz}^2)}`, on the
    rows that have all three. The interval is Fisher's with the variance :math:`(1 + \rho^2 / 2) / (n - 4)` (Bonett and
    Wright, Psychometrika 65, 2000, with one row less for the control). With groups, such as architectures that compute
    the same function, n counts as many independent rows as would vary as much.

    Returns
    -------
    polars.DataFrame
        One row a control and proxy: ``control``, ``proxy``, ``n``, ``spearman_rho`` (on the same rows),
        ``partial_rho``, ``partial_rho_low``, ``partial_rho_high``; NULL where a number is not defined, as for a proxy
        that ranks exactly as the control does.
    """
    # Names of three roles may coincide, so the columns are numbered.
    ranks = Ranks.of(
        dict(_numbered("truth", {"": truth}) | _numbered("proxy", scores) | _numbered("control", controls))
    )
    rows = []
    for control in controls:
        for name in scores:
            x, y, z = f"proxy {name}", "truth ", f"control {control}"
            common = ranks.rows(x, y, z)
            rho = ranks.rho(x, y, common)
            partial = _partial(rho, ranks.rho(x, z, common), ranks.rho(y, z, common))
            own, others = ranks.residuals(x, z, common), ranks.residuals(y, z, common)
            draws = _independent_rows(own, others, None if groups is None else groups[common])
            low, high = _fisher_interval(partial, draws)
            values = {"spearman_rho": rho, "partial_rho": partial, "partial_rho_low": low, "partial_rho_high": high}
            defined = {column: None if math.isnan(value) else value for column, value in values.items()}
            rows.append({"control": control, "proxy": name, "n": int(common.sum()), **defined})
    return pl.DataFrame(rows, schema=_PARTIAL_SCHEMA)


def _numbered(role: str, columns: Mapping[str, ArrayLike]) -> dict[str, ArrayLike]:
    return {f"{role} {name}": values for name, values in columns.items()}


def _partial(rho: float, with_control: float, truth_with_control: float) -> float:
    spread = (1 - with_control**2) * (1 - truth_with_control**2)
    if math.isnan(rho) or not spread > 1e-12:
        return math.nan
    return max(-1.0, min(1.0, (rho - with_control * truth_with_control) / math.sqrt(spread)))


def _independent_rows(first: Values, second: Values, groups: Groups | None) -> float:
    """How many independent rows would let the correlation of two sides vary as much as these grouped ones do.

    A row moves a correlation r of standardised x and y by x y - r (x² + y²) / 2, and rows of a group move it together.
    """
    count = len(first)
    spread = math.sqrt(float((first**2).sum() * (second**2).sum()))
    if groups is None or spread == 0:
        return float(count)
    x, y = first / math.sqrt(float((first**2).mean())), second / math.sqrt(float((second**2).mean()))
    moves = x * y - float((x * y).mean()) * (x**2 + y**2) / 2
    together = np.bincount(np.unique(groups, return_inverse=True)[1], weights=moves)
    apart, grouped = float((moves**2).sum()), float((together**2).sum())
    return count * min(1.0, apart / grouped) if grouped > 0 else float(count)


def _fisher_interval(rho: float, count: float) -> tuple[float, float]:
    if math.isnan(rho) or abs(rho) == 1 or count < 5:
        return math.nan, math.nan
    margin = NORMAL_QUANTILE * math.sqrt((1 + rho**2 / 2) / (count - 4))
    return math.tanh(math.atanh(rho) - margin), math.tanh(math.atanh(rho) + margin)


_PARTIAL_SCHEMA: dict[str, Any] = {
    "control": pl.String,
    "proxy": pl.String,
    "n": pl.Int64,
    "spearman_rho": pl.Float64,
    "partial_rho": pl.Float64,
    "partial_rho_low": pl.Float64,
    "partial_rho_high": pl.Float64,
}
