"""The protocol's draws, halves, judgement and search, on a pool of our own making."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.protocol.draws import draw, labels_of
from benchmarks.protocol.pools import Pool, Target, half, part
from benchmarks.protocol.quality import judge
from benchmarks.protocol.search import regrets
from catalog.spaces import space_named
from predictor.door import Given, Graphs

SPACE = space_named("nb201")
ROWS = np.arange(60)
FUNCTIONS = np.where(ROWS < 10, ROWS // 2, ROWS)  # five pairs of twins
NATIVE = SPACE.sample(60, 0)


def pool(labels: np.ndarray | None = None) -> Pool:
    given = Given(
        "nb201",
        60,
        SPACE.vocabulary,
        {"native": Graphs.of(NATIVE)},
        np.empty((60, 0)),
        ROWS != 7,
        optional={"nwot": ROWS.astype(np.float64)},
    )
    values = np.sin(ROWS) if labels is None else labels
    return Pool("nb201", given, FUNCTIONS, {"accuracy": Target(values, values)}, ROWS, ROWS)


def test_a_larger_draw_holds_the_smaller_one_and_no_twin_of_it_is_tested() -> None:
    small, large = draw(pool(), 10, 3), draw(pool(), 20, 3)
    assert set(small.drawn) < set(large.drawn)
    np.testing.assert_array_equal(small.drawn, np.random.default_rng(1003).permutation(60)[:10])
    assert not np.isin(FUNCTIONS[large.tested], FUNCTIONS[large.drawn]).any()
    assert len(large.tested) == 60 - np.isin(FUNCTIONS, FUNCTIONS[large.drawn]).sum()


def test_twins_have_the_mean_label_of_those_that_were_drawn_and_what_computes_nothing_has_none() -> None:
    labels = ROWS.astype(np.float64)
    found = labels_of(pool(), np.array([5, 4, 7, 8, 30]), labels)
    assert {row: found[row] for row in np.flatnonzero(np.isfinite(found)).tolist()} == {4: 4.5, 8: 8.0, 30: 30.0}


def test_the_halves_are_apart_and_twins_stay_together() -> None:
    first, second = half(pool(), "A"), half(pool(), "B")
    assert sorted([*first.labelled, *second.labelled]) == ROWS.tolist()
    assert not set(FUNCTIONS[first.tested]) & set(FUNCTIONS[second.tested])
    lone = np.random.default_rng(2026).permutation(60)[:30]
    assert {row for row in lone.tolist() if row >= 10} == {row for row in first.labelled.tolist() if row >= 10}


def test_a_target_that_some_lack_has_a_pool_of_its_own() -> None:
    labels = np.where(ROWS % 3 == 0, np.nan, 1.0)
    assert set(pool(labels).of_target("accuracy").labelled) == set(ROWS[ROWS % 3 != 0])


def test_a_part_holds_the_same_cells_and_numbers() -> None:
    rows = np.array([40, 3, 12])
    some = part(pool().given, rows)
    assert len(some) == 3
    np.testing.assert_array_equal(some.optional["nwot"], rows)
    operators = {
        int(row): part_.cells.cell(place).operators
        for part_ in some.native.cells
        for place, row in enumerate(part_.rows)
    }
    assert operators == {place: NATIVE[row].as_cells()[0].operators for place, row in enumerate(rows.tolist())}
    assert list(some.native.graphs) == [NATIVE[row] for row in rows.tolist()]


def test_what_computes_nothing_is_tied_in_the_last_place() -> None:
    truth = np.arange(40.0)
    connected = np.ones(40, dtype=bool)
    assert judge(truth, truth, connected).tau == pytest.approx(1.0)
    connected[[20, 39]] = False
    found = judge(truth, truth, connected)
    assert found == judge(np.where(connected, truth, np.nan), truth, connected)
    assert found.tau < 0.95
    assert judge(-truth, truth, np.ones(40, dtype=bool)).rho == pytest.approx(-1.0)


def test_a_query_is_one_function_and_the_incumbent_is_judged_by_its_truth() -> None:
    labels, truth = np.zeros(60), np.zeros(60)
    labels[[0, 20, 30]], truth[[20, 30, 40]] = [1.0, 3.0, 2.0], [5.0, 6.0, 9.0]
    one = pool()
    target = Target(labels, truth)
    np.testing.assert_array_equal(regrets(one, target, np.array([0, 1, 30, 20])), [9.0, 3.0, 4.0])  # 1 is 0's twin
