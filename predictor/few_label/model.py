"""The process and the trees together: learned from the inputs of some architectures, and asked about others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from predictor.few_label.blend import folds, share_of_trees
from predictor.few_label.groups import Frozen, Inputs
from predictor.few_label.histogram import Histogram
from predictor.few_label.intervals import widening
from predictor.few_label.kernels import Pairs, Values
from predictor.few_label.labels import Distribution
from predictor.few_label.process import Process
from predictor.few_label.trees import Forest

TREES_OF_A_FOLD = 50
_AT_ONCE = 4096  # architectures whose distances are in memory


@dataclass(frozen=True)
class LeftOut:
    """What was predicted of N labels by models that had not seen them.

    Parameters
    ----------
    means
        (N,) of process and trees.
    deviations
        (N,) of the process.
    """

    means: Values
    deviations: Values


@dataclass(frozen=True)
class Model:
    """What was learned from N labels.

    Parameters
    ----------
    inputs
        Of the labelled architectures.
    labels
        (N,) normal scores.
    distribution
        From labels to normal scores.
    process, forest
        The two learners; no forest where there are no plain numbers.
    share
        Of the trees in the mean.
    width
        Factor on the process's deviations.
    """

    inputs: Inputs
    labels: Values
    distribution: Distribution
    process: Process
    forest: Forest | None
    share: float
    width: float

    @classmethod
    def fit(cls, inputs: Inputs, labels: Values, *, trees: int, seed: int) -> Model:
        """Learn from labels of which higher ones are better."""
        return cls.fit_and_leave_out(inputs, labels, trees=trees, seed=seed)[0]

    @classmethod
    def fit_and_leave_out(cls, inputs: Inputs, labels: Values, *, trees: int, seed: int) -> tuple[Model, LeftOut]:
        """Learn, and say what was predicted of each label without it."""
        distribution = Distribution.of(labels, most=len(labels))
        scores = distribution.score(labels)
        pairs, flat = inputs.pairs(inputs), inputs.flat
        process = Process.fit(pairs, scores, seed=seed)
        share, left_out = _left_out(process, pairs, flat, scores, seed)
        forest = Forest.fit(flat, scores, trees=trees, seed=seed) if flat.shape[1] else None
        width = widening(scores - left_out.means, left_out.deviations)
        return cls(inputs, scores, distribution, process, forest, share, width), left_out

    def predict(self, inputs: Inputs) -> tuple[Values, Values]:
        """(A,) mean and spread, in normal scores of the labels."""
        count = inputs.scores.shape[1]
        parts = [np.arange(start, min(start + _AT_ONCE, count)) for start in range(0, count, _AT_ONCE)]
        found = [self._predict(inputs.taken(part)) for part in parts] or [(np.empty(0), np.empty(0))]
        return np.concatenate([mean for mean, _ in found]), np.concatenate([spread for _, spread in found])

    def _predict(self, inputs: Inputs) -> tuple[Values, Values]:
        mean, deviation = self.process.predict(inputs.pairs(self.inputs), inputs.scores)
        if self.forest is not None and self.share > 0:
            mean = (1 - self.share) * mean + self.share * self.forest.predict(inputs.flat)
        return mean, deviation * self.width

    def state(self) -> dict[str, NDArray[Any]]:
        """As arrays by name."""
        state: dict[str, NDArray[Any]] = {f"inputs.{name}": values for name, values in self.inputs.dense.items()}
        state |= {f"vectors.{name}": values for name, values in self.inputs.vectors.items()}
        state["inputs.scores"] = self.inputs.scores
        for name, one in self.inputs.histograms.items():
            state |= {f"wl.{name}.{part}": getattr(one.values, part) for part in ("data", "indices", "indptr")}
            state[f"wl.{name}.columns"] = np.array([one.values.shape[1]])
        if self.forest is not None:
            state |= {f"trees.{part}": getattr(self.forest, part) for part in _OF_TREES}
        state["labels"] = self.labels
        state["labels.knots"], state["labels.scores"] = self.distribution.knots, self.distribution.scores
        state["theta"] = self.process.theta
        state["joined"] = np.array([self.share, self.width])
        return state

    @classmethod
    def restored(cls, state: Mapping[str, NDArray[Any]], frozen: Frozen) -> Model:
        """Take back what `state` gave; the process is worked out again from its hyper-parameters."""
        rounds = list(frozen.vocabularies)
        histograms = {name: _histogram(state, name) for name in rounds}
        dense = {name: state[f"inputs.{name}"] for name in frozen.groups}
        vectors = {name: state[f"vectors.{name}"] for name in frozen.vectors}
        inputs = Inputs(dense, histograms, state["inputs.scores"], vectors)
        process = Process.with_theta(state["theta"], inputs.pairs(inputs), state["labels"])
        share, width = state["joined"].tolist()
        forest = Forest(*(state[f"trees.{part}"] for part in _OF_TREES)) if f"trees.{_OF_TREES[0]}" in state else None
        distribution = Distribution(state["labels.knots"], state["labels.scores"])
        return cls(inputs, state["labels"], distribution, process, forest, share, width)


_OF_TREES = ("roots", "inputs", "thresholds", "left", "right")


def _histogram(state: Mapping[str, NDArray[Any]], name: str) -> Histogram:
    data, indices, indptr = (state[f"wl.{name}.{part}"] for part in ("data", "indices", "indptr"))
    count = len(indptr) - 1
    values = sparse.csr_matrix((data, indices, indptr), shape=(count, int(state[f"wl.{name}.columns"][0])))
    return Histogram(values, np.zeros(count))


def _left_out(process: Process, pairs: Pairs, flat: Values, labels: Values, seed: int) -> tuple[float, LeftOut]:
    """The share of the trees, and what is predicted of labels that were left out."""
    parts = folds(len(labels), seed)
    mean, deviation = process.left_out(pairs, labels, parts)
    if not flat.shape[1]:
        return 0.0, LeftOut(mean, deviation)
    grown = np.empty_like(labels)
    for part in parts:
        rest = np.setdiff1d(np.arange(len(labels)), part)
        forest = Forest.fit(flat[rest], labels[rest], trees=TREES_OF_A_FOLD, seed=seed)
        grown[part] = forest.predict(flat[part])
    share = share_of_trees(labels, mean, grown)
    return share, LeftOut((1 - share) * mean + share * grown, deviation)
