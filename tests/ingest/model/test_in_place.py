"""In-place operations are traced as what they do, also to whoever reads the same memory under another name."""

from __future__ import annotations

import operator
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F  # noqa: N812

from catalog.architecture.computation.graph import ComputationGraph
from catalog.errors import IngestError
from ingest.model.torch_tracing import trace_module

SHAPE = (2, 3, 6, 6)


class Net(nn.Module):
    """Two convolutions, a ReLU and a buffer, and what a test does with them."""

    def __init__(self, forward: Callable[[Net, Tensor], object], *, inplace: bool = True) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, padding=1)
        self.last = nn.Conv2d(8, 8, 3, padding=1)
        self.relu = nn.ReLU(inplace=inplace)
        self.register_buffer("count", torch.zeros(8, 1, 1))
        self.aside = torch.zeros(8, 1, 1)
        self.body = forward

    def forward(self, images: Tensor) -> object:
        return self.body(self, images)


def traced(forward: Callable[[Net, Tensor], object], *, inplace: bool = True) -> ComputationGraph:
    return trace_module(Net(forward, inplace=inplace), SHAPE)


def names(graph: ComputationGraph) -> list[str]:
    return [node.primitive.operator.name for node in graph.nodes]


def method(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    x.relu_()
    return net.last(x)


def function(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    F.relu(x, inplace=True)
    return net.last(x)


def positional(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    F.relu(x, True)
    return net.last(x)


def library(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    torch.relu_(x)
    return net.last(x)


def module(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    net.relu(x)
    return net.last(x)


def out(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    torch.clamp(x, 0, out=x)
    return net.last(x)


def through_a_list(net: Net, x: Tensor) -> Tensor:
    found = [net.first(x)]
    found[0].relu_()
    return net.last(found[0])


def through_data(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    x.data.relu_()
    return net.last(x)


def under_another_name(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    same = F.dropout(x.contiguous(), training=False)
    x.relu_()
    return net.last(same)


def returned(net: Net, x: Tensor) -> Tensor:
    return net.last(net.first(x).relu_())


@pytest.mark.parametrize(
    "forward",
    [method, function, positional, library, module, through_a_list, through_data, under_another_name, returned],
)
def test_a_statement_in_place_is_the_assignment(forward: Callable[[Net, Tensor], Tensor]) -> None:
    assigned = traced(lambda net, x: net.last(F.relu(net.first(x))))
    without = traced(lambda net, x: net.last(net.first(x)))
    assert traced(forward).graph("mine").digest == assigned.graph("mine").digest != without.graph("mine").digest


@pytest.mark.parametrize(
    ("in_place", "assigned"),
    [
        (lambda x: x.mul_(2), lambda x: x * 2),
        (lambda x: x.add_(x), lambda x: x + x),
        (lambda x: operator.ipow(x, 2), lambda x: x**2),
        (lambda x: x.requires_grad_(False).tanh_(), lambda x: x.tanh()),
        (lambda x: x.masked_fill_(x > 0, 0.5), lambda x: x.masked_fill(x > 0, 0.5)),
        (lambda x: x.transpose_(2, 3), lambda x: x.transpose(2, 3)),
        (lambda x: x.clamp_(0, 1), lambda x: x.clamp(0, 1)),
        (lambda x: F.elu(x, 0.5, True), lambda x: F.elu(x, 0.5)),
        (lambda x: F.leaky_relu(x, 0.1, inplace=True), lambda x: F.leaky_relu(x, 0.1)),
        (lambda x: F.hardtanh(x, -1.0, 2.0, inplace=True), lambda x: F.hardtanh(x, -1.0, 2.0)),
        (lambda x: torch.add(x, 1, out=x), lambda x: torch.add(x, 1)),
    ],
)
def test_every_operator_may_be_in_place(
    in_place: Callable[[Tensor], object], assigned: Callable[[Tensor], Tensor]
) -> None:
    def stated(net: Net, x: Tensor) -> Tensor:
        x = net.first(x)
        in_place(x)
        return net.last(x)

    usual = traced(lambda net, x: net.last(assigned(net.first(x))))
    assert traced(stated).digest == usual.digest


def test_a_shortcut_carries_what_was_written_over_it() -> None:
    def block(net: Net, x: Tensor) -> Tensor:
        x = net.first(x)
        deeper = net.last(net.relu(x))
        return x + deeper

    def explicit(net: Net, x: Tensor) -> Tensor:
        x = net.relu(net.first(x))
        return x + net.last(x)

    written, kept = traced(block), traced(block, inplace=False)
    assert written.digest == traced(explicit).digest == traced(explicit, inplace=False).digest
    assert written.digest != kept.digest
    assert written.nodes[4].inputs == (2, 3)


def test_an_augmented_assignment_changes_all_names_of_a_tensor() -> None:
    """torch.fx takes `x += y` for `x = x + y`."""

    def augmented(net: Net, x: Tensor) -> Tensor:
        x = net.first(x)
        other = x
        x += net.last(x)
        return x * other

    def written_out(net: Net, x: Tensor) -> Tensor:
        x = net.first(x)
        x = x + net.last(x)
        return x * x

    assert traced(augmented).digest == traced(written_out).digest
    size = traced(lambda net, x: net.first(x).reshape(bumped(x.size(0)), -1))
    assert size.nodes[2].shape == (2, 8 * 36)


def bumped(size: int) -> int:
    size += 1
    size -= 1
    return size


def test_parts_that_share_no_element_are_left_alone() -> None:
    def split(net: Net, x: Tensor) -> Tensor:
        left, right = net.first(x).chunk(2, dim=1)
        left.relu_()
        return net.last(torch.cat([left, right], 1))

    def assigned(net: Net, x: Tensor) -> Tensor:
        left, right = net.first(x).chunk(2, dim=1)
        return net.last(torch.cat([left.relu(), right], 1))

    assert traced(split).digest == traced(assigned).digest


def view_written(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    x[:, :4].relu_()
    return net.last(x)


def view_read(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    flat = x.view(2, 8, 36)
    x.relu_()
    return net.last(x).flatten(2) + flat


def element_set(net: Net, x: Tensor) -> Tensor:
    x = net.first(x)
    x[:, 0] = 0
    return net.last(x)


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (view_written, ["input", "conv3x3", "slice", "relu", "slice_scatter", "conv3x3", "output"]),
        (view_read, ["input", "conv3x3", "relu", "conv3x3", "reshape", "reshape", "add", "output"]),
        (element_set, ["input", "conv3x3", "slice", "select_scatter", "conv3x3", "output"]),
    ],
)
def test_a_change_through_a_view_is_seen_by_all_others(
    forward: Callable[[Net, Tensor], Tensor], expected: list[str]
) -> None:
    graph = traced(forward)
    assert names(graph) == expected
    assert len(graph.live) + (forward is element_set) == len(expected)  # the element's old value is of no use
    assert graph.multiply_accumulates == traced(lambda net, x: net.last(net.first(x))).multiply_accumulates


def test_the_view_reads_the_new_value() -> None:
    graph = traced(view_read)
    relu = names(graph).index("relu")
    assert [node.inputs for node in graph.nodes if node.primitive.operator.name == "reshape"] == [(3,), (relu,)]


def test_what_is_copied_over_a_tensor_is_that_tensor() -> None:
    def copied(net: Net, x: Tensor) -> Tensor:
        x = net.first(x)
        place = torch.zeros_like(x)
        place.copy_(x)
        return net.last(place)

    graph, plain = traced(copied), traced(lambda net, x: net.last(net.first(x)))
    assert graph.graph("mine").digest == plain.graph("mine").digest
    broadcast = traced(lambda net, x: torch.empty_like(net.first(x)).copy_(x[:, :1]))
    assert names(broadcast)[-2] == "expand"


def test_what_is_filled_holds_nothing_of_before() -> None:
    def filled(net: Net, x: Tensor) -> Tensor:
        hidden = net.first(x)
        hidden.fill_(3.0)
        return hidden + x[:, :1]

    graph = traced(filled)
    assert "conv3x3" not in [node.primitive.operator.name for node in graph.live]


def test_the_module_and_its_input_stay_as_they_were() -> None:
    def changing(net: Net, x: Tensor) -> Tensor:
        net.count.add_(1)
        x.relu_()
        return net.first(x) + net.count

    net, images = Net(changing), torch.randn(SHAPE)
    before = images.clone()
    graph = trace_module(net, [images])
    assert names(graph) == ["input", "relu", "conv3x3", "add", "output"]
    assert torch.equal(images, before)
    assert float(net.count.sum()) == 0.0


def test_a_change_that_nobody_can_follow_is_refused() -> None:
    """And undone: a tensor that is no buffer is written while the code is traced."""

    def changing(net: Net, x: Tensor) -> Tensor:
        net.aside.add_(1)
        return net.first(x) + net.aside

    net = Net(changing)
    with pytest.raises(IngestError, match="the module changes a tensor of its own"):
        trace_module(net, SHAPE)
    assert float(net.aside.sum()) == 0.0


def test_setting_the_data_of_a_tensor_is_no_secret() -> None:
    def replaced(net: Net, x: Tensor) -> Tensor:
        x = net.first(x)
        x.data = F.relu(x)
        return net.last(x)

    assert names(traced(replaced)) == ["input", "conv3x3", "relu", "conv3x3", "output"]


def test_results_that_share_their_memory_are_one() -> None:
    def both(net: Net, x: Tensor) -> tuple[Tensor, Tensor]:
        x = net.first(x)
        return x, x.add_(1)

    assert names(traced(both)) == ["input", "conv3x3", "add", "output"]


def test_an_empty_container_is_the_identity() -> None:
    digests = {
        traced(lambda net, x, layer=layer: net.last(net.first(x)) + layer(net.first(x))).digest
        for layer in (nn.Sequential(), nn.Identity(), nn.FeatureAlphaDropout().eval(), nn.Sequential(nn.Sequential()))
    }
    assert len(digests) == 1
    assert names(trace_module(nn.Sequential(), SHAPE)) == ["input", "output"]
    listed = trace_module(nn.Sequential(nn.Sequential(), nn.ReLU(), *nn.ModuleList()), SHAPE)
    assert names(listed) == ["input", "relu", "output"]


@fx.wrap
def hidden_change(x: Tensor) -> Tensor:
    x.mul_(2)
    return x.sum()


def test_a_call_that_changes_what_it_does_not_give_is_looked_into() -> None:
    def hidden(net: Net, x: Tensor) -> Tensor:
        x = net.first(x)
        total = hidden_change(x)
        return x + total

    assert names(traced(hidden)) == ["input", "conv3x3", "multiply", "reduce_sum", "add", "output"]
