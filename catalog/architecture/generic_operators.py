"""What the generic operators are: those that say nothing of their size, by whose rules nodes are counted and built."""

from __future__ import annotations

from typing import NamedTuple


class Generic(NamedTuple):
    """One of them.

    Parameters
    ----------
    kind
        Its family.
    short, long
        Descriptions, for an encoder of sentences alone.
    needed
        Fields that it cannot be built without.
    """

    name: str
    kind: str
    short: str
    long: str
    has_weights: bool = False
    depthwise: bool = False
    needed: tuple[str, ...] = ()


def _weighted(name: str, kind: str, short: str, long: str, *needed: str) -> Generic:
    return Generic(name, kind, short, long, has_weights=True, needed=needed)


def _fixed(name: str, kind: str, short: str, long: str, *needed: str) -> Generic:
    return Generic(name, kind, short, long, needed=needed)


_CONVOLUTIONS = (
    _weighted("conv", "conv", "Convolution", "A two-dimensional convolutional operator", "kernel"),
    Generic(
        "depthwise_conv",
        "conv",
        "Depthwise convolution",
        "A two-dimensional convolutional operator that treats each channel on its own",
        has_weights=True,
        depthwise=True,
        needed=("kernel",),
    ),
)

_MAPS = (
    _weighted("linear", "linear", "Linear map", "A linear map of the channels"),
    _weighted(
        "attention",
        "attention",
        "Multi-head attention with its projections",
        "A multi-head self-attention operator with its four projections",
        "heads",
    ),
    _weighted(
        "mlp",
        "linear",
        "Two linear maps with an activation between them",
        "A multi-layer perceptron: two linear maps with an activation between them",
        "mlp_ratio",
    ),
)

_PLAIN = (
    _fixed("max_pool", "pool", "Max pooling", "A max pooling operator", "kernel"),
    _fixed("avg_pool", "pool", "Average pooling", "An average pooling operator", "kernel"),
    _fixed("norm", "norm", "Normalization", "A normalization operator"),
    _fixed("activation", "activation", "Activation", "An activation operator"),
)

SEQUENCES = (
    _weighted(
        "causal_attention",
        "attention",
        "Multi-head attention to earlier tokens, with its projections",
        "A causal multi-head self-attention operator, of each token to itself and those before it",
        "heads",
    ),
    _weighted(
        "weighted_attention",
        "attention",
        "Multi-head attention with weighted products",
        "A multi-head self-attention operator whose queries and keys are multiplied with a learned matrix between them",
        "heads",
    ),
    _weighted(
        "span_attention",
        "attention",
        "Multi-head attention with dynamic span convolution",
        "A mixed attention operator: half of the heads attend, half convolve with kernels computed from a local span",
        "heads",
        "kernel",
    ),
    _fixed(
        "fourier_transform",
        "other",
        "Fourier transform",
        "A discrete Fourier transform over tokens and channels",
        "heads",
    ),
    _fixed(
        "cosine_transform",
        "other",
        "Cosine transform",
        "A discrete cosine transform over tokens and channels",
        "heads",
    ),
    _weighted(
        "gated_mlp",
        "linear",
        "Linear maps with a gate between them",
        "A gated multi-layer perceptron: the product of two linear maps, one of them activated, and a third one",
        "mlp_ratio",
    ),
    _weighted("classifier", "linear", "Linear map to classes", "A linear map of each token to classes", "channels"),
    _weighted("class_token", "embedding", "Class token", "A learned token that is put before the others"),
    _weighted(
        "position_table",
        "embedding",
        "Table of positions",
        "A table of learned vectors, one of which is added to each token by its position",
    ),
    _weighted(
        "segment_table",
        "embedding",
        "Table of segments",
        "A table of learned vectors, one of which is added to each token by its segment",
    ),
    _fixed("first_token", "reshape", "First token", "The first token alone, without the others"),
)
"""Operators of transformers, which stand in whole networks alone."""

EVERY = (*_CONVOLUTIONS, *_MAPS, *_PLAIN, *SEQUENCES)
"""All of them, in the order in which they are listed."""

NEEDED = {one.name: one.needed for one in EVERY}
"""Fields that each cannot be built without."""
