"""Search by several scores: a front that nothing beats, better than chance finds it."""

from __future__ import annotations

import numpy as np
import pytest
from pymoo.indicators.hv import HV

from catalog.search.methods.problem import Budget, Problem
from catalog.search.methods.running import search
from tests.catalog.search.landscapes import DARTS, NB201, SIZE_SPACE, Additive, rugged, weighted_operators


def small_and_strong(candidates):
    """Few weighted operators against a high score."""
    return np.stack([rugged(candidates), -weighted_operators(candidates)], axis=1)


def hypervolume(history, reference):
    return HV(ref_point=np.array(reference))(-np.array([visit.scores for visit in history.front()]))


@pytest.mark.parametrize(("space", "reference", "budget"), [(NB201, (0, 7), 250), (DARTS, (0, 33), 700)])
def test_the_front_is_better_than_that_of_random_search(space, reference, budget):
    problem = Problem(space, small_and_strong, objectives=2)
    volumes = [
        [hypervolume(search(problem, method, Budget(budget), seed), reference) for seed in range(3)]
        for method in ("nsga2", "random")
    ]
    gains = np.subtract(*volumes)
    assert gains.mean() > 0


def test_the_whole_front_of_a_small_space_is_found():
    """NAS-Bench-201 has few best trade-offs; those of the exhaustive search are the truth."""
    problem = Problem(NB201, small_and_strong, objectives=2)
    truth = {visit.scores for visit in search(problem, "exhaustive", Budget()).front()}
    found = {visit.scores for visit in search(problem, "nsga2", Budget(1000), 0).front()}
    assert len(found & truth) >= len(truth) - 1


def test_three_scores_within_constraints():
    scores = [Additive(seed) for seed in range(3)]

    def all_three(candidates):
        return np.stack([score(candidates) for score in scores], axis=1)

    def violations(candidates):
        return np.maximum(0, 10 - scores[0](candidates))

    history = search(Problem(SIZE_SPACE, all_three, 3, violations), "nsga2", Budget(400), 1)
    front = np.array([visit.scores for visit in history.front()])
    assert len(front) > 3
    assert front.shape[1] == 3
    assert (history.values()[:, 0] >= 10).all()
    assert history.infeasible > 0


def test_architectures_without_a_value_do_not_stop_it():
    def only_some(candidates):
        values = small_and_strong(candidates)
        values[weighted_operators(candidates) < 2] = np.nan
        return values

    history = search(Problem(NB201, only_some, 2), "nsga2", Budget(300), 0)
    assert len(history.visits) == 300
    assert all(-visit.scores[1] >= 2 for visit in history.front())
