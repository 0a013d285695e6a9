"""Holm's correction and paired differences: by hand, against the paired bootstrap, and on noise."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.analysis.correlation import kendall_tau
from catalog.analysis.significance import holm, p_value, paired_differences


def test_holm_steps_down() -> None:
    """R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") gives 0.03 0.06 0.06 0.02."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_lies_between_no_correction_and_bonferroni(values: list[float]) -> None:
    corrected = holm(values)
    assert (corrected >= np.array(values)).all()
    assert (corrected <= np.minimum(np.array(values) * len(values), 1)).all()
    assert (np.diff(corrected[np.argsort(values, kind="stable")]) >= 0).all()


def test_holm_skips_what_was_not_tested() -> None:
    assert holm([0.01, math.nan, 0.04]) == pytest.approx([0.02, math.nan, 0.04], nan_ok=True)


def test_p_values_are_students() -> None:
    """R: 2 * pt(-2, 9) is 0.07655."""
    assert p_value(1.0, 0.5, 10) == pytest.approx(0.07655, abs=1e-5)
    assert p_value(0.0, 0.0, 10) == 1.0
    assert math.isnan(p_value(0.5, 0.0, 10))
    assert math.isnan(p_value(math.nan, 0.1, 10))
    assert math.isnan(p_value(0.5, 0.1, 1))


def test_the_error_of_a_difference_is_that_of_the_paired_bootstrap() -> None:
    """Two proxies that share most of their error: paired, their difference is surer than either tau."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=500)
    params = truth + generator.normal(size=500)
    proxy = params + 0.3 * generator.normal(size=500)
    row = paired_differences({"proxy": proxy}, truth, {"params": params}).row(0, named=True)
    drawn = []
    for _ in range(300):
        rows = generator.integers(500, size=500)
        drawn.append(kendall_tau(proxy[rows], truth[rows]) - kendall_tau(params[rows], truth[rows]))
    half = (row["difference_high"] - row["difference_low"]) / 2
    assert half == pytest.approx(1.96 * np.std(drawn), rel=0.15)
    assert row["difference"] == pytest.approx(kendall_tau(proxy, truth) - kendall_tau(params, truth))


def test_a_copy_is_tied_and_a_reference_is_not_compared_with_itself() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=100)
    params = truth + generator.normal(size=100)
    scores = {"copy": params.copy(), "params": params, "better": truth + 0.2 * generator.normal(size=100)}
    frame = paired_differences(scores, truth, {"params": params})
    assert frame["verdict"].to_list() == ["tied", None, "better"]
    assert frame.select("difference", "p_value", "p_holm").rows()[:2] == [(0, 1, 1), (None, None, None)]


def test_proxies_are_compared_on_their_common_rows() -> None:
    truth = np.arange(6.0)
    proxy = [0.0, 1, 2, math.nan, math.nan, math.nan]
    row = paired_differences({"proxy": proxy}, truth, {"params": [2.0, 1, 0, 3, 4, 5]}).row(0, named=True)
    assert (row["n"], row["kendall_tau"], row["reference_kendall_tau"]) == (3, 1, -1)


def test_a_proxy_like_the_reference_is_rarely_called_different() -> None:
    """Pairs of equally good proxies: the family of two is wrong in about one case of twenty, not more."""
    wrong = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        truth, *errors = generator.normal(size=(4, 200))
        scores = {"one": truth + errors[0], "other": truth + errors[1]}
        frame = paired_differences(scores, truth, {"params": truth + errors[2]})
        wrong += frame["verdict"].to_list() != ["tied", "tied"]
    assert wrong <= 11  # of 100 at a rate of 1 in 20, more happens once in 230 times


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_and_constant_scores_are_not_tested(rows: int) -> None:
    truth = np.arange(float(rows))
    scores = {"same": truth, "constant": np.zeros(rows), "missing": np.full(rows, math.nan)}
    frame = paired_differences(scores, truth, {"params": -truth})
    assert frame["n"].to_list() == [rows, rows, 0]
    assert frame["p_holm"].to_list() == frame["verdict"].to_list() == [None] * 3
    assert paired_differences({}, [], {}).is_empty()
