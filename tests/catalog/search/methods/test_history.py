"""What a history tells: the best, the Pareto front, the any-time curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import UsageError
from catalog.search.methods.history import History, Visit
from catalog.search.methods.problem import Candidate

NAN = float("nan")


def history(*scores: tuple[float, ...]) -> History:
    visits = [Visit(Candidate(str(number)), number, 0.5 * number, row) for number, row in enumerate(scores, 1)]
    return History("random", 0, len(scores[0]) if scores else 1, visits)


def numbers(visits: list[Visit]) -> list[int]:
    return [visit.evaluation for visit in visits]


def test_the_best_come_first_and_of_equal_ones_the_earlier():
    assert numbers(history((1.0,), (3.0,), (NAN,), (3.0,), (2.0,)).top(3)) == [2, 4, 5]


def test_what_has_no_value_is_never_among_the_best():
    assert numbers(history((NAN,), (-1.0,)).top(5)) == [2]
    assert history((NAN,), (NAN,)).best is None
    assert history().best is None


def test_the_curve_keeps_each_improvement():
    assert numbers(history((NAN,), (1.0,), (0.5,), (1.0,), (2.0,)).curve()) == [2, 5]
    assert history().curve() == []


def test_by_several_scores_there_is_no_best():
    with pytest.raises(UsageError, match="ask for its Pareto front"):
        history((1.0, 2.0)).top(1)


def test_the_front_is_what_nothing_beats():
    front = history((1.0, 1.0), (0.0, 2.0), (2.0, 0.0), (0.5, 0.5), (1.0, 1.0), (NAN, 9.0)).front()
    assert numbers(front) == [3, 1, 2]


@given(st.lists(st.tuples(*[st.sampled_from([NAN, 0.0, 1.0, 2.0, 3.0])] * 3), min_size=1, max_size=30))
def test_the_front_is_that_of_comparing_all_pairs(scores):
    valued = [row for row in scores if not any(np.isnan(row))]
    expected = {
        row
        for row in valued
        if not any(other != row and all(a >= b for a, b in zip(other, row, strict=True)) for other in valued)
    }
    front = [visit.scores for visit in history(*scores).front()]
    assert len(front) == len(set(front))
    assert set(front) == expected


def test_a_value_ranks_before_none_and_that_before_what_breaks_the_constraints():
    candidate = Candidate("0")
    worst_first = [
        Visit(candidate, 0, 0.0, (), np.inf),
        Visit(candidate, 0, 0.0, (), 2.0),
        Visit(candidate, 0, 0.0, (), 0.5),
        Visit(candidate, 1, 0.0, (NAN,)),
        Visit(candidate, 2, 0.0, (-1e9,)),
        Visit(candidate, 3, 0.0, (0.0,)),
    ]
    shuffled = [worst_first[place] for place in (3, 0, 5, 1, 4, 2)]
    assert sorted(shuffled, key=lambda visit: visit.rank) == worst_first


def test_a_history_shows_its_state():
    assert repr(history((1.0,))) == "History(random, 1 visits, running)"
