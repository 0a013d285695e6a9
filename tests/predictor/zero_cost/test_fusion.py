"""The fusion of tg_nas with measured proxies: votes without labels, ranks over a pool."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from predictor.zero_cost.pools import agreement, tg_nas_zc

LEADER = np.random.default_rng(0).normal(size=200)
FRIEND = LEADER + np.random.default_rng(1).normal(size=200)


def test_agreement_is_spearman_and_never_negative() -> None:
    assert agreement(LEADER, FRIEND) == pytest.approx(spearmanr(LEADER, FRIEND).statistic)
    assert agreement(LEADER, -FRIEND) == 0.0
    assert agreement(LEADER, np.ones(200)) == 0.0


def test_a_failed_measurement_counts_as_the_worst() -> None:
    worst = FRIEND.copy()
    worst[3] = FRIEND.min() - 1
    missing = FRIEND.copy()
    missing[3] = np.nan
    assert tg_nas_zc(LEADER, missing) == pytest.approx(tg_nas_zc(LEADER, worst))


def test_a_member_that_contradicts_changes_nothing() -> None:
    order = np.argsort(tg_nas_zc(LEADER, -LEADER, np.ones(200)))
    assert np.array_equal(order, np.argsort(LEADER))


def test_members_that_agree_fully_have_the_vote_of_the_leader_together() -> None:
    alone = tg_nas_zc(LEADER, LEADER)
    assert tg_nas_zc(LEADER, LEADER, LEADER) == pytest.approx(alone)
    ranks = np.argsort(np.argsort(LEADER)) + 1
    assert alone == pytest.approx(2 * np.log(ranks / 200))


def test_only_the_order_of_a_member_counts() -> None:
    assert tg_nas_zc(LEADER, np.exp(5 * FRIEND)) == pytest.approx(tg_nas_zc(LEADER, FRIEND))


def test_the_best_in_everything_scores_zero() -> None:
    up = np.arange(10.0)
    assert tg_nas_zc(up, up, up).max() == 0.0
