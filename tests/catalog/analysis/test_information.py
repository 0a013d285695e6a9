"""Information: against scikit-learn, zero for noise and for copies, and the artefact that it must not show."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import mutual_info_score

from catalog.analysis.information import information_curve, mutual_information, plug_in_information, rank_bins

Values = NDArray[np.float64]


def test_the_plug_in_estimate_equals_scikit_learn() -> None:
    first, second = np.random.default_rng(0).integers(7, size=(2, 300))
    second = (first + second) // 2
    assert plug_in_information(first, second) == pytest.approx(mutual_info_score(first, second) / math.log(2))
    assert plug_in_information(first, first) == pytest.approx(math.log2(7), abs=0.05)


def test_rank_bins_hold_equally_many_rows_and_keep_ties_together() -> None:
    assert rank_bins([10.0, -1e8, 3.0, 40.0, 5.0, 6.0], 3).tolist() == [2, 0, 0, 2, 1, 1]
    assert rank_bins([1.0, 1, 1, 2], 4).tolist() == [1, 1, 1, 3]
    assert rank_bins([1.0, -math.inf], 2).tolist() == [1, 0]
    assert rank_bins([], 4).tolist() == []


def test_a_sentinel_among_the_scores_costs_little() -> None:
    """With bins of equal width one -1e8 puts all other scores into one bin."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=2000)
    clean = truth + 0.3 * generator.normal(size=2000)
    sentinel = clean.copy()
    sentinel[7] = -1e8
    both = mutual_information({"clean": clean, "sentinel": sentinel}, truth)["information"]
    assert both[1] == pytest.approx(both[0], rel=0.01)
    widths = np.digitize(sentinel, np.linspace(sentinel.min(), sentinel.max(), 25)[1:-1])
    assert plug_in_information(widths, rank_bins(truth, 10)) < 0.01 < 1 < both[1]


def test_a_proxy_without_noise_tells_nearly_all() -> None:
    """A permutation of 16 equal bins: log2(16) bits, less what chance would show."""
    truth = np.random.default_rng(0).normal(size=20_000)
    row = mutual_information({"cube": truth**3, "square": truth**2}, truth, permutations=50)
    assert row["plug_in"][0] == pytest.approx(4)
    assert row["information"][0] == pytest.approx(4 - row["null_mean"][0])
    assert row["information"][1] > 2.5  # though tau is about zero


def test_noise_proxies_tell_nothing() -> None:
    """Over twenty seeds: about zero of either sign, below the null's 95 % nearly always, significant hardly ever."""
    found, alarms = [], 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        truth = generator.normal(size=1000)
        noise = {f"noise {place}": generator.normal(size=1000) for place in (1, 2)}
        frame = mutual_information(noise, truth, permutations=100, seed=seed)
        found += frame["information"].to_list()
        alarms += frame["p_holm"].min() < 0.05
    assert np.mean(found) == pytest.approx(0, abs=0.003)
    assert np.abs(found).max() < 0.03
    assert min(found) < 0 < max(found)
    assert alarms <= 3


def published_recipe(columns: list[Values], truth: Values) -> float:
    """Share of the truth's entropy that proxies "explain" with 24 bins of equal width and no correction."""
    codes = [np.digitize(side, np.linspace(side.min(), side.max(), 25)[1:-1]) for side in (truth, *columns)]
    joint = np.unique(np.stack(codes[1:]), axis=1, return_inverse=True)[1].ravel()
    return plug_in_information(joint, codes[0]) / plug_in_information(codes[0], codes[0])


