"""The structural prior: each law is a sign that theory gives."""

from __future__ import annotations

from dataclasses import fields
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from predictor.encoding.padded_graphs import from_graphs
from predictor.encoding.structural_prior import AROUND_THE_CELL, Prior, Terms, structure, terms_of
from tests.predictor.tg_nas.graphs import chain, nb201_cell, random_graphs


def prior(*graphs: ArchitectureGraph) -> np.ndarray:
    return Prior().score(terms_of(from_graphs(graphs), len(graphs)))


def test_the_terms_of_one_convolution_by_hand() -> None:
    """3x3: nine times the weights of 1x1; one layer, on the only way."""
    found = terms_of(from_graphs([chain(["conv3x3"])]), 1)
    assert found.capacity[0] == pytest.approx(np.log(1 + np.log(10)))
    assert found.expressivity[0] == pytest.approx(
        np.log((np.log(10) + AROUND_THE_CELL) / (np.log(10) + AROUND_THE_CELL + 1))
    )
    assert found.depth[0] == pytest.approx(np.log(1.1 / 2.1))
    assert (found.detail[0], found.excess[0], found.route[0]) == (0.0, 0.0, 1.0)


def test_the_inputs_of_a_cell_that_has_several_are_projected() -> None:
    """input_0 feeds a convolution and the sum, input_1 the sum alone: two 1x1 layers that no operator stands for."""
    cell = CellGraph.build(
        "normal", ("input_0", "input_1", "sep_conv_3x3", "sum", "output"), [(0, 2), (1, 3), (2, 3), (3, 4)]
    )
    found = structure(from_graphs([ArchitectureGraph("darts", (cell,)).canonical])[0])
    separable = structure(from_graphs([chain(["sep_conv_3x3"])])[0])
    assert found.weights[0] == pytest.approx(separable.weights[0] + 2 * np.log(2))
    assert found.depth[0] == pytest.approx((3 + 1) / 2)  # the projection alone, or before two layers
    assert found.route[0] == 1.0
    assert found.ways[0] == 2.0


def test_layers_beyond_two_on_the_mean_way_cost_up_to_the_length_of_the_shortest() -> None:
    deep = ["conv3x3"] * 6
    assert excess(chain(deep)) == 0.0  # a single way
    assert excess(_beside(deep, ["skip_connect"])) == 0.0  # a way as it is
    assert excess(_beside(deep, ["conv1x1"])) == pytest.approx(1.0)  # (6 + 1) / 2 - 2 layers, no more than the shortest
    assert excess(_beside(deep, ["avg_pool_3x3"])) == pytest.approx(1.0)
    assert excess(_beside(deep[:4], ["conv1x1", "conv1x1"])) == pytest.approx((4 + 2) / 2 - 2)
    assert excess(_beside(deep, deep)) == pytest.approx(3.0)  # the longest route that counts


def excess(graph: ArchitectureGraph) -> float:
    return float(structure(from_graphs([graph])[0]).excess[0])


def test_an_edge_that_is_there_twice_is_one_way() -> None:
    doubled = CellGraph.build(
        "cell",
        ("input", "skip_connect", "skip_connect", "conv3x3", "conv3x3", "conv3x3", "output"),
        [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5), (5, 6)],
    )
    found = structure(from_graphs([ArchitectureGraph("own", (doubled,)).canonical])[0])
    assert (found.ways[0], found.excess[0], found.depth[0]) == (1.0, 0.0, 3.0)


def _beside(one: list[str], other: list[str]) -> ArchitectureGraph:
    """Two chains between the same input and output."""
    names = ["input", *one, *other, "output"]
    last = len(names) - 1
    edges = [(0, 1), (0, len(one) + 1), (len(one), last), (last - 1, last)]
    edges += [(place, place + 1) for place in (*range(1, len(one)), *range(len(one) + 1, last - 1))]
    return ArchitectureGraph("own", (CellGraph.build("cell", names, edges),)).canonical


def test_a_skip_beside_a_pool_halves_its_share_of_the_signal() -> None:
    cell = CellGraph.build(
        "cell", ("input", "skip_connect", "max_pool_3x3", "output"), [(0, 1), (0, 2), (1, 3), (2, 3)]
    )
    found = structure(from_graphs([ArchitectureGraph("own", (cell,)).canonical])[0])
    assert found.pooling[0] == pytest.approx(0.5)
    assert found.route[0] == 0.0
    assert found.ways[0] == 2.0


