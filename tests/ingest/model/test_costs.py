"""What an operator costs: by a formula, nothing where it is known to be free, and NULL otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, fx, nn
from torch.nn import functional as F  # noqa: N812

from catalog.architecture.computation import primitives
from catalog.architecture.computation.free_operators import FREE
from catalog.architecture.computation.vocabulary import COUNTED, PLAIN
from ingest.model.torch_tracing import trace_module


class Around(nn.Module):
    """One module in another, called as a test says."""

    def __init__(self, module: nn.Module, call: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.module = module
        self.call = call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self.module, x)


class Unrolled(nn.Module):
    """A cell in a loop over time."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(4, 6)

    def forward(self, x: Tensor) -> Tensor:
        state = x.new_zeros(x.shape[0], 6)
        for step in range(x.shape[1]):
            state = self.cell(x[:, step], state)
        return state


class OwnLSTM(nn.LSTM):
    """A subclass is no module of PyTorch's own: it is looked into."""


LSTM = {"batch_first": True, "bidirectional": True, "proj_size": 8}


@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        (Around(nn.LSTMCell(16, 32), lambda m, x: m(x)[0]), (2, 16), 2 * 4 * 32 * (16 + 32)),
        (Around(nn.GRUCell(16, 32), lambda m, x: m(x)), (2, 16), 2 * 3 * 32 * (16 + 32)),
        (Around(nn.RNNCell(16, 32), lambda m, x: m(x)), (2, 16), 2 * 32 * (16 + 32)),
        (Unrolled(), (2, 3, 4), 3 * 2 * 3 * 6 * (4 + 6)),
        # both directions of two layers: 4 gates of 32 from 16 or 2 x 8 inputs and 8 states, and 32 states to 8
        (nn.LSTM(16, 32, 2, **LSTM), (2, 5, 16), 2 * 5 * 2 * 2 * (4 * 32 * (16 + 8) + 32 * 8)),
        (Around(nn.LSTM(16, 32, 2, **LSTM), lambda m, x: m(x)[0]), (2, 5, 16), 133_120),
        (Around(OwnLSTM(16, 32, 2, **LSTM), lambda m, x: m(x)[0]), (2, 5, 16), 133_120),
        (nn.GRU(4, 5), (7, 2, 4), 14 * 3 * 5 * (4 + 5)),
        (nn.RNN(4, 5), (7, 4), 7 * 5 * (4 + 5)),  # without a batch
    ],
)
def test_recurrent_layers_multiply_their_matrices_at_every_step(
    module: nn.Module, shape: tuple[int, ...], expected: int
) -> None:
    traced = trace_module(module, shape)
    assert traced.multiply_accumulates == expected
    assert traced.parameters == sum(weight.numel() for weight in module.parameters())
    assert {node.primitive.operator.kind for node in traced.nodes} >= {"recurrent"}


@fx.wrap
def conv2d(images: Tensor, window: int) -> Tensor:
    """Another library's function, of a name that PyTorch has too."""
    return images * window


