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
from predictor.universal.recipe import Terms, terms_of

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


def test_the_size_of_a_chain_is_the_sum_of_the_roots_of_its_layers() -> None:
    found = terms(chain("conv"), chain("conv", "conv"))
    np.testing.assert_allclose(found.size, [math.log(COST), math.log(2 * COST)])
    np.testing.assert_array_equal(found.structure, 0.0)
    np.testing.assert_allclose(found.score, found.size)


def test_pooling_costs_by_its_share_of_the_mean_way() -> None:
    found = terms(chain("conv", "avg_pool"), chain("conv"))
    np.testing.assert_allclose(found.pooled, [0.5, 0.0])
    assert found.score[0] < found.score[1]
    assert found.spread[0] > found.spread[1]


def test_a_shortest_way_is_in_excess_of_what_every_way_passes() -> None:
    names = ["input", "conv", "conv", "conv", "conv", "output"]
    sizes = dict.fromkeys(range(1, 5), CONV)
    beside = network(names, [(0, 1), (1, 2), (2, 4), (1, 3), (3, 4), (4, 5)], sizes)
    over = network(names, [(0, 1), (1, 2), (2, 3), (3, 4), (1, 4), (4, 5)], sizes)
    np.testing.assert_array_equal(terms(beside, over).excess, [1.0, 0.0])
