"""Whole networks told as graphs with sizes: the same numbers as the modules that they stand for, at every grain."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from catalog.architecture.canonical_form import canonical_forms
from catalog.architecture.computation.sized import NetworkFacts, SizedNetworks
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Operator
from catalog.architecture.sizes import NetworkInput, Size
from catalog.errors import GraphError

if TYPE_CHECKING:
    from torch import Tensor, nn

IMAGE = {"shape": [3, 32, 32]}
TOKENS = {"tokens": 16, "channels": 24}


@dataclass
class Told:
    """A graph under construction: nodes as a file gives them, and edges."""

    nodes: list[Any] = field(default_factory=lambda: ["input"])
    edges: list[tuple[int, int]] = field(default_factory=list)

    def add(self, node: Any, *sources: int) -> int:
        self.nodes.append(node)
        self.edges += [(source, len(self.nodes) - 1) for source in sources]
        return len(self.nodes) - 1


def graph(
    nodes: Sequence[Any],
    edges: Sequence[tuple[int, int]],
    taken: Any = IMAGE,
    classes: int | None = None,
    vocabulary: Any = SIZED_VOCABULARY,
    repeats: int = 1,
) -> ArchitectureGraph:
    names = [node if isinstance(node, str) else node["op"] for node in nodes]
    sizes = [
        None if isinstance(node, str) else Size.of({name: value for name, value in node.items() if name != "op"})
        for node in nodes
    ]
    cell = CellGraph.build("network", names, edges, vocabulary=vocabulary, sizes=sizes, repeats=repeats)
    return ArchitectureGraph("own", (cell,), vocabulary, NetworkInput.of(taken), classes)


def chain(*nodes: Any, taken: Any = IMAGE, classes: int | None = None, repeats: int = 1) -> ArchitectureGraph:
    whole = ["input", *nodes, "output"]
    return graph(whole, [(place, place + 1) for place in range(len(whole) - 1)], taken, classes, repeats=repeats)


def facts(whole: ArchitectureGraph) -> NetworkFacts:
    return SizedNetworks(whole.vocabulary).facts(whole)


# --- against real modules --------------------------------------------------------------------------------------------


def block(inputs: int, width: int, draw: random.Random) -> tuple[nn.Module, dict[str, Any], list[dict[str, Any]]]:
    """A random convolution block: as a module, as one node, and as one node a layer."""
    from torch import nn

    kernel, stride = draw.choice([1, 3, 5]), draw.choice([1, 1, 2])
    groups = draw.choice([size for size in (1, 2, 4) if inputs % size == 0 and width % size == 0])
    normed, active, bias = draw.random() < 0.8, draw.random() < 0.8, draw.random() < 0.3
    convolution = nn.Conv2d(inputs, width, kernel, stride, kernel // 2, groups=groups, bias=bias)
    layers = [convolution, *([nn.BatchNorm2d(width)] if normed else []), *([nn.ReLU()] if active else [])]
    node = {
        "op": "conv", "channels": width, "kernel": kernel, "stride": stride, "groups": groups,
        "norm": normed, "activation": active, "bias": bias,
    }  # fmt: skip
    bare = {**node, "norm": False, "activation": False}
    apart = [bare, *([{"op": "norm"}] if normed else []), *([{"op": "activation"}] if active else [])]
    return nn.Sequential(*layers), node, apart


def random_chain(draw: random.Random) -> tuple[nn.Module, ArchitectureGraph, ArchitectureGraph]:
    from torch import nn

    modules, coarse, fine = [], Told(), Told()
    width = 3
    for _ in range(draw.randint(2, 8)):
        wider = 4 * draw.randint(1, 16)
        module, node, apart = block(width, wider, draw)
        modules.append(module)
        coarse.add(node, len(coarse.nodes) - 1)
        for one in apart:
            fine.add(one, len(fine.nodes) - 1)
        width = wider
    whole = nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
    for told in (coarse, fine):
        told.add("output", len(told.nodes) - 1)
    return whole, graph(coarse.nodes, coarse.edges, classes=10), graph(fine.nodes, fine.edges, classes=10)


def random_residual(draw: random.Random) -> tuple[nn.Module, ArchitectureGraph, ArchitectureGraph]:
    import torch
    from torch import nn

    class Residual(nn.Module):
        def __init__(self, body: nn.Module, shortcut: nn.Module) -> None:
            super().__init__()
            self.body, self.shortcut = body, shortcut

        def forward(self, state: Tensor) -> Tensor:
            return torch.relu(self.body(state) + self.shortcut(state))

    modules: list[nn.Module] = []
    coarse, fine = Told(), Told()
    width, here, there = 3, 0, 0
    for _ in range(draw.randint(1, 5)):
        wider = 4 * draw.randint(1, 12)
        first, one, one_apart = block(width, wider, draw)
        second, two, two_apart = block(wider, wider, draw)
        stride = one["stride"] * two["stride"]
        equal = width == wider and stride == 1
        projection = nn.Sequential(nn.Conv2d(width, wider, 1, stride, bias=False), nn.BatchNorm2d(wider))
        modules.append(Residual(nn.Sequential(first, second), nn.Identity() if equal else projection))
        skip = {"op": "skip_connect", "channels": wider, "stride": stride}
        before = here
        here = coarse.add(two, coarse.add(one, before))
        here = coarse.add("sum", here, before if equal else coarse.add(skip, before))
        here = coarse.add({"op": "activation"}, here)
        before = there
        for layer in (*one_apart, *two_apart):
            there = fine.add(layer, there)
        shortcut = before
        if not equal:
            bare = {"op": "conv", "kernel": 1, "channels": wider, "stride": stride, "norm": False, "activation": False}
            shortcut = fine.add({"op": "norm"}, fine.add(bare, before))
        there = fine.add({"op": "activation"}, fine.add("sum", there, shortcut))
        width = wider
    coarse.add("output", here)
    fine.add("output", there)
    whole = nn.Sequential(*modules, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))
    return whole, graph(coarse.nodes, coarse.edges, classes=10), graph(fine.nodes, fine.edges, classes=10)


def multiply_accumulates(module: nn.Module) -> tuple[int, tuple[int, ...]]:
    """Counted while the module runs, and the shape of what reaches its pooling."""
    import torch
    from torch import nn

    total, reached = 0, (0,)

    def count(layer: nn.Module, taken: tuple[Tensor, ...], given: Tensor) -> None:
        nonlocal total, reached
        if isinstance(layer, nn.Conv2d):
            total += given.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            total += given.numel() * layer.in_features
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            reached = tuple(taken[0].shape)

    for layer in module.modules():
        layer.register_forward_hook(count)
    with torch.no_grad():
        module.eval()(torch.zeros(1, 3, 32, 32))
    return total, reached


@pytest.mark.parametrize("build", [random_chain, random_residual])
def test_random_networks_count_as_their_modules_at_two_grains(build: Any) -> None:
    pytest.importorskip("torch")
    for seed in range(50):
        module, *told = build(random.Random(seed))
        parameters = sum(weights.numel() for weights in module.parameters())
        cost, shape = multiply_accumulates(module)
        for whole in told:
            found = facts(whole)
            assert (found.parameters, found.multiply_accumulates) == (parameters, cost)
            assert found.nodes[0][-1].shape == shape
        assert facts(told[0]).root_macs == pytest.approx(facts(told[1]).root_macs)
        assert facts(told[0]).activations == facts(told[1]).activations


# --- by hand ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "taken", "parameters", "cost"),
    [
        ([{"op": "conv", "kernel": 3, "channels": 8}], IMAGE, 216 + 16, 216 * 1024),
        ([{"op": "conv", "kernel": [3, 1], "channels": 8, "norm": False}], IMAGE, 72, 72 * 1024),
        ([{"op": "conv", "kernel": 3, "channels": 8, "padding": 0, "norm": False}], IMAGE, 216, 216 * 900),
        ([{"op": "depthwise_conv", "kernel": 3, "channels": 6}], IMAGE, 54 + 12, 54 * 1024),
        ([{"op": "max_pool", "kernel": 3, "stride": 2}, {"op": "conv", "kernel": 1, "channels": 4}], IMAGE, 20, 3072),
        # inverted residual: 3 -> 18, 5x5 depthwise with stride 2, squeeze to 1, -> 8
        (
            [{"op": "depthwise_conv", "kernel": 5, "stride": 2, "channels": 8, "expansion": 6, "squeeze": 0.25}],
            IMAGE,
            54 + 36 + 450 + 36 + (18 + 1 + 18 + 18) + 144 + 16,
            54 * 1024 + 450 * 256 + 36 + 144 * 256,
        ),
        ([{"op": "attention", "heads": 3}], TOKENS, 4 * 24 * 24 + 4 * 24, 16 * 4 * 24 * 24 + 2 * 16 * 16 * 24),
        ([{"op": "mlp", "mlp_ratio": 4}], TOKENS, 8 * 24 * 24 + 5 * 24, 16 * 8 * 24 * 24),
        ([{"op": "linear", "channels": 10}], TOKENS, 250, 16 * 240),
        ([{"op": "norm"}, {"op": "activation", "activation": "gelu"}], TOKENS, 48, 0),
        ([{"op": "linear", "channels": 4}], {**TOKENS, "vocabulary": 100}, 2400 + 100, 16 * 96),
    ],
)
def test_counts_by_hand(nodes: list[Any], taken: Any, parameters: int, cost: int) -> None:
    found = facts(chain(*nodes, taken=taken))
    assert (found.parameters, found.multiply_accumulates) == (parameters, cost)


def test_repeats_are_copies_in_every_number() -> None:
    node = {"op": "conv", "kernel": 3, "channels": 8, "stride": 2, "params": 7}
    copied = facts(chain(node, node, node, classes=10))
    assert facts(chain({**node, "repeats": 3}, classes=10)).__dict__ | {"nodes": ()} == copied.__dict__ | {"nodes": ()}
    once = chain(node, classes=10, repeats=3)
    assert facts(once).__dict__ | {"nodes": ()} == copied.__dict__ | {"nodes": ()}
    assert facts(once).nodes[0][1].parameters == 21


def test_another_order_of_the_nodes_changes_no_number() -> None:
    branches = [{"op": "conv", "channels": 16, "kernel": kernel} for kernel in (5, 1, 3)]
    wholes = []
    for turn in range(3):
        nodes = ["input", *branches[turn:], *branches[:turn], {"op": "conv", "channels": 24, "kernel": 3}, "output"]
        wholes.append(graph(nodes, [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4), (4, 5)], classes=10, repeats=2))
    forms = canonical_forms(wholes)
    found = []
    for whole, orders, canonical in zip(wholes, forms.orders, forms.graphs, strict=True):
        assert orders is not None
        found.append(facts(whole).ordered(orders))
        assert found[-1] == facts(canonical)
    assert found == found[:1] * 3


def test_what_is_not_known_stays_unknown() -> None:
    unknown = Operator("mystery", "other", "x", "x", "x", has_weights=True)
    vocabulary = SIZED_VOCABULARY.extended([unknown])

    def between(node: Any) -> NetworkFacts:
        nodes = ["input", {"op": "conv", "kernel": 1, "channels": 4}, node, {"op": "norm"}, "output"]
        return facts(graph(nodes, [(0, 1), (1, 2), (2, 3), (3, 4)], vocabulary=vocabulary))

    nothing = between("mystery")
    assert (nothing.parameters, nothing.multiply_accumulates, nothing.nodes[0][3].shape) == (None, None, None)
    assert nothing.nodes[0][1].parameters == 20
    shaped = between({"op": "mystery", "channels": 6, "params": 5})
    assert (shaped.parameters, shaped.multiply_accumulates) == (20 + 5 + 12, None)
    assert shaped.nodes[0][3].shape == (1, 6, 32, 32)
    counted = between({"op": "mystery", "channels": 6, "params": 5, "macs": 9})
    assert (counted.parameters, counted.multiply_accumulates) == (37, 12 * 1024 + 9)


@pytest.mark.parametrize(
    ("nodes", "words"),
    [
        ([{"op": "conv", "kernel": 3, "channels": 8, "groups": 2}], "groups is 2, which does not divide the 3"),
        ([{"op": "conv", "kernel": 3, "channels": 7, "groups": 3}], "groups is 3, which does not divide the 7"),
        ([{"op": "depthwise_conv", "kernel": 3, "channels": 8}], "channels is 8, and a depthwise"),
        ([{"op": "conv", "kernel": 40, "channels": 8, "padding": 0}], "kernel is 40, more than the 32 pixels"),
        ([{"op": "conv", "kernel": 3, "channels": 1.5}], "channels is 1.5; a whole network needs"),
        ([{"op": "norm", "norm": "odd"}], "norm is 'odd'"),
    ],
)
def test_impossible_sizes_name_the_node(nodes: list[Any], words: str) -> None:
    with pytest.raises(GraphError, match=rf"cell 'network', node 1 \({nodes[0]['op']}\): {words}"):
        facts(chain(*nodes))


def test_heads_divide_the_width() -> None:
    with pytest.raises(GraphError, match="heads is 5, which does not divide the width 24"):
        facts(chain({"op": "attention", "heads": 5}, taken=TOKENS))


def test_shapes_meet_at_a_sum_and_in_all_but_channels_at_a_concat() -> None:
    small, large = {"op": "conv", "kernel": 1, "channels": 4, "stride": 2}, {"op": "conv", "kernel": 1, "channels": 4}
    edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)]
    with pytest.raises(GraphError, match=r"node 3 \(sum\): it adds 4x16x16 and 4x32x32, which do not meet"):
        facts(graph(["input", small, large, "sum", "output"], edges))
    with pytest.raises(GraphError, match=r"node 3 \(concat\): it joins 4x16x16 and 4x32x32"):
        facts(graph(["input", small, large, "concat", "output"], edges))
    joined = facts(graph(["input", large, {**large, "channels": 6}, "concat", "output"], edges))
    assert joined.nodes[0][-1].shape == (1, 10, 32, 32)


def test_cells_take_the_outputs_of_those_before_them() -> None:
    node = {"op": "conv", "kernel": 1, "channels": 4}
    one = graph(["input", node, "output"], [(0, 1), (1, 2)]).cells[0]
    nodes = ["input_0", "input_1", "concat", "output"]
    two = CellGraph.build("joining", nodes, [(0, 2), (1, 2), (2, 3)], vocabulary=SIZED_VOCABULARY)
    whole = ArchitectureGraph("own", (one, two), SIZED_VOCABULARY, NetworkInput.of(IMAGE))
    assert facts(whole).nodes[1][-1].shape == (1, 7, 32, 32)


# --- what nobody can count, what changes nothing, what does not meet -------------------------------------------------


def test_what_is_said_of_an_unknown_operator_is_one_layer() -> None:
    unknown = Operator("mystery", "other", "x", "x", "x", has_weights=True)
    nodes = ["input", {"op": "mystery", "channels": 4, "params": 5, "macs": 9}, "concat", "output"]
    whole = graph(nodes, [(0, 1), (1, 2), (2, 3)], vocabulary=SIZED_VOCABULARY.extended([unknown]))
    assert (facts(whole).root_macs, facts(whole).activations) == (3, 4 * 1024)
    nodes[1] = {"op": "mystery", "params": 5, "macs": 9}
    whole = graph(nodes, [(0, 1), (1, 2), (2, 3)], vocabulary=whole.vocabulary)
    found = facts(whole)
    assert (found.parameters, found.multiply_accumulates, found.root_macs, found.activations) == (5, 9, 3, None)


@pytest.mark.parametrize("name", ["skip_connect", "sum", "concat", "none"])
def test_costs_that_are_said_of_what_has_none_keep_the_shape(name: str) -> None:
    conv = {"op": "conv", "kernel": 1, "channels": 4}
    assert facts(chain(conv, {"op": name, "params": 0, "macs": 0}, conv)).parameters == 20 + 24
    assert facts(chain(conv, {"op": name, "channels": 4}, conv)).nodes[0][-1].shape == (1, 4, 32, 32)


def test_costs_of_a_scaled_skip_count() -> None:
    found = facts(chain({"op": "skip_connect", "params": 3}, {"op": "conv", "kernel": 1, "channels": 4}))
    assert found.parameters == 3 + 20


def test_what_follows_a_zero_is_built_and_not_live() -> None:
    conv = {"op": "conv", "kernel": 1, "channels": 4}
    whole = chain("none", conv, classes=10)
    assert facts(whole).parameters == 20 + 50
    live = facts(whole.canonical)
    assert (live.parameters, live.multiply_accumulates, live.root_macs, live.activations) == (None,) * 4
    beside = graph(["input", "none", conv, "sum", "output"], [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)])
    assert facts(beside).nodes[0][-1].shape == (1, 4, 32, 32)  # a zero meets every shape


def test_an_operators_repeats_are_part_of_it() -> None:
    separable = 27 + 6 + 9 + 6  # depthwise and 1x1 of 3 channels, each with its normalisation
    assert facts(chain("sep_conv_3x3")).parameters == 2 * separable
    assert facts(chain({"op": "sep_conv_3x3", "repeats": 3})).parameters == 6 * separable
    assert facts(chain("dil_conv_3x3")).parameters == separable


def test_a_linear_map_keeps_the_width_unless_it_says_another() -> None:
    assert facts(chain({"op": "linear"}, taken=TOKENS)).parameters == 24 * 24 + 24


def test_nobody_knows_what_a_stride_does_to_a_sequence() -> None:
    found = facts(chain({"op": "conv", "kernel": 3, "channels": 8, "stride": 2}, taken=TOKENS))
    assert found.nodes[0][1].shape is None
    unpadded = {"op": "conv", "channels": 8, "padding": 0}
    assert facts(chain(unpadded)).nodes[0][1].shape is None


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ({"op": "sum", "channels": 4}, "channels is 4, and it gives the 3 that it takes"),
        ({"op": "concat", "channels": 4}, "channels is 4, and it gives the 3"),
        ({"op": "max_pool", "kernel": 3, "channels": 4}, "channels is 4, and it gives the 3"),
        ({"op": "norm", "channels": 4}, "channels is 4, and it gives the 3"),
        ({"op": "sum", "stride": 2}, "stride is 2, and sum has none; it has channels, repeats, params, macs"),
        ({"op": "concat", "kernel": 3}, "kernel is 3, and concat has none"),
        ({"op": "norm", "heads": 3}, "heads is 3, and norm has none"),
        ({"op": "activation", "stride": 2}, "stride is 2, and activation has none"),
        ({"op": "max_pool", "kernel": 3, "groups": 3}, "groups is 3, and max_pool has none"),
        ({"op": "mlp", "mlp_ratio": 2, "norm": True}, "norm is true, and mlp has none"),
        ({"op": "linear", "channels": 4, "stride": 2}, "stride is 2, and linear has none"),
        ({"op": "attention", "heads": 1, "mlp_ratio": 4}, "mlp_ratio is 4, and attention has none"),
        ({"op": "depthwise_conv", "kernel": 3, "groups": 3}, "groups is 3, and depthwise_conv has none"),
        ({"op": "skip_connect", "heads": 3}, "heads is 3, and skip_connect has none"),
        ({"op": "conv", "kernel": 3, "channels": 2**31 - 1, "repeats": 2}, "the network has .* up to here"),
        ({"op": "norm", "params": 2**60, "repeats": 2}, "the network has .* up to here"),
        ({"op": "norm", "macs": 2**60, "repeats": 2}, "the network has .* up to here"),
    ],
)
def test_what_an_operator_cannot_have_is_refused(node: dict[str, Any], words: str) -> None:
    with pytest.raises(GraphError, match=rf"cell 'network', node 1 \({node['op']}\): {words}"):
        facts(chain(node))


def test_what_is_said_to_be_left_out_may_be_said_of_all() -> None:
    assert facts(chain({"op": "max_pool", "kernel": 3, "norm": False, "bias": False, "groups": 1})).parameters == 0


def test_edges_grow_no_further_than_can_be_stored() -> None:
    doubling = [(0, 1), *((place, place + 1) for place in range(1, 40) for _ in range(2))]
    with pytest.raises(GraphError, match=r"it gives 3221225472x32x32; an edge of 2,147,483,647 is the most"):
        facts(graph(["input", *["concat"] * 39, "output"], doubling))
