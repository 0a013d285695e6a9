"""Exhaustive and random search: everything once, or anything at random."""

from __future__ import annotations

import numpy as np

from catalog.search.methods.problem import Budget, Candidate, Problem
from catalog.search.methods.running import search
from catalog.spaces.own import OwnSpace
from tests.catalog.search.landscapes import NB201, Recorded, rugged

DIGESTS = ("a", "b", "a", "c", "b", "d")
"""A pool in which two architectures have a twin."""


def by_place(candidates):
    """The place in the pool is the score; the fourth has none."""
    assert all(candidate.graph is None and candidate.digest == DIGESTS[candidate.place] for candidate in candidates)
    return np.array([np.nan if candidate.place == 3 else candidate.place for candidate in candidates], dtype=np.float64)


def own_pool(**options) -> Problem:
    return Problem(OwnSpace("mine"), by_place, pool=DIGESTS, **options)


def test_exhaustive_visits_every_function_of_an_enumerable_space_once():
    score = Recorded(rugged)
    history = search(Problem(NB201, score), "exhaustive", Budget())
    assert history.stopped == "finished"
    assert len(history.visits) == len(set(score.asked)) == len(score.asked) == 5260
    assert history.proposals == 15_625
    assert history.duplicates == 15_625 - 5260
    values = history.values()[:, 0]
    assert history.best.scores[0] == np.nanmax(values)
    assert np.isnan(values).sum() == 1


def test_exhaustive_visits_a_pool_in_order_twins_once():
    history = search(own_pool(), "exhaustive", Budget())
    assert [visit.candidate.place for visit in history.visits] == [0, 1, 3, 5]
    assert [visit.evaluation for visit in history.visits] == [1, 2, 3, 4]
    assert history.best.candidate.place == 5
    assert (history.stopped, history.duplicates) == ("finished", 2)


def test_exhaustive_visits_every_architecture_of_a_pool_whose_twins_are_told_apart():
    history = search(own_pool(pool_ids="tuvxyz", tells_twins_apart=True), "exhaustive", Budget())
    assert [visit.candidate.place for visit in history.visits] == [0, 1, 2, 3, 4, 5]
    assert [visit.candidate.key for visit in history.visits] == list("tuvxyz")
    assert history.duplicates == 0


def test_random_visits_a_pool_in_the_order_of_the_seed_and_ends_with_it():
    orders = []
    for seed in range(5):
        history = search(own_pool(), "random", Budget(100), seed)
        assert history.stopped == "finished"
        orders.append(tuple(visit.candidate.digest for visit in history.visits))
        assert sorted(orders[-1]) == ["a", "b", "c", "d"]
    assert len(set(orders)) > 1


def test_what_a_pool_holds_but_is_not_allowed_is_not_scored_however_much_it_is():
    """A list is gone through to its end: only a search that looks for something new loses patience."""
    digests = [str(number) for number in range(30_000)]

    def all_but_the_last(candidates: list[Candidate]):
        return np.array([candidate.place < 29_999 for candidate in candidates])

    problem = Problem(OwnSpace("mine"), lambda c: np.ones(len(c)), violations=all_but_the_last, pool=digests)
    history = search(problem, "exhaustive", Budget())
    assert [visit.candidate.place for visit in history.visits] == [29_999]
    assert history.infeasible == 29_999
    assert history.stopped == "finished"


def test_random_draws_from_a_space_without_repeating_a_function():
    score = Recorded(rugged)
    history = search(Problem(NB201, score), "random", Budget(500), 3)
    assert history.stopped == "budget"
    assert len(set(score.asked)) == len(score.asked) == history.evaluations == 500
    assert history.proposals - history.duplicates >= 500
