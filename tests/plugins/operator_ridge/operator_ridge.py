"""A complete predictor of a stranger's: ridge regression on what a graph is made of."""

from dataclasses import dataclass

import numpy as np

from predictor.door import Given, Needs, Predictor, Scores


@dataclass(frozen=True)
class RidgeOptions:
    """`penalty` keeps the coefficients small."""

    penalty: float = 1.0


class OperatorRidge(Predictor):
    """Ridge regression of the label on depth, the logarithm of the parameters, and the count of each operator.

    Direction: higher is better. Needs: a few labels. Cost: none. Source: this package.
    """

    name = "operator_ridge"
    needs = Needs(labels=True, graphs=("canonical",), columns=("depth", "params"))
    has_spread = True
    Options = RidgeOptions

    def fit(self, sources, training):
        sources = [source.require(self.fewest_labels) for source in sources]
        features = np.concatenate([self._features(source.given) for source in sources])  # (A, F)
        labels = np.concatenate([source.labels for source in sources])  # (A,)
        known = np.isfinite(labels) & np.isfinite(features).all(axis=1)
        x, y = features[known], labels[known]
        self.inverse = np.linalg.inv(x.T @ x + self.options.penalty * np.eye(x.shape[1]))  # (F, F)
        self.weights = self.inverse @ x.T @ y  # (F,)
        self.noise = np.array(np.std(y - x @ self.weights))
        return self

    def score(self, given: Given) -> Scores:
        x = self._features(given)
        spread = self.noise * np.sqrt(1 + np.einsum("af,fg,ag->a", x, self.inverse, x))
        return Scores(x @ self.weights, spread)  # NaN where a column has no value

    def state(self):
        return {"weights": self.weights, "inverse": self.inverse, "noise": self.noise}

    def restore(self, state):
        self.weights, self.inverse, self.noise = state["weights"], state["inverse"], state["noise"]

    def _features(self, given: Given):
        names = sorted(operator.name for operator in given.vocabulary)
        graphs = given.canonical.graphs
        counts = [[sum(cell.operators.count(name) for cell in graph.cells) for name in names] for graph in graphs]
        return np.column_stack([np.ones(len(given)), np.log1p(given.columns), np.array(counts, dtype=np.float64)])
