"""What columns have in common, and which of them would cost the others too much."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.analysis.common_rows import ELSEWHERE, FEW, LEAST_COVERAGE, TOO_NARROW, in_common

ROWS = 200


def rows(*parts: tuple[int, int]) -> np.ndarray:
    """The rows of some ranges."""
    found = np.zeros(ROWS, dtype=bool)
    for start, end in parts:
        found[start:end] = True
    return found


def test_members_are_compared_where_all_of_them_have_a_value() -> None:
    found = in_common({"all": rows((0, 200)), "half": rows((0, 100)), "late": rows((50, 180)), "none": rows()})
    assert found.members == ("all", "half", "late")
    assert np.flatnonzero(found.rows).tolist() == list(range(50, 100))
    assert found.apart == {"none": TOO_NARROW}
    assert len(found) == 50


@pytest.mark.parametrize(("count", "is_member"), [(100, True), (99, False)])
def test_a_column_stays_out_below_half_of_the_widest(count: int, is_member: bool) -> None:
    found = in_common({"narrow": rows((0, count)), "wide": rows((0, 200))})
    assert ("narrow" in found.members) == is_member
    assert len(found) == (count if is_member else 200)


def test_a_column_that_was_scored_elsewhere_stays_out() -> None:
    found = in_common({"first": rows((0, 100)), "second": rows((90, 190)), "third": rows((0, 95))})
    assert found.members == ("first", "third")
    assert found.apart == {"second": ELSEWHERE}
    assert len(found) == 95


def test_few_rows_are_compared_too() -> None:
    found = in_common({"a": rows((0, 4)), "b": rows((1, 4)), "c": rows((3, 6))})
    assert (found.members, len(found)) == (("a", "b"), 3)


def test_nothing_has_nothing_in_common() -> None:
    assert len(in_common({})) == 0
    nobody = in_common({"a": rows(), "b": rows()})
    assert (nobody.members, len(nobody), list(nobody.apart)) == ((), 0, ["a", "b"])


@given(st.lists(st.lists(st.booleans(), min_size=ROWS, max_size=ROWS), min_size=1, max_size=5))
def test_the_rows_are_those_of_all_members_and_never_hardly_any(covered: list[list[bool]]) -> None:
    columns = {str(place): np.array(mask) for place, mask in enumerate(covered)}
    found = in_common(columns)
    widest = max(int(mask.sum()) for mask in columns.values())
    assert {*found.members, *found.apart} == set(columns)
    assert not found.members or (found.rows == np.logical_and.reduce([columns[name] for name in found.members])).all()
    assert len(found) >= min(FEW, LEAST_COVERAGE * widest)
    assert all((columns[name].sum() < LEAST_COVERAGE * widest) or why != TOO_NARROW or not widest
               for name, why in found.apart.items())  # fmt: skip