def test_noise_explains_everything_by_the_published_recipe_and_nothing_here() -> None:
    """Two, three and four noise proxies on 1,000 architectures: 51, 93 and 99.6 % of the entropy there."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=1000)
    noise = {f"noise {place}": generator.normal(size=1000) for place in range(4)}
    columns = list(noise.values())
    shares = [published_recipe(columns[:count], truth) for count in (2, 3, 4)]
    assert shares == pytest.approx([0.51, 0.93, 0.996], abs=0.04)
    curve = information_curve(noise, truth, steps=4)
    assert (curve["plug_in"][-1], curve["null_plug_in"][-1]) == pytest.approx((2.5, 2.5), abs=0.1)
    assert curve["information"].abs().max() < 0.12
    assert (curve["information"] < 3 * curve["null_high"]).all()


def test_the_curve_takes_what_adds_and_a_copy_adds_nothing() -> None:
    generator = np.random.default_rng(0)
    size, depth, error = generator.normal(size=(3, 8000))
    truth = size + 0.7 * depth + 0.2 * error
    scores = {"depth": depth, "copy": size * 2, "params": size, "noise": generator.normal(size=8000)}
    curve = information_curve(scores, truth)
    assert set(curve["proxy"][:2]) == {"copy", "depth"}  # of two equal gains the first name counts
    assert curve["gain"][0] > 0.5
    assert curve["gain"][1] > 0.5
    rest = dict(curve.select("proxy", "gain").rows()[2:])
    assert rest["params"] == pytest.approx(0, abs=1e-9)
    assert rest["noise"] == pytest.approx(0, abs=0.02)
    assert curve["null_information"].abs().max() < 0.02
    assert curve["information"].to_list() == pytest.approx(curve["gain"].cum_sum().to_list())


def test_an_interaction_is_seen() -> None:
    """Each factor alone tells nothing of the sign of their product; both together tell it."""
    first, second = np.random.default_rng(0).normal(size=(2, 5000))
    curve = information_curve({"first": first, "second": second}, np.sign(first * second))
    assert curve["gain"][0] < 0.01
    assert curve["gain"][1] > 0.8


def test_the_same_seed_gives_the_same_numbers() -> None:
    generator = np.random.default_rng(0)
    truth, proxy = generator.normal(size=(2, 300))
    for measure in (mutual_information, information_curve):
        assert measure({"a": proxy}, truth, seed=3).equals(measure({"a": proxy}, truth, seed=3))


@pytest.mark.parametrize("rows", [0, 1, 2, 8])
def test_few_rows_and_constant_scores_give_defined_results(rows: int) -> None:
    truth = np.arange(float(rows))
    scores = {"same": truth, "constant": np.ones(rows), "missing": np.full(rows, math.nan)}
    frame = mutual_information(scores, truth, permutations=20)
    assert frame["n"].to_list() == [rows, rows, 0]
    assert frame["information"].to_list()[1:] == [None, None]
    assert (frame["information"][0] is None) == (rows < 8)
    assert len(information_curve(scores, truth)) == (2 if rows == 8 else 0)
    assert information_curve({}, truth).is_empty()


def test_noise_that_is_a_function_of_the_architecture_tells_nothing() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(400), np.tile([1, 2, 5, 32], 100))
    truth = random.normal(size=400)[groups] + random.normal(0, 0.05, len(groups))
    noises = {f"noise {number}": random.normal(size=400)[groups] for number in range(4)}
    grouped = mutual_information(noises, truth, groups=groups)
    assert (grouped["n"] == 400).all()
    assert (grouped["p_holm"] > 0.05).all()
    assert (grouped["information"].abs() < 0.05).all()
    assert (mutual_information(noises, truth)["p_holm"] < 0.05).all()  # what counting twins one by one would claim
    curve = information_curve(noises, truth, groups=groups)
    assert (curve["information"] < curve["null_high"] + 0.05).all()


def test_noise_after_a_telling_proxy_adds_no_more_than_chance() -> None:
    claims = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        truth = random.normal(size=2000)
        scores = {"good": truth + random.normal(0, 0.5, 2000), "also": truth + random.normal(0, 0.5, 2000)}
        scores |= {f"noise {number}": random.normal(size=2000) for number in range(3)}
        curve = information_curve(scores, truth, shuffles=2)
        assert set(curve["proxy"][:2]) == {"good", "also"}
        assert (curve["information"] > curve["null_high"]).all()  # so that the sum does not tell them apart
        claims.append((curve["gain"] > curve["gain_high"]).to_list())
    assert np.mean(claims, axis=0)[:2].tolist() == [1, 1]
    assert np.mean(claims, axis=0)[2:].mean() < 0.25
