"""The process: its slopes, what it predicts, and labels that are left out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime

from predictor.few_label import process
from predictor.few_label.kernels import Layout, Pairs, covariance, derivatives, variances
from predictor.few_label.process import Process


def points(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    return random.normal(size=(count, 2)), random.normal(size=(1, count))


def pairs(some: tuple[np.ndarray, np.ndarray], others: tuple[np.ndarray, np.ndarray]) -> Pairs:
    """Each coordinate is a group of its own."""
    squares = np.stack([(some[0][:, [g]] - others[0][:, g]) ** 2 for g in range(2)])
    return Pairs(squares, some[1][:, :, None] * others[1][:, None, :])


SIX = points(6)
LAYOUT = Layout(2, 1)
THETA = np.linspace(-1.0, 0.7, LAYOUT.size)


def test_the_derivatives_are_those_of_the_covariance() -> None:
    one = pairs(SIX, SIX)
    found = np.stack(list(derivatives(THETA, one)))
    assert len(found) == LAYOUT.size
    for row, column in ((0, 1), (2, 2), (3, 5)):
        slope = approx_fprime(THETA, lambda theta: covariance(theta, one)[row, column], 1e-7)  # noqa: B023
        np.testing.assert_allclose(found[:, row, column], slope, atol=1e-5)


def test_an_architecture_is_as_close_to_itself_as_its_variance_says() -> None:
    np.testing.assert_allclose(np.diag(covariance(THETA, pairs(SIX, SIX))), variances(THETA, SIX[1]))


def test_the_mean_and_deviation_are_those_of_the_textbook() -> None:
    known, new = points(20), points(5, seed=1)
    labels = np.sin(known[0].sum(axis=1))
    theta = np.append(THETA, -3.0)
    fitted = Process.with_theta(theta, pairs(known, known), labels)
    mean, deviation = fitted.predict(pairs(new, known), new[1])
    own = covariance(THETA, pairs(known, known)) + (np.exp(-3.0) + 1e-6) * np.eye(20)
    shared = covariance(THETA, pairs(new, known))
    rest = covariance(THETA, pairs(new, new)) - shared @ np.linalg.solve(own, shared.T)
    np.testing.assert_allclose(mean, shared @ np.linalg.solve(own, labels))
    np.testing.assert_allclose(deviation, np.sqrt(np.diag(rest) + np.exp(-3.0) + 1e-6))


def test_it_learns_a_smooth_function_and_knows_how_well() -> None:
    known, new = points(80), points(200, seed=1)
    truth = [np.sin(2 * one[0][:, 0]) + 0.5 * one[0][:, 1] for one in (known, new)]
    fitted = Process.fit(pairs(known, known), truth[0], seed=0)
    mean, deviation = fitted.predict(pairs(new, known), new[1])
    assert np.corrcoef(mean, truth[1])[0, 1] > 0.98
    assert np.mean(np.abs(mean - truth[1]) < 2 * deviation) > 0.85


@pytest.mark.parametrize("few", [0, 100])
def test_a_label_that_is_left_out_is_predicted_without_its_fold(monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr(process, "FEW", few)
    known = points(30)
    labels = np.sin(known[0].sum(axis=1))
    everything = pairs(known, known)
    fitted = Process.fit(everything, labels, seed=0)
    fold, rest = np.arange(5), np.arange(5, 30)
    mean, deviation = fitted.left_out(everything, labels, [fold, rest])
    if few:  # hyper-parameters of the fold's own
        theta = process._most_likely(everything.taken(rest, rest), labels[rest], steps=process.STEPS // 2)
    else:
        theta = fitted.theta
    other = Process.with_theta(theta, everything.taken(rest, rest), labels[rest])
    expected = other.predict(everything.taken(fold, rest), known[1][:, fold])
    np.testing.assert_allclose((mean[fold], deviation[fold]), expected, rtol=1e-4)
