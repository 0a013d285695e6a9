"""The network that NAS-Bench-101 builds from a module: its channels, trainable parameters and multiply-accumulates."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.spaces.nb101_hash import NODE_OPERATORS

Adjacency = NDArray[np.integer[Any]]
Operators = NDArray[np.integer[Any]]
Counts = NDArray[np.int64]

STEM_CHANNELS = 128
STACKS = 3
MODULES_PER_STACK = 3
IMAGE_CHANNELS = 3
RESOLUTION = 32
CLASSES = 10

_WEIGHTS_A_CHANNEL_PAIR = np.array([{"conv3x3": 9, "conv1x1": 1}.get(name, 0) for name in NODE_OPERATORS])


def vertex_channels(adjacency: Adjacency, input_channels: int, output_channels: int) -> Counts:
    """Channels that leave each vertex of a module (Ying et al. 2019, arXiv 1902.09635, section 2.3 and appendix).

    The vertices that feed the output share its channels, for they are concatenated there; where the division leaves a
    remainder, the first ones get a channel more. Any other interior vertex has as many as the widest vertex that it
    feeds, for additions cut the wider operand; the input is projected to whatever the vertex that it feeds has.

    Parameters
    ----------
    adjacency
        (B, N, N), 0 or 1, row = source, pruned. The order of the vertices matters where there is a remainder.
    input_channels, output_channels
        Channels that enter and leave the module.

    Returns
    -------
    Counts
        (B, N); the input counts `input_channels` and the output `output_channels`.
    """
    vertices = adjacency.shape[1]
    feeds_output = adjacency[:, 1:-1, -1] != 0  # (B, N - 2)
    feeding = feeds_output.sum(axis=1, keepdims=True)
    share, remainder = np.divmod(output_channels, np.maximum(feeding, 1))
    rank = feeds_output.cumsum(axis=1)  # from 1, among the vertices that feed the output
    channels = np.zeros(adjacency.shape[:2], dtype=np.int64)
    channels[:, 0], channels[:, -1] = input_channels, output_channels
    channels[:, 1:-1] = np.where(feeds_output, share + (rank <= remainder), 0)
    for vertex in range(vertices - 3, 0, -1):
        widest = (channels[:, vertex + 1 : -1] * (adjacency[:, vertex, vertex + 1 : -1] != 0)).max(axis=1)
        channels[:, vertex] = np.where(feeds_output[:, vertex - 1], channels[:, vertex], widest)
    return channels


def parameters(adjacency: Adjacency, operators: Operators) -> Counts:
    """Trainable parameters of the CIFAR-10 network, (B,), equal to the benchmark's own count; see `costs`."""
    return costs(adjacency, operators)[0]


def multiply_accumulates(adjacency: Adjacency, operators: Operators) -> Counts:
    """Multiply-accumulates of the CIFAR-10 network for one image, (B,); see `costs`."""
    return costs(adjacency, operators)[1]


def costs(adjacency: Adjacency, operators: Operators) -> tuple[Counts, Counts]:
    """Trainable parameters, and multiply-accumulates of one image of 32 by 32 pixels, of the CIFAR-10 network.

    Convolutions have no bias; each is followed by a batch normalisation with a scale and a shift per channel. Pooling
    has no parameters; the classifier has weights and a bias. Of the operations those of the convolutions and of the
    classifier's weights count, not additions, pooling or normalisation.

    Parameters
    ----------
    adjacency
        (B, N, N), 0 or 1, row = source, pruned.
    operators
        (B, N) indices into `NODE_OPERATORS`.

    Returns
    -------
    tuple of Counts
        (B,) each.
    """
    from_input = adjacency[:, 0] != 0
    kernel = _WEIGHTS_A_CHANNEL_PAIR[operators]  # (B, N)
    stem = 9 * IMAGE_CHANNELS * STEM_CHANNELS
    weights = np.full(len(adjacency), stem, dtype=np.int64)
    operations = weights * RESOLUTION**2
    normalised = np.full(len(adjacency), STEM_CHANNELS, dtype=np.int64)  # channels that leave a convolution
    entering = outputs = STEM_CHANNELS
    for stack in range(STACKS):
        outputs = STEM_CHANNELS * 2**stack
        channels = vertex_channels(adjacency, outputs, outputs)
        projected = (channels * from_input).sum(axis=1)  # output channels of the 1x1 projections from the input
        inputs = entering + (MODULES_PER_STACK - 1) * outputs  # summed over the modules of the stack
        stack_weights = MODULES_PER_STACK * (kernel * channels**2).sum(axis=1) + inputs * projected
        weights += stack_weights
        operations += stack_weights * (RESOLUTION // 2**stack) ** 2
        normalised += MODULES_PER_STACK * ((channels * (kernel > 0)).sum(axis=1) + projected)
        entering = outputs
    classifier = outputs * CLASSES
    return weights + 2 * normalised + classifier + CLASSES, operations + classifier
