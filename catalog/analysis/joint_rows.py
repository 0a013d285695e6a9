"""Which proxies, and which rows, an analysis of several proxies together uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from catalog.analysis.common_rows import in_common

Values = NDArray[np.float64]
Rows = NDArray[np.int64]

MOST_ROWS = 20_000
"""Of more rows a sample is drawn, where an analysis repeats itself hundreds of times."""


@dataclass(frozen=True, eq=False)
class JointRows:
    """Proxies with the truth, on rows where all of them have a value.

    Parameters
    ----------
    columns
        Name to (m,) scores of the proxies that cover enough.
    truth
        (m,) what they are to rank.
    rows
        (m,) where these rows stand among all.
    """

    columns: dict[str, Values]
    truth: Values
    rows: Rows

    @classmethod
    def of(
        cls, scores: Mapping[str, ArrayLike], truth: ArrayLike, seed: int, groups: ArrayLike | None = None
    ) -> JointRows:
        """The common rows of the proxies that cover enough, or a sample of `MOST_ROWS`; with `groups`, one of each."""
        target = np.asarray(truth, dtype=np.float64)
        columns = {name: np.asarray(values, dtype=np.float64) for name, values in scores.items()}
        known = {name: ~np.isnan(values) & ~np.isnan(target) for name, values in columns.items()}
        common = in_common(known)
        rows = sample(one_of_each(np.flatnonzero(common.rows), groups), seed)
        return cls({name: columns[name][rows] for name in common.members}, target[rows], rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"JointRows({len(self)} rows, {', '.join(self.columns) or 'no proxies'})"


def one_of_each(rows: Rows, groups: ArrayLike | None) -> Rows:
    """The first row of each group, in their order; all rows without groups.

    A permutation is as likely as another only among rows that could have been drawn apart, which twins could not.
    """
    if groups is None:
        return rows
    _, first = np.unique(np.asarray(groups)[rows], return_index=True)
    return rows[np.sort(first)]


def sample(rows: Rows, seed: int) -> Rows:
    """At most `MOST_ROWS` of the rows, drawn without replacement, in their order."""
    if len(rows) <= MOST_ROWS:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, MOST_ROWS, replace=False))
