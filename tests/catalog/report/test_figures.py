"""Bins, drawings and specifications: the numbers that the page draws from."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.report.figure import listed, packed, packed_numbers, words
from catalog.report.hexagonal_bins import hexagonal_bins
from catalog.report.hover_drawings import MOST, HoverDrawings
from catalog.report.quality_figures import forest_choice
from catalog.report.report import Report, build_report
from catalog.storage.store import Store
from tests.catalog.report.conftest import COUNTS, HOSTILE, SPACES, TARGETS


def unpacked(array: dict[str, str]) -> np.ndarray:
    return np.frombuffer(base64.b64decode(array["bdata"]), dtype=f"<{array['dtype']}")


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=2, max_size=200))
def test_every_row_is_in_the_bin_with_the_nearest_centre(points: list[tuple[float, float]]) -> None:
    x, y = np.array(points).T
    bins = hexagonal_bins(x, y, np.arange(len(x)))
    assert bins.count.sum() == len(x)
    assert np.unique(bins.member).size == len(bins.x)
    # In units of the lattice a hexagon is regular: no member lies further from its centre than a corner does.
    across, down = (x[bins.member] - bins.x) / bins.dx, (y[bins.member] - bins.y) / bins.dy
    assert np.hypot(across, down * np.sqrt(3) / 2).max() <= 1 / np.sqrt(3) + 1e-6


def test_the_row_of_lowest_priority_stands_for_its_bin() -> None:
    x = y = np.array([0.0, 0.0, 0.0, 9.0])
    bins = hexagonal_bins(x, y, np.array([5, 1, 7, 0]))
    assert dict(zip(bins.member.tolist(), bins.count.tolist(), strict=True)) == {1: 3, 3: 1}
    assert repr(bins) == "Hexagons(2 bins, 4 rows)"


def test_a_constant_column_is_one_line_of_bins() -> None:
    bins = hexagonal_bins(np.full(50, 3.0), np.arange(50.0), np.arange(50))
    assert np.abs(bins.x - 3.0).max() <= bins.dx / 2 + 1e-9
    assert bins.count.sum() == 50


def test_lines_beside_partly_covered_proxies_are_not_compared(hostile_database: Path) -> None:
    with Store.open(hostile_database) as catalog:
        asked = (catalog, ["few"], TARGETS[:1], ["good_published", "noise_published"])
        (common,) = build_report(*asked).pools
        (found,) = build_report(*asked, pool="own").pools
    assert "The lines are over" not in forest_choice([common]).figures[0,].alternative
    assert common.pool.common is not None
    apart = replace(common.pool.common, members=("good_published",), apart={"noise_published": "covers little"})
    apart_pool = replace(common, pool=replace(common.pool, common=apart))
    said = forest_choice([apart_pool]).figures[0,].alternative
    assert "over the 120 architectures that are compared and noise_published are over others" in said
    assert "cover fewer" not in forest_choice([found]).figures[0,].alternative
    gone = pl.when(pl.col("proxy") == "noise_published").then(20).otherwise(0)
    partly = replace(found, table=found.table.with_columns(missing=gone))
    assert "over all architectures and noise_published cover fewer" in forest_choice([partly]).figures[0,].alternative


def test_arrays_travel_in_few_bytes() -> None:
    values = [0.5, np.nan, -3.25]
    np.testing.assert_array_equal(unpacked(packed(values)), np.array(values, dtype=np.float32))
    assert unpacked(packed([1e200, np.inf])).tolist() == [1e200, np.inf]
    for numbers, kind in (([0, 255], "u1"), ([0, 256], "u2"), ([70_000], "i4"), ([-1, 3], "i4")):
        array = packed_numbers(numbers)
        assert array["dtype"] == kind
        assert unpacked(array).tolist() == numbers


def test_names_in_figures_and_sentences() -> None:
    assert words(HOSTILE) == "&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt;"
    assert listed([]) == "none"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed(list("abcdefg")) == "a, b, c, d, e and 2 more"


def test_one_space_shares_its_drawings_between_all_figures(built: Report) -> None:
    assert list(built.drawings) == ["cells-many", "cells-few"]
    few = built.drawings["cells-few"]
    assert len(few["architectures"]) == COUNTS["few"]  # every point
    assert len(built.drawings["cells-many"]["architectures"]) <= MOST
    name, ((shape, operators),) = few["architectures"][0]
    drawn = few["shapes"][shape]
    assert name.startswith((HOSTILE, "=HYPERLINK("))
    assert len(drawn["nodes"]) == len(operators)
    assert [few["words"][operators[0]][1], few["words"][operators[-1]][1]] == ["input", "output"]
    assert ["<script>alert…", "attention"] in [list(word) for word in few["words"]]


def test_full_drawings_say_so() -> None:
    drawings = HoverDrawings("cells")
    pool = FakePool(MOST + 5)
    places = drawings.places(pool, np.arange(MOST + 5))  # type: ignore[arg-type]
    assert places[:MOST].tolist() == list(range(MOST))
    assert places[MOST:].tolist() == [-1] * 5
    assert repr(drawings) == f"HoverDrawings('cells', {MOST} architectures)"


class FakePool:
    """As many architectures as asked for."""

    def __init__(self, count: int) -> None:
        self.ids = np.arange(count) + 1000
        self.native_ids = [str(number) for number in range(count)]


def test_small_pools_are_points_and_large_ones_hexagons(built: Report) -> None:
    kinds = {key: figure.specification["data"][0]["type"] for key, figure in built.figures["relation"].figures.items()}
    assert {key[0]: kind for key, kind in kinds.items()} == {0: "hexbin", 1: "hexbin", 2: "scatter", 3: "scatter"}
    good = built.pools[0].proxies.index("good_published")
    trace = built.figures["relation"].figures[0, good].specification["data"][0]
    assert unpacked(trace["count"]).sum() == COUNTS["many"]


def test_a_heavy_tail_is_shown_by_its_logarithm(built: Report) -> None:
    titles = [
        figure.specification["layout"]["xaxis"]["title"]["text"]
        for key, figure in built.figures["relation"].figures.items()
        if key[0] == 2
    ]
    assert sum(title.startswith("log10 ") for title in titles) == 1


def test_ranks_run_from_0_to_100(built: Report) -> None:
    good = built.pools[2].proxies.index("good_published")
    trace = built.figures["ranks"].figures[2, good].specification["data"][0]
    assert sorted(unpacked(trace["x"]))[:: COUNTS["few"] - 1] == [0, 100]


@pytest.mark.parametrize("name", ["forest", "any_time", "quantiles", "matrix", "overlap", "curve"])
def test_every_pool_has_its_figure(built: Report, name: str) -> None:
    assert list(built.figures[name].figures) == [(0,), (1,), (2,), (3,)]


def test_the_same_question_gives_the_same_page(hostile_database: Path) -> None:
    with Store.open(hostile_database) as catalog:
        again = build_report(catalog, SPACES[1:], TARGETS[:1])
        once_more = build_report(catalog, SPACES[1:], TARGETS[:1])
    assert again.page(plotly="none") == once_more.page(plotly="none")


def test_less_of_a_cost_is_better(hostile_database: Path) -> None:
    with Store.open(hostile_database) as catalog:
        report = build_report(catalog, ["few"], ["cifar10_latency_edgegpu"], ["noise_published", "good_published"])
        lowest = catalog.query("SELECT min(cifar10_latency_edgegpu) AS lowest FROM few")["lowest"][0]
    (found,) = report.pools
    assert found.pool.target_direction == -1
    assert found.table.filter(pl.col("proxy") == "good_published")["kendall_tau"][0] < -0.3  # it likes what is slow
    best = found.table.row(0, named=True)
    assert best["best_100"] == pytest.approx(lowest + best["regret_100"])
    ranks = report.figures["ranks"].figures[0, 0].specification["data"][0]
    fastest = int(np.argmax(unpacked(ranks["y"])))
    assert found.pool.plain_truth[found.pool.known][fastest] == lowest
