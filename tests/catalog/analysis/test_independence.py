"""Agreement among proxies: against scipy, and on proxies whose relation is known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from catalog.analysis.bias import structure_bias
from catalog.analysis.independence import cluster, partial_spearman, spearman_matrix
from catalog.analysis.overlap import top_overlap


def test_the_matrix_equals_scipy_on_the_rows_of_each_pair() -> None:
    generator = np.random.default_rng(0)
    columns = dict(zip("abc", generator.integers(9, size=(3, 60)).astype(np.float64), strict=True))
    columns["b"][:10] = columns["c"][50:] = math.nan
    matrix = spearman_matrix(columns)
    assert matrix.columns == ["proxy", "a", "b", "c"]
    for name, values in columns.items():
        for other, others in columns.items():
            expected = scipy.stats.spearmanr(values, others, nan_policy="omit").statistic
            assert matrix.filter(proxy=name)[other].item() == pytest.approx(expected)


def test_a_proxy_without_order_has_no_rho() -> None:
    matrix = spearman_matrix({"a": [1.0, 2, 3], "constant": [1.0, 1, 1], "missing": [math.nan] * 3})
    assert matrix["a"].to_list() == [1, None, None]
    assert sorted(cluster(matrix).order) == ["a", "constant", "missing"]


def test_those_that_agree_stand_side_by_side() -> None:
    """Two families of three; in the second, one prefers what the others dislike."""
    generator = np.random.default_rng(0)
    first, second = generator.normal(size=(2, 500))
    columns = {}
    for place in range(3):
        columns[f"first {place}"] = first + 0.3 * generator.normal(size=500)
        columns[f"second {place}"] = (second + 0.3 * generator.normal(size=500)) * (-1 if place == 1 else 1)
    clustering = cluster(spearman_matrix(columns))
    families = [name.split()[0] for name in clustering.order]
    assert families in (["first"] * 3 + ["second"] * 3, ["second"] * 3 + ["first"] * 3)
    assert len(clustering.branches) == len(clustering.linkage) == 5
    across = {x for xs, heights in clustering.branches for x, height in zip(xs, heights, strict=True) if height == 0}
    assert across == {0, 1, 2, 3, 4, 5}
    assert max(max(heights) for _, heights in clustering.branches) == pytest.approx(clustering.linkage[-1, 2])


@pytest.mark.parametrize("names", [[], ["alone"]])
def test_one_proxy_is_a_cluster(names: list[str]) -> None:
    clustering = cluster(spearman_matrix({name: [1.0, 2] for name in names}))
    assert (clustering.order, clustering.branches) == (names, [])


def test_partial_rho_is_that_of_the_residuals() -> None:
    """Of ranks, both regressed on the control's ranks; the interval by Bonett and Wright's formula."""
    generator = np.random.default_rng(0)
    control, own, noise = generator.normal(size=(3, 300))
    proxy, truth = control + own, control + own + noise
    row = partial_spearman({"proxy": proxy}, truth, {"params": control}).row(0, named=True)
    ranks = [scipy.stats.rankdata(side) for side in (proxy, truth, control)]
    left = [side - np.polyval(np.polyfit(ranks[2], side, 1), ranks[2]) for side in ranks[:2]]
    expected = scipy.stats.pearsonr(*left).statistic
    assert row["partial_rho"] == pytest.approx(expected)
    half = 1.96 * math.sqrt((1 + expected**2 / 2) / 296)
    assert row["partial_rho_low"] == pytest.approx(math.tanh(math.atanh(expected) - half), abs=1e-4)
    assert row["spearman_rho"] == pytest.approx(scipy.stats.spearmanr(proxy, truth).statistic)


def test_nothing_is_left_of_a_copy_of_the_control() -> None:
    generator = np.random.default_rng(0)
    params, truth = generator.normal(size=(2, 100))
    scores = {"copy": params * 2, "params": params, "noise": generator.normal(size=100)}
    frame = partial_spearman(scores, truth, {"params": params})
    assert frame["partial_rho"].to_list()[:2] == [None, None]
    assert frame["partial_rho_low"][2] < 0 < frame["partial_rho_high"][2]


def test_bias_compares_with_the_truth_on_the_same_rows() -> None:
    truth, depth = [1.0, 2, 3, 4, 5], [1.0, 2, 3, 5, 4]
    frame = structure_bias({"proxy": [5.0, 4, 3, math.nan, math.nan]}, truth, {"depth": depth, "same": [1.0] * 5})
    assert frame.rows() == [("depth", "proxy", 3, -1, 1, -2), ("same", "proxy", 3, None, None, None)]


def test_overlap_by_hand() -> None:
    """The best two of ten: b has one of a's; c ties its second place between one of a's and one that is not."""
    a = np.arange(10.0)
    b, c = a.copy(), a.copy()
    b[[8, 7]] = b[[7, 8]]
    c[[8, 7]] = 7.5
    frame = top_overlap({"a": a, "b": b, "c": c, "copy": c * 3}, share=0.2)
    assert frame["a"].to_list() == pytest.approx([1, 0.5, 0.75, 0.75])
    assert frame["c"].to_list() == pytest.approx([0.75, 0.75, 1, 1])
    assert top_overlap({"a": [math.nan], "b": [1.0]})["a"].to_list() == [None, None]


def test_unrelated_proxies_overlap_by_chance() -> None:
    generator = np.random.default_rng(0)
    frame = top_overlap({"a": generator.normal(size=5000), "b": generator.normal(size=5000)}, share=0.1)
    assert frame["a"][1] == pytest.approx(0.1, abs=0.04)


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_few_rows_give_defined_results(rows: int) -> None:
    values = np.arange(float(rows))
    one = 1 if rows == 2 else None
    assert spearman_matrix({"a": values, "b": values})["a"].to_list() == [one, one]
    assert partial_spearman({"a": values}, values, {"b": values})["partial_rho"].to_list() == [None]
    assert structure_bias({"a": values}, values, {"b": values})["spearman_rho"].to_list() == [one]
    assert top_overlap({"a": values})["a"].to_list() == [1 if rows else None]


def test_partial_intervals_count_a_function_once() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), np.tile([1, 2, 5, 32], 50))
    truth, control = random.normal(size=200)[groups], random.normal(size=200)[groups]
    noises = {f"noise {number}": random.normal(size=200)[groups] for number in range(60)}
    found = partial_spearman(noises, truth, {"params": control}, groups=groups)
    assert ((found["partial_rho_low"] > 0) | (found["partial_rho_high"] < 0)).mean() < 0.17
    plain = partial_spearman(noises, truth, {"params": control})
    assert ((plain["partial_rho_low"] > 0) | (plain["partial_rho_high"] < 0)).mean() > 0.4
    apart = partial_spearman(noises, truth, {"params": control}, groups=np.arange(len(truth)))
    assert apart["partial_rho_low"].to_list() == pytest.approx(plain["partial_rho_low"].to_list())
