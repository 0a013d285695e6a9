"""Labels as normal scores: what a process with Gaussian noise can learn, whatever the labels' distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Values = NDArray[np.float64]


def normal_scores(values: Values) -> Values:
    """(A,) what standard normal numbers of the same ranks would be (Blom 1958); equal values score alike."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]  # from 1; scipy.stats has them, but takes long to import
    return np.asarray(ndtri((ranks - 0.375) / (len(values) + 0.25)))


@dataclass(frozen=True)
class Distribution:
    """A frozen empirical distribution: a number's normal score does not depend on which others are asked about.

    Parameters
    ----------
    knots
        (K,) distinct numbers, ascending.
    scores
        (K,) their normal scores. Between two knots the score is on the line, beyond the last ones it is the last's.
    """

    knots: Values
    scores: Values

    @classmethod
    def of(cls, values: Values, most: int = 512) -> Distribution:
        """The distribution of finite numbers, in at most so many knots."""
        knots, first = np.unique(values, return_index=True)
        scores = normal_scores(values)[first]
        if len(knots) > most:
            chosen = np.unique(np.linspace(0, len(knots) - 1, most).round().astype(int))
            knots, scores = knots[chosen], scores[chosen]
        return cls(knots, scores)

    def score(self, values: Values) -> Values:
        """(A,) normal scores; NaN stays NaN."""
        return np.asarray(np.interp(values, self.knots, self.scores))
