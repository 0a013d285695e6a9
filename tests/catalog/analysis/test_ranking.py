"""Precision, NDCG, best of the top: against every order that ties allow, and against scikit-learn."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from sklearn.metrics import ndcg_score

from catalog.analysis.ranking import any_time, best_of_top, by_quantile, chances_of_top, ndcg, precision, quality

PAIRS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=5)


@given(PAIRS)
def test_expectations_are_those_over_all_orders_of_ties(pairs: list[tuple[int, int]]) -> None:
    scores, truth = (np.array([pair[side] for pair in pairs], dtype=np.float64) for side in (0, 1))
    count = len(pairs)
    orders = [sorted(order, key=lambda row: -scores[row]) for order in permutations(range(count))]
    best = np.mean([np.maximum.accumulate(truth[order]) for order in orders], axis=0)
    assert best_of_top(scores, truth, range(1, count + 1)) == pytest.approx(best)
    taken = math.ceil(0.4 * count)
    top = truth >= np.sort(truth)[-taken]
    assert precision(scores, truth, 0.4) == pytest.approx(np.mean([top[order[:taken]].mean() for order in orders]))
    chances = np.mean([np.isin(np.arange(count), order[:taken]) for order in orders], axis=0)
    assert chances_of_top(scores, taken) == pytest.approx(chances)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=2, max_size=30), st.floats(0.05, 1))
def test_ndcg_equals_scikit_learn(pairs: list[tuple[int, int]], share: float) -> None:
    scores, truth = ([pair[side] for pair in pairs] for side in (0, 1))
    if len(set(truth)) == 1:
        assert math.isnan(ndcg(scores, truth, share))
        return
    others = len(pairs) - 1
    gain = [sum(other < value for other in truth) + (truth.count(value) - 1) / 2 for value in truth]
    expected = ndcg_score([np.array(gain) / others], [scores], k=math.ceil(share * len(pairs)))
    assert ndcg(scores, truth, share) == pytest.approx(expected)


def test_ndcg_by_hand() -> None:
    """Gains 1, 1/2, 0 in the order 1/2, 1, 0: (1/2 + 1 / log2 3) / (1 + 1/2 / log2 3)."""
    third = 1 / math.log2(3)
    assert ndcg([3, 2, 1], [20, 30, 10]) == pytest.approx((0.5 + third) / (1 + 0.5 * third))


def test_quality_by_hand() -> None:
    """200 rows in order, but the best two change places with the two at ranks 11 and 12."""
    truth = np.arange(200.0)
    scores = truth.copy()
    scores[[199, 198, 189, 188]] = scores[[189, 188, 199, 198]]
    row = quality({"proxy": scores}, truth).row(0, named=True)
    assert (row["n"], row["precision_1"], row["precision_5"], row["precision_10"]) == (200, 0.0, 0.8, 1.0)
    assert [row[f"best_{count}"] for count in (1, 5, 10, 100)] == [189, 197, 197, 199]
    assert [row[f"regret_{count}"] for count in (1, 5, 10, 100)] == [10, 2, 2, 0]


def test_scores_all_alike_are_a_random_draw() -> None:
    truth = np.random.default_rng(0).normal(size=500)
    row = quality({"constant": np.zeros(500)}, truth).row(0, named=True)
    assert [row["precision_1"], row["precision_5"], row["precision_10"]] == pytest.approx([0.01, 0.05, 0.1])
    assert row["best_1"] == pytest.approx(truth.mean())
    curve = any_time({"constant": np.zeros(500)}, truth)
    halves = [curve.filter(proxy=name).drop("proxy") for name in ("constant", "random")]
    assert halves[0].equals(halves[1])


def test_row_order_does_not_matter() -> None:
    generator = np.random.default_rng(1)
    scores, truth = generator.integers(6, size=300).astype(np.float64), generator.normal(size=300)
    order = generator.permutation(300)
    for measure in (quality, any_time, by_quantile):
        assert_frame_equal(measure({"a": scores}, truth), measure({"a": scores[order]}, truth[order]))


def test_any_time_ends_at_the_optimum() -> None:
    curve = any_time({"good": [1.0, 2, 3, math.nan], "bad": [3.0, 2, 1, math.nan]}, [1.0, 2, 3, 9])
    assert curve.filter(proxy="good").select("k", "best", "regret").rows() == [(1, 3, 0), (2, 3, 0), (3, 3, 0)]
    assert curve.filter(proxy="bad").select("k", "best", "regret").rows() == [(1, 1, 2), (2, 2, 1), (3, 3, 0)]
    assert curve.filter(proxy="random").select("k", "best").rows()[0] == (1, 15 / 4)


def test_quantiles_tell_where_a_proxy_stops_working() -> None:
    truth = np.arange(1000.0)
    scores = np.where(truth < 500, truth, 500 + np.random.default_rng(0).random(1000))
    frame = by_quantile({"proxy": scores}, truth, parts=4)
    assert frame["n"].to_list() == [250] * 4
    assert frame["kendall_tau"].to_list()[:2] == [1, 1]
    low, high = (frame[f"kendall_tau_{end}"].to_list()[2:] for end in ("low", "high"))
    assert all(ends[0] < 0 < ends[1] for ends in zip(low, high, strict=True))
    assert frame.select("truth_low", "truth_high").rows()[3] == (750, 999)


def test_equal_truth_shares_a_quantile() -> None:
    frame = by_quantile({"proxy": [1.0, 2, 3, 4]}, [5.0, 5, 5, 6], parts=2)
    assert frame["n"].to_list() == [3, 1]
    assert frame["kendall_tau"].to_list() == [None, None]


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_give_defined_results(rows: int) -> None:
    truth = np.arange(float(rows))
    frame = quality({"same": truth, "missing": np.full(rows, math.nan)}, truth)
    assert frame["n"].to_list() == [rows, 0]
    assert frame.row(1)[2:] == (None,) * 12
    assert frame["regret_1"][0] == (0 if rows else None)
    assert len(any_time({"same": truth}, truth).filter(proxy="same")) == rows
    assert by_quantile({"same": truth}, truth)["n"].sum() == rows
