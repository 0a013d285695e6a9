"""Rank correlations: equal to scipy's on any sample, and to the known numbers on real data."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from catalog.analysis.correlation import Ranking, correlate, kendall_tau, spearman_rho
from catalog.errors import UsageError


def samples(values: st.SearchStrategy[float], most: int = 200) -> st.SearchStrategy[list[tuple[float, float]]]:
    return st.lists(st.tuples(values, values), min_size=2, max_size=most)


TIED = st.integers(0, 4).map(float)
SPREAD = st.floats(allow_nan=False, allow_infinity=True, width=32)


@given(st.one_of(samples(TIED), samples(SPREAD)))
def test_coefficients_equal_scipy_with_and_without_ties(pairs):
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    if len(set(first)) == 1 or len(set(second)) == 1:
        assert math.isnan(kendall_tau(first, second))
        assert math.isnan(spearman_rho(first, second))
        return
    assert kendall_tau(first, second) == pytest.approx(scipy.stats.kendalltau(first, second).statistic, abs=1e-12)
    ranks = scipy.stats.rankdata(first), scipy.stats.rankdata(second)  # scipy's own rho turns infinities to NaN
    assert spearman_rho(first, second) == pytest.approx(scipy.stats.pearsonr(*ranks).statistic, abs=1e-12)


@pytest.mark.parametrize("count", [63, 64, 65, 127, 128, 129, 4095, 4097])
@pytest.mark.parametrize("distinct", [3, 100, 10**9])
def test_tau_equals_scipy_around_the_block_sizes(count, distinct):
    generator = np.random.default_rng(count)
    first = generator.integers(distinct, size=count)
    second = first // 2 + generator.integers(distinct, size=count)
    assert kendall_tau(first, second) == pytest.approx(scipy.stats.kendalltau(first, second).statistic, abs=1e-12)


@given(samples(SPREAD, most=40), st.randoms(use_true_random=False))
def test_row_order_does_not_matter(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    results = [
        correlate({"proxy": [score for score, _ in rows]}, [target for _, target in rows]) for rows in (pairs, shuffled)
    ]
    assert results[0].equals(results[1])


def test_missing_values_are_left_out_for_their_proxy_alone_and_counted():
    target = [1.0, 2.0, 3.0, None, 5.0]
    frame = correlate({"full": [1, 2, 3, 9, 5], "holes": [math.nan, 3.0, 2.0, 1.0, None]}, target)
    assert frame.rows(named=True) == [
        {
            "proxy": "full",
            "direction": 1,
            "n": 4,
            "missing": 0,
            "coverage": 1.0,
            "kendall_tau": 1.0,
            "spearman_rho": 1.0,
            "top_n": 1,
            "top_kendall_tau": None,
        },
        {
            "proxy": "holes",
            "direction": 1,
            "n": 2,
            "missing": 2,
            "coverage": 0.5,
            "kendall_tau": -1.0,
            "spearman_rho": -1.0,
            "top_n": 1,
            "top_kendall_tau": None,
        },
    ]


def test_the_top_takes_all_that_tie_with_its_last_row():
    """Ten per cent of twenty rows are two, but three rows share the second place."""
    target = np.array([9.0, 8.0, 8.0, 8.0, *range(16)]) - np.array([0.0] * 4 + [10.0] * 16)
    row = correlate({"proxy": [4, 1, 2, 3, *range(16)]}, target).row(0, named=True)
    assert (row["top_n"], row["top_kendall_tau"]) == (4, pytest.approx(3 / math.sqrt(6 * 3)))


def test_a_direction_turns_the_sign():
    latency, accuracy = [1.0, 2.0, 4.0, 3.0], [9.0, 8.0, 6.0, 7.0]
    assert correlate({"latency": latency}, accuracy)["kendall_tau"].item() == -1.0
    assert correlate({"latency": latency}, accuracy, {"latency": -1})["kendall_tau"].item() == 1.0
    assert correlate({"accuracy": accuracy}, latency, target_direction=-1)["kendall_tau"].item() == 1.0


def test_the_top_of_a_target_of_which_less_is_better_is_its_smallest_rows():
    target = np.arange(20.0)
    proxy = np.concatenate([[1.0, 0.0], np.arange(2.0, 20.0)])
    assert correlate({"proxy": proxy}, target, target_direction=-1)["top_kendall_tau"].item() == 1.0
    assert correlate({"proxy": proxy}, target)["top_kendall_tau"].item() == 1.0
    assert correlate({"proxy": proxy}, target, {"proxy": -1}, target_direction=-1)["top_kendall_tau"].item() == -1.0


def test_no_rows_give_a_row_without_coefficients():
    row = correlate({"proxy": [math.nan]}, [1.0]).row(0, named=True)
    assert (row["n"], row["missing"], row["coverage"], row["kendall_tau"], row["top_n"]) == (0, 1, 0.0, None, 0)
    assert correlate({"proxy": []}, []).row(0, named=True)["coverage"] is None
    assert correlate({}, [1.0]).columns[:3] == ["proxy", "direction", "n"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"snip": [1.0]}, [1.0, 2.0]), "proxy 'snip' has 1 scores for 2 targets"),
        (({"snip": [1.0]}, [1.0], {"snip": 0}), "the direction of proxy 'snip' is 0; use 1"),
        (({"snip": ["high"]}, [1.0]), "proxy 'snip' does not hold numbers"),
        (({"snip": [[1.0]]}, [1.0]), r"proxy 'snip' has shape \(1, 1\)"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        correlate(*arguments)


@pytest.mark.parametrize("share", [0.0, -0.1, 1.5])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(UsageError, match="above 0 and at most 1"):
        correlate({"proxy": [1.0]}, [1.0], top_share=share)


def test_ranking_says_what_it_holds():
    assert repr(Ranking(np.array([3.0, 1.0, 3.0]))) == "Ranking(3 values, 2 distinct)"


def test_known_correlations_on_nas_bench_201(data_dir: Path):
    """The numbers of the published tables, see README of the data: params .577/.752, 12-epoch validation .594."""
    final = pl.read_csv(data_dir / "nb201" / "nb201_v1.1_200ep.csv.gz")
    short = pl.read_csv(data_dir / "nb201" / "nb201_12ep.csv.gz")
    assert final["nb201_index"].equals(short["nb201_index"])
    target = final["cifar10_test_acc"]
    frame = correlate({"params": final["params_cifar10"], "12 epochs": short["cifar10_valid_acc"]}, target)
    assert frame["n"].to_list() == [15625, 15625]
    assert frame["kendall_tau"].to_list() == pytest.approx([0.577, 0.594], abs=5e-4)
    assert frame["spearman_rho"][0] == pytest.approx(0.752, abs=5e-4)


def test_noise_ceiling_on_nas_bench_201(data_dir: Path):
    """Validation against test accuracy: tau 0.88 over the 9,445 cells with published proxies, 0.51 in their top."""
    truth = pl.read_csv(data_dir / "nb201" / "nb201_v1.1_200ep.csv.gz")
    published = pl.read_csv(data_dir / "nb201" / "published_proxies_cifar10.csv.gz")
    scored = pl.when(pl.col("arch_str").is_in(published["net_str"].to_list())).then("cifar10_valid_acc")
    row = correlate({"valid": truth.select(scored).to_series()}, truth["cifar10_test_acc"]).row(0, named=True)
    assert (row["n"], row["missing"], row["top_n"]) == (9445, 6180, 951)
    assert row["kendall_tau"] == pytest.approx(0.88, abs=5e-3)
    assert row["top_kendall_tau"] == pytest.approx(0.51, abs=5e-3)
