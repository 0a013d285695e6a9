"""Networks: shapes, and parameters equal to what the benchmarks counted."""

from __future__ import annotations

import ast
import csv
import gzip
import json
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.errors import GraphError
from catalog.spaces.darts import DARTS
from catalog.spaces.nb201 import OPERATORS, NASBench201, format_cell
from catalog.spaces.transnas_micro import TransNASMicro
from predictor.networks import Network, NetworkConfig, build, live_form, load_replicas
from tests.catalog.graphs import cells

NB201 = NASBench201()
SMALL = NetworkConfig(channels=4, cells=1)
CELLS = st.tuples(*[st.sampled_from(OPERATORS)] * 6).map(format_cell)
DARTS_V2 = (  # Liu et al. 2019, arXiv 1806.09055
    "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1), "
    "('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)], normal_concat=[2, 3, 4, 5], "
    "reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1), ('max_pool_3x3', 0), "
    "('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)], reduce_concat=[2, 3, 4, 5])"
)


def parameters(graph: ArchitectureGraph, config: NetworkConfig | None = None) -> int:
    """Parameters of a network without numbers in it."""
    with torch.device("meta"):
        return build(graph, config).parameter_count()


@given(CELLS)
@settings(max_examples=25, deadline=None)
def test_nb201_parameters_follow_from_the_convolutions(cell: str) -> None:
    graph = NB201.graph(cell)
    if graph.is_connected:
        # 73,306 + 243,040 n3 + 28,000 n1: exact for all 15,625 cells of the benchmark
        assert parameters(graph) == 73_306 + 243_040 * cell.count("nor_conv_3x3") + 28_000 * cell.count("nor_conv_1x1")


@pytest.mark.parametrize(("classes", "added"), [(100, 5_850), (120, 7_150)])
def test_nb201_parameters_of_the_other_data_sets(classes: int, added: int) -> None:
    graph = NB201.graph(6111)
    config = NetworkConfig(channels=16, cells=5, classes=classes)
    assert parameters(graph, config) == parameters(graph) + added


def with_equal_weights(network: Network) -> Network:
    """Weights that depend on the shape alone, so that which convolution is which does not matter."""
    for parameter in network.parameters():
        if parameter.ndim > 1:
            torch.manual_seed(sum(parameter.shape))
            torch.nn.init.normal_(parameter, std=0.1)
    torch.nn.init.zeros_(network.classifier.bias)
    return network


@given(CELLS)
@settings(max_examples=25, deadline=None)
def test_native_and_canonical_networks_compute_the_same(cell: str) -> None:
    """Dead operators gone, skips contracted, parallel paths counted: the logits stay."""
    graph = NB201.graph(cell)
    if graph.is_connected:
        native, canonical = (with_equal_weights(build(form, SMALL)) for form in (graph, graph.canonical))
        images = torch.linspace(-1, 1, 3 * 3 * 16 * 16).sin().view(3, 3, 16, 16)
        torch.testing.assert_close(canonical(images), native(images), rtol=1e-3, atol=1e-3)


def test_cells_that_merging_makes_one_function_give_equal_logits() -> None:
    """The 165 functions of NAS-Bench-201 of which each unites two forms; equal convolutions have equal weights."""
    graphs = list(NB201.enumerate())
    merged = canonical_graphs(graphs)
    apart = canonical_graphs([replace(graph, space="nb101") for graph in graphs])  # a space that does not merge
    forms: defaultdict[str, dict[str, ArchitectureGraph]] = defaultdict(dict)
    for graph, one, other in zip(graphs, merged, apart, strict=True):
        forms[one.digest_as_is()].setdefault(other.digest_as_is(), graph)
    united = [list(twins.values()) for twins in forms.values() if len(twins) > 1]
    assert [len(twins) for twins in united] == [2] * 165
    images = torch.linspace(-1, 1, 2 * 3 * 16 * 16).sin().view(2, 3, 16, 16)
    for twins in united:
        first, second = (with_equal_weights(build(graph, SMALL)).eval()(images) for graph in twins)
        torch.testing.assert_close(first, second, rtol=1e-4, atol=1e-4)


