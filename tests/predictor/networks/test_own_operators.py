"""The generic network computes what the operators of a user's space say, or says which fact is missing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import BUILT_IN, VOCABULARY, Operator
from catalog.errors import ProxyError
from predictor.networks import NetworkConfig, build
from predictor.networks.layers import FactorizedReduce
from predictor.networks.own_operators import make_operator
from predictor.zero_cost import MeasureConfig, measure, proxies_named

SMALL = NetworkConfig(channels=4, cells=1)


def own(name: str, kind: str, words: str = "?", **facts: int | bool | None) -> Operator:
    return Operator(name, kind, words, words, words, **facts)  # type: ignore[arg-type]


def conv(name: str = "conv", words: str = "Convolution", kernel: int = 3, **facts: int | bool) -> Operator:
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
    operators.append(own("maxpool", "pool", kernel=kernel, dilation=dilation))
    operators += [own("avgpool", "pool", kernel=kernel)] if dilation == 1 else []
    for operator in operators:
        given = layer(operator, stride)(state)
        assert given.shape == expected, operator.name
        assert bool(given.isfinite().all()), operator.name


def test_an_even_window_reaches_one_pixel_further_to_the_right_and_below() -> None:
    picture = torch.tensor([[1.0, 5.0, 2.0], [0.0, 3.0, -7.0], [4.0, -1.0, -2.0]]).view(1, 1, 3, 3)
    maximum, average = (layer(own(f"{how}pool2x2", "pool", kernel=2))(picture).view(3, 3) for how in ("max", "avg"))
    assert maximum.tolist() == [[5.0, 5.0, 2.0], [4.0, 3.0, -2.0], [4.0, -1.0, -2.0]]
    assert average.tolist() == [[2.25, 0.75, -2.5], [1.5, -1.75, -4.5], [1.5, -1.5, -2.0]]
    convolution = layer(conv(kernel=2), channels=1)
    kernel = next(part for part in convolution.modules() if isinstance(part, nn.Conv2d))
    assert isinstance(convolution, nn.Sequential)
    given = nn.functional.conv2d(nn.functional.pad(picture.relu(), (0, 1, 0, 1)), kernel.weight)
    torch.testing.assert_close(convolution[1](picture.relu()), given)


@pytest.mark.parametrize(
    "operator", [conv(kernel=2), conv(kernel=4, depthwise=True), own("maxpool2", "pool", kernel=2)]
)
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
    with pytest.raises(ProxyError, match="'factorized_reduce'.* described with 'halv', and no fact states a stride"):
        make_operator(VOCABULARY["factorized_reduce"], 4, 1, replicas=1)


@pytest.mark.parametrize("name", ["sum", "add", "elementwise_add", "Addition"])
def test_sums_are_sums(name: str) -> None:
    assert make_operator(own(name, "merge"), 4, 1, replicas=1) is None
    assert make_operator(own("node", "merge", "Sum of its inputs"), 4, 1, replicas=1) is None


@pytest.mark.parametrize(
    "name", ["mul", "product", "max", "average", "gate", "cat", "weighted_sum", "subtract", "matmul"]
)
def test_what_combines_otherwise_is_no_sum(name: str) -> None:
    merge = own(name, "merge", "Element-wise product of the inputs")
    vocabulary = VOCABULARY.extended([merge])
    cell = CellGraph.build(
        "cell", ["input", "conv3x3", "conv1x1", name, "output"], [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4)],
        vocabulary=vocabulary,
    )  # fmt: skip
    proxies = proxies_named(["snip", "params", "synflow"])
    found = measure(ArchitectureGraph("mine", (cell,), vocabulary), proxies, MeasureConfig(batch_size=2, network=SMALL))
    for one in found:
        assert (one.value, one.status) == (None, "failed")
        assert f"the facts of operator '{name}' do not say what it computes: kind 'merge'" in (one.reason or "")


def test_a_merge_with_weights_is_no_sum() -> None:
    with pytest.raises(ProxyError, match="no fact states how it combines"):
        make_operator(own("add", "merge", has_weights=True), 4, 1, replicas=1)


@pytest.mark.parametrize(
    ("operator", "missing"),
    [
        (conv("grouped3", "Grouped convolution with four groups"), "into how many groups"),
        (conv("group_conv_3x3"), "into how many groups"),
        (conv("conv3x3_g4"), "into how many groups"),
        (conv("up", "Transposed convolution 3 by 3"), "by how much it enlarges"),
        (conv("conv1x7", kernel=7), "its window is 1 by 7"),
        (conv("tall", "Convolution 5 by 1", kernel=5), "its window is 5 by 1"),
        (conv("conv1d"), "a window of two equal edges"),
        (conv("conv3x3_s2"), "no fact states a stride"),
        (conv("down", "Strided convolution 3 by 3"), "no fact states a stride"),
        (conv("mb", "Inverted residual with expansion 6"), "the layers that it consists of"),
        (conv("deform", "Deformable convolution"), "how its kernel comes about"),
        (conv("sep", "Depthwise separable convolution"), "the fact depthwise is false; set it to true"),
        (own("pool3x3", "pool", "Pooling 3 by 3", kernel=3), "the maximum or the average"),
        (own("mixed", "pool", "Max and average pooling mixed", kernel=3), "the maximum or the average"),
        (own("lppool", "pool", "Power-average pooling of the softmax", kernel=None), "kind 'pool', kernel None"),
        (own("avg_dil", "pool", kernel=3, dilation=2), "an average over a window of dilation 2"),
        (own("maxpool_w", "pool", kernel=3, has_weights=True), "with weights"),
        (own("global_avgpool", "pool", kernel=8), "to which size it pools"),
        (own("down_skip", "skip", "Identity that halves the resolution"), "no fact states a stride"),
        (own("mystery", "attention", has_weights=True), "kind 'attention', kernel None"),
        (own("conv", "conv", has_weights=True), "kind 'conv', kernel None"),
    ],
)
def test_what_the_facts_leave_out_is_told_and_not_guessed(operator: Operator, missing: str) -> None:
    with pytest.raises(
        ProxyError, match=f"the facts of operator '{operator.name}' do not say what it computes.*{missing}"
    ):
        build(cell_of(operator), SMALL)


@pytest.mark.parametrize(
    "words",
    [
        "Convolution that is not grouped",
        "Convolution without squeeze and excitation",
        "Convolution, no attention",
        "Convolution, not depthwise",
        "Convolution and group normalization",
    ],
)
def test_what_words_deny_is_not_heeded(words: str) -> None:
    plain, described = (sum(p.numel() for p in layer(conv(words=text)).parameters()) for text in ("Convolution", words))
    assert plain == described == 4 * 4 * 9 + 8


@pytest.mark.parametrize("operator", [one for one in BUILT_IN if one.kind in ("conv", "pool", "skip", "none", "merge")])
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
        given: list[float] = layer(own("maxpool", "pool", kernel=3, dilation=2), channels=1)(state).flatten().tolist()
        return given

    assert pooled(line) == [3.0, 9.0, 5.0, 9.0, 5.0]


def test_the_layers_say_what_they_are() -> None:
    assert repr(layer(own("maxpool", "pool", kernel=2))) == "WidePool(max, 2, stride=1, dilation=1)"
    assert repr(layer(conv(kernel=2))).count("UnevenConv2d(4, 4, kernel_size=(2, 2), stride=(1, 1)") == 1
