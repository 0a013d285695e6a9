"""Intervals: their width where it is known, against the bootstrap, how often they hold the truth, where none is."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from numpy.typing import NDArray

from catalog.analysis.correlation import Ranking
from catalog.analysis.intervals import intervals, resample, rho_interval, tau_interval

Values = NDArray[np.float64]


def related(generator: np.random.Generator, count: int, tau: float) -> tuple[Values, Values]:
    """Two normal samples whose population has this tau: Pearson's r is sin(pi tau / 2)."""
    pearson = math.sin(math.pi * tau / 2)
    first = generator.normal(size=count)
    return first, pearson * first + math.sqrt(1 - pearson**2) * generator.normal(size=count)


@pytest.mark.parametrize(("count", "deviation"), [(100, 0.040), (200, 0.029), (1000, 0.012), (15625, 0.003)])
def test_the_width_at_tau_059_is_the_known_one(count: int, deviation: float) -> None:
    generator = np.random.default_rng(count)
    errors = [tau_interval(*related(generator, count, 0.59)).error for _ in range(5)]
    assert np.mean(errors) == pytest.approx(deviation, rel=0.2)


@pytest.mark.parametrize("count", [500, 2000])
@pytest.mark.parametrize("tau", [0.0, 0.59, 0.9])
@pytest.mark.parametrize("decimals", [0, 6])
def test_the_jackknife_agrees_with_the_bootstrap(count: int, tau: float, decimals: int) -> None:
    first, second = (side.round(decimals) for side in related(np.random.default_rng(1), count, tau))
    found = intervals(Ranking(first), Ranking(second))
    for interval, drawn in zip(found, resample(first, second, samples=300), strict=True):
        low, high = np.quantile(drawn, [0.025, 0.975])
        assert interval.error == pytest.approx(drawn.std(), rel=0.15)
        assert [interval.low, interval.high] == pytest.approx([low, high], abs=0.8 * interval.error)


def test_bootstrap_samples_are_those_of_copied_rows() -> None:
    generator = np.random.default_rng(0)
    first, second = generator.integers(5, size=(2, 30)).astype(np.float64)
    copies = np.random.default_rng(7).multinomial(30, np.full(30, 1 / 30), size=20)
    taus, rhos = resample(first, second, samples=20, seed=7)
    for place, count in enumerate(copies):
        rows = np.repeat(np.arange(30), count)
        assert taus[place] == pytest.approx(scipy.stats.kendalltau(first[rows], second[rows]).statistic)
        assert rhos[place] == pytest.approx(scipy.stats.spearmanr(first[rows], second[rows]).statistic)


@pytest.mark.parametrize("count", [40, 150])
def test_95_of_100_intervals_hold_the_truth(count: int) -> None:
    generator = np.random.default_rng(3)
    held = 0
    for _ in range(150):
        interval = tau_interval(*related(generator, count, 0.4))
        held += interval.low <= 0.4 <= interval.high
    assert 135 <= held < 150


@pytest.mark.parametrize(
    ("first", "second", "value"),
    [
        ([], [], math.nan),
        ([1.0], [1.0], math.nan),
        ([1.0, 2.0], [1.0, 2.0], 1.0),
        ([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], None),
        ([1.0] * 50, list(range(50)), math.nan),
        (list(range(200)), list(range(0, -200, -1)), -1.0),
    ],
)
def test_where_there_is_no_interval(first: list[float], second: list[float], value: float | None) -> None:
    for interval in (tau_interval(first, second), rho_interval(first, second)):
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)
        assert interval.named("tau")["tau_low"] is None
        if value is not None:
            assert interval.value == pytest.approx(value, nan_ok=True)


def test_infinite_scores_are_ranks_like_others() -> None:
    """An architecture without a path scores minus infinity."""
    generator = np.random.default_rng(5)
    first, second = related(generator, 300, 0.5)
    lowest = np.where(first < -1, -math.inf, first)
    finite = np.where(first < -1, -9.0, first)
    assert tau_interval(lowest, second) == tau_interval(finite, second)
    assert rho_interval(lowest[:60], second[:60]) == rho_interval(finite[:60], second[:60])


def test_the_bootstrap_draws_groups() -> None:
    """Copies of ten rows know as much as the ten rows."""
    random = np.random.default_rng(3)
    first, second = random.normal(size=12), random.normal(size=12)
    groups = np.repeat(np.arange(12), 8)
    copies = tau_interval(first[groups], second[groups], groups)
    assert copies.high - copies.low > 2 * (
        tau_interval(first[groups], second[groups]).high - tau_interval(first[groups], second[groups]).low
    )
