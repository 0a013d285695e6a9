"""The whole network of an architecture: its totals are the space's counts, and one cell a stage stands for all."""

from __future__ import annotations

import numpy as np
import pytest

from catalog.architecture.computation.arrays import batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.size_tables import sized_forms, sized_scores
from catalog.spaces import SPACES, darts_computation, nats_network, nb201, nb201_network, space_named
from catalog.spaces.darts_network import network_costs
from catalog.spaces.nb101 import NASBench101


@pytest.mark.parametrize("space", ["nb201", "darts"])
def test_totals_are_the_counts_of_what_is_alive(space: str) -> None:
    known = space_named(space)
    native = known.sample(200, seed=7)
    plans = [known.network_plan(graph) for graph in native]
    scores = known.structural_scores(native, [graph.canonical for graph in native])
    bias = 10 if space == "nb201" else 0  # the benchmark counts the classifier's bias as an operation a class
    parameters, costs = batch_of_plans(plans).totals()
    alive = np.array([plan is not None for plan in plans])
    assert alive.sum() > 150
    np.testing.assert_array_equal(parameters[alive], scores["live_params"][alive])
    np.testing.assert_array_equal(costs[alive] + bias, scores["live_flops"][alive])


def test_totals_are_the_counts_of_nb101() -> None:
    space = NASBench101()
    native = space.sample(200, seed=7)
    parameters, costs = batch_of_plans([space.network_plan(graph) for graph in native]).totals()
    scores = space.structural_scores(native, native)
    np.testing.assert_array_equal(parameters, scores["params"])
    np.testing.assert_array_equal(costs, scores["flops"])


@pytest.mark.parametrize("dataset", ["cifar100", "imagenet16-120"])
def test_totals_of_the_other_data_sets(dataset: str) -> None:
    cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    plan = nb201_network.network_plan(space_named("nb201").graph(cell), dataset=dataset)
    assert plan is not None
    classes = nb201_network.SKELETON.datasets[dataset].classes
    assert plan.parameters == nb201.parameters([cell], dataset)[0]
    assert plan.multiply_accumulates + classes == nb201.multiply_accumulates([cell], dataset)[0]
    widths = (8, 64, 16, 24, 40)
    size = nats_network.network_plan(widths, dataset)
    assert (size.parameters, size.multiply_accumulates + classes) == nats_network.costs(widths, dataset)[:2]


@pytest.mark.parametrize("channels", [1, 16, 36])
@pytest.mark.parametrize("cells", [1, 2, 3, 4, 8, 20])
def test_darts_of_every_size_has_the_totals_of_its_counts(cells: int, channels: int) -> None:
    graphs = space_named("darts").sample(3, seed=cells)
    skeleton = darts_computation.SKELETON.sized(channels, cells)
    expected = network_costs(graphs, graphs, skeleton).T.tolist()
    for graph, costs in zip(graphs, expected, strict=True):
        for compressed in (False, True):
            plan = darts_computation.network_plan(graph, skeleton, compressed=compressed)
            assert plan is not None
            assert [plan.parameters, plan.multiply_accumulates] == costs[:2]


@pytest.mark.parametrize("space", SPACES)
def test_one_cell_a_stage_costs_what_all_cells_do(space: str) -> None:
    known = space_named(space)
    for graph in known.sample(20, seed=5):
        short, whole = known.network_plan(graph), known.network_plan(graph, compressed=False)
        if short is None or whole is None:
            assert short is whole
            continue
        assert short.parameters == whole.parameters
        assert short.multiply_accumulates == whole.multiply_accumulates
        assert len(short.blocks) <= len(whole.blocks)


@pytest.mark.parametrize("space", SPACES)
def test_layers_add_up_to_the_structural_scores(space: str) -> None:
    known = space_named(space)
    native = known.sample(30, seed=11)
    canonical = [graph.canonical for graph in native]
    sized = sized_scores(sized_forms(native, canonical, sizes_are_all=known.sizes_are_all))
    scores = {**sized, **known.structural_scores(native, canonical)}
    for row, graph in enumerate(native):
        plan = known.network_plan(graph, compressed=False)
        if plan is not None:
            assert scores["root_macs"][row] == pytest.approx(plan.root_macs)
            assert scores["activations"][row] == plan.activations


def test_copies_are_counted() -> None:
    """Five cells a stage of NAS-Bench-201: what is in a cell stands for five, what is around it for one."""
    plan = space_named("nb201").network_plan(space_named("nb201").graph(6111))
    assert plan is not None
    nodes = plan.graph().nodes
    assert {node.repeats for node in nodes} == {1, 5}
    first = next(node for node in nodes if node.repeats == 5 and node.parameters)
    assert first.primitive.multiply_accumulates == 5 * 16 * 16 * first.primitive.kernel[0] ** 2 * 32 * 32


@pytest.mark.parametrize(
    ("space", "nodes", "short"), [("nb201", 53, 28), ("nb101", 73, 35), ("darts", 230, 130), ("nats-sss", 84, 38)]
)
def test_graphs_are_small(space: str, nodes: int, short: int) -> None:
    """On average, and connected ones alone."""
    known = space_named(space)
    plans = [plan for graph in known.sample(300, seed=0) if (plan := known.network_plan(graph)) is not None]
    batch = batch_of_plans(plans)
    assert np.diff(batch.first_node).mean() == pytest.approx(nodes, rel=0.05)
    assert np.diff(fused(batch).first_node).mean() == pytest.approx(short, rel=0.05)


def test_a_module_is_built_in_the_form_that_was_trained() -> None:
    """Which vertex gets the remainder of a division depends on their order; stored graphs have another one."""
    space = NASBench101()
    graph = next(graph for graph in space.sample(50, seed=3) if len(graph.cells[0].operators) == 7)
    mirrored = space.first_form(graph.canonical)
    assert mirrored == graph
    native, stored = space.network_plans([graph, graph.canonical])
    assert native is not None
    assert stored is not None
    assert [block.layers for block in native.blocks] == [block.layers for block in stored.blocks]
