"""What each method is worth: better than chance where there is a lie of the land, within the constraints always."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.search.methods import progress
from catalog.search.methods.problem import Asking, Budget, Problem
from catalog.search.methods.pruning import COMPLETIONS
from catalog.search.methods.running import METHODS, search
from tests.catalog.search.landscapes import (
    SIZE_SPACE,
    SPACES,
    Additive,
    Nearest,
    Recorded,
    graph_of,
    rugged,
    weighted_operators,
)

GUIDED = ("regularized-evolution", "local-search", "differential-evolution", "pruning", "prune-evolve")
SEEDS = range(3)
BUDGETS = {"nats-sss": 650, "nb201": 300, "nb101": 250, "darts": 600}


def landscape(space: str):
    return Additive(3) if space == "nats-sss" else rugged


@cache
def bests(space: str, method: str) -> list[float]:
    """The best score that a method finds, for each seed."""
    problem = Problem(SPACES[space], landscape(space))
    return [search(problem, method, Budget(BUDGETS[space]), seed).best.scores[0] for seed in SEEDS]


@pytest.mark.parametrize(
    ("space", "method"),
    [
        (space, method)
        for space in BUDGETS
        for method in GUIDED
        if (space, method) not in {("darts", "pruning"), ("darts", "prune-evolve"), ("nb101", "pruning")}
    ],
)
def test_every_method_beats_random_search(space, method):
    """Paired over seeds.

    Left out is pruning where it cannot show its worth: the supernet of DARTS takes some 1,800 evaluations, and that of
    NAS-Bench-101, two options a decision, is gone after a single round.
    """
    gains = np.subtract(bests(space, method), bests(space, "random"))
    assert gains.mean() > 0
    assert (gains >= 0).sum() > len(gains) / 2


@pytest.mark.parametrize("seed", SEEDS)
def test_pruning_finds_the_optimum_of_an_additive_score(seed):
    """By completions: each removal is compared on the same ones, so the rest of an additive score cancels."""
    score = Additive(seed)
    history = search(Problem(SIZE_SPACE, score), "pruning", Budget(), seed)
    assert history.stopped == "finished"
    assert history.best.scores == (pytest.approx(score.best),)
    assert history.visits[-1].evaluation == history.evaluations
    most = sum(COMPLETIONS * (1 + 5 * (options - 1)) for options in range(2, 9)) + 1
    assert history.evaluations <= most


def test_pruning_counts_an_architecture_without_a_value_as_the_worst():
    """One width of one stage makes the score of everything missing: that width goes first, and the rest as it was."""
    score = Additive(4)
    worst = max(score.worths[3], key=score.worths[3].__getitem__)

    def missing_with_the_best(candidates):
        values = score(candidates) + 100
        values[[graph_of(candidate).cells[0].labels()[4] == worst for candidate in candidates]] = np.nan
        return values

    history = search(Problem(SIZE_SPACE, missing_with_the_best), "pruning", Budget(), 0)
    second = sorted(score.worths[3].values())[-2]
    assert history.best.scores == (pytest.approx(100 + score.best - max(score.worths[3].values()) + second),)
    assert graph_of(history.visits[-1].candidate).cells[0].labels()[4] != worst


def test_prune_evolve_is_pruning_and_then_evolution():
    score = Additive(1)
    pruned = search(Problem(SIZE_SPACE, score), "pruning", Budget(), 6)
    both = search(Problem(SIZE_SPACE, score), "prune-evolve", Budget(pruned.evaluations + 100), 6)
    digests = [[visit.candidate.digest for visit in history.visits] for history in (pruned, both)]
    assert digests[1][: len(digests[0])] == digests[0]
    assert both.evaluations == pruned.evaluations + 100


def test_local_search_climbs_an_additive_score_to_the_top():
    score = Additive(2)
    history = search(Problem(SIZE_SPACE, score), "local-search", Budget(300), 0)
    assert history.best.scores == (pytest.approx(score.best),)


@settings(max_examples=20)
@given(
    method=st.sampled_from([name for name in METHODS if METHODS[name].fits(1) and name != "exhaustive"]),
    space=st.sampled_from(["nb101", "nb201", "darts"]),
    most=st.integers(0, 12),
    share=st.floats(0.05, 0.9),
    seed=st.integers(0, 1000),
)
def test_constraints_are_never_violated(method, space, most, share, seed):
    """At most so many weighted operators (an amount leads there), and a part of the functions at random (yes or no)."""

    def violations(candidates):
        forbidden = np.array([int(candidate.digest[:8], 16) / 16**8 > share for candidate in candidates])
        return np.maximum(0, weighted_operators(candidates) - most) + forbidden

    score = Recorded(rugged)
    asking = Asking(Nearest()) if METHODS[method].learns else None
    problem = Problem(SPACES[space], score, violations=violations, asking=asking)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(progress, "PATIENCE", 500)
        history = search(problem, method, Budget(40), seed)
    candidates = [visit.candidate for visit in history.visits]
    assert score.asked == [candidate.digest for candidate in candidates]
    if candidates:
        assert not violations(candidates).any()
        assert all(visit.is_feasible for visit in history.visits)


@pytest.mark.parametrize("method", GUIDED)
def test_amounts_lead_to_what_is_allowed(method):
    """Fewer than one in ten thousand DARTS architectures have at most three weighted operators in both cells."""

    def violations(candidates):
        return np.maximum(0, weighted_operators(candidates) - 3)

    history = search(Problem(SPACES["darts"], rugged, violations=violations), method, Budget(20), 0)
    assert history.infeasible > 0
    assert history.visits


def test_a_method_that_has_lost_its_values_goes_on():
    """A score without any value is no reason to fail."""
    for method in GUIDED:
        history = search(Problem(SIZE_SPACE, lambda c: np.full(len(c), np.nan)), method, Budget(200), 0)
        assert history.best is None
        assert len(history.visits) == 200
