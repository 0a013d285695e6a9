"""How much of the trees goes into the mean: chosen by what both predict of labels that they did not see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

FOLDS = 5
_PRIOR = 25.0  # labels that speak for equal shares before any is seen


def folds(labels: int, seed: int, count: int = FOLDS) -> list[NDArray[np.intp]]:
    """Places of the labels in `count` random parts of about one size; as many parts as labels if those are fewer."""
    order = np.random.default_rng(seed).permutation(labels)
    return [np.sort(part) for part in np.array_split(order, min(count, labels))]


def share_of_trees(labels: Values, process: Values, trees: Values) -> float:
    """The share, from 0 to 1, with the smallest squared error on labels that were left out.

    A few labels say little about it: equal shares are assumed as strongly as by `_PRIOR` labels whose two predictions
    differ as these do.
    """
    apart = trees - process
    spread = float(apart @ apart)
    if spread == 0.0:
        return 0.5
    prior = _PRIOR * spread / len(labels)
    best = (float(apart @ (labels - process)) + 0.5 * prior) / (spread + prior)
    return float(np.clip(best, 0.0, 1.0))
