"""The network that NAS-Bench-101 builds from a module: its channels, trainable parameters and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import CellGraph
from catalog.architecture.skeleton import CIFAR10, STEM_KERNEL, Images, Skeleton
from catalog.errors import GraphError
from catalog.spaces.nb101_hash import NODE_OPERATORS

Adjacency = NDArray[np.integer[Any]]
Operators = NDArray[np.integer[Any]]
Counts = NDArray[np.int64]

SKELETON = Skeleton(channels=128, cells=3, reduction="pool", stem_relu=True, datasets={CIFAR10: Images(10, 32)})
"""Ying et al., "NAS-Bench-101", 2019 (arXiv 1902.09635); a stage is a stack there, a cell a module."""

CONVOLUTIONS = {"conv3x3": 3, "conv1x1": 1}
"""The operators with weights, and their kernels."""

_WEIGHTS_A_CHANNEL_PAIR = np.array([CONVOLUTIONS.get(name, 0) ** 2 for name in NODE_OPERATORS])


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


def vertex_sources(cell: CellGraph) -> list[list[int]]:
    """For each vertex of a module those that feed it, in their order."""
    sources: list[list[int]] = [[] for _ in cell.operators]
    for source, target, _ in cell.edges:
        sources[target].append(source)
    return sources


def module_channels(sources: Sequence[Sequence[int]], inputs: int, outputs: int) -> list[int]:
    """`vertex_channels` of one module, from `vertex_sources`.

    Raises
    ------
    GraphError
        A vertex gets no channel.
    """
    last = len(sources) - 1
    channels = [0] * last + [outputs]
    joined = [vertex for vertex in sources[last] if vertex]
    if joined:
        share, remainder = divmod(outputs, len(joined))
        for place, vertex in enumerate(joined):
            channels[vertex] = share + (place < remainder)
    shares = set(joined)
    for target in range(last - 1, 0, -1):  # its channels are final: all that it feeds come after it
        for source in sources[target]:
            if source not in shares:
                channels[source] = max(channels[source], channels[target])
    channels[0] = inputs
    if min(channels[1:]) < 1:
        raise GraphError(
            f"the module of {len(sources)} vertices is no pruned NAS-Bench-101 module, or {outputs} channels are too "
            "few to share; every vertex must lie on a path from the input to the output and get at least one channel."
        )
    return channels


def parameters(adjacency: Adjacency, operators: Operators) -> Counts:
    """Trainable parameters of the CIFAR-10 network, (B,), equal to the benchmark's own count; see `costs`."""
    return np.asarray(costs(adjacency, operators)[0].astype(np.int64))


def multiply_accumulates(adjacency: Adjacency, operators: Operators) -> Counts:
    """Multiply-accumulates of the CIFAR-10 network for one image, (B,); see `costs`."""
    return np.asarray(costs(adjacency, operators)[1].astype(np.int64))


def costs(adjacency: Adjacency, operators: Operators) -> NDArray[np.float64]:
    """(4, B) trainable parameters, multiply-accumulates of one image, `root_macs` and activations.

    They are those of the CIFAR-10 network, for an image of 32 by 32 pixels.

    Convolutions have no bias; each is followed by a batch normalisation with a scale and a shift per channel. Pooling
    has no parameters; the classifier has weights and a bias. Of the operations those of the convolutions and of the
    classifier's weights count, not additions, pooling or normalisation.

    Parameters
    ----------
    adjacency
        (B, N, N), 0 or 1, row = source, pruned.
    operators
        (B, N) indices into `NODE_OPERATORS`.

    """
    from_input = adjacency[:, 0] != 0
    kernel = _WEIGHTS_A_CHANNEL_PAIR[operators]  # (B, N)
    entering = SKELETON.stem_channels
    weights = np.full(len(adjacency), STEM_KERNEL**2 * SKELETON.image_channels * entering, dtype=np.int64)
    operations = weights * SKELETON.datasets[CIFAR10].resolution ** 2
    normalised = np.full(len(adjacency), entering, dtype=np.int64)  # channels that leave a convolution
    roots = np.sqrt(operations)
    given = normalised * SKELETON.datasets[CIFAR10].resolution ** 2  # numbers that convolutions give
    for stage, resolution in zip(SKELETON.stages, SKELETON.resolutions(CIFAR10), strict=True):
        outputs = stage.channels
        channels = vertex_channels(adjacency, outputs, outputs)
        projected = (channels * from_input).sum(axis=1)  # output channels of the 1x1 projections from the input
        inputs = entering + (stage.cells - 1) * outputs  # summed over the modules of the stack
        stack_weights = stage.cells * (kernel * channels**2).sum(axis=1) + inputs * projected
        weights += stack_weights
        operations += stack_weights * resolution**2
        leaving = stage.cells * ((channels * (kernel > 0)).sum(axis=1) + projected)
        normalised += leaving
        given += leaving * resolution**2
        projections = (np.sqrt(channels) * from_input).sum(axis=1)
        widths = np.sqrt(entering) + (stage.cells - 1) * np.sqrt(outputs)
        roots += resolution * (stage.cells * (np.sqrt(kernel) * channels).sum(axis=1) + widths * projections)
        entering = outputs
    classes = SKELETON.datasets[CIFAR10].classes
    classifier = entering * classes
    return np.stack(
        [
            weights + 2 * normalised + classifier + classes,
            operations + classifier,
            roots + np.sqrt(classifier),
            given + classes,
        ]
    ).astype(np.float64)
