"""Whole networks of a user's own: the modules are the layers that are counted, at the shapes that are stated."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from catalog.architecture.computation.graph import ComputationGraph
from catalog.architecture.computation.sized_plan import SizedPlans
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Operator
from catalog.architecture.sizes import NetworkInput, Size
from catalog.errors import GraphError, ProxyError
from ingest.model.torch_tracing import trace_module
from predictor.networks import Network, NetworkConfig, build, whole_counts
from predictor.networks.whole_layers import SelfMixing
from tests.catalog.architecture.computation.test_sized import Told, chain, facts, graph

TOKENS = {"tokens": 6, "channels": 8}
SMALL = {"shape": [3, 16, 16]}
CONV = {"op": "conv", "kernel": 3, "channels": 8}
MOVES = ("pad", "reshape", "permute", "split", "slice", "identity")
"""What a module does to call an operator, and no layer states."""
MIXES = ("attention", "matmul", "divide", "softmax")
"""Attention as one layer, and as the operators that it is computed with."""


def random_image_network(seed: int) -> ArchitectureGraph:
    """Layers of all kinds in a row, some with a sum or a concatenation around them."""
    chance = random.Random(seed)
    told = Told()
    last = 0
    for _ in range(chance.randint(2, 5)):
        node: dict[str, Any] = chance.choice(
            [
                {"op": "conv", "kernel": 3, "channels": 8, "stride": chance.choice([1, 2]), "repeats": 2},
                {"op": "conv", "kernel": 4, "channels": 8, "stride": chance.choice([1, 4]), "bias": True},
                {"op": "conv", "kernel": [1, 3], "channels": 4, "stride": [1, 2], "padding": [0, 1], "norm": "layer"},
                {"op": "conv", "kernel": 3, "channels": 8, "dilation": 2, "norm": "rms", "activation": "gelu"},
                {"op": "conv", "kernel": 3, "channels": 8, "expansion": 2, "squeeze": 0.25},
                {"op": "depthwise_conv", "kernel": 5, "expansion": 3, "channels": 8, "squeeze": 0.5},
                {"op": "depthwise_conv", "kernel": 3, "activation": "silu"},
                {"op": chance.choice(["max_pool", "avg_pool"]), "kernel": chance.choice([2, 3]), "stride": 2},
                {"op": "avg_pool", "kernel": 2, "padding": 0},
                {"op": "attention", "heads": 1, "expansion": 2},
                {"op": "mlp", "mlp_ratio": 2},
                {"op": "norm", "norm": chance.choice(["instance", "batch"])},
                {"op": "linear", "channels": 12, "activation": "leaky_relu"},
            ]
        )
        last = told.add(node, last)
        if chance.random() < 0.5:
            join = chance.choice(["sum", "concat"])
            last = told.add(join, last, told.add({"op": "conv", "kernel": 3}, last))
    told.add("output", last)
    return graph(told.nodes, told.edges, SMALL, 10)


def random_token_network(seed: int) -> ArchitectureGraph:
    """Attentions and MLPs with residual sums, norms before or behind them."""
    chance = random.Random(seed)
    told = Told()
    last = 0
    for _ in range(chance.randint(1, 3)):
        for node in (
            {"op": "attention", "heads": chance.choice([1, 2, 4])},
            {"op": "mlp", "mlp_ratio": chance.choice([1, 1.5, 4])},
        ):
            made = told.add(node, told.add({"op": "norm", "norm": chance.choice(["layer", "rms", "batch"])}, last))
            last = told.add("sum", last, made)
    last = told.add({"op": "linear", "channels": 4}, told.add("concat", last, told.add({"op": "activation"}, last)))
    told.add("output", last)
    taken = {**TOKENS, "vocabulary": 50} if chance.random() < 0.5 else TOKENS
    return graph(told.nodes, told.edges, taken, 3)


def example(taken: NetworkInput) -> Tensor:
    if taken.shape is not None:
        return torch.randn(1, *taken.shape)
    assert taken.tokens is not None
    assert taken.channels is not None
    if taken.vocabulary is not None:
        return torch.randint(taken.vocabulary, (1, taken.tokens))
    return torch.randn(1, taken.tokens, taken.channels)


def made(whole: ArchitectureGraph) -> Network:
    return build(whole, NetworkConfig(16, 1))


def shown(computation: ComputationGraph, *, without: tuple[str, ...]) -> Counter[tuple[str, Any]]:
    """Words and shapes; a normalisation may have its channels elsewhere."""
    nodes = [(node.primitive.operator, node.shape) for node in computation.nodes]
    return Counter(
        (operator.name, tuple(sorted(shape)) if operator.kind == "norm" and shape else shape)
        for operator, shape in nodes
        if operator.name not in without
    )


NETWORKS = [random_image_network(seed) for seed in range(25)] + [random_token_network(seed) for seed in range(10)]


@pytest.mark.parametrize("place", range(len(NETWORKS)))
def test_the_network_is_what_is_counted_and_what_tracing_shows(place: int) -> None:
    whole = NETWORKS[place]
    assert whole.input is not None
    known = facts(whole)
    network = made(whole)
    plan = SizedPlans(whole.vocabulary).plan(whole, compressed=False)
    assert plan is not None
    planned, traced = plan.graph(), trace_module(network, [example(whole.input)])
    assert network.parameter_count() == known.parameters == planned.parameters == traced.parameters
    assert whole_counts(whole) == (known.parameters, known.multiply_accumulates)
    assert known.multiply_accumulates == planned.multiply_accumulates == traced.multiply_accumulates
    hidden = (*MOVES, *MIXES)
    assert shown(planned, without=hidden) == shown(traced, without=hidden)


@pytest.mark.parametrize("place", range(0, len(NETWORKS), 3))
def test_shapes_are_those_that_are_stated(place: int) -> None:
    """Each node as the output of a network of its own."""
    whole = NETWORKS[place]
    (cell,) = whole.cells
    assert whole.input is not None
    nodes = facts(whole).nodes[0]
    for node in range(1, cell.node_count - 1):
        edges = [edge for edge in cell.edges if edge[1] <= node]
        names, sizes = (*cell.operators[: node + 1], "output"), (*cell.sizes[: node + 1], None)
        part = CellGraph.build("part", names, [*edges, (node, node + 1, 1)], vocabulary=whole.vocabulary, sizes=sizes)
        network = made(replace(whole, cells=(part,), classes=None)).eval()
        state = network.vectors(example(whole.input))
        for block in network.blocks():
            state = block(state)
        assert tuple(state.shape) == nodes[node].shape, (node, cell.operators[node])


def test_repeats_of_nodes_and_cells_are_copies() -> None:
    whole = chain({**CONV, "repeats": 2}, {"op": "conv", "kernel": 1}, taken=SMALL, classes=10, repeats=3)
    assert made(whole).parameter_count() == facts(whole).parameters
    convolutions = [part for part in made(whole).modules() if isinstance(part, nn.Conv2d)]
    assert len(convolutions) == 9
    assert len({id(one) for one in convolutions}) == 9


def test_blocks_are_what_everything_flows_through() -> None:
    """A stem, a residual block with its sum and what follows it without a cost, and a convolution."""
    told = Told()
    stem = told.add(CONV, told.add({"op": "norm"}, 0))
    inner = told.add({"op": "conv", "kernel": 1}, told.add(CONV, stem))
    pooled = told.add({"op": "max_pool", "kernel": 2, "stride": 2}, told.add("sum", stem, inner))
    told.add("output", told.add(CONV, pooled))
    network = made(graph(told.nodes, told.edges, SMALL, 10))
    assert [sum(isinstance(part, nn.Conv2d) for part in block.modules()) for block in network.blocks()] == [1, 2, 1]
    assert network.blocks()[1](torch.randn(2, 8, 16, 16)).shape == (2, 8, 8, 8)


def test_the_canonical_form_has_the_same_blocks() -> None:
    """Whoever takes a sum takes its terms there; they are added once all the same."""
    for whole in NETWORKS[-10:]:
        native, canonical = made(whole), made(whole.canonical)
        assert len(native.blocks()) == len(canonical.blocks()) > 1
        assert native.parameter_count() == canonical.parameter_count()


def test_layer_by_layer_it_is_the_same_network() -> None:
    coarse = chain({**CONV, "activation": "silu"}, {"op": "conv", "kernel": 1}, taken=SMALL, classes=10)
    bare = {**CONV, "norm": False, "activation": False}
    pointwise = {"op": "conv", "kernel": 1, "norm": False, "activation": False}
    layers = [bare, {"op": "norm"}, {"op": "activation", "activation": "silu"}]
    fine = chain(*layers, pointwise, {"op": "norm"}, {"op": "activation"}, taken=SMALL, classes=10)
    first, second = made(coarse), made(fine)
    assert list(first.state_dict()) == list(second.state_dict())


def test_a_window_as_large_as_its_stride_is_not_padded() -> None:
    """The patch embedding of a vision transformer."""
    whole = chain({**CONV, "kernel": 4, "stride": 4, "norm": False, "activation": False}, taken=SMALL)
    (convolution,) = [part for part in made(whole).modules() if isinstance(part, nn.Conv2d)]
    assert convolution.padding == (0, 0)
    assert convolution.stride == (4, 4)


def test_attention_is_that_of_pytorch() -> None:
    theirs = nn.MultiheadAttention(8, 2, batch_first=True)
    state = torch.randn(3, 5, 8)
    joined = nn.functional.linear(state, theirs.in_proj_weight, theirs.in_proj_bias)
    mixed = theirs.out_proj(SelfMixing(2, is_image=False)(joined))
    torch.testing.assert_close(mixed, theirs(state, state, state)[0])
    image = SelfMixing(2, is_image=True)(joined.transpose(1, 2).unflatten(2, (1, 5)))
    torch.testing.assert_close(theirs.out_proj(image.flatten(2).transpose(1, 2)), mixed)


def test_groups_of_a_normalisation() -> None:
    whole = chain(CONV, {"op": "norm", "norm": "group", "groups": 4}, taken=SMALL, classes=10)
    (norm,) = [part for part in made(whole).modules() if isinstance(part, nn.GroupNorm)]
    assert norm.num_groups == 4
    with pytest.raises(ProxyError, match="how many groups its normalisation has"):
        made(chain({**CONV, "norm": "group"}, taken=SMALL))
    with pytest.raises(ProxyError, match="groups is 3, which does not divide the 8 channels"):
        made(chain(CONV, {"op": "norm", "norm": "group", "groups": 3}, taken=SMALL))


def test_without_a_head_the_classes_are_those_of_the_configuration() -> None:
    assert build(chain(CONV, taken=SMALL), NetworkConfig(16, 1, classes=7))(torch.randn(2, 3, 16, 16)).shape == (2, 7)
    assert build(chain(CONV, taken=SMALL, classes=4))(torch.randn(2, 3, 16, 16)).shape == (2, 4)


@pytest.mark.parametrize(
    ("nodes", "taken", "reason"),
    [
        ([{"op": "conv", "channels": 8}], SMALL, r"node 1 \(conv\) does not say what it computes: kernel is missing"),
        ([CONV, {"op": "attention"}], SMALL, r"node 2 \(attention\) does not say .* heads is missing"),
        ([{"op": "mlp"}], TOKENS, "mlp_ratio is missing"),
        (["strange", CONV], SMALL, r"node 1 \(strange\) .* generic is missing \(kind is 'mystery'"),
        ([{"op": "max_pool", "kernel": 3}], TOKENS, "max_pool takes an image, and it is fed with tokens"),
        ([{**CONV, "activation": "wiggle"}], SMALL, r"node 1 \(conv\) has no layer: its activation is 'wiggle'"),
        ([{"op": "avg_pool", "kernel": 3, "dilation": 2}], SMALL, "averages a dilated window"),
        ([{**CONV, "params": 7}], SMALL, r"node 1 \(conv\) says that it has 7 parameters, and .* have 232"),
    ],
)
def test_what_cannot_be_built_is_said(nodes: list[Any], taken: Any, reason: str) -> None:
    vocabulary = SIZED_VOCABULARY.extended([Operator("strange", "mystery", "Strange", "Strange", "Strange")])
    whole = replace(chain(*(node for node in nodes if node != "strange"), taken=taken), vocabulary=vocabulary)
    if "strange" in nodes:
        whole = graph(["input", *nodes, "output"], [(0, 1), (1, 2), (2, 3)], taken, vocabulary=vocabulary)
    with pytest.raises(ProxyError, match=reason):
        made(whole)


def test_impossible_networks() -> None:
    with pytest.raises(GraphError, match="no path"):
        made(graph(["input", "none", "output"], [(0, 1), (1, 2)], SMALL))
    with pytest.raises(ProxyError, match="several seeds at once"):
        build(chain(CONV, taken=SMALL), NetworkConfig(16, 1, replicas=2))


def test_what_an_operator_says_of_its_costs_is_no_layer() -> None:
    """Multiply-accumulates of another counter change nothing of the network."""
    whole = chain({**CONV, "macs": 12345}, taken=SMALL, classes=10)
    assert made(whole).parameter_count() == facts(whole).parameters
    assert Size.of({"macs": 12345}).macs == whole_counts(whole)[1] - 8 * 10
