"""The jackknife without n coefficients gives the same as with n coefficients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from catalog.analysis.correlation import Ranking
from catalog.analysis.jackknife import Comparisons, Groups, jackknife, standard_error
from catalog.analysis.significance import p_value

TIED = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1, max_size=10)
SPREAD = st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=1, max_size=10)


def coefficients(first: list[float], second: list[float]) -> tuple[float, float]:
    if len(set(first)) < 2 or len(set(second)) < 2:
        return math.nan, math.nan
    ranks = scipy.stats.rankdata(first), scipy.stats.rankdata(second)
    return scipy.stats.kendalltau(first, second).statistic, scipy.stats.pearsonr(*ranks).statistic


@given(st.one_of(TIED, SPREAD))
def test_it_equals_leaving_each_row_out(pairs: list[tuple[float, float]]) -> None:
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    found = jackknife(Ranking(np.array(first)), Ranking(np.array(second)))
    left = [(first[:row] + first[row + 1 :], second[:row] + second[row + 1 :]) for row in range(len(pairs))]
    for place, one in enumerate(found):
        assert one.value == pytest.approx(coefficients(first, second)[place], abs=1e-9, nan_ok=True)
        expected = [coefficients(*rest)[place] for rest in left]
        assert one.without.tolist() == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_the_error_of_a_mean_is_the_textbooks() -> None:
    """Without a row, the mean of 1, 2, 3, 6 is 11/3, 10/3, 9/3, 6/3; the error is the sample's over two."""
    without = np.array([11, 10, 9, 6]) / 3
    assert standard_error(without) == pytest.approx(np.std([1, 2, 3, 6], ddof=1) / 2)
    assert math.isnan(standard_error(np.array([1.0, 2.0])))
    assert math.isnan(standard_error(np.array([1.0, 2.0, math.nan])))


def test_comparisons_take_each_proxy_on_the_rows_asked_for() -> None:
    table = Comparisons({"a": np.array([1.0, 2, 3, math.nan]), "b": np.array([2.0, 1, 3, 4])}, np.array([1.0, 2, 3, 4]))
    assert table.rows("a", "b").tolist() == [True, True, True, False]
    assert table.both("a", table.rows("a"))[0].value == 1
    assert table.both("b", table.rows("b"))[0].value == pytest.approx(2 / 3)
    assert table.both("b", table.rows("a"))[0].value == pytest.approx(1 / 3)


def test_it_says_what_it_holds() -> None:
    tau, _ = jackknife(Ranking(np.arange(5.0)), Ranking(np.array([0.0, 1, 2, 4, 3])))
    assert repr(tau) == "Jackknife(0.8000 +- 0.3266, 5 rows)"


def of_functions(random: np.random.Generator, sizes: NDArray[np.int64]) -> tuple[Groups, NDArray[np.float64]]:
    """Rows of functions that some architectures compute many times over, and a truth that nearly follows these."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    return groups, random.normal(size=len(sizes))[groups] + random.normal(0, 0.05, len(groups))


def test_rows_of_one_function_are_one_draw() -> None:
    """Noise that is a function of the architecture varies as its error says, which rows counted one by one deny."""
    random = np.random.default_rng(0)
    groups, truth = of_functions(random, np.tile([1, 2, 3, 4, 20], 60))
    noises = [random.normal(size=300)[groups] for _ in range(150)]
    grouped, plain = ([jackknife(Ranking(noise), Ranking(truth), g)[0] for noise in noises] for g in (groups, None))
    spread = np.std([found.value for found in grouped])
    assert np.mean([found.error for found in grouped]) == pytest.approx(spread, rel=0.2)
    assert np.mean([found.error for found in plain]) < spread / 2
    significant = np.mean([p_value(found.value, found.error, found.draws) < 0.05 for found in grouped])
    assert significant < 0.15
    assert grouped[0].draws == 300


def test_groups_of_one_change_nothing() -> None:
    random = np.random.default_rng(1)
    first, second = Ranking(random.normal(size=200)), Ranking(random.normal(size=200))
    apart = np.random.default_rng(2).permutation(200)
    for plain, grouped in zip(jackknife(first, second), jackknife(first, second, apart), strict=True):
        assert grouped.error == pytest.approx(plain.error, rel=1e-12)
