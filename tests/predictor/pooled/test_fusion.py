"""The fusion of tg_nas with measured proxies: votes without labels, ranks over a pool."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress, rankdata

from predictor.door.registry import predictor_named
from predictor.pooled.ranks import led, votes

RANDOM = np.random.default_rng(0)
LEADER, SECOND = RANDOM.normal(size=(2, 400))
FRIENDS = [LEADER + SECOND + RANDOM.normal(size=400) for _ in range(3)]
NOISE = RANDOM.normal(size=400)


def test_a_vote_is_the_agreement_with_the_others_on_what_the_leader_leaves() -> None:
    ranks = [rankdata(values) for values in FRIENDS]
    line = [linregress(rankdata(LEADER), rank) for rank in ranks]
    left = [rank - one.intercept - one.slope * rankdata(LEADER) for rank, one in zip(ranks, line, strict=True)]
    left = [(rest - rest.mean()) / rest.std() for rest in left]
    expected = [np.corrcoef(left[own], left[own - 1] + left[own - 2])[0, 1] / 3 for own in range(3)]
    assert votes(LEADER, *FRIENDS) == pytest.approx(expected)


def test_who_repeats_the_leader_contradicts_the_others_or_is_alone_has_no_vote() -> None:
    given = votes(LEADER, *FRIENDS, np.exp(LEADER), -FRIENDS[0], np.ones(400))
    assert given[3:].tolist() == [0.0, 0.0, 0.0]
    assert (given[1:3] > 0).all()
    assert votes(LEADER, FRIENDS[0]).tolist() == [0.0]
    assert votes(FRIENDS[0], NOISE, SECOND).max() < 0.1


def test_the_members_have_together_at_most_the_vote_of_the_leader() -> None:
    assert votes(LEADER, SECOND, np.exp(SECOND), SECOND**3).sum() == pytest.approx(1.0)


def test_the_fusion_is_the_sum_of_log_ranks_by_votes() -> None:
    parts = [np.log(rankdata(values) / 400) for values in (LEADER, *FRIENDS)]
    expected = parts[0] + votes(LEADER, *FRIENDS) @ np.array(parts[1:])
    assert led(LEADER, *FRIENDS) == pytest.approx(expected)


def test_members_that_agree_on_a_second_factor_find_it_and_noise_does_not_hurt() -> None:
    truth = LEADER + SECOND

    def quality(scores: np.ndarray) -> float:
        return float(np.corrcoef(rankdata(scores), rankdata(truth))[0, 1])

    fused = quality(led(LEADER, *FRIENDS))
    assert fused > quality(LEADER) + 0.1
    assert quality(led(LEADER, *FRIENDS, NOISE)) > quality(LEADER) + 0.08


def test_a_failed_measurement_counts_as_the_worst() -> None:
    worst, missing = FRIENDS[0].copy(), FRIENDS[0].copy()
    worst[3], missing[3] = FRIENDS[0].min() - 1, np.nan
    assert led(LEADER, missing, *FRIENDS[1:]) == pytest.approx(led(LEADER, worst, *FRIENDS[1:]))


def test_only_the_order_of_a_member_counts() -> None:
    changed = led(LEADER, np.exp(5 * FRIENDS[0]), *FRIENDS[1:])
    assert changed == pytest.approx(led(LEADER, *FRIENDS))


def test_the_best_in_everything_scores_zero() -> None:
    up = np.arange(10.0)
    assert led(up, up, up).max() == 0.0


def test_another_rule_is_another_version() -> None:
    """Scores of two rules do not compare, so whoever changes these numbers raises the version that is stored."""
    pool = np.array([[1, 2, 3, 4, 5, 6], [2, 1, 4, 6, 5, 3], [1, 3, 5, 6, 2, 4]], dtype=np.float64)
    assert predictor_named("tg_nas_zc").version == "2"
    assert led(*pool) == pytest.approx([-2.424, -1.642, -0.822, -0.405, -0.463, -0.240], abs=1e-3)
