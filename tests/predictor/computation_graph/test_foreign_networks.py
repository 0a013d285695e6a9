"""A module and the ONNX file that was exported from it are one network to the encoder."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from catalog.architecture.computation.arrays import batch_of_graphs
from catalog.architecture.computation.fusing import fused
from catalog.architecture.computation.graph import ComputationGraph
from catalog.architecture.operators import Vocabulary
from ingest.model.onnx_reading import read_onnx
from ingest.model.torch_tracing import trace_module
from predictor.computation_graph.encoder import Networks, untrained
from predictor.computation_graph.predictor import ComputationGraphsOptions
from predictor.computation_graph.words import unknown_words

IMAGE = (1, 3, 16, 16)
ENCODER = untrained(ComputationGraphsOptions(width=16).config, 0)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.GELU, nn.SiLU, nn.Hardswish, nn.Mish)
Activation = Callable[[], nn.Module]


class Residual(nn.Module):
    """Two convolutions beside a skip; the second one may be depthwise, and both may be normalised before they act."""

    def __init__(self, channels: int, groups: int, norm: Callable[[int], nn.Module], act: Activation, first: bool):
        super().__init__()
        before = [norm(channels), act()]
        after = [] if first else [norm(channels)]
        convolutions = [nn.Conv2d(channels, channels, 3, padding=1, groups=g, bias=False) for g in (1, groups)]
        self.body = nn.Sequential(
            *(before if first else ()),
            convolutions[0],
            *(norm(channels), act()),
            convolutions[1],
            *after,
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Attention(nn.Module):
    """A transformer block as timm writes it."""

    def __init__(self, width: int, heads: int, act: Activation) -> None:
        super().__init__()
        self.heads = heads
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.taken, self.given = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), act(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        batch, count, width = x.shape
        parts = self.taken(self.first(x)).reshape(batch, count, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(batch, count, width)
        x = x + self.given(mixed)
        return x + self.mlp(self.second(x))


class Tokens(nn.Module):
    def __init__(self, width: int, *blocks: nn.Module) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 4, 4)
        self.blocks = nn.Sequential(*blocks, nn.LayerNorm(width))
        self.head = nn.Linear(width, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x).flatten(2).transpose(1, 2)).mean(1))


def of_groups(channels: int) -> nn.Module:
    return nn.GroupNorm(2, channels)


@st.composite
def networks(draw: st.DrawFn) -> nn.Module:
    act = draw(st.sampled_from(ACTIVATIONS))
    width = draw(st.sampled_from([8, 16]))
    if draw(st.booleans()):
        return Tokens(width, *(Attention(width, draw(st.sampled_from([1, 2])), act) for _ in range(2)))
    norm = draw(st.sampled_from([nn.BatchNorm2d, nn.BatchNorm2d, of_groups, nn.InstanceNorm2d]))
    blocks = [
        Residual(width, draw(st.sampled_from([1, 2, width])), norm, draw(st.sampled_from(ACTIVATIONS)), first)
        for first in draw(st.lists(st.booleans(), min_size=1, max_size=3))
    ]
    stem = [nn.Conv2d(3, width, 3, 2, 1, bias=draw(st.booleans())), *([norm(width)] if draw(st.booleans()) else [])]
    return nn.Sequential(*stem, *blocks, act(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, 10))


def exported(module: nn.Module, path: Path) -> ComputationGraph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(module, (torch.zeros(IMAGE),), str(path), dynamo=False)
    return read_onnx(path)


def vector(graph: ComputationGraph) -> np.ndarray:
    batch = fused(batch_of_graphs([graph]))
    assert unknown_words(batch.words) == ()
    with torch.inference_mode():
        return ENCODER(Networks.of(batch, Vocabulary())).numpy()[0]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("foreign") / "net.onnx"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(networks())
def test_a_network_and_its_export_have_one_vector(file: Path, module: nn.Module) -> None:
    for weight in module.parameters():  # equal ones would be stored once
        nn.init.normal_(weight)
    module.eval()
    np.testing.assert_allclose(vector(exported(module, file)), vector(trace_module(module, IMAGE)), atol=1e-4)