@fx.wrap
def stochastic_depth(images: Tensor) -> Tensor:
    """As in evaluation: it hands on what it gets."""
    return images


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: torch.einsum("bchw,bdhw->bcd", x, x), None),
        (lambda x: F.grid_sample(x, torch.zeros(1, 4, 4, 2)), None),
        (lambda x: torch.fft.fft2(x).real, None),
        (torch.linalg.inv, None),
        (lambda x: torch.cdist(x[0], x[0]), None),
        (lambda x: conv2d(x, 3), None),
        (lambda x: torch.kron(x[0, 0], x[0, 0]), None),
        (lambda x: stochastic_depth(x) + 1, 0),
        (lambda x: x.abs().sqrt().cumsum(-1).roll(1, 0).topk(2)[0], 0),
        (lambda x: torch.where(x > 0, x, x.exp()), 0),
        (lambda x: x[0, 0].T @ x[0, 0].mT, 8 * 8 * 8),
        (lambda x: x[0, 0] @ x[0, 0, 0], 8 * 8),
        (lambda x: torch.inner(x[0, 0], x[0, 0]), 8 * 8 * 8),
        (lambda x: torch.baddbmm(x[0], x[0], batch2=x[0]), 3 * 8 * 8 * 8),
        (lambda x: torch.addbmm(x[0, 0], x[0], x[0]), 3 * 8 * 8 * 8),
        (lambda x: torch.addmm(input=x[0, 0], mat1=x[0, 0, :, :4], mat2=x[0, 0, :4]), 8 * 8 * 4),
        (lambda x: torch.addmv(x[0, 0, 0], x[0, 0], x[0, 0, 0]), 8 * 8),
        (lambda x: torch.ops.aten.mm(x[0, 0], x[0, 0]), 8 * 8 * 8),
        (lambda x: F.scaled_dot_product_attention(x, x, x), 2 * 3 * 8 * 8 * 8),
    ],
)
def test_functions_cost_what_is_known_of_them(function: Callable[[Tensor], Tensor], expected: int | None) -> None:
    assert trace_module(Around(nn.Identity(), lambda _, x: function(x)), (1, 3, 8, 8)).multiply_accumulates == expected


def test_modules_that_nobody_counts_cost_nobody_knows_what() -> None:
    inside = trace_module(Around(nn.Bilinear(16, 16, 32), lambda m, x: m(x, x)), (2, 16))
    assert inside.multiply_accumulates is None
    assert trace_module(nn.Bilinear(3, 4, 5), [torch.zeros(1, 3), torch.zeros(1, 4)]).multiply_accumulates is None


def test_attention_with_added_keys_looks_at_them() -> None:
    usual, more = (
        trace_module(nn.MultiheadAttention(16, 4, add_bias_kv=added, add_zero_attn=added), [torch.zeros(5, 1, 16)] * 3)
        for added in (False, True)
    )
    assert usual.multiply_accumulates == 4 * 5 * 16 * 16 + 2 * 5 * 5 * 16
    assert more.multiply_accumulates == 4 * 5 * 16 * 16 + 2 * 5 * (5 + 2) * 16


def test_a_foreign_operator_is_not_the_one_of_its_name() -> None:
    (node,) = (
        node for node in trace_module(Around(nn.Identity(), lambda _, x: conv2d(x, 3)), (1, 3, 8, 8)).nodes[1:-1]
    )
    assert (node.primitive.operator.name, node.primitive.operator.kind) == ("conv2d", "other")
    assert primitives.foreign("Relu").operator.name == "function_relu"
    assert primitives.foreign("mul_").operator.name == "function_mul"
    assert primitives.foreign("roi_align").operator.name == "roi_align"


def test_words_are_free_counted_or_unknown() -> None:
    assert not FREE & COUNTED
    assert set(PLAIN) >= COUNTED
    assert primitives.plain("relu").multiply_accumulates == primitives.plain("cumsum").multiply_accumulates == 0
    for word in (*COUNTED, "if", "loop", "lstm", "conv", "roi_align", "no_such_operator"):
        assert primitives.plain(word).multiply_accumulates is None, word


@pytest.mark.parametrize(
    "layer",
    [
        *(nn.Hardshrink(), nn.LogSigmoid(), nn.Softsign(), nn.Threshold(0.1, 20), nn.CELU(), nn.GLU(dim=2), nn.RReLU()),
        *(nn.Softmax2d(), nn.LocalResponseNorm(2), nn.LPPool2d(2, 2), nn.PixelUnshuffle(2), nn.ChannelShuffle(2)),
        *(nn.Unfold(3), nn.ReflectionPad2d(1), nn.CircularPad2d(1), nn.FractionalMaxPool2d(2, 3)),
        nn.Upsample(scale_factor=2),
        *(nn.BatchNorm2d(4), nn.GroupNorm(2, 4), nn.InstanceNorm2d(4), nn.Dropout2d(), nn.PReLU(), nn.Flatten()),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_layers_without_products_are_free(layer: nn.Module) -> None:
    assert trace_module(nn.Sequential(layer), (1, 4, 8, 8)).multiply_accumulates == 0
