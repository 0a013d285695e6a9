"""What is asked of a search, and what cannot be asked."""

from __future__ import annotations

import pytest

from catalog.errors import UsageError
from catalog.search.methods.problem import Budget, Candidate, Problem
from tests.catalog.search.landscapes import NB201, rugged


@pytest.mark.parametrize("objectives", [0, 4])
def test_by_more_than_three_scores_nothing_is_searched(objectives):
    with pytest.raises(UsageError, match=f"{objectives} scores cannot be searched by"):
        Problem(NB201, rugged, objectives)


@pytest.mark.parametrize("evaluations", [0, -5])
def test_a_budget_has_at_least_one_evaluation(evaluations):
    with pytest.raises(UsageError, match=f"a budget of {evaluations} evaluations allows no search"):
        Budget(evaluations)


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_a_budget_of_time_is_a_positive_number(seconds):
    with pytest.raises(UsageError, match="give a positive number"):
        Budget(seconds=seconds)


def test_a_budget_knows_whether_it_limits_anything():
    assert Budget().is_unlimited
    assert not Budget(1).is_unlimited
    assert not Budget(seconds=1).is_unlimited


def test_a_pool_whose_twins_are_told_apart_needs_its_ids():
    with pytest.raises(ValueError, match="needs the native ids"):
        Problem(NB201, rugged, pool=("a",), tells_twins_apart=True)


def test_a_candidate_is_its_function_or_itself():
    assert Candidate("digest").key == "digest"
    assert Candidate("digest", native_id="cell").key == "cell"


def test_a_candidate_shows_where_it_came_from():
    assert repr(Candidate("0123456789abcdef", place=7)) == "Candidate(01234567, place=7)"
    assert repr(Candidate("0123456789abcdef")) == "Candidate(01234567)"
