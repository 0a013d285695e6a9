"""A module and its own ONNX export agree on parameters and multiply-accumulates."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from ingest.model.onnx_reading import read_onnx
from ingest.model.torch_tracing import trace_module

Example = tuple[nn.Module, tuple[int, ...]]


class Around(nn.Module):
    """Modules and a parameter, called as a test says."""

    def __init__(
        self, call: Callable[[Around, Tensor], Tensor], *parts: nn.Module, weight: Tensor | None = None
    ) -> None:
        super().__init__()
        self.call = call
        self.parts = nn.ModuleList(parts)
        self.weight = None if weight is None else nn.Parameter(weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self, x)


def agree(module: nn.Module, shape: tuple[int, ...], path: Path, *, folding: bool = False) -> None:
    torch.manual_seed(0)
    for weight in module.parameters():  # equal ones would be stored once
        nn.init.normal_(weight)
    traced = trace_module(module, shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            (torch.zeros(shape),),
            str(path),
            dynamo=False,
            do_constant_folding=folding,
            training=torch.onnx.TrainingMode.PRESERVE,  # or it would merge convolutions and normalization
        )
    read = read_onnx(path)
    assert (read.parameters, read.multiply_accumulates) == (traced.parameters, traced.multiply_accumulates)
    assert traced.parameters == sum(weight.numel() for weight in module.parameters())


@st.composite
def convolutional(draw: st.DrawFn) -> Example:
    """Convolutions of one to three axes in a row, with whatever may stand between them."""
    axes = draw(st.integers(1, 2))
    plain, transposed = ((nn.Conv1d, nn.ConvTranspose1d), (nn.Conv2d, nn.ConvTranspose2d))[axes - 1]
    norm, pool = ((nn.BatchNorm1d, nn.MaxPool1d), (nn.BatchNorm2d, nn.AvgPool2d))[axes - 1]
    channels = first = draw(st.sampled_from([4, 8]))
    layers: list[nn.Module] = []
    for _ in range(draw(st.integers(1, 3))):
        outputs, groups = draw(st.sampled_from([4, 8])), draw(st.sampled_from([1, 2, 4]))
        kernel, dilation, stride = draw(st.integers(1, 4)), draw(st.integers(1, 2)), draw(st.integers(1, 2))
        kind = draw(st.sampled_from([plain, plain, transposed]))
        layers.append(
            kind(channels, outputs, kernel, stride, kernel, groups=groups, dilation=dilation, bias=draw(st.booleans()))
        )
        channels = outputs
        between = [norm(channels), nn.GroupNorm(2, channels), nn.PReLU(channels), nn.ReLU(), nn.GELU(), pool(2, 1)]
        layers += draw(st.lists(st.sampled_from(between), max_size=2, unique=True))
    return nn.Sequential(*layers), (draw(st.integers(1, 2)), first, *[16] * axes)


@st.composite
def recurrent(draw: st.DrawFn) -> Example:
    kind = draw(st.sampled_from([nn.LSTM, nn.GRU, nn.RNN]))
    layer = kind(
        6,
        5,
        draw(st.integers(1, 2)),
        bias=draw(st.booleans()),
        batch_first=draw(st.booleans()),
        bidirectional=draw(st.booleans()),
    )
    return (layer if draw(st.booleans()) else Around(lambda m, x: m.parts[0](x)[0], layer)), (3, 2, 6)


@st.composite
def linear(draw: st.DrawFn) -> Example:
    widths = draw(st.lists(st.sampled_from([3, 4, 6]), min_size=2, max_size=4))
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [
            nn.Linear(before, after, bias=draw(st.booleans())),
            draw(st.sampled_from([nn.Tanh(), nn.LayerNorm(after)])),
        ]
    return nn.Sequential(*layers), (*draw(st.lists(st.integers(1, 3), min_size=1, max_size=3)), widths[0])


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports") / "net.onnx"


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(convolutional(), recurrent(), linear()), st.booleans())
def test_networks_and_their_exports_agree(file: Path, example: Example, folding: bool) -> None:
    agree(*example, file, folding=folding)


def attention() -> nn.Module:
    return nn.MultiheadAttention(16, 4, batch_first=True)


@pytest.mark.parametrize("folding", [False, True])
@pytest.mark.parametrize(
    ("module", "shape"),
    [
        (Around(lambda m, x: m.parts[0](x, x, x, need_weights=False)[0], attention()), (2, 5, 16)),
        (Around(lambda m, x: m.parts[0](x[:, :2], x, x)[0], attention()), (2, 5, 16)),
        (Around(lambda m, x: F.scaled_dot_product_attention(x, x, x)), (2, 2, 5, 8)),
        (Around(lambda m, x: (x @ m.weight) @ x.transpose(-1, -2), weight=torch.zeros(8, 8)), (2, 5, 8)),
        (Around(lambda m, x: torch.baddbmm(x, x, x)), (2, 5, 5)),
        (Around(lambda m, x: torch.einsum("bi,ij->bj", x, m.weight), weight=torch.zeros(5, 5)), (2, 5)),
        (Around(lambda m, x: m.parts[0]((x - torch.tensor([[[1.0]], [[2.0]]])) / 3), nn.Conv2d(2, 4, 1)), (1, 2, 8, 8)),
        (Around(lambda m, x: m.parts[1](m.parts[0](x.long())), nn.Embedding(11, 8), nn.Linear(8, 4)), (2, 5)),
        (Around(lambda m, x: m.parts[0](m.parts[0](x)), nn.Linear(8, 8)), (2, 5, 8)),
        (Around(lambda m, x: m.parts[0](x, m.parts[0](x, torch.cat([x, x[:, :1]], 1))), nn.GRUCell(5, 6)), (3, 5)),
        (nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(4, 4, 3), nn.ReflectionPad2d(1), nn.PixelShuffle(2)), (1, 4, 8, 8)),
        (nn.Sequential(nn.GLU(1), nn.LocalResponseNorm(2), nn.Conv2d(2, 4, 3, padding="same")), (1, 4, 8, 8)),
        (nn.Sequential(torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(4, 4, 3))), (1, 4, 8, 8)),
        (nn.Sequential(nn.Conv3d(2, 4, (3, 1, 2)), nn.InstanceNorm3d(4, affine=True), nn.ELU()), (1, 2, 4, 4, 4)),
        (nn.Sequential(nn.LayerNorm(5, bias=False), nn.Linear(5, 5)), (2, 5)),
        (nn.Sequential(nn.Linear(5, 5), nn.LayerNorm(5, elementwise_affine=False)), (2, 5)),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4, affine=False), nn.GroupNorm(2, 4)), (1, 3, 8, 8)),
        (nn.Sequential(), (1, 3)),
    ],
)  # fmt: skip
def test_whatever_they_are_made_of(module: nn.Module, shape: tuple[int, ...], folding: bool, file: Path) -> None:
    agree(module, shape, file, folding=folding)
