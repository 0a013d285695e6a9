"""What few labels teach: a process on frozen inputs, blended with the zero-shot score as far as the labels allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictor.few_label.blend import folds
from predictor.few_label.groups import Inputs
from predictor.few_label.intervals import widening
from predictor.few_label.kernels import Values
from predictor.few_label.labels import normal_scores
from predictor.few_label.process import Process

PRIOR = 20.0
"""Labels that speak for the zero-shot score alone before any is seen, and for `SLOPE`."""
SLOPE = 0.8
"""What a standard normal zero-shot score is worth in normal scores of the labels, before any is seen."""


@dataclass(frozen=True)
class Model:
    """What was learned from N labels.

    Parameters
    ----------
    inputs
        Of the labelled architectures.
    labels
        (N,) normal scores.
    process
        The learner.
    share
        Of the process in the mean; the rest is the zero-shot score.
    slope
        On the zero-shot score.
    width
        Factor on the process's deviations.
    """

    inputs: Inputs
    labels: Values
    process: Process
    share: float
    slope: float
    width: float

    @classmethod
    def fit(cls, inputs: Inputs, labels: Values, *, seed: int) -> Model:
        """Learn from labels of which higher ones are better."""
        scores = normal_scores(labels)
        pairs = inputs.pairs(inputs)
        process = Process.fit(pairs, scores, seed=seed)
        mean, deviation = process.left_out(pairs, scores, folds(len(scores), seed))
        share, slope = 1.0, 0.0
        if (zero_shot := zero_shot_of(inputs)) is not None:
            slope = slope_of(zero_shot, scores)
            share = share_of_process(scores, mean, slope * zero_shot)
            mean = share * mean + (1.0 - share) * slope * zero_shot
        return cls(inputs, scores, process, share, slope, widening(scores - mean, deviation))

    def predict(self, inputs: Inputs) -> tuple[Values, Values]:
        """(A,) mean and spread, in normal scores of the labels."""
        mean, deviation = self.process.predict(inputs.pairs(self.inputs), inputs.scores)
        if (zero_shot := zero_shot_of(inputs)) is not None:
            mean = self.share * mean + (1.0 - self.share) * self.slope * zero_shot
        return mean, deviation * self.width

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays by name."""
        state: dict[str, NDArray[Any]] = {f"inputs.{name}": values for name, values in self.inputs.dense.items()}
        numbers = np.array([self.share, self.slope, self.width])
        return state | {
            "scores": self.inputs.scores,
            "labels": self.labels,
            "theta": self.process.theta,
            "joined": numbers,
        }

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]], groups: Mapping[str, object]) -> Model:
        """Take back what `state` gave; the process is worked out again from its hyper-parameters."""
        inputs = Inputs({name: state[f"inputs.{name}"] for name in groups}, {}, state["scores"])
        process = Process.with_theta(state["theta"], inputs.pairs(inputs), state["labels"])
        share, slope, width = state["joined"].tolist()
        return cls(inputs, state["labels"], process, share, slope, width)


def zero_shot_of(inputs: Inputs) -> Values | None:
    """(A,) the first zero-shot score as a standard normal number; None where there is none."""
    if not len(inputs.scores):
        return None
    return np.asarray(inputs.scores[0] * np.sqrt(len(inputs.scores)))


def slope_of(zero_shot: Values, labels: Values) -> float:
    """What the score is worth, as labels and `PRIOR` say; never below 0."""
    return max(0.0, float(labels @ zero_shot + PRIOR * SLOPE) / float(zero_shot @ zero_shot + PRIOR))


def share_of_process(labels: Values, process: Values, zero_shot: Values) -> float:
    """The share, from 0 to 1, with the smallest squared error on labels that were left out.

    As for the trees of `predictor.few_label.blend`, but that `PRIOR` labels speak for the zero-shot score: with hardly
    a label the order stays its order.
    """
    apart = process - zero_shot
    spread = float(apart @ apart)
    if spread == 0.0:
        return 0.0
    prior = PRIOR * spread / len(labels)
    return float(np.clip(apart @ (labels - zero_shot) / (spread + prior), 0.0, 1.0))
