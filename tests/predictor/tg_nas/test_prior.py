"""The structural prior: each law is a sign that theory gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.graph import ArchitectureGraph, CellGraph
from predictor.tensors import from_graphs
from predictor.tg_nas.prior import LONGEST_ROUTE, PriorScale, Terms, structure, terms_of
from tests.predictor.tg_nas.graphs import chain, nb201_cell, random_graphs

SCALE = PriorScale(0.33, 0.66, 1.58, 0.0, 1.0)  # spreads over NAS-Bench-101, rounded


def prior(*graphs: ArchitectureGraph) -> np.ndarray:
    return SCALE.score(terms_of(from_graphs(graphs), len(graphs)))


def test_the_terms_of_one_convolution_by_hand() -> None:
    """3x3: nine times the weights of 1x1; the only way counts as the longest route."""
    found = terms_of(from_graphs([chain(["conv3x3"])]), 1)
    capacity = np.log1p(np.log(10.0))
    assert found.capacity[0] == pytest.approx(capacity)
    assert found.pooling[0] == 0.0
    assert found.trainability[0] == pytest.approx(LONGEST_ROUTE * capacity)


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


def test_a_long_chain_does_not_lose_by_growing() -> None:
    scores = prior(*(chain(["conv3x3"] * length) for length in range(1, 60)))
    assert (np.diff(scores) > 0).all()


def test_residual_blocks_do_not_lose_by_growing() -> None:
    scores = prior(*(_residual_chain(blocks).canonical for blocks in range(1, 20)))
    assert (np.diff(scores) > 0).all()


def _residual_chain(blocks: int) -> ArchitectureGraph:
    names, edges, state = ["input"], [], 0
    for _ in range(blocks):
        block = len(names)
        names += ["conv3x3", "sum"]
        edges += [(state, block), (block, block + 1), (state, block + 1)]
        state = block + 1
    cell = CellGraph.build("cell", [*names, "output"], [*edges, (state, len(names))])
    return ArchitectureGraph("own", (cell,))


def test_a_cell_without_a_way_through_has_no_score() -> None:
    scores = prior(nb201_cell(*["none"] * 6), nb201_cell(*["nor_conv_3x3"] * 6))
    assert np.isnan(scores[0])
    assert np.isfinite(scores[1])


def test_more_cells_of_a_kind_score_higher() -> None:
    cell = chain(["conv3x3"]).cells[0]
    one, two = ArchitectureGraph("own", (cell,)), ArchitectureGraph("own", (cell, cell))
    assert prior(one)[0] < prior(two)[0]


def test_the_scale_of_a_pool_makes_standard_scores() -> None:
    graphs = [graph for graph in random_graphs(200) if graph.is_connected]
    terms = terms_of(from_graphs(graphs), len(graphs))
    scores = PriorScale.of(terms).score(terms)
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


def test_terms_name_every_vote_of_the_scale() -> None:
    terms = Terms(*(np.array([0.0, value]) for value in (1.0, 1.0, 1.0)))
    scale = PriorScale(1.0, 1.0, 1.0, 0.0, 1.0)
    assert scale.score(terms).tolist() == [0.0, -1.0]  # one vote for, two against
