"""TransNAS-Bench-101's micro space: ids, functions, and the counts of its network against the published ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.computation.arrays import batch_of_plans
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import IdentifierError
from catalog.spaces import space_named, transnas_network
from catalog.spaces.transnas_micro import format_cell, parse

SPACE = space_named("transnas_micro")
CELLS = st.tuples(*[st.integers(0, 3)] * 6)
IN_SUITE_ZERO = 63  # classes of class_scene in the suite; the benchmark trained with 47

PUBLISHED = {  # parameters on class_scene, from NAS-Bench-Suite-Zero's zc_transbench101_micro.json
    "(1, 0, 0, 2, 1, 0)": 910_687,
    "(0, 1, 1, 2, 3, 3)": 16_256_351,
    "(1, 1, 0, 1, 2, 3)": 9_103_199,
    "(2, 1, 3, 1, 2, 1)": 9_614_431,
    "(1, 3, 3, 2, 2, 3)": 23_237_983,
    "(0, 1, 2, 0, 1, 0)": 1_082_719,  # no path leads through it
    "(3, 2, 2, 3, 2, 3)": 22_372_959,
}


def graph(cell: str) -> ArchitectureGraph:
    return SPACE.graph(f"64-41414-{cell}")


@given(CELLS)
def test_ids_come_back(cell):
    native = format_cell(cell)
    assert parse(native) == parse(cell) == parse(str(cell)) == cell
    assert SPACE.native_id(SPACE.graph(native)) == SPACE.locate(list(cell)) == native


@pytest.mark.parametrize(
    "given",
    ["64-41414-4_02_333", "64-41414-102333", "64-4111-basic", "64-41414-1_02_33", "(1, 2, 3)", "(1,0,0,2,1,4)", 17, "",
     "64-14141-1_02_333", "(1, 0, 0, 2, 1, True)", (1, 0, 0, 2, 1, True), None, "64-41414-1_02_33\u0663"],
)  # fmt: skip
def test_what_is_no_id_is_refused(given):
    with pytest.raises(IdentifierError, match="64-41414-1_02_333"):
        SPACE.graph(given)


def test_an_architecture_of_the_macro_space_is_called_so():
    with pytest.raises(IdentifierError, match="macro space"):
        SPACE.locate("64-4111-basic")


def test_a_graph_of_another_form_is_no_native_one():
    native = graph("1_02_333")
    other = CellGraph("reduce", ("input", "output"), ((0, 1, 1),), reduction=True)
    for cells in (native.cells[:1], (native.cells[0], other), native.canonical.cells):
        with pytest.raises(IdentifierError, match="no native graph"):
            SPACE.native_id(ArchitectureGraph(SPACE.name, cells))


def test_the_whole_space():
    graphs = list(SPACE.enumerate())
    assert len({SPACE.native_id(graph) for graph in graphs}) == SPACE.size == 4096
    assert sum(not graph.is_connected for graph in graphs) == 169
    assert len({graph.digest for graph in graphs}) == 1376


@given(CELLS)
def test_neighbours_differ_in_one_edge(cell):
    around = SPACE.neighbours(SPACE.graph(cell))
    found = [parse(SPACE.native_id(neighbour)) for neighbour in around]
    assert len(set(found)) == 18
    assert all(sum(a != b for a, b in zip(cell, other, strict=True)) == 1 for other in found)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("1_00_010", "0_00_100", True),  # a skip after a skip
        ("0_00_111", "0_00_100", True),  # skips of nothing
        ("3_01_001", "3_00_010", True),
        ("1_31_003", "3_11_003", True),  # the two inner nodes exchanged
        ("1_00_030", "0_00_300", False),  # where the resolution is halved, the skip of the input has weights
        ("1_00_110", "1_00_010", False),  # two of them side by side
    ],
)
def test_what_computes_one_thing(one, other, equal):
    """As in the benchmark, whose measurements of these are equal or not."""
    assert (graph(one).digest == graph(other).digest) is equal


def test_published_parameters():
    graphs = [SPACE.graph(key) for key in PUBLISHED]
    counted = SPACE.structural_scores(graphs, [graph.canonical for graph in graphs])["params"]
    features = transnas_network.SKELETON.stages[-1].channels
    classes = transnas_network.SKELETON.datasets[transnas_network.COUNTED].classes
    np.testing.assert_array_equal(counted - (classes - IN_SUITE_ZERO) * (features + 1), list(PUBLISHED.values()))


def test_counts_are_those_of_the_network_s_layers():
    native = SPACE.sample(200, seed=7)
    plans = [SPACE.network_plan(graph) for graph in native]
    scores = SPACE.structural_scores(native, [graph.canonical for graph in native])
    parameters, costs = batch_of_plans(plans).totals()
    alive = np.array([plan is not None for plan in plans])
    assert 150 < alive.sum() < 200
    np.testing.assert_array_equal(parameters[alive], scores["live_params"][alive])
    np.testing.assert_array_equal(costs[alive], scores["live_flops"][alive])
    assert (scores["params"] >= scores["live_params"]).all()


def test_the_skeleton_has_ten_cells_of_which_three_halve():
    stages = transnas_network.SKELETON.stages
    assert [(stage.channels, stage.cells, stage.reduces) for stage in stages] == [
        (128, 3, True),
        (256, 3, True),
        (512, 1, True),
    ]
    plan = transnas_network.network_plan(graph("3_33_333"), transnas_network.SKELETON.sized(4, 1), compressed=False)
    assert plan is not None
    assert plan.blocks[-2].shape[1:] == (32, 8, 8)
