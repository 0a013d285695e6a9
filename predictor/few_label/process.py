r"""An exact Gaussian process whose hyper-parameters maximise the marginal likelihood times a broad prior.

.. math:: \log p(y) = -\tfrac12 y^\top K^{-1} y - \tfrac12 \log|K| - \tfrac n2 \log 2\pi

Rasmussen and Williams 2006, equations 2.25, 2.26 and 5.9; left-out folds from the inverse alone, after Ginsbourger and
Schaerer 2021 (arXiv 2101.03108).

Why not a library: scikit-learn's process has no kernel on a group of columns, so that the kernel would be our own
anyway; with the nearest that it has, a fit of 300 labels takes 2.7 s of one processor, and this one 0.6 s. gpytorch has
such kernels, and needs PyTorch, whose import alone takes as long as training and scoring here. Neither predicts labels
without their fold from the one inverse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, cholesky, solve_triangular
from scipy.optimize import minimize

from predictor.few_label.kernels import Layout, Pairs, Values, covariance, derivatives, variances

MOST_TUNED = 300
"""Labels that the hyper-parameters are chosen by; more of them cost cubes of time and change little."""
STEPS = 40
FEW = 250
"""Labels up to which a fold has hyper-parameters of its own."""
_JITTER = 1e-6
_NO_SCORES = np.empty((0, 1))
_FARTHEST = 7.0  # logarithms beyond which a hyper-parameter means nothing more


@dataclass(frozen=True)
class Beliefs:
    """Means and deviations of the logarithms of the hyper-parameters before labels are seen."""

    amplitude: tuple[float, float] = (-2.0, 1.5)
    length: tuple[float, float] = (0.7, 1.0)
    product: tuple[float, float] = (-1.5, 1.5)
    width: tuple[float, float] = (1.0, 1.0)
    line: tuple[float, float] = (-1.5, 1.5)
    constant: tuple[float, float] = (-2.0, 1.0)
    noise: tuple[float, float] = (-2.5, 1.0)

    def arrays(self, layout: Layout) -> tuple[Values, Values]:
        """Means and deviations in the layout's order, the noise's last."""
        g = layout.groups
        rows = [*[self.amplitude] * g, *[self.length] * g, self.product, *[self.width] * g]
        rows += [*[self.line] * layout.lines, self.constant, self.noise]
        means, deviations = np.array(rows).T
        return means, deviations


@dataclass(frozen=True)
class Process:
    """A fitted process over N labelled architectures.

    Parameters
    ----------
    theta
        Logarithms of the kernel's hyper-parameters and, last, of the noise's variance.
    factor
        (N, N) lower Cholesky factor of the covariance of the labels.
    weights
        (N,) its inverse times the labels.
    """

    theta: Values
    factor: Values
    weights: Values

    @classmethod
    def fit(cls, pairs: Pairs, labels: Values, *, seed: int) -> Process:
        """Choose hyper-parameters by the labels, or by a random part if they are many, and learn from all of them."""
        chosen = np.sort(np.random.default_rng(seed).permutation(len(labels))[:MOST_TUNED])
        theta = _most_likely(pairs.taken(chosen, chosen), labels[chosen])
        return cls.with_theta(theta, pairs, labels)

    @classmethod
    def with_theta(cls, theta: Values, pairs: Pairs, labels: Values) -> Process:
        """Learn from labels with known hyper-parameters."""
        factor = _factor(theta, pairs)
        return cls(theta, factor, cho_solve((factor, True), labels))

    @property
    def noise(self) -> float:
        """Variance of a label around what it is a label of."""
        return float(np.exp(self.theta[-1]))

    def predict(self, pairs: Pairs, scores: Values) -> tuple[Values, Values]:
        """(A,) mean and deviation of new labels, their noise included.

        Parameters
        ----------
        pairs
            Of A architectures with the labelled ones.
        scores
            (L, A) their zero-shot scores.
        """
        shared = covariance(self.theta[:-1], pairs)  # (A, N)
        explained = solve_triangular(self.factor, shared.T, lower=True, check_finite=False)
        own = variances(self.theta[:-1], scores) + self.noise + _JITTER
        return shared @ self.weights, np.sqrt(np.maximum(own - (explained**2).sum(axis=0), _JITTER))

    def left_out(self, pairs: Pairs, labels: Values, folds: Sequence[NDArray[np.intp]]) -> tuple[Values, Values]:
        """(N,) mean and deviation of each label as predicted without its fold.

        Few labels decide the hyper-parameters so much that they are chosen anew for each fold.
        """
        mean, deviation = np.empty_like(labels), np.empty_like(labels)
        inverse = cho_solve((self.factor, True), np.eye(len(labels)))
        for fold in folds:
            if len(labels) > FEW:
                block = np.linalg.inv(inverse[np.ix_(fold, fold)])
                mean[fold] = labels[fold] - block @ self.weights[fold]
                deviation[fold] = np.sqrt(np.maximum(np.diag(block), _JITTER))
                continue
            rest = np.setdiff1d(np.arange(len(labels)), fold)
            known = pairs.taken(rest, rest)
            theta = _most_likely(known, labels[rest], steps=STEPS // 2)
            own = np.sqrt(np.stack([np.diag(line)[fold] for line in pairs.lines])) if len(pairs.lines) else _NO_SCORES
            other = Process.with_theta(theta, known, labels[rest])
            mean[fold], deviation[fold] = other.predict(pairs.taken(fold, rest), own)
        return mean, deviation


def _factor(theta: Values, pairs: Pairs) -> Values:
    total = covariance(theta[:-1], pairs)
    total[np.diag_indices_from(total)] += np.exp(theta[-1]) + _JITTER
    return np.asarray(cholesky(total, lower=True, check_finite=False))


def _most_likely(pairs: Pairs, labels: Values, *, steps: int = STEPS) -> Values:
    layout = Layout(len(pairs.squares), len(pairs.lines))
    means, deviations = Beliefs().arrays(layout)

    def loss(theta: Values) -> tuple[float, Values]:
        factor = _factor(theta, pairs)
        inverse = cho_solve((factor, True), np.eye(len(labels)), check_finite=False)
        weights = inverse @ labels
        away = (theta - means) / deviations
        value = 0.5 * labels @ weights + np.log(np.diag(factor)).sum() + 0.5 * away @ away
        slope = inverse - np.outer(weights, weights)
        gradient = [0.5 * np.vdot(slope, one) for one in derivatives(theta[:-1], pairs)]
        gradient.append(0.5 * np.exp(theta[-1]) * np.trace(slope))
        return float(value), np.array(gradient) + away / deviations

    bounds = [(mean - _FARTHEST, mean + _FARTHEST) for mean in means]
    found = minimize(loss, means, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": steps})
    return np.asarray(found.x)
