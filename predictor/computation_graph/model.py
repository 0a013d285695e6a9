"""What few labels teach: that of `predictor.few_label`, blended with the zero-shot score as far as the labels allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.few_label.groups import Frozen, Inputs
from predictor.few_label.intervals import widening
from predictor.few_label.kernels import Values
from predictor.few_label.model import Model as FewLabelModel

TREES = 200
PRIOR = 20.0
"""Labels that speak for the zero-shot score alone before any is seen, and for `SLOPE`."""
SLOPE = 0.8
"""What a standard normal zero-shot score is worth in normal scores of the labels, before any is seen."""


@dataclass(frozen=True)
class Model:
    """What was learned from N labels.

    Parameters
    ----------
    learned
        Process and trees.
    share
        Of these in the mean; the rest is the zero-shot score.
    slope
        On the zero-shot score.
    """

    learned: FewLabelModel
    share: float
    slope: float

    @classmethod
    def fit(cls, inputs: Inputs, labels: Values, *, seed: int) -> Model:
        """Learn from labels of which higher ones are better."""
        learned, left_out = FewLabelModel.fit_and_leave_out(inputs, labels, trees=TREES, seed=seed)
        zero_shot, scores = zero_shot_of(inputs), learned.labels
        if zero_shot is None:
            return cls(learned, 1.0, 0.0)
        slope = slope_of(zero_shot, scores)
        share = share_of_labels(scores, left_out.means, slope * zero_shot)
        mean = share * left_out.means + (1.0 - share) * slope * zero_shot
        return cls(replace(learned, width=widening(scores - mean, left_out.deviations)), share, slope)

    def predict(self, inputs: Inputs) -> tuple[Values, Values]:
        """(A,) mean and spread, in normal scores of the labels."""
        mean, spread = self.learned.predict(inputs)
        if (zero_shot := zero_shot_of(inputs)) is not None:
            mean = self.share * mean + (1.0 - self.share) * self.slope * zero_shot
        return mean, spread

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays by name."""
        return self.learned.state() | {"zero_shot.joined": np.array([self.share, self.slope])}

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]], frozen: Frozen) -> Model:
        """Take back what `state` gave."""
        return cls(FewLabelModel.restored(state, frozen), *state["zero_shot.joined"].tolist())


def zero_shot_of(inputs: Inputs) -> Values | None:
    """(A,) the first zero-shot score as a standard normal number; None where there is none."""
    if not len(inputs.scores):
        return None
    return np.asarray(inputs.scores[0] * np.sqrt(len(inputs.scores)))


def slope_of(zero_shot: Values, labels: Values) -> float:
    """What the score is worth, as labels and `PRIOR` say; never below 0."""
    return max(0.0, float(labels @ zero_shot + PRIOR * SLOPE) / float(zero_shot @ zero_shot + PRIOR))


def share_of_labels(labels: Values, learned: Values, zero_shot: Values) -> float:
    """The share, from 0 to 1, with the smallest squared error on labels that were left out.

    As for the trees of `predictor.few_label.blend`, but that `PRIOR` labels speak for the zero-shot score: with hardly
    a label the order stays its order. What they say fades with the square of the number of labels beyond as many.
    """
    apart = learned - zero_shot
    spread = float(apart @ apart)
    if spread == 0.0:
        return 0.0
    prior = PRIOR * min(1.0, PRIOR / len(labels)) ** 2 * spread / len(labels)
    return float(np.clip(apart @ (labels - zero_shot) / (spread + prior), 0.0, 1.0))
