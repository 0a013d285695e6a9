"""The terms of `tg_nas_universal` on small networks, worked out by hand."""

from __future__ import annotations

import math

import numpy as np

from catalog.architecture.computation.arrays import batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import NetworkInput, Size
from catalog.spaces.own import OwnSpace
from predictor.universal.recipe import BYPASSED, EXPONENT, Terms, terms_of

CONV = Size(kernel=3, channels=8)
COST = math.sqrt(16 * 16 * 9 * 8 * 8)


def network(operators: list[str], edges: list[tuple[int, int]], sizes: dict[int, Size]) -> ArchitectureGraph:
    told = tuple(sizes.get(node) for node in range(len(operators)))
    cell = CellGraph.build("network", operators, edges, sizes=told, vocabulary=SIZED_VOCABULARY)
    return ArchitectureGraph("own", (cell,), SIZED_VOCABULARY, input=NetworkInput(shape=(8, 16, 16)), classes=None)


def terms(*graphs: ArchitectureGraph) -> Terms:
    return terms_of(fused(batch_of_plans(OwnSpace("own").network_plans(graphs))))


def chain(*operators: str, **sizes: Size) -> ArchitectureGraph:
    names = ["input", *operators, "output"]
    told = {place: CONV for place, name in enumerate(names) if name == "conv"}
    told |= {place: Size(kernel=3) for place, name in enumerate(names) if name.endswith("pool")}
    return network(names, [(place, place + 1) for place in range(len(names) - 1)], told)


def test_a_layer_counts_less_where_an_identity_could_bypass_it() -> None:
    found = terms(chain("conv"), chain("conv", "conv"))
    bypassed = math.log(BYPASSED * COST)
    np.testing.assert_allclose(found.macs, [bypassed, bypassed + math.log(2) / (2 * EXPONENT)])
    down = network(["input", "conv", "output"], [(0, 1), (1, 2)], {1: Size(kernel=3, channels=32, stride=2)})
    np.testing.assert_allclose(terms(down).macs, math.log(COST))  # a quarter of the pixels, four times the channels


def test_pooling_costs_by_its_share_of_the_mean_way() -> None:
    found = terms(chain("conv", "avg_pool"), chain("conv"))
    np.testing.assert_allclose(found.pooled, [0.5, 0.0])
    assert found.score[0] < found.score[1]
    assert found.spread[0] > found.spread[1]


def test_a_shortest_way_costs_and_a_shortcut_never_does() -> None:
    names = ["input", "conv", "conv", "conv", "conv", "output"]
    sizes = dict.fromkeys(range(1, 5), CONV)
    plain = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)]
    found = terms(network(names, plain, sizes), network(names, [*plain, (1, 4)], sizes))
    np.testing.assert_array_equal(found.route, [4.0, 2.0])
    assert found.score[1] > found.score[0]


def test_a_score_does_not_depend_on_the_pool() -> None:
    graphs = chain("conv"), chain("conv", "avg_pool", "conv")
    alone = np.concatenate([terms(graph).score for graph in graphs])
    np.testing.assert_array_equal(terms(*graphs).score, alone)
