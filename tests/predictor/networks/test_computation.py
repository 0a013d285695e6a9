"""The computation graph that is built of an architecture is the one that its real network shows when it is traced."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from catalog.architecture.computation.cells import live_cell
from catalog.architecture.computation.graph import ComputationGraph
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.spaces import (
    darts_computation,
    nats_network,
    nb101_computation,
    nb201_network,
    space_named,
    transnas_network,
)
from catalog.spaces.darts_network import IMAGENET
from ingest.model.torch_tracing import trace_module
from predictor.networks import PUBLISHED, Network, NetworkConfig, build
from predictor.networks.layers import convolution, relu_conv_bn
from predictor.networks.nb201 import ReductionBlock
from tests.predictor.networks.test_networks import DARTS_V2

NB201_CELLS = [
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
    "|nor_conv_1x1~0|+|none~0|none~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",  # one path is alive
    "|skip_connect~0|+|skip_connect~0|none~1|+|none~0|skip_connect~1|skip_connect~2|",  # x + x
    "|none~0|+|none~0|none~1|+|skip_connect~0|none~1|none~2|",  # x
]
DARTS_CELLS = [
    DARTS_V2,
    DARTS_V2.replace("_concat=[2, 3, 4, 5]", "_concat=[4, 5]"),
    DARTS_V2.replace("('sep_conv_3x3', 1), ('skip_connect', 0)", "('none', 1), ('skip_connect', 0)"),
]


def pruned(graph: ArchitectureGraph) -> ArchitectureGraph:
    """The native graph without what is dead, of which PyTorch would build layers."""
    cells = []
    for cell in graph.cells:
        live = live_cell(cell, graph.vocabulary)
        assert live is not None
        edges = Counter((source, target) for target, (_, _, sources) in enumerate(live) for source in sources)
        triples = tuple(sorted((source, target, count) for (source, target), count in edges.items()))
        cells.append(CellGraph(cell.name, tuple(name for name, _, _ in live), triples, cell.reduction))
    return replace(graph, cells=tuple(cells))


def bare(graph: ComputationGraph) -> ComputationGraph:
    """Without the text of settings (padding, counting of pads), which a traced node quotes from PyTorch."""
    return ComputationGraph(tuple(replace(node, settings="") for node in graph.nodes))


def assert_equal(plan: NetworkPlan | None, network: nn.Module, pixels: int = 32) -> None:
    """Equal operators, shapes, windows, parameters and multiply-accumulates, and equal data flow."""
    assert plan is not None
    built, traced = bare(plan.graph()), bare(trace_module(network.eval(), (1, 3, pixels, pixels)))
    nodes = [node for node in traced.nodes if node.primitive.operator.name != "identity"]  # an empty head
    assert Counter(node.label for node in built.nodes) == Counter(node.label for node in nodes)
    assert built.digest == traced.digest
    assert (built.parameters, built.multiply_accumulates) == (traced.parameters, traced.multiply_accumulates)
    assert plan.parameters == sum(weight.numel() for weight in network.parameters())


@pytest.mark.parametrize("cell", NB201_CELLS)
def test_nb201(cell: str) -> None:
    graph = space_named("nb201").graph(cell)
    assert_equal(nb201_network.network_plan(graph, compressed=False), build(pruned(graph)))


def test_nb201_for_other_images_and_sizes() -> None:
    graph = space_named("nb201").graph(NB201_CELLS[0])
    plan = nb201_network.network_plan(graph, dataset="imagenet16-120", compressed=False)
    assert_equal(plan, build(graph, NetworkConfig(16, 5, classes=120)), pixels=16)
    small = nb201_network.network_plan(graph, nb201_network.SKELETON.sized(4, 2), compressed=False)
    assert_equal(small, build(graph, NetworkConfig(4, 2)))


@pytest.mark.parametrize("place", range(8))
def test_nb101(place: int) -> None:
    """Modules of all sizes; among 8 of one seed some truncate channels and some feed the output from the input."""
    graph = space_named("nb101").sample(8, seed=4)[place]
    assert_equal(nb101_computation.network_plan(graph, compressed=False), build(graph))


def test_nb101_with_truncated_channels_and_without_a_vertex() -> None:
    edges = [(0, 1), (0, 2), (0, 3), (1, 3), (1, 4), (2, 4), (3, 4), (0, 4)]
    operators = ["input", "conv3x3", "maxpool3x3", "conv1x1", "output"]
    for cell in (CellGraph.build("module", operators, edges), CellGraph.build("module", ["input", "output"], [(0, 1)])):
        graph = ArchitectureGraph("nb101", (cell,))
        assert_equal(nb101_computation.network_plan(graph, compressed=False), build(graph))


@pytest.mark.parametrize("genotype", DARTS_CELLS)
def test_darts(genotype: str) -> None:
    graph = space_named("darts").graph(genotype)
    assert_equal(darts_computation.network_plan(graph, compressed=False), build(pruned(graph)))


@pytest.mark.parametrize("place", range(3))
def test_random_darts_cells(place: int) -> None:
    graph = space_named("darts").sample(3, seed=9)[place]
    skeleton = darts_computation.SKELETON.sized(16, 8)
    assert_equal(darts_computation.network_plan(graph, skeleton, compressed=False), build(graph, NetworkConfig(16, 8)))


def test_darts_for_imagenet() -> None:
    graph = space_named("darts").graph(DARTS_V2)
    plan = darts_computation.network_plan(graph, IMAGENET, "imagenet", compressed=False)
    config = NetworkConfig(IMAGENET.channels, IMAGENET.cells, classes=1000, imagenet=True)
    assert_equal(plan, build(graph, config), pixels=224)


@pytest.mark.parametrize("cell", ["1_02_333", "1_11_111", "0_23_013", "3_00_010", "2_31_120"])
def test_transnas(cell: str) -> None:
    graph = space_named("transnas_micro").graph(f"64-41414-{cell}")
    plan = transnas_network.network_plan(graph, compressed=False)
    assert_equal(plan, build(pruned(graph), replace(PUBLISHED["transnas_micro"], classes=75)), pixels=256)
    assert_equal(
        transnas_network.network_plan(graph, transnas_network.SKELETON.sized(4, 3), "class_scene", compressed=False),
        build(pruned(graph), NetworkConfig(4, 3, classes=47)),
        pixels=256,
    )


class NATSCell(nn.Module):
    """The one cell of NATS-Bench's size space."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = (relu_conv_bn(inputs, outputs, 3) for _ in range(2))
        self.third, self.fourth, self.fifth = (relu_conv_bn(outputs, outputs, 3) for _ in range(3))
        projection = nn.Sequential(convolution(inputs, outputs, 1), nn.BatchNorm2d(outputs))
        self.skip = nn.Sequential() if inputs == outputs else projection

    def forward(self, state: Tensor) -> Tensor:
        one = self.first(state)
        two = self.second(state) + self.third(one)
        out: Tensor = self.skip(state) + self.fourth(one) + self.fifth(two)
        return out


class NATSNetwork(Network):
    """The size space's network as its authors describe it."""

    def __init__(self, widths: Sequence[int]) -> None:
        super().__init__()
        one, two, three, four, five = widths
        self.stem = nn.Sequential(convolution(3, one, 3), nn.BatchNorm2d(one))
        parts = [NATSCell(one, one), ReductionBlock(one, two), NATSCell(two, three)]
        self.body = nn.ModuleList([*parts, ReductionBlock(three, four), NATSCell(four, five)])
        self.head = nn.Sequential(nn.BatchNorm2d(five), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Linear(five, 10)


@pytest.mark.parametrize("widths", [(64, 40, 16, 24, 8), (8, 8, 8, 8, 8)])
def test_nats_sizes(widths: tuple[int, ...]) -> None:
    with torch.device("meta"):
        parameters = NATSNetwork(widths).parameter_count()
    assert nats_network.costs(widths)[0] == parameters
    assert_equal(nats_network.network_plan(widths), NATSNetwork(widths))
