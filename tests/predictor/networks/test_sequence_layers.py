"""Transformers' operators as modules: each computes what it is said to, and has the layers that are counted."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import GraphError, ProxyError
from catalog.spaces.staged import built_in
from ingest.model.torch_tracing import trace_module
from predictor.networks import NetworkConfig, build, whole_classes
from predictor.networks.own_operators import make_operator
from predictor.networks.sequence_layers import SpanConvolution, TokenConvolution, TokenTransform
from predictor.networks.whole_layers import SelfMixing
from tests.catalog.architecture.computation.test_sized import chain, facts

TOKENS = {"tokens": 6, "channels": 8}
SMALL = {"shape": [3, 8, 8]}
CONFIG = NetworkConfig(16, 1)

SEQUENCES: list[list[dict[str, Any]]] = [
    [{"op": "causal_attention", "heads": 2, "expansion": 0.5, "bias": False}],
    [{"op": "weighted_attention", "heads": 4, "channels": 12}],
    [{"op": "span_attention", "heads": 4, "kernel": 5}],
    [{"op": "span_attention", "heads": 2, "kernel": 3, "channels": 4, "repeats": 1}],
    [{"op": "linear"}, {"op": "fourier_transform", "heads": 2}],
    [{"op": "cosine_transform", "heads": 4}, {"op": "linear", "channels": 4}],
    [{"op": "gated_mlp", "mlp_ratio": 1.5, "bias": False}],
    [{"op": "gated_mlp", "mlp_ratio": 2, "activation": "gelu", "channels": 4}],
    [{"op": "class_token"}, {"op": "position_table"}, {"op": "mlp", "mlp_ratio": 2}],
    [{"op": "position_table", "kernel": 9}, {"op": "segment_table"}, {"op": "segment_table", "kernel": 3}],
    [{"op": "linear"}, {"op": "first_token"}, {"op": "linear", "activation": "tanh"}],
    [{"op": "norm", "norm": "layer", "bias": False}, {"op": "linear"}, {"op": "norm", "norm": "rms"}],
    [{"op": "linear"}, {"op": "classifier", "channels": 5, "bias": False}],
]
IMAGES: list[list[dict[str, Any]]] = [
    [{"op": "weighted_attention", "heads": 3}],
    [{"op": "causal_attention", "heads": 1}],
    [{"op": "gated_mlp", "mlp_ratio": 2, "activation": "relu", "channels": 4}],
    [{"op": "conv", "kernel": 4, "stride": 4, "channels": 8}, {"op": "class_token"}, {"op": "position_table"}],
    [{"op": "position_table"}, {"op": "attention", "heads": 1}],
    [{"op": "conv", "kernel": 1}, {"op": "classifier", "channels": 5}],
]


def networks() -> list[ArchitectureGraph]:
    found = []
    for taken, several in ((TOKENS, SEQUENCES), ({**TOKENS, "vocabulary": 40}, SEQUENCES), (SMALL, IMAGES)):
        for nodes in several:
            classes = None if nodes[-1]["op"] == "classifier" else 3
            found.append(chain(*nodes, taken=taken, classes=classes))
    return found


NETWORKS = networks()


@pytest.mark.parametrize("place", range(len(NETWORKS)))
def test_the_network_is_what_is_counted(place: int) -> None:
    whole = NETWORKS[place]
    assert whole.input is not None
    network = build(whole, CONFIG).eval()
    known = facts(whole)
    assert network.parameter_count() == known.parameters == build(whole.canonical, CONFIG).parameter_count()
    example = torch.randn(2, *(whole.input.shape or (6, 8)))
    if whole.input.vocabulary is not None:
        example = torch.randint(40, (2, 6))
    assert network(example).shape == (2, whole_classes(whole, CONFIG))
    if whole.classes is not None:  # of a classifier the mean token is mapped, in place of all
        assert trace_module(network, [example[:1]]).multiply_accumulates == known.multiply_accumulates


def test_earlier_tokens_do_not_see_later_ones() -> None:
    mixing = SelfMixing(2, is_image=False, is_causal=True)
    state = torch.randn(1, 5, 24)
    changed = state.clone()
    changed[:, 3:] = torch.randn(1, 2, 24)
    torch.testing.assert_close(mixing(state)[:, :3], mixing(changed)[:, :3])
    query, key, value = (part.unflatten(2, (2, 4)).transpose(1, 2) for part in state.chunk(3, dim=2))
    theirs = nn.functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    torch.testing.assert_close(mixing(state), theirs.transpose(1, 2).flatten(2))


def test_a_transform_is_that_of_each_head() -> None:
    state = torch.randn(2, 6, 8, dtype=torch.float64)
    heads = state.unflatten(2, (2, 4)).transpose(1, 2)
    fourier = TokenTransform(2, is_cosine=False)(state)
    torch.testing.assert_close(fourier, torch.fft.fft2(heads).real.transpose(1, 2).flatten(2))
    scipy = pytest.importorskip("scipy.fft")
    cosine = torch.from_numpy(scipy.dctn(heads.numpy(), type=2, axes=(2, 3)))
    torch.testing.assert_close(TokenTransform(2, is_cosine=True)(state), cosine.transpose(1, 2).flatten(2))


def test_a_convolution_of_spans_has_a_kernel_for_each_token_and_head() -> None:
    values, kernels = torch.randn(1, 5, 4), torch.randn(1, 5, 2 * 3)
    found = SpanConvolution(2)(values, kernels)
    weights = kernels.unflatten(2, (2, 3)).softmax(3)
    padded = torch.cat([torch.zeros(1, 1, 4), values, torch.zeros(1, 1, 4)], dim=1)
    for token in range(5):
        for channel in range(4):
            expected = (padded[0, token : token + 3, channel] * weights[0, token, channel // 2]).sum()
            torch.testing.assert_close(found[0, token, channel], expected)


def test_a_convolution_along_tokens_treats_each_channel_on_its_own() -> None:
    convolution = TokenConvolution(4, 3)
    state = torch.randn(2, 7, 4)
    weight = convolution.convolution.weight[:, :, :, 0]
    theirs = nn.functional.conv1d(state.transpose(1, 2), weight, padding=1, groups=4).transpose(1, 2)
    torch.testing.assert_close(convolution(state), theirs)


def test_the_first_token_decides_and_stands_first() -> None:
    nodes = ({"op": "class_token"}, {"op": "mlp", "mlp_ratio": 1}, {"op": "first_token"})
    network = build(chain(*nodes, taken=TOKENS, classes=3), CONFIG)
    once, twice = torch.randn(2, 4, 6, 8)
    torch.testing.assert_close(network(once), network(twice))
    assert [block.layers["0"].__class__.__name__ for block in network.blocks()] == ["ClassToken", "Linear"]


def test_a_classifier_scores_the_mean_token() -> None:
    network = build(chain({"op": "linear"}, {"op": "classifier", "channels": 5, "bias": False}, taken=TOKENS), CONFIG)
    state = torch.randn(2, 6, 8)
    (linear,) = network.stem.layers.values()
    torch.testing.assert_close(network(state), (linear(state) @ network.classifier.weight.T).mean(dim=1))
    assert network.classifier.bias is None


@pytest.mark.parametrize(
    ("node", "taken", "fault"),
    [
        ({"op": "causal_attention", "heads": 3}, TOKENS, "heads is 3, which does not divide the width 8"),
        ({"op": "weighted_attention", "heads": 3}, TOKENS, "heads is 3, which does not divide the width 8"),
        ({"op": "fourier_transform", "heads": 3}, TOKENS, "heads is 3, which does not divide the width 8"),
        ({"op": "span_attention", "heads": 1, "kernel": 3}, TOKENS, "heads is 1; an even number is needed"),
        ({"op": "span_attention", "heads": 2, "kernel": 4}, TOKENS, "kernel is 4; an odd number of tokens"),
        ({"op": "span_attention", "heads": 1, "kernel": 3}, SMALL, "it takes tokens, and it is fed with an image"),
        ({"op": "cosine_transform", "heads": 1}, SMALL, "it takes tokens, and it is fed with an image"),
        ({"op": "first_token"}, SMALL, "it takes tokens, and it is fed with an image"),
        ({"op": "position_table", "kernel": 5}, TOKENS, "kernel is 5: the table has fewer places than the 6 tokens"),
        ({"op": "segment_table", "kernel": [2, 3]}, TOKENS, r"kernel is \[2, 3\]; a table has one length"),
        ({"op": "gated_mlp", "mlp_ratio": 2, "activation": "tanh"}, TOKENS, "activation is tanh; a gate has one of"),
        ({"op": "class_token", "channels": 9}, TOKENS, "channels is 9, and it gives the 8 that it takes"),
        ({"op": "first_token", "heads": 2}, TOKENS, "heads is 2, and first_token has none"),
        ({"op": "norm", "norm": "batch", "bias": False}, TOKENS, "bias is false, and a batchnorm has one"),
    ],
)
def test_what_cannot_be_is_said(node: dict[str, Any], taken: Any, fault: str) -> None:
    with pytest.raises(GraphError, match=fault):
        facts(chain(node, taken=taken))


def test_a_field_that_is_missing_leaves_the_count_open() -> None:
    for node in ({"op": "causal_attention"}, {"op": "span_attention", "heads": 2}, {"op": "gated_mlp"}):
        assert facts(chain(node, taken=TOKENS)).parameters is None
    with pytest.raises(ProxyError, match=r"classifier\) does not say what it computes: channels is missing"):
        build(chain({"op": "classifier"}, taken=TOKENS), CONFIG)


def test_cells_have_no_layers_for_them() -> None:
    operator = built_in("flexibert").vocabulary["first_token"]
    with pytest.raises(ProxyError, match="'first_token' stands in whole networks alone"):
        make_operator(operator, 8, 1, 1)
