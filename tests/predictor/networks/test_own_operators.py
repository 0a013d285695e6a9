"""The generic network computes what the fields of a user's operators say, or says which field is missing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import BUILT_IN, SIZED_VOCABULARY, VOCABULARY, Operator
from catalog.architecture.sizes import Size
from catalog.errors import ProxyError
from predictor.networks import NetworkConfig, build
from predictor.networks.generic_layers import Attention
from predictor.networks.layers import FactorizedReduce
from predictor.networks.own_operators import make_operator
from predictor.zero_cost import MeasureConfig, measure, proxies_named

SMALL = NetworkConfig(channels=4, cells=1)


def own(name: str, kind: str, words: str = "?", **facts: object) -> Operator:
    return Operator(name, kind, words, words, words, **facts)  # type: ignore[arg-type]


def pool(how: str = "max_pool", **facts: object) -> Operator:
    return own("mine", "pool", generic=how, **facts)


def conv(name: str = "conv", words: str = "Convolution", kernel: int | None = 3, **facts: object) -> Operator:
    return own(name, "conv", words, kernel=kernel, has_weights=True, **facts)


def cell_of(*operators: Operator, skip: bool = False, name: str = "cell") -> ArchitectureGraph:
    """A chain of operators, with a skip beside it or without."""
    vocabulary = VOCABULARY.extended(operators)
    names = ["input", *(operator.name for operator in operators), "output"]
    edges = [(place, place + 1) for place in range(len(names) - 1)]
    edges += [(0, len(names) - 1)] if skip else []
    cell = CellGraph.build(name, names, edges, reduction=name == "reduce", vocabulary=vocabulary)
    return ArchitectureGraph("mine", (cell,), vocabulary)


def layer(operator: Operator, stride: int = 1, channels: int = 4) -> nn.Module:
    made = make_operator(operator, channels, stride, replicas=1)
    assert made is not None
    return made.eval()


def test_a_space_of_ones_own_gets_a_network() -> None:
    """Two inputs, a concatenation, a reduction cell and an operator that only the user knows."""
    wide = conv("conv7x7", kernel=7, dilation=1)
    operators = ["input_0", "input_1", "conv7x7", "max_pool_3x3", "sep_conv_3x3", "concat", "output"]
    edges = [(0, 2), (1, 3), (2, 4), (2, 5), (3, 5), (4, 5), (5, 6)]
    vocabulary = VOCABULARY.extended([wide])
    cells = [
        CellGraph.build(name, operators, edges, reduction=name == "reduce", vocabulary=vocabulary)
        for name in ("normal", "reduce")
    ]
    network = build(ArchitectureGraph("mine", tuple(cells), vocabulary), NetworkConfig(channels=6, cells=2))
    shapes: list[torch.Size] = []
    network.head.register_forward_hook(lambda _, inputs, __: shapes.append(inputs[0].shape))
    assert network(torch.randn(2, 3, 32, 32)).shape == (2, 10)
    assert shapes == [(2, 24, 8, 8)]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("pixels", [1, 3, 8, 9])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_any_kernel_keeps_the_resolution(kernel: int, pixels: int, stride: int, dilation: int) -> None:
    state = torch.randn(2, 4, pixels, pixels)
    expected = (2, 4, -(-pixels // stride), -(-pixels // stride))
    operators = [conv(kernel=kernel, dilation=dilation), conv(kernel=kernel, dilation=dilation, depthwise=True)]
    operators.append(pool(kernel=kernel, dilation=dilation))
    operators += [pool("avg_pool", kernel=kernel)] if dilation == 1 else []
    for operator in operators:
        given = layer(operator, stride)(state)
        assert given.shape == expected, operator.name
        assert bool(given.isfinite().all()), operator.name


def test_an_even_window_reaches_one_pixel_further_to_the_right_and_below() -> None:
    picture = torch.tensor([[1.0, 5.0, 2.0], [0.0, 3.0, -7.0], [4.0, -1.0, -2.0]]).view(1, 1, 3, 3)
    maximum, average = (layer(pool(how, kernel=2))(picture).view(3, 3) for how in ("max_pool", "avg_pool"))
    assert maximum.tolist() == [[5.0, 5.0, 2.0], [4.0, 3.0, -2.0], [4.0, -1.0, -2.0]]
    assert average.tolist() == [[2.25, 0.75, -2.5], [1.5, -1.75, -4.5], [1.5, -1.5, -2.0]]
    convolution = layer(conv(kernel=2), channels=1)
    kernel = next(part for part in convolution.modules() if isinstance(part, nn.Conv2d))
    assert isinstance(convolution, nn.Sequential)
    given = nn.functional.conv2d(nn.functional.pad(picture.relu(), (0, 1, 0, 1)), kernel.weight)
    torch.testing.assert_close(convolution[1](picture.relu()), given)


@pytest.mark.parametrize("operator", [conv(kernel=2), conv(kernel=4, depthwise=True), pool(kernel=2)])
def test_even_kernels_stand_beside_a_skip(operator: Operator) -> None:
    graph = cell_of(operator, skip=True)
    assert build(graph, SMALL)(torch.randn(2, 3, 32, 32)).shape == (2, 10)


def test_a_skip_with_weights_is_a_projection_and_halves_nothing() -> None:
    skip = own("proj_skip", "skip", "Skip with a learned projection", has_weights=True)
    projection = layer(skip)
    state = torch.randn(2, 4, 8, 8)
    assert projection(state).shape == state.shape
    torch.testing.assert_close(projection(2 * state), 2 * projection(state))  # linear: no activation before it
    assert sum(weight.numel() for weight in projection.parameters()) == 4 * 4 + 2 * 4
    beside = CellGraph.build(
        "cell", ["input", "proj_skip", "conv3x3", "output"], [(0, 1), (0, 2), (1, 3), (2, 3)],
        vocabulary=VOCABULARY.extended([skip]),
    )  # fmt: skip
    graph = ArchitectureGraph("mine", (beside,), VOCABULARY.extended([skip]))
    assert build(graph, SMALL)(torch.randn(2, 3, 16, 16)).shape == (2, 10)


def test_in_a_reduction_cell_a_skip_from_an_input_halves() -> None:
    assert isinstance(layer(own("proj_skip", "skip", has_weights=True), stride=2), FactorizedReduce)
    assert isinstance(layer(VOCABULARY["factorized_reduce"], stride=2), FactorizedReduce)
    with pytest.raises(ProxyError, match="'factorized_reduce': its stride is 2, and operators halve"):
        make_operator(VOCABULARY["factorized_reduce"], 4, 1, replicas=1)


def test_sums_are_said_to_be_sums() -> None:
    assert make_operator(VOCABULARY["sum"], 4, 1, replicas=1) is None
    assert make_operator(own("node", "merge", generic="sum"), 4, 1, replicas=1) is None


def test_a_concatenation_by_another_name_joins_what_it_is_fed_with() -> None:
    """Also in the canonical form, where an identity would be seen through."""
    join = own("join", "merge", generic="concat")
    for made in (join, VOCABULARY["concat"]):
        vocabulary = VOCABULARY.extended([made])
        names = ["input", "conv3x3", "conv1x1", "sum", made.name, "output"]
        edges = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4), (4, 5)]
        graph = ArchitectureGraph("mine", (CellGraph.build("cell", names, edges, vocabulary=vocabulary),), vocabulary)
        block = build(graph.canonical, SMALL).body[0]
        assert block.graph.joined == 2


@pytest.mark.parametrize("name", ["mul", "product", "add", "elementwise_add", "Addition", "gate", "cat"])
def test_no_name_and_no_sentence_makes_a_sum(name: str) -> None:
    merge = own(name, "merge", "Sum of its inputs")
    vocabulary = VOCABULARY.extended([merge])
    cell = CellGraph.build(
        "cell", ["input", "conv3x3", "conv1x1", name, "output"], [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)],
        vocabulary=vocabulary,
    )  # fmt: skip
    proxies = proxies_named(["snip", "params", "synflow"])
    found = measure(ArchitectureGraph("mine", (cell,), vocabulary), proxies, MeasureConfig(batch_size=2, network=SMALL))
    for one in found:
        assert (one.value, one.status) == (None, "failed")
        assert f"the facts of operator '{name}' do not say what it computes: generic is missing" in (one.reason or "")


@pytest.mark.parametrize(
    ("operator", "missing"),
    [
        (own("pool3x3", "pool", "Max pooling 3 by 3", kernel=3), "generic is missing .*one of conv, .*max_pool"),
        (own("maxpool", "pool", kernel=3), "generic is missing"),
        (pool(), "kernel is missing .*the edge of its window"),
        (own("mystery", "mixer", "Convolution 3 by 3", has_weights=True), "generic is missing"),
        (own("conv", "conv", "Convolution 3 by 3", has_weights=True), "kernel is missing"),
        (own("conv", "conv", kernel=3), "weights is missing"),
        (own("attention", "attention", "With 4 heads", has_weights=True), "heads is missing"),
        (own("ffn", "other", "Inner width 4", has_weights=True, generic="mlp"), "mlp_ratio is missing"),
    ],
)
def test_a_field_that_is_missing_is_named_and_not_guessed(operator: Operator, missing: str) -> None:
    with pytest.raises(
        ProxyError, match=f"the facts of operator '{operator.name}' do not say what it computes: {missing}"
    ):
        build(cell_of(operator), SMALL)


def sized(operator: Operator, **size: object) -> Operator:
    return replace(operator, size=Size.of(size))


@pytest.mark.parametrize(
    ("operator", "why"),
    [
        (sized(conv(), stride=2), "its stride is 2, and operators halve"),
        (sized(conv(), channels=2), "its channels is 2, and every state of a cell has the stage's width"),
        (sized(conv(), groups=3), "its groups is 3, and it does not divide the 4 channels"),
        (sized(conv(), padding=0), "its padding is 0, and operators keep the resolution"),
        (sized(conv(), heads=2), "its heads is 2, and the layer of conv has no such field"),
        (sized(conv(), norm="layernorm"), "its norm is 'layernorm', and known are true, false, batch, batchnorm"),
        (sized(conv(), activation="maxout"), "its activation is 'maxout', and known are true, false, relu"),
        (sized(conv(kernel=None), kernel=[1, 7]), r"its kernel is \[1, 7\], and the layers have windows of two equal"),
        (sized(own("attention", "attention", has_weights=True), heads=3), "its heads is 3, and it does not divide"),
        (sized(conv(), expansion=1.5, groups=4), "its groups is 4, and it does not divide the 6 channels"),
        (sized(pool(kernel=3), groups=2), "its groups is 2, and the layer of max_pool has no such field"),
        (pool("avg_pool", kernel=3, dilation=2), "its dilation is 2, and no layer averages a dilated window"),
        (sized(own("down", "skip"), stride=2), "its stride is 2"),
    ],
)
def test_what_the_network_has_no_layer_for_is_told_with_its_field(operator: Operator, why: str) -> None:
    with pytest.raises(ProxyError, match=f"has no layer for operator '{operator.name}': {why}"):
        build(cell_of(operator), SMALL)


@pytest.mark.parametrize(
    "words",
    [
        "Grouped convolution with four groups",
        "Transposed, strided, depthwise convolution 1 by 7",
        "Convolution without squeeze and excitation",
        "Inverted residual with expansion 6",
        "Average or max?",
    ],
)
def test_words_are_for_the_encoder_alone(words: str) -> None:
    plain, described = (repr(layer(conv(words=text))) for text in ("Convolution", words))
    assert plain == described


C = 4
"""Channels of the layers whose parameters are counted below."""


@pytest.mark.parametrize(
    ("operator", "parameters"),
    [
        (conv(), 9 * C * C + 2 * C),
        (sized(conv(), groups=2), 9 * C * C // 2 + 2 * C),
        (sized(conv(), norm=False, bias=True), 9 * C * C + C),
        (sized(conv(), repeats=3), 3 * (9 * C * C + 2 * C)),
        (sized(conv(), expansion=2), 9 * C * 2 * C + 4 * C + 2 * C * C + 2 * C),
        (sized(conv(), squeeze=0.5), 9 * C * C + 2 * C + (C * 2 + 2) + (2 * C + C)),
        (conv(depthwise=True), 9 * C + 2 * C),
        (sized(conv(depthwise=True), expansion=1), 9 * C + 2 * C + C * C + 2 * C),
        (sized(conv(depthwise=True), expansion=2), 2 * C * C + 4 * C + 9 * 2 * C + 4 * C + 2 * C * C + 2 * C),
        (
            sized(conv(depthwise=True), expansion=2, squeeze=0.5),
            2 * C * C + 4 * C + 18 * C + 4 * C + 2 * C * C + 2 * C + (2 * C * 2 + 2) + (2 * 2 * C + 2 * C),
        ),
        (own("linear", "linear", has_weights=True), C * C + C),
        (sized(own("ffn", "mlp", has_weights=True), mlp_ratio=2), 2 * C * C + 2 * C + 2 * C * C + C),
        (sized(own("attention", "attention", has_weights=True), heads=2), 4 * (C * C + C)),
        (
            sized(own("attention", "attention", has_weights=True), heads=3, expansion=1.5, bias=False),
            4 * C * (6 * C // 4),
        ),
        (sized(own("skip", "skip"), kernel=1), C * C + 2 * C),
        (own("norm", "norm"), 2 * C),
        (sized(own("act", "activation"), activation="gelu"), 0),
        (VOCABULARY["sep_conv_3x3"], 2 * (9 * C + C * C + 2 * C)),
    ],
)
def test_the_layer_of_a_generic_operator_has_the_parameters_that_its_fields_say(
    operator: Operator, parameters: int
) -> None:
    made = layer(operator)
    assert sum(weight.numel() for weight in made.parameters()) == parameters
    assert made(torch.randn(2, C, 6, 5)).shape == (2, C, 6, 5)


def test_several_replicas_are_as_many_networks() -> None:
    """What one replica is fed with moves no other."""
    operators = [
        sized(own("attention", "attention", has_weights=True), heads=2),
        sized(own("ffn", "mlp", has_weights=True), mlp_ratio=2),
        sized(conv(depthwise=True), expansion=2, squeeze=0.5),
        sized(conv(), groups=2),
    ]
    for operator in operators:
        made = make_operator(operator, C, 1, replicas=3)
        assert made is not None
        state = torch.randn(2, 3 * C, 4, 4)
        changed = state.clone()
        changed[:, C : 2 * C] += 1
        before, after = made.eval()(state), made(changed)
        assert torch.equal(before[:, :C], after[:, :C])
        assert torch.equal(before[:, 2 * C :], after[:, 2 * C :])
        assert not torch.equal(before[:, C : 2 * C], after[:, C : 2 * C])


def test_attention_is_that_of_torch() -> None:
    made = layer(sized(own("attention", "attention", has_weights=True), heads=2))
    assert isinstance(made, Attention)
    torch_made = nn.MultiheadAttention(C, 2, batch_first=True)
    projections = [made.query, made.key, made.value]
    torch_made.in_proj_weight.data = torch.cat([one.weight.flatten(1) for one in projections])
    torch_made.in_proj_bias.data = torch.cat([one.bias for one in projections if one.bias is not None])
    torch_made.out_proj.weight.data = made.output.weight.data.flatten(1)
    torch_made.out_proj.bias.data = torch.as_tensor(made.output.bias).detach()
    state = torch.randn(2, C, 3, 5)
    tokens = state.flatten(2).transpose(1, 2)
    expected = torch_made(tokens, tokens, tokens)[0].transpose(1, 2).view_as(state)
    torch.testing.assert_close(made(state), expected)


def test_attention_and_groups_are_counted() -> None:
    attention = sized(own("attention", "attention", has_weights=True), heads=2)
    costs = []
    for operator in (own("same", "skip"), sized(conv("one", kernel=1), groups=2), attention):
        found = measure(cell_of(operator), proxies_named(["flops"]), MeasureConfig(batch_size=2, network=SMALL))
        costs.append(found[0].value or 0.0)
    stages = [(4, 32 * 32), (8, 16 * 16), (16, 8 * 8)]
    assert costs[1] - costs[0] == sum(pixels * width * width // 2 for width, pixels in stages)
    assert costs[2] - costs[0] == sum(
        4 * pixels * width * width + 2 * pixels * pixels * width for width, pixels in stages
    )


@pytest.mark.parametrize("generic", ["attention", "mlp", "norm", "activation"])
def test_what_cannot_halve_the_resolution_is_told(generic: str) -> None:
    size = {"attention": {"heads": 2}, "mlp": {"mlp_ratio": 2}}.get(generic, {})
    operator = sized(own("mine", "other", generic=generic), **size)
    with pytest.raises(ProxyError, match=f"no field says how {generic} halves"):
        make_operator(operator, 4, 2, replicas=1)


def test_what_a_node_says_goes_before_what_its_operator_says() -> None:
    """Also of a built-in operator, and in the network of a graph whose nodes say it."""
    size = Size.of({"kernel": 5, "groups": 4})
    assert sum(weight.numel() for weight in layer(conv().at(size)).parameters()) == 25 * C + 2 * C
    copies = layer(VOCABULARY["sep_conv_3x3"].at(Size(repeats=3)))  # each of which is two in a row
    assert sum(weight.numel() for weight in copies.parameters()) == 6 * (9 * C + 2 * C + C * C + 2 * C)
    names = ["input", "conv3x3", "conv", "output"]
    cell = CellGraph.build(
        "cell", names, [(0, 1), (1, 2), (2, 3)], vocabulary=SIZED_VOCABULARY, sizes=[None, size, Size(kernel=1), None]
    )
    block = build(ArchitectureGraph("mine", (cell,), SIZED_VOCABULARY), SMALL).body[0]
    assert sum(weight.numel() for weight in block.parameters()) == 25 * C + C * C + 4 * C


def test_repeats_of_a_cell_are_copies_of_it() -> None:
    cell = cell_of(conv("mine")).cells[0]
    vocabulary = VOCABULARY.extended([conv("mine")])
    twice = build(ArchitectureGraph("mine", (replace(cell, repeats=2),), vocabulary), SMALL)
    copied = build(ArchitectureGraph("mine", (cell, replace(cell, name="again")), vocabulary), SMALL)
    assert twice.parameter_count() == copied.parameter_count()
    assert len(twice.body) == len(copied.body)


@pytest.mark.parametrize("operator", [one for one in BUILT_IN if one.kind != "input"])
def test_every_built_in_operator_is_known(operator: Operator) -> None:
    reduces = operator.name == "factorized_reduce"
    make_operator(operator, 4, 2 if reduces else 1, replicas=1)


@pytest.mark.parametrize(
    ("operators", "edges", "reduction", "reason"),
    [
        (
            ["conv3x3", "conv1x1", "concat", "conv3x3"],
            [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5)],
            False,
            "2 states",
        ),
        (["conv3x3", "conv1x1", "concat"], [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (0, 4)], False, "of 1 and 2 times"),
        (["conv3x3"], [(0, 1), (1, 2), (0, 2)], True, "a state of half its resolution"),
        (["conv3x3", "concat"], [(0, 1), (1, 2), (0, 2), (2, 3)], True, "a state of half its resolution"),
        (["concat", "conv3x3"], [(0, 1), (1, 2), (2, 3)], True, "halves no resolution"),
    ],
)
def test_states_that_do_not_fit_are_told_and_not_fitted(
    operators: list[str], edges: list[tuple[int, int]], reduction: bool, reason: str
) -> None:
    plain = CellGraph.build("plain", ["input", "conv3x3", "output"], [(0, 1), (1, 2)], reduction=False)
    odd = CellGraph.build("odd", ["input", *operators, "output"], edges, reduction=reduction)
    with pytest.raises(ProxyError, match=rf"'odd'.*{reason}"):
        build(ArchitectureGraph("mine", (plain, odd), VOCABULARY), SMALL)


def test_pools_and_concatenations_take_states_side_by_side() -> None:
    operators = ["input", "conv3x3", "conv1x1", "concat", "max_pool_3x3", "output"]
    cell = CellGraph.build("cell", operators, [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5)])
    assert build(ArchitectureGraph("mine", (cell,), VOCABULARY), SMALL)(torch.randn(2, 3, 16, 16)).shape == (2, 10)


def test_the_network_is_the_one_that_a_hand_writes() -> None:
    """Two parallel operators, one of them read twice, then a sum: the numbers of plain torch functions."""
    names = ["input", "conv3x3", "max_pool_3x3", "output"]
    cell = CellGraph.build("cell", names, [(0, 1), (0, 2), (1, 3, 2), (2, 3)])
    network = build(ArchitectureGraph("mine", (cell,), VOCABULARY), SMALL).eval()
    block = network.body[0]
    state = torch.randn(2, 4, 8, 8)
    kernel = next(part for part in block.modules() if isinstance(part, nn.Conv2d)).weight
    convolved = nn.functional.conv2d(state.relu(), kernel, padding=1) / (1 + 1e-5) ** 0.5  # BatchNorm as it begins
    expected = 2 * convolved + nn.functional.max_pool2d(state, 3, stride=1, padding=1)
    torch.testing.assert_close(block(state), expected)
    assert sum(weight.numel() for weight in block.parameters()) == 4 * 4 * 9 + 2 * 4


def test_a_whole_network_that_was_traced_is_no_cell() -> None:
    """Its convolutions have channels and strides of their own, which the generic network knows nothing of."""
    with pytest.raises(ProxyError, match="is a whole network that was traced"):
        build(cell_of(VOCABULARY["conv3x3"], name="network_0123456789ab"), SMALL)


def test_dilated_maximum_takes_every_second_pixel() -> None:
    line = torch.tensor([3.0, 9.0, 1.0, 2.0, 5.0]).view(1, 1, 1, 5)

    def pooled(state: Tensor) -> list[float]:
        given: list[float] = layer(pool(kernel=3, dilation=2), channels=1)(state).flatten().tolist()
        return given

    assert pooled(line) == [3.0, 9.0, 5.0, 9.0, 5.0]


def test_the_layers_say_what_they_are() -> None:
    assert repr(layer(pool(kernel=2))) == "WidePool(max, 2, stride=1, dilation=1)"
    assert repr(layer(conv(kernel=2))).count("UnevenConv2d(4, 4, kernel_size=(2, 2), stride=(1, 1)") == 1
