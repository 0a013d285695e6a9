"""Bayesian search: it learns from the labels that it has, asks in batches, and asks nobody twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.search.methods.bayesian import ACQUISITIONS, FEWEST, thompson, upper_bounds
from catalog.search.methods.problem import Asking, Budget, Candidate, Problem
from catalog.search.methods.running import search
from tests.catalog.search.landscapes import DARTS, NB201, SIZE_SPACE, Additive, Nearest, Recorded, rugged

POOL = [f"{place:04d}" for place in range(300)]


class Straight:
    """Knows that the label of a pool's candidate is its place, once it has seen some; says nothing of every seventh."""

    def __init__(self) -> None:
        self.seeds: list[int] = []
        self.asked: list[int] = []

    def believe(self, known, labels, asked, seed):
        assert {one.key for one in known}.isdisjoint(one.key for one in asked)
        assert np.isfinite(labels).all()
        self.seeds.append(seed)
        self.asked.append(len(asked))
        places = np.array([one.place for one in asked], dtype=float)
        mean = np.where(places % 7 == 0, np.nan, places)
        return mean, np.full(len(asked), 0.1)


def by_place(candidates):
    return np.array([float(one.place) for one in candidates])


@pytest.mark.parametrize("acquisition", ACQUISITIONS)
def test_after_the_first_labels_it_asks_for_what_the_predictor_likes(acquisition):
    asking = Asking(Straight(), acquisition, first=10, batch=4)
    history = search(Problem(NB201, by_place, pool=POOL, asking=asking), "bayesian", Budget(30), 0)
    first, then = history.visits[:10], history.visits[10:]
    liked = [place for place in range(299, 200, -1) if place % 7 and place not in {v.candidate.place for v in first}]
    assert {visit.candidate.place for visit in then} == set(liked[:20])
    assert len(set(asking.surrogate.seeds)) == len(asking.surrogate.seeds) == 5
    assert asking.surrogate.asked == [290, 286, 282, 278, 274]


def test_it_ends_with_the_pool_and_nobody_is_asked_twice():
    score = Recorded(by_place)
    asking = Asking(Straight(), batch=50)
    history = search(Problem(NB201, score, pool=POOL, asking=asking), "bayesian", Budget(1000), 3)
    assert history.stopped == "finished"
    judged = {digest for digest in POOL if int(digest) % 7}
    assert judged <= set(score.asked)
    assert len(score.asked) == len(set(score.asked))


def test_twins_of_a_pool_are_one_candidate():
    twins = [digest for digest in POOL[:40] for _ in range(3)]
    score = Recorded(by_place)
    history = search(Problem(NB201, score, pool=twins, asking=Asking(Straight())), "bayesian", Budget(500), 1)
    assert len(score.asked) == len(set(score.asked)) == len(history.visits)
    assert all(visit.candidate.place % 3 == 0 for visit in history.visits)


def test_failures_teach_nothing_and_too_few_labels_leave_it_to_chance():
    def failing(candidates):
        return np.where(by_place(candidates) < 250, np.nan, by_place(candidates))

    asking = Asking(Straight(), batch=5)
    history = search(Problem(NB201, failing, pool=POOL, asking=asking), "bayesian", Budget(60), 0)
    known = 0
    for visit in history.visits:
        known += not np.isnan(visit.scores[0])
    assert known >= FEWEST
    equal = Asking(Straight(), batch=5)
    search(Problem(NB201, lambda c: np.ones(len(c)), pool=POOL, asking=equal), "bayesian", Budget(60), 0)
    assert not equal.surrogate.seeds  # labels that are all alike rank nothing


def test_a_predictor_without_an_opinion_ends_the_search():
    class Silent:
        def believe(self, known, labels, asked, seed):
            return np.full(len(asked), np.nan), np.full(len(asked), np.nan)

    history = search(Problem(NB201, by_place, pool=POOL, asking=Asking(Silent())), "bayesian", Budget(60), 0)
    assert (len(history.visits), history.stopped) == (10, "finished")


def test_bounds_narrow_a_pool_before_anything_is_asked():
    def violations(candidates):
        return by_place(candidates) > 99

    score = Recorded(by_place)
    problem = Problem(NB201, score, violations=violations, pool=POOL, asking=Asking(Straight()))
    history = search(problem, "bayesian", Budget(40), 0)
    assert max(map(int, score.asked)) == 99
    assert history.infeasible == 0


def test_where_nothing_is_listed_it_draws_and_varies_the_best():
    best = {}
    for method, asking in (("bayesian", Asking(Nearest())), ("random", None)):
        found = [search(Problem(SIZE_SPACE, Additive(1), asking=asking), method, Budget(80), seed) for seed in range(3)]
        best[method] = np.mean([history.best.scores[0] for history in found])
        assert all(len(history.visits) == 80 for history in found)
    assert best["bayesian"] > best["random"]
    history = search(Problem(DARTS, rugged, asking=Asking(Nearest())), "bayesian", Budget(25), 0)
    assert len({visit.candidate.digest for visit in history.visits}) == 25


@settings(max_examples=50)
@given(
    numbers=st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6)), min_size=1, max_size=40),
    count=st.integers(1, 60),
    seed=st.integers(0, 99),
)
def test_a_choice_is_so_many_different_places(numbers, count, seed):
    mean, spread = np.array(numbers).T
    for choose in ACQUISITIONS.values():
        places = choose(mean, spread, count, np.random.default_rng(seed)).tolist()
        assert len(places) == len(set(places)) == min(count, len(mean))
        assert set(places) <= set(range(len(mean)))


def test_spread_makes_up_for_the_mean():
    mean, spread = np.array([1.0, 0.5, 0.0]), np.array([0.1, 2.0, 0.1])
    generator = np.random.default_rng(0)
    assert upper_bounds(mean, spread, 2, generator).tolist() == [1, 0]
    drawn = [thompson(mean, spread, 1, generator)[0] for _ in range(200)]
    assert 20 < drawn.count(1) < 180
    assert drawn.count(2) < 5


def test_candidates_of_a_pool_have_their_places():
    seen: list[Candidate] = []
    asking = Asking(Straight())
    problem = Problem(NB201, lambda c: (seen.extend(c), by_place(c))[1], pool=POOL, asking=asking)
    search(problem, "bayesian", Budget(12), 0)
    assert all(one.digest == POOL[one.place] for one in seen)