def test_a_stronger_operator_in_the_same_place_scores_higher() -> None:
    pool, point, window = (
        prior(nb201_cell("skip_connect", word, "none", "nor_conv_3x3", "none", "nor_conv_3x3"))[0]
        for word in ("avg_pool_3x3", "nor_conv_1x1", "nor_conv_3x3")
    )
    assert pool < point < window


@pytest.mark.parametrize("operator", ["conv3x3", "conv1x1", "sep_conv_3x3", "dil_conv_5x5"])
def test_a_long_chain_does_not_lose_by_growing(operator: str) -> None:
    scores = prior(*(chain([operator] * length) for length in range(1, 60)))
    assert (np.diff(scores) > 0).all()


@pytest.mark.parametrize("stem", [(), ("conv3x3",), ("max_pool_3x3",)], ids=str)
@pytest.mark.parametrize("body", [("conv3x3",), ("sep_conv_3x3",), ("conv1x1", "conv3x3", "conv1x1")], ids=str)
def test_residual_blocks_do_not_lose_by_growing(stem: tuple[str, ...], body: tuple[str, ...]) -> None:
    scores = prior(*(_residual_chain(stem, body, blocks) for blocks in range(1, 20)))
    assert (np.diff(scores) > 0).all()


def test_shortcuts_help_a_deep_network() -> None:
    residual = _residual_chain(("conv3x3",), ("conv3x3", "conv3x3"), 8)
    assert prior(residual)[0] > prior(chain(["conv3x3"] * 17))[0]


def _residual_chain(stem: tuple[str, ...], body: tuple[str, ...], blocks: int) -> ArchitectureGraph:
    names = ["input", *stem]
    edges = [(place, place + 1) for place in range(len(stem))]
    for _ in range(blocks):
        state = len(names) - 1
        names += [*body, "sum"]
        block = [state, *range(state + 1, len(names))]
        edges += [*pairwise(block), (state, len(names) - 1)]
    cell = CellGraph.build("cell", [*names, "output"], [*edges, (len(names) - 1, len(names))])
    return ArchitectureGraph("own", (cell,)).canonical


def test_a_cell_without_a_way_through_has_no_score() -> None:
    dead, whole = nb201_cell(*["none"] * 6), nb201_cell(*["nor_conv_3x3"] * 6)
    half_dead = ArchitectureGraph("own", (*whole.cells, *dead.cells))
    scores = prior(dead, half_dead, whole)
    assert np.isfinite(scores).tolist() == [False, False, True]


def test_more_cells_of_a_kind_score_higher() -> None:
    cell = chain(["conv3x3"]).cells[0]
    one, two = ArchitectureGraph("own", (cell,)), ArchitectureGraph("own", (cell, cell))
    assert prior(one)[0] < prior(two)[0]


def test_the_scale_of_a_pool_makes_standard_scores() -> None:
    graphs = [graph for graph in random_graphs(200) if graph.is_connected]
    terms = terms_of(from_graphs(graphs), len(graphs))
    scores = Prior().standardised(terms).score(terms)
    assert scores.mean() == pytest.approx(0.0, abs=1e-9)
    assert scores.std() == pytest.approx(1.0)


@given(st.permutations(range(1, 5)), st.data())
def test_the_order_of_the_nodes_does_not_matter(order: list[int], data: st.DataObject) -> None:
    words = [data.draw(st.sampled_from(["conv3x3", "conv1x1", "maxpool3x3", "sep_conv_5x5"])) for _ in range(4)]
    edges = [(0, node) for node in range(1, 5)] + [(node, 5) for node in range(1, 5)] + [(1, 2), (3, 4)]
    place = [0, *order, 5]
    names = ["input", *words, "output"]
    moved = ["", "", "", "", "", ""]
    for node, to in enumerate(place):
        moved[to] = names[node]
    plain = CellGraph.build("cell", names, edges)
    shuffled = CellGraph.build("cell", moved, [(place[source], place[target]) for source, target in edges])
    scores = prior(ArchitectureGraph("own", (plain,)), ArchitectureGraph("own", (shuffled,)))
    assert scores[0] == pytest.approx(scores[1])


def test_three_terms_speak_for_an_architecture_and_three_against_it() -> None:
    names = [field.name for field in fields(Terms)]
    for name in names:
        terms = Terms(*(np.array([0.0, float(other == name)]) for other in names))
        before, after = Prior().score(terms)
        assert (after > before) == (name in ("capacity", "expressivity", "depth")), name
