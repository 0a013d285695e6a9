"""The loop around every method: seeds, limits, interruption, resumption, and what cannot be asked."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from catalog.architecture.canonical_form import canonical_graphs
from catalog.errors import UsageError
from catalog.search.methods import progress
from catalog.search.methods.problem import Asking, Budget, Problem
from catalog.search.methods.running import METHODS, methods_for, search
from catalog.spaces.nb201 import format_cell
from catalog.spaces.own import OwnSpace
from tests.catalog.search.landscapes import DARTS, NB101, NB201, Nearest, Recorded, rugged, weighted_operators

VARYING = ("regularized-evolution", "local-search", "differential-evolution", "pruning", "prune-evolve")


def several(candidates):
    return np.stack([rugged(candidates), -weighted_operators(candidates)], axis=1)


def problem(method, space=NB201, **options) -> Problem:
    if METHODS[method].learns:
        options["asking"] = Asking(Nearest())
    if METHODS[method].fits(1):
        return Problem(space, options.pop("score", rugged), **options)
    return Problem(space, options.pop("score", several), objectives=2, **options)


def course_of(history):
    """What must be the same for one seed; everything but the time."""
    return [(visit.candidate.digest, visit.evaluation, str(visit.scores)) for visit in history.visits]


@pytest.mark.parametrize("method", METHODS)
def test_one_seed_is_one_search_and_another_is_another(method):
    first, again, other = (search(problem(method), method, Budget(120), seed) for seed in (1, 1, 2))
    assert course_of(first) == course_of(again)
    assert first.evaluations == len(first.visits) <= 120
    if method != "exhaustive":
        assert course_of(first) != course_of(other)


@pytest.mark.parametrize("method", METHODS)
def test_a_longer_search_begins_with_the_shorter_one(method):
    shorter, longer = (search(problem(method), method, Budget(count), 1) for count in (37, 90))
    assert len(shorter.visits) == 37
    assert course_of(longer)[:37] == course_of(shorter)


@pytest.mark.parametrize("method", METHODS)
def test_batches_only_change_how_many_are_scored_at_once(method):
    sizes = []

    def score(candidates):
        sizes.append(len(candidates))
        return problem(method).score(candidates)

    small = search(problem(method, score=score), method, Budget(60), 1, batch=7)
    assert max(sizes) == 7
    assert course_of(small) == course_of(search(problem(method), method, Budget(60), 1))


@pytest.mark.parametrize("method", METHODS)
def test_no_function_is_scored_twice(method):
    score = Recorded(problem(method).score)
    search(problem(method, score=score), method, Budget(200), 5)
    assert len(set(score.asked)) == len(score.asked)


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_search_returns_its_best_and_resumes_to_the_same_end(method):
    whole = search(problem(method), method, Budget(150), 4)
    stored = []
    score = Recorded(problem(method).score, interrupt_after=70)
    interrupted = search(problem(method, score=score), method, Budget(150), 4, batch=20, on_batch=stored.extend)
    assert interrupted.stopped == "interrupted"
    assert 0 < len(interrupted.visits) <= 70
    assert stored == interrupted.visits
    assert course_of(interrupted) == course_of(whole)[: len(interrupted.visits)]

    rest = Recorded(problem(method).score)
    again = []
    earlier = {visit.candidate.digest: (visit.scores, visit.seconds) for visit in stored}
    resumed = search(problem(method, score=rest), method, Budget(150), 4, on_batch=again.extend, earlier=earlier)
    assert course_of(resumed) == course_of(whole)
    assert not set(rest.asked) & set(earlier)
    assert stored + again == [*stored, *resumed.visits[len(stored) :]]
    assert [visit.seconds for visit in resumed.visits[: len(stored)]] == [visit.seconds for visit in stored]
    assert resumed.seconds >= stored[-1].seconds


def test_a_stored_score_that_is_missing_stays_missing():
    whole = search(Problem(NB201, rugged), "random", Budget(10))
    earlier = {visit.candidate.digest: ([None], visit.seconds) for visit in whole.visits}
    resumed = search(Problem(NB201, rugged), "random", Budget(10), earlier=earlier)
    assert np.isnan(resumed.values()).all()
    assert resumed.best is None


def test_a_search_is_not_resumed_with_other_scores():
    with pytest.raises(UsageError, match="the earlier visit abc has 2 scores, but the search is by 1"):
        search(Problem(NB201, rugged), "random", Budget(10), earlier={"abc": ((1.0, 2.0), 0.1)})


def test_an_interruption_while_a_batch_is_stored_keeps_the_batch():
    def store(visits):
        raise KeyboardInterrupt

    history = search(Problem(NB201, rugged), "random", Budget(100), batch=10, on_batch=store)
    assert history.stopped == "interrupted"
    assert len(history.visits) == 10
    assert history.best is not None


def test_other_errors_are_passed_on():
    def broken(candidates):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        search(Problem(NB201, broken), "random", Budget(10))


def test_time_is_a_limit_too():
    def slow(candidates):
        time.sleep(0.02)
        return rugged(candidates)

    history = search(Problem(NB201, slow), "random", Budget(seconds=0.05), batch=5)
    assert history.stopped == "seconds"
    assert 5 <= len(history.visits) <= 15
    assert history.seconds >= 0.05


def test_progress_is_told_after_each_batch():
    seen = []
    search(Problem(NB201, rugged), "random", Budget(25), batch=10, on_progress=lambda h: seen.append(h.evaluations))
    assert seen == [10, 20, 25]


def test_an_infinite_score_is_none():
    history = search(Problem(NB201, lambda c: np.full(len(c), np.inf)), "random", Budget(5))
    assert np.isnan(history.values()).all()


@pytest.fixture(scope="module")
def without_convolutions() -> set[str]:
    """The functions of NAS-Bench-201 that have no weights: few, in a corner of the space."""
    cells = itertools.product(("none", "skip_connect", "avg_pool_3x3"), repeat=6)
    return {form.digest_as_is() for form in canonical_graphs([NB201.graph(format_cell(cell)) for cell in cells])}


@pytest.mark.parametrize("method", [*VARYING, "random", "nsga2"])
def test_an_exhausted_space_ends_the_search(method, without_convolutions, monkeypatch):
    """Most of what is allowed is found, and then the search does not go on for ever."""
    monkeypatch.setattr(progress, "PATIENCE", 1_500)
    history = search(problem(method, violations=weighted_operators), method, Budget(100_000), 1)
    found = {visit.candidate.digest for visit in history.visits}
    assert found <= without_convolutions
    assert history.stopped == ("finished" if method == "pruning" else "exhausted")
    if method not in ("pruning", "random"):
        assert len(found) > 0.5 * len(without_convolutions)


@pytest.mark.parametrize("method", [*VARYING, "random", "nsga2"])
def test_where_nothing_is_allowed_the_search_ends_without_an_answer(method, monkeypatch):
    monkeypatch.setattr(progress, "PATIENCE", 1_000)
    score = Recorded(rugged)
    impossible = problem(method, score=score, violations=lambda candidates: np.full(len(candidates), np.nan))
    history = search(impossible, method, Budget(100), 1)
    assert not score.asked
    assert (history.visits, history.evaluations) == ([], 0)
    assert history.stopped == ("finished" if method == "pruning" else "exhausted")
    assert history.infeasible > 0


def test_which_methods_can_search_what():
    learning = tuple(name for name in METHODS if name != "nsga2")
    everything = tuple(name for name in learning if name != "bayesian")
    assert methods_for(NB201) == methods_for(NB101) == everything
    assert methods_for(DARTS) == everything[1:]
    assert methods_for(DARTS, pooled=True) == everything
    assert methods_for(NB201, learning=True) == learning
    assert methods_for(OwnSpace("mine"), pooled=True, learning=True) == ("exhaustive", "random", "bayesian")
    assert methods_for(DARTS, objectives=2) == ("random", "nsga2")
    assert methods_for(OwnSpace("mine"), pooled=True) == ("exhaustive", "random")
    assert methods_for(OwnSpace("mine")) == ()


@pytest.mark.parametrize(
    ("method", "problem", "budget", "message"),
    [
        (
            "annealing",
            Problem(DARTS, rugged),
            Budget(1),
            "unknown search method 'annealing'.*Choose one of random",
        ),
        ("bayesian", Problem(DARTS, rugged), Budget(1), "bayesian needs a predictor that learns"),
        (
            "exhaustive",
            Problem(DARTS, rugged),
            Budget(1),
            "cannot search the space 'darts', which is too large",
        ),
        ("nsga2", Problem(DARTS, rugged), Budget(1), "nsga2 searches by two or three scores, not by 1; choose"),
        ("pruning", Problem(NB201, rugged, 2), Budget(1), "pruning searches by one score, not by 2; choose one "),
        ("random", Problem(NB201, rugged), Budget(), "random never ends by itself; give a number of evaluations"),
        (
            "random",
            Problem(OwnSpace("mine"), rugged),
            Budget(1),
            "'mine', which has no rule .* search its stored",
        ),
        (
            "local-search",
            Problem(OwnSpace("mine"), rugged, pool=("a",)),
            Budget(1),
            "local-search cannot search the space 'mine', which has no rule .* choose one of exhaustive, random",
        ),
    ],
)
def test_what_cannot_be_searched_is_said_with_what_can(method, problem, budget, message):
    with pytest.raises(UsageError, match=message):
        search(problem, method, budget)


def test_batches_and_seeds_are_numbers_that_make_sense():
    with pytest.raises(UsageError, match="batches of 0 candidates"):
        search(Problem(NB201, rugged), "random", Budget(1), batch=0)
    with pytest.raises(UsageError, match="-1 is no seed"):
        search(Problem(NB201, rugged), "random", Budget(1), seed=-1)