@given(
    cells(most=7, operators=("nor_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "skip_connect", "sum"), most_parallel=2)
)
@settings(max_examples=40, deadline=None)
def test_native_and_canonical_networks_of_any_cell_compute_the_same(cell: CellGraph) -> None:
    """Pools of one state are one, whatever stands around them."""
    graph = ArchitectureGraph("own", (cell,))
    if graph.is_connected:
        native, canonical = (with_equal_weights(build(form, SMALL)).eval() for form in (graph, graph.canonical))
        images = torch.linspace(-1, 1, 2 * 3 * 16 * 16).sin().view(2, 3, 16, 16)
        torch.testing.assert_close(canonical(images), native(images), rtol=1e-3, atol=1e-3)


def test_a_doubled_edge_counts_twice() -> None:
    """x + x is not x: the cell of two parallel skips doubles what it gets."""
    graph = NB201.graph("|skip_connect~0|+|skip_connect~0|none~1|+|none~0|skip_connect~1|skip_connect~2|")
    block = build(graph.canonical, SMALL).body[0]
    state = torch.randn(2, 4, 8, 8)
    torch.testing.assert_close(block(state), 2 * state)


def test_a_disconnected_cell_has_no_network() -> None:
    graph = NB201.graph("|none~0|+|nor_conv_3x3~0|none~1|+|none~0|nor_conv_3x3~1|none~2|")
    with pytest.raises(GraphError, match="no path"):
        build(graph.canonical, SMALL)


def test_nb101_parameters_equal_the_benchmark(data_dir: Path) -> None:
    names = {"0": "conv3x3", "1": "conv1x1", "2": "maxpool3x3"}
    with gzip.open(data_dir / "nb101" / "nb101_108ep_mean_test.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    for place in np.random.default_rng(0).choice(len(rows), 40, replace=False):
        row = rows[place]
        size, bits = int(row["num_vertices"]), row["adjacency_rowmajor"]
        edges = [(i, j) for i in range(size) for j in range(size) if bits[i * size + j] == "1"]
        operators = ["input", *(names[digit] for digit in row["ops"]), "output"]
        graph = ArchitectureGraph("nb101", (CellGraph.build("module", operators, edges),))
        assert parameters(graph) == int(row["trainable_parameters"]), row["hash"]


def test_nb101_truncates_what_is_wider_than_its_reader() -> None:
    """Vertex 1 (43 channels) feeds vertex 3 (42 channels) and the network runs."""
    edges = [(0, 1), (0, 2), (0, 3), (1, 3), (1, 4), (2, 4), (3, 4), (0, 4)]
    operators = ["input", "conv3x3", "maxpool3x3", "conv1x1", "output"]
    graph = ArchitectureGraph("nb101", (CellGraph.build("module", operators, edges),))
    assert build(graph, NetworkConfig(channels=16, cells=1))(torch.randn(2, 3, 16, 16)).shape == (2, 10)


def test_darts_v2_has_its_published_size() -> None:
    graph = DARTS().graph(DARTS_V2)
    # Liu et al. 2019: 3.3 M on CIFAR-10; 4.7 M on ImageNet with 48 channels and 14 cells
    assert parameters(graph) == 3_349_342
    assert parameters(graph, NetworkConfig(channels=48, cells=14, classes=1000, imagenet=True)) == 4_718_752


def test_darts_parameters_equal_the_published_proxy(data_dir: Path) -> None:
    """The published NAS-Bench-301 proxies were measured with 32 channels, 8 cells and plain BatchNorms in operators."""
    with (data_dir / "nb301" / "zc_nasbench301@22280f71.json").open() as file:
        scores = json.load(file)["nasbench301"]["cifar10"]
    config = NetworkConfig(channels=32, cells=8, affine_operators=False)
    for text in list(scores)[::37]:
        graph = DARTS().graph(ast.literal_eval(text))
        assert parameters(graph, config) == round(scores[text]["params"] * 1e6), text


@pytest.mark.parametrize("form", ["native", "canonical"])
@pytest.mark.parametrize("pixels", [8, 32])
def test_darts_runs_in_both_forms(form: str, pixels: int) -> None:
    for graph in DARTS().sample(3, seed=2):
        network = build(graph if form == "native" else graph.canonical, NetworkConfig(channels=4, cells=4))
        assert network(torch.randn(2, 3, pixels, pixels)).shape == (2, 10)


def test_darts_imagenet_stem_divides_by_eight() -> None:
    network = build(DARTS().graph(DARTS_V2), NetworkConfig(channels=4, cells=4, classes=7, imagenet=True))
    shapes: list[torch.Size] = []
    network.body[0].register_forward_hook(lambda _, __, output: shapes.append(output.shape))
    assert network(torch.randn(2, 3, 64, 64)).shape == (2, 7)
    assert shapes[0][2:] == (8, 8)


def own_space(*cells: CellGraph, operators: tuple[Operator, ...] = ()) -> ArchitectureGraph:
    return ArchitectureGraph("mine", cells, VOCABULARY.extended(operators))


@pytest.mark.parametrize("space", ["nb201", "nb101", "darts", "transnas_micro", "mine"])
def test_replicas_compute_what_the_plain_networks_do(space: str) -> None:
    """Three networks side by side give the three networks' logits, on images of their own."""
    module = CellGraph.build(
        "module",
        ["input", "conv3x3", "conv1x1", "maxpool3x3", "output"],
        [(0, 1), (0, 2), (1, 2), (1, 3), (2, 4), (3, 4), (0, 4)],
    )
    graph = {
        "nb201": NB201.graph(6111),
        "nb101": ArchitectureGraph("nb101", (module,)),
        "darts": DARTS().graph(DARTS_V2),
        "transnas_micro": TransNASMicro().graph("64-41414-1_02_313"),
        "mine": own_space(
            CellGraph.build(
                "cell",
                ["input", "sep_conv_3x3", "sum", "concat", "output"],
                [(0, 1), (1, 2), (0, 2), (2, 3), (1, 3), (3, 4)],
            )
        ),
    }[space]
    config = NetworkConfig(channels=6, cells=3 if space == "darts" else 1)
    plain: list[Network] = []
    for seed in range(3):
        torch.manual_seed(seed)
        plain.append(build(live_form(graph), config))
    together = build(live_form(graph), NetworkConfig(channels=6, cells=config.cells, replicas=3))
    load_replicas(together, plain)
    images = torch.randn(3, 4, 3, 16, 16)
    expected = torch.stack([network(part) for network, part in zip(plain, images, strict=True)])
    found = together(images.transpose(0, 1).flatten(1, 2)).transpose(0, 1)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
