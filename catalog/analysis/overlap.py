"""Which proxies choose the same architectures."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import ArrayLike

from catalog.analysis.independence import Ranks, square
from catalog.analysis.ranking import chances_of_top


def top_overlap(columns: Mapping[str, ArrayLike], share: float = 0.1) -> pl.DataFrame:
    """Share of architectures that two columns have in common among the best ``ceil(share * n)`` of each.

    Each pair is compared on the rows that have both. Where rows tie for the last places of a top, each of them belongs
    to it with an equal chance; in common it is with the smaller of its two chances, as if both sides drew lots once, so
    that a copy has all in common with its original.

    Returns
    -------
    polars.DataFrame
        ``proxy``, and one column a column, in the same order: 1 for the same top, about `share` for unrelated ones;
        NULL where no row has both.
    """
    ranks = Ranks.of(columns)
    names = list(columns)
    matrix = np.full((len(names), len(names)), math.nan)
    for place, name in enumerate(names):
        for other in range(place + 1):
            rows = ranks.rows(name, names[other])
            count = math.ceil(share * int(rows.sum()))
            if count:
                chances = (chances_of_top(ranks.columns[side][rows], count) for side in (name, names[other]))
                matrix[place, other] = matrix[other, place] = np.minimum(*chances).sum() / count
    return square(names, matrix)
