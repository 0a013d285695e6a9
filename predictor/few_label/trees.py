"""Extra trees as plain arrays, so that a checkpoint needs no pickle and scores alike under every scikit-learn.

Geurts, Ernst and Wehenkel, "Extremely randomized trees", Machine Learning 2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]

SHARE_OF_INPUTS = 0.4
"""Inputs that a split chooses among."""


@dataclass(frozen=True)
class Forest:
    """T trees one after the other.

    Parameters
    ----------
    roots
        (T,) place of each tree's root among the nodes.
    inputs
        (M,) the input that a node looks at; -1 in a leaf.
    thresholds
        (M,) up to which it goes to the left; a leaf's value.
    left, right
        (M,) places of the next nodes.
    """

    roots: NDArray[np.int32]
    inputs: NDArray[np.int16]
    thresholds: Values
    left: NDArray[np.int32]
    right: NDArray[np.int32]

    @classmethod
    def fit(cls, inputs: Values, labels: Values, *, trees: int, seed: int) -> Forest:
        """Grow trees on (N, F) inputs and (N,) labels."""
        from sklearn.ensemble import ExtraTreesRegressor

        forest = ExtraTreesRegressor(trees, max_features=SHARE_OF_INPUTS, random_state=seed)
        forest.fit(inputs.astype(np.float32), labels)
        grown = [estimator.tree_ for estimator in forest.estimators_]
        starts = np.concatenate([[0], np.cumsum([tree.node_count for tree in grown])])
        leaf = np.concatenate([tree.children_left for tree in grown]) < 0
        values = np.concatenate([tree.value[:, 0, 0] for tree in grown])

        def joined(name: str) -> NDArray[Any]:
            return np.concatenate([getattr(tree, name) + start for tree, start in zip(grown, starts, strict=False)])

        return cls(
            starts[:-1].astype(np.int32),
            np.where(leaf, -1, np.concatenate([tree.feature for tree in grown])).astype(np.int16),
            np.where(leaf, values, np.concatenate([tree.threshold for tree in grown])),
            joined("children_left").astype(np.int32),
            joined("children_right").astype(np.int32),
        )

    def predict(self, inputs: Values) -> Values:
        """(A,) the mean of the trees for (A, F) inputs."""
        rounded = inputs.astype(np.float32)  # as they were split by
        total = np.zeros(len(rounded))
        for root in self.roots.tolist():
            place = np.full(len(rounded), root, dtype=np.int32)
            inside = np.flatnonzero(self.inputs[place] >= 0)
            while len(inside):
                node = place[inside]
                goes_left = rounded[inside, self.inputs[node]] <= self.thresholds[node]
                place[inside] = np.where(goes_left, self.left[node], self.right[node])
                inside = inside[self.inputs[place[inside]] >= 0]
            total += self.thresholds[place]
        return total / len(self.roots)
