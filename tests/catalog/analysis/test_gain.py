"""What a proxy adds: nothing if it is a copy or noise, and what it should where the truth is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from catalog.analysis.correlation import kendall_tau
from catalog.analysis.gain import added_gain, best_pairs
from catalog.analysis.joint_rows import MOST_ROWS, JointRows


def test_a_copy_of_params_adds_nothing() -> None:
    generator = np.random.default_rng(0)
    params, depth, error = generator.normal(size=(3, 1000))
    scores = {"params": params, "copy": np.exp(params), "depth": depth}
    frame = added_gain(scores, params + depth + error)
    assert frame.select("gain", "gain_low", "gain_high", "p_value").rows()[:2] == [(0, 0, 0, 1)] * 2
    assert frame["gain_low"][2] > 0.1
    assert frame["p_holm"][2] < 0.001
    frame = added_gain({name: scores[name] for name in ("params", "depth")}, params + depth + error)
    assert frame["gain_low"].min() > 0.1


def test_noise_adds_nothing_within_its_interval() -> None:
    """Over twenty seeds with two noise proxies each."""
    held, gains = 0, []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        params, error = generator.normal(size=(2, 500))
        scores = {"params": params, "noise 1": generator.normal(size=500), "noise 2": generator.normal(size=500)}
        frame = added_gain(scores, params + error, seed=seed)
        noise = frame[1:]
        held += int(((noise["gain_low"] <= 0) & (noise["gain_high"] >= 0)).sum())
        gains += noise["gain"].to_list()
        assert not (noise["p_holm"].min() < 0.05 and noise["gain"].max() > 0.005)
        assert frame["gain_low"][0] > 0.2
    assert held >= 36
    assert np.mean(gains) == pytest.approx(0, abs=0.005)


def test_alone_a_proxy_gains_its_own_tau() -> None:
    generator = np.random.default_rng(0)
    proxy = generator.normal(size=2000)
    truth = proxy + generator.normal(size=2000)
    row = added_gain({"proxy": proxy}, truth).row(0, named=True)
    assert row["without_kendall_tau"] == 0
    assert row["gain"] == pytest.approx(kendall_tau(proxy, truth), abs=0.02)
    assert row["gain_low"] < row["gain"] < row["gain_high"]


def test_a_proxy_may_rise_and_fall() -> None:
    """Best in the middle: tau is zero, and yet it predicts."""
    generator = np.random.default_rng(0)
    proxy = generator.normal(size=2000)
    truth = -(proxy**2)
    assert abs(kendall_tau(proxy, truth)) < 0.05
    assert added_gain({"proxy": proxy}, truth)["gain"][0] > 0.7


def test_twins_share_a_fold() -> None:
    """Twenty copies of each row with noise as scores: across folds the copies would give the answer away."""
    generator = np.random.default_rng(0)
    truth = np.repeat(generator.normal(size=12), 20)
    noise = {f"noise {place}": np.repeat(generator.normal(size=12), 20) for place in range(4)}
    apart = added_gain(noise, truth)["all_kendall_tau"][0]
    together = added_gain(noise, truth, groups=np.repeat(np.arange(12), 20))["all_kendall_tau"][0]
    assert apart > 0.8 > 0.3 > together
    assert added_gain(noise, truth, groups=np.zeros(240))["gain"].to_list() == [None] * 4


def test_the_best_pair_complements() -> None:
    generator = np.random.default_rng(0)
    params, depth, error = generator.normal(size=(3, 1000))
    truth = params + 0.8 * depth + 0.3 * error
    scores = {"params": params, "flops": params + 0.01 * error, "depth": depth, "noise": generator.normal(size=1000)}
    frame = best_pairs(scores, truth, count=3)
    first = frame.row(0, named=True)
    assert {first["first"], first["second"]} in ({"params", "depth"}, {"flops", "depth"})
    assert first["best_single"] in ("params", "flops")
    assert first["gain"] == pytest.approx(first["kendall_tau"] - first["best_single_kendall_tau"])
    assert 0.1 < first["gain_low"] < first["gain"] < first["gain_high"]
    assert first["kendall_tau_low"] < first["kendall_tau"] < first["kendall_tau_high"]
    assert len(frame) == 3
    assert frame["kendall_tau"].is_sorted(descending=True)


def test_a_proxy_with_few_scores_does_not_cost_the_others_rows() -> None:
    truth = np.arange(100.0)
    few, most = truth.copy(), truth.copy()
    few[40:] = math.nan
    most[90:] = math.nan
    joint = JointRows.of({"few": few, "most": most, "all": truth}, truth, seed=0)
    assert list(joint.columns) == ["most", "all"]
    assert repr(joint) == "JointRows(90 rows, most, all)"
    frame = added_gain({"few": few, "most": most, "all": truth}, truth)
    assert frame["n"].to_list() == [None, 90, 90]
    assert frame["gain"][0] is None


def test_many_rows_are_sampled() -> None:
    truth = np.arange(MOST_ROWS + 5000.0)
    joint = JointRows.of({"all": truth}, truth, seed=1)
    assert len(np.unique(joint.truth)) == MOST_ROWS
    assert np.array_equal(joint.rows, joint.truth)
    assert np.array_equal(joint.rows, JointRows.of({"all": truth}, truth, seed=1).rows)


@pytest.mark.parametrize("rows", [0, 1, 2, 19])
def test_few_rows_give_defined_results(rows: int) -> None:
    truth = np.arange(float(rows))
    frame = added_gain({"same": truth, "missing": np.full(rows, math.nan)}, truth)
    assert frame["gain"].to_list() == [None, None]
    assert best_pairs({"same": truth, "other": -truth}, truth).is_empty()
    assert added_gain({}, truth).is_empty()


def test_constant_scores_add_nothing() -> None:
    truth = np.arange(100.0)
    frame = added_gain({"constant": np.ones(100), "same": truth}, truth)
    assert frame["gain"][0] == 0
    assert frame["gain"][1] > 0.95
