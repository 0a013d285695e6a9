"""Networks that compute different functions have different digests, equal ones written otherwise have one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 -- PyTorch's own name for it

from ingest.model.onnx_reading import read_onnx
from ingest.model.torch_tracing import trace_module

SHAPE = (2, 3, 8, 8)
Function = Callable[..., Any]


class Net(nn.Module):
    """A convolution and a function of its result, traced symbolically or, where a branch asks for a size, by export."""

    def __init__(self, function: Function, *, exported: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 1)
        self.weight = nn.Parameter(torch.ones(8, 8))
        self.register_buffer("two", torch.tensor(2.0))
        self.register_buffer("three", torch.tensor(3.0))
        self.register_buffer("mask", torch.ones(8, 8))
        self.exported = exported
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        if self.exported and x.shape[0] > 1:
            x = x + 0
        result: Tensor = self.function(self.first(x), self)
        return result


def digest(function: Function, *, exported: bool) -> str:
    return trace_module(Net(function, exported=exported), SHAPE).digest


FUNCTIONS: list[tuple[Function, Function]] = [
    (lambda x, _: 1 - x, lambda x, _: x - 1),
    (lambda x, _: torch.rsub(x, 1), lambda x, _: torch.sub(x, 1)),
    (lambda x, _: torch.add(x, x.relu(), alpha=2), lambda x, _: torch.add(x.relu(), x, alpha=2)),
    (lambda x, _: 2 / x, lambda x, _: x / 2),
    (lambda x, _: torch.div(x, 2, rounding_mode="floor"), lambda x, _: torch.div(x, 2, rounding_mode="trunc")),
    (lambda x, _: x // 2, lambda x, _: 2 // x),
    (lambda x, _: x % 3, lambda x, _: 3 % x),
    (lambda x, _: x**2, lambda x, _: 2**x),
    (lambda x, _: torch.where(x > 0, x, 0.0), lambda x, _: torch.where(x > 0, 0.0, x)),
    (lambda x, _: torch.where(x > 0, x, x.exp()), lambda x, _: torch.where(x > 0, x.exp(), x)),
    (lambda x, _: torch.clamp(x, None, 0.5), lambda x, _: torch.clamp(x, 0.5, None)),
    (lambda x, _: x.clamp(min=0.5), lambda x, _: x.clamp(max=0.5)),
    (lambda x, _: torch.sub(input=x, other=x.exp()), lambda x, _: torch.sub(other=x, input=x.exp())),
    (lambda x, net: x @ net.weight, lambda x, net: net.weight @ x),
    (lambda x, net: x - net.mask, lambda x, net: net.mask - x),
    (lambda x, net: x * net.two, lambda x, net: x * net.three),
    (lambda x, _: x + torch.tensor([1.0, 2.0] * 4), lambda x, _: x + torch.tensor([2.0, 1.0] * 4)),
    (lambda x, _: torch.cat([x, torch.ones_like(x)], 1), lambda x, _: torch.cat([torch.ones_like(x), x], 1)),
    (lambda x, _: torch.cat([x, x.exp()]), lambda x, _: torch.cat([x.exp(), x])),
    (lambda x, _: x.mean(2), lambda x, _: x.mean(3)),
    (lambda x, _: x.cumsum(2), lambda x, _: x.cumsum(3)),
    (lambda x, _: x.flip(2), lambda x, _: x.flip(3)),
    (lambda x, _: x.roll(1, 2), lambda x, _: x.roll(2, 2)),
    (lambda x, _: x.softmax(2), lambda x, _: x.softmax(3)),
    (lambda x, _: x.max(2)[0], lambda x, _: x.max(2)[1]),
    (lambda x, _: x[:, :2], lambda x, _: x[:, 2:4]),
    (lambda x, _: x[:, 0], lambda x, _: x[:, 1]),
    (lambda x, _: x.select(1, 0), lambda x, _: x.select(1, 3)),
    (lambda x, _: x[0], lambda x, _: x[1]),
    (lambda x, _: x.narrow(2, 0, 2), lambda x, _: x.narrow(2, 2, 2)),
    (lambda x, _: x.chunk(2, 1)[0], lambda x, _: x.chunk(2, 1)[1]),
    (lambda x, _: x.hsplit(2)[0], lambda x, _: x.hsplit(2)[1]),
    (lambda x, _: x.transpose(2, 3), lambda x, _: x.transpose(1, 2)),
    (lambda x, _: x.transpose(1, 3), lambda x, _: x.movedim(1, 3)),
    (lambda x, _: x[:, :1].expand(2, 8, 8, 8), lambda x, _: x[:, 1:2].expand(2, 8, 8, 8)),
    (lambda x, _: x.repeat(1, 2, 1, 1), lambda x, _: x.repeat_interleave(2, 1)),
    (lambda x, _: x[torch.tensor([0, 1])], lambda x, _: x[torch.tensor([1, 0])]),
    (lambda x, _: x[:, torch.tensor([0, 1])], lambda x, _: x[:, torch.tensor([0, 2])]),
    (lambda x, _: x.masked_fill(x > 0, 1.0), lambda x, _: x.masked_fill(x > 0, 2.0)),
    (lambda x, _: x + torch.full((8,), 2.0), lambda x, _: x + torch.full((8,), 3.0)),
    (lambda x, _: F.pad(x, (1, 1)), lambda x, _: F.pad(x, (1, 1), value=1.0)),
    (lambda x, _: F.pad(x, (1, 1, 1, 1)), lambda x, _: F.pad(x, (1, 1, 1, 1), mode="reflect")),
    (lambda x, _: F.avg_pool2d(x, 3, 1, 1), lambda x, _: F.avg_pool2d(x, 3, 1, 1, False, False)),
    (lambda x, _: F.interpolate(x, 16), lambda x, _: F.interpolate(x, 16, mode="bilinear")),
    (
        lambda x, _: F.interpolate(x, 16, mode="bilinear"),
        lambda x, _: F.interpolate(x, 16, mode="bilinear", align_corners=True),
    ),
    (lambda x, _: F.leaky_relu(x, 0.1), lambda x, _: F.leaky_relu(x, 0.2)),
    (lambda x, _: F.gelu(x), lambda x, _: F.gelu(x, approximate="tanh")),
    (lambda x, _: x.to(torch.int32) * 2, lambda x, _: x.to(torch.float64) * 2),
    (lambda x, _: F.dropout(x, 0.5, training=True), lambda x, _: F.dropout(x, 0.5, training=False)),
    (
        lambda x, _: F.scaled_dot_product_attention(x, x, x),
        lambda x, _: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    ),
]


@pytest.mark.parametrize("exported", [False, True])
@pytest.mark.parametrize(("one", "other"), FUNCTIONS)
def test_functions_that_differ_have_two_digests(one: Function, other: Function, exported: bool) -> None:
    assert digest(one, exported=exported) != digest(other, exported=exported)


@pytest.mark.parametrize("exported", [False, True])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x, _: 1 + x, lambda x, _: x + 1),
        (lambda x, _: 2.0 * x, lambda x, _: x * 2.0),
        (lambda x, net: net.mask + x, lambda x, net: x + net.mask),
        (lambda x, _: torch.rsub(x, 1), lambda x, _: 1 - x),
        (lambda x, _: torch.clamp(x, 0.5), lambda x, _: torch.clamp(x, min=0.5, max=None)),
        (lambda x, _: F.avg_pool2d(x, 3, 1, 1), lambda x, _: F.avg_pool2d(x, 3, padding=1, stride=1)),
        (lambda x, _: torch.sub(x, x.exp()), lambda x, _: torch.sub(input=x, other=x.exp())),
        (lambda x, _: x.relu() + x.relu(), lambda x, _: (r := x.relu()) + r),
        (
            lambda x, _: F.max_pool2d(x, 3, 1, 1).exp() - F.max_pool2d(x, 3, 1, 1),
            lambda x, _: (r := F.max_pool2d(x, 3, 1, 1)).exp() - r,
        ),
    ],
)
def test_one_function_written_in_two_ways_has_one_digest(one: Function, other: Function, exported: bool) -> None:
    assert digest(one, exported=exported) == digest(other, exported=exported)


@pytest.mark.parametrize("exported", [False, True])
def test_what_takes_numbers_that_nobody_compares_is_not_merged(exported: bool) -> None:
    """Two buffers of one shape, a weight used again: equal in all that is known, and two functions."""

    def twice(x: Tensor, net: Any) -> Any:
        return (x * net.mask) @ (x * net.mask)

    def apart(x: Tensor, net: Any) -> Any:
        return (x * net.mask) @ (x * net.weight.detach())

    assert digest(twice, exported=exported) != digest(apart, exported=exported)
    one = trace_module(nn.Sequential(nn.PReLU(3), nn.Conv2d(3, 8, 1)), SHAPE)
    assert not one.nodes[1].is_compared


MODULES: list[tuple[nn.Module, nn.Module]] = [
    (nn.AvgPool2d(3, 1, 1), nn.AvgPool2d(3, 1, 1, count_include_pad=False)),
    (nn.AvgPool2d(3, 2, 1), nn.AvgPool2d(3, 2, 1, divisor_override=2)),
    (nn.ZeroPad2d(1), nn.ReflectionPad2d(1)),
    (nn.ReflectionPad2d(1), nn.ReplicationPad2d(1)),
    (nn.ConstantPad2d(1, 0.0), nn.ConstantPad2d(1, 1.0)),
    (nn.Upsample(16, mode="bilinear"), nn.Upsample(16, mode="bilinear", align_corners=True)),
    (nn.Upsample(16), nn.Upsample(16, mode="bicubic")),
    (nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(3, 8, 3, padding=1, padding_mode="circular")),
    (nn.LeakyReLU(0.1), nn.LeakyReLU(0.2)),
    (nn.GELU(), nn.GELU("tanh")),
    (nn.Softmax(1), nn.Softmax(2)),
    (nn.GroupNorm(1, 3), nn.GroupNorm(3, 3)),
    (nn.LocalResponseNorm(2), nn.LocalResponseNorm(3)),
    (nn.LPPool2d(1, 2), nn.LPPool2d(2, 2)),
    (nn.PixelUnshuffle(2), nn.Conv2d(3, 12, 2, 2)),
]


@pytest.mark.parametrize(("one", "other"), MODULES)
def test_modules_that_differ_in_a_setting_have_two_digests(one: nn.Module, other: nn.Module) -> None:
    assert trace_module(one, SHAPE).digest != trace_module(other, SHAPE).digest
    assert trace_module(one, SHAPE).digest == trace_module(one, SHAPE).digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (nn.RNN(8, 8), nn.RNN(8, 8, nonlinearity="relu")),
        (nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 4)),
        (nn.MultiheadAttention(8, 2), nn.MultiheadAttention(8, 2, batch_first=True)),
        (nn.LSTM(8, 8), nn.LSTM(8, 8, batch_first=True)),
    ],
)
def test_layers_over_sequences_too(one: nn.Module, other: nn.Module) -> None:
    taken = [torch.zeros(5, 5, 8)] * (3 if isinstance(one, nn.MultiheadAttention) else 1)
    assert trace_module(one, taken).digest != trace_module(other, taken).digest


def test_the_first_of_a_batch_is_a_slice() -> None:
    traced = trace_module(Net(lambda x, _: x[0], exported=False), SHAPE)
    assert [node.primitive.operator.name for node in traced.nodes] == ["input", "conv1x1", "slice", "output"]


# --------------------------------------------------------------------------------------------- ONNX

ONE, TWO = np.float32(1), np.float32(2)
LEFT, TOP = np.array([0] * 7 + [1]), np.array([0] * 3 + [1] + [0] * 4)


def onnx_digest(tmp_path: Path, kind: str, order: list[str], held: dict[str, Any], **attributes: Any) -> str:
    """One operator of the input `x`, a float tensor (1, 4, 4, 4), and initializers."""
    from onnx import TensorProto, helper, numpy_helper, save

    node = helper.make_node(kind, order, ["y"], **attributes)
    given = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4, 4, 4])]
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in held.items()]
    result = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    model = helper.make_model(
        helper.make_graph([node], "g", given, result, weights), opset_imports=[helper.make_opsetid("", 18)]
    )
    model.ir_version = 9
    save(model, tmp_path / "model.onnx")
    return read_onnx(tmp_path / "model.onnx").digest


@pytest.mark.parametrize(
    ("kind", "one", "other"),
    [
        ("Sub", (["x", "k"], {"k": ONE}, {}), (["k", "x"], {"k": ONE}, {})),
        ("Sub", (["x", "k"], {"k": ONE}, {}), (["x", "k"], {"k": TWO}, {})),
        ("Sub", (["x", "k"], {"k": np.ones(4, np.float32)}, {}), (["k", "x"], {"k": np.ones(4, np.float32)}, {})),
        ("Div", (["x", "k"], {"k": TWO}, {}), (["k", "x"], {"k": TWO}, {})),
        ("Pow", (["x", "k"], {"k": TWO}, {}), (["k", "x"], {"k": TWO}, {})),
        ("Max", (["x", "k"], {"k": ONE}, {}), (["x", "k"], {"k": TWO}, {})),
        ("Clip", (["x", "k", ""], {"k": ONE}, {}), (["x", "", "k"], {"k": ONE}, {})),
        ("Concat", (["x", "k"], {"k": np.ones((1, 4, 4, 4), np.float32)}, {"axis": 1}),
         (["k", "x"], {"k": np.ones((1, 4, 4, 4), np.float32)}, {"axis": 1})),
        ("MatMul", (["x", "k"], {"k": np.ones((4, 4), np.float32)}, {}),
         (["k", "x"], {"k": np.ones((4, 4), np.float32)}, {})),
        ("Gather", (["x", "k"], {"k": np.array([0, 1])}, {"axis": 1}),
         (["x", "k"], {"k": np.array([0, 2])}, {"axis": 1})),
        ("ReduceMean", (["x", "k"], {"k": np.array([2])}, {}), (["x", "k"], {"k": np.array([3])}, {})),
        ("Pad", (["x", "k"], {"k": LEFT}, {}), (["x", "k"], {"k": TOP}, {})),
        ("Pad", (["x", "k"], {"k": LEFT}, {}), (["x", "k"], {"k": LEFT}, {"mode": "edge"})),
        ("AveragePool", (["x"], {}, {"kernel_shape": [3, 3], "pads": [1] * 4}),
         (["x"], {}, {"kernel_shape": [3, 3], "pads": [1] * 4, "count_include_pad": 1})),
        ("Cast", (["x"], {}, {"to": 1}), (["x"], {}, {"to": 7})),
    ],
)  # fmt: skip
def test_onnx_operators_that_differ_have_two_digests(tmp_path: Path, kind: str, one: Any, other: Any) -> None:
    pytest.importorskip("onnx")
    first, second = (onnx_digest(tmp_path, kind, *case[:2], **case[2]) for case in (one, other))
    assert first != second


def test_addition_of_a_constant_of_onnx_has_no_order(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    assert onnx_digest(tmp_path, "Add", ["x", "k"], {"k": ONE}) == onnx_digest(tmp_path, "Add", ["k", "x"], {"k": ONE})
