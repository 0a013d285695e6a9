"""What the encoder reads of each node of a computation graph; nothing of it depends on which graphs stand beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import NONE, ComputationBatch, Numbers
from predictor.computation_graph.words import FAMILIES, WIDTH, WordTable

Features = NDArray[np.float32]
Values = NDArray[np.float64]

IMAGE, TOKENS = 4, 3  # ranks
_BESIDE = ("norm", "activation", "activation_before")
NUMBERS = (
    *("channels_to_input", "channels_to_stem", "places_to_input", "places_to_stem", "shape_unknown"),
    *("kernel", "kernel_oblong", "stride", "dilation", "groups"),
    *("parameters", "parameters_share", "parameters_unknown"),
    *("multiply_accumulates", "multiply_accumulates_share", "multiply_accumulates_unknown"),
    *("repeats", "inputs", "outputs"),
    *(f"has_{name}" for name in _BESIDE),
)
"""The plain numbers behind operator, family and the operators beside it.

``parameters`` are `weights`, and ``has_norm`` leaves out the normalisations that may be folded into a map.
"""

SIZE = WIDTH + len(FAMILIES) + WIDTH + len(NUMBERS)
WORD = slice(0, WIDTH + len(FAMILIES))
"""The columns that say which operator a node is."""

_MANY = 6.0  # logarithm of ten of the parameters of a large layer
_COSTLY = 8.0


def node_features(batch: ComputationBatch, words: WordTable) -> Features:
    """(N, `SIZE`) what is said of each node of a batch."""
    nodes = batch.nodes
    family = np.eye(len(FAMILIES), dtype=np.float32)[words.family[nodes.word]]
    beside = np.zeros((len(nodes.word), WIDTH), dtype=np.float32)
    flags = []
    for name in _BESIDE:
        place = getattr(nodes, name)
        there = place != NONE
        if name != "norm" and there.any():
            beside[there] += words.vectors[place[there]]
        flags.append(there & ~_is_folded(batch) if name == "norm" else there)
    numbers = [*_shapes(batch), *_window(batch), *_costs(batch), *_places(batch), *flags]
    columns = [words.vectors[nodes.word], family, beside, np.stack(numbers, axis=1).astype(np.float32)]
    return np.concatenate(columns, axis=1)


def weights(batch: ComputationBatch) -> Values:
    """(N,) parameters, of a convolution or a linear map those of its weight alone; NaN where they are not known.

    A normalisation behind a map can be folded into its weight and an offset, as files for inference have it. What an
    offset or such a normalisation adds is left out, so that a network is the same before and after.
    """
    nodes = batch.nodes
    places = np.where(nodes.shape == NONE, 1, nodes.shape).prod(axis=1) / np.maximum(_channels(batch), 1)
    of_maps = nodes.multiply_accumulates / np.maximum(places, 1)
    return np.where(_is_map(batch) & (_channels(batch) > 0) & np.isfinite(of_maps), of_maps, nodes.parameters)


def _is_map(batch: ComputationBatch) -> NDArray[np.bool_]:
    return np.asarray(np.isin(batch.kinds, ("conv", "linear"))[batch.nodes.word])


def _is_folded(batch: ComputationBatch) -> NDArray[np.bool_]:
    """Where a node's normalisation can be a part of its weight."""
    norm = batch.nodes.norm
    is_foldable = np.array([word == "batchnorm" for word in batch.words], dtype=bool)
    return np.asarray(_is_map(batch) & (norm != NONE) & is_foldable[norm])


def _channels(batch: ComputationBatch) -> Numbers:
    """(N,) channels of the outputs of maps: the second axis of an image, the last one of anything else."""
    shape = np.pad(batch.nodes.shape, ((0, 0), (0, 1)), constant_values=NONE)
    rank = (shape != NONE).sum(axis=1)
    of_image = np.asarray(np.isin(batch.kinds, ("conv",))[batch.nodes.word])
    axis = np.where(of_image, 1, np.maximum(rank - 1, 0)).clip(0, shape.shape[1] - 1)
    found = np.take_along_axis(shape, axis[:, None], axis=1)[:, 0]
    return np.where(rank > 1, found, NONE)


def _shapes(batch: ComputationBatch) -> list[Values]:
    """Logarithms of channels and of the edge of the image, relative to what goes in and to the stem."""
    shape = batch.nodes.shape
    rank = (shape != NONE).sum(axis=1)
    padded = np.concatenate([shape, np.full((len(shape), max(0, IMAGE - shape.shape[1])), NONE)], axis=1)
    channels = np.where(rank == TOKENS, padded[:, 2], padded[:, 1])
    places = np.select([rank >= IMAGE, rank == TOKENS], [np.sqrt(np.abs(padded[:, 2] * padded[:, 3])), padded[:, 1]], 1)
    unknown = (channels < 1) | (places < 1)
    logs = [np.where(unknown, 0.0, np.log2(np.maximum(values, 1))) for values in (channels, places)]
    start = np.repeat(batch.first_node[:-1], np.diff(batch.first_node))
    last = np.repeat(batch.first_node[1:] - 1, np.diff(batch.first_node))
    stem = np.minimum(start + 1, last)
    relative = [np.where(unknown, 0.0, log - log[first]) / 4.0 for log in logs for first in (start, stem)]
    return [*relative, unknown.astype(np.float64)]


def _window(batch: ComputationBatch) -> list[Values]:
    nodes = batch.nodes
    edges = np.where(nodes.kernel > 0, nodes.kernel, nodes.kernel.max(axis=1, keepdims=True))
    oblong = edges.max(axis=1) != edges.min(axis=1)
    return [
        nodes.kernel.max(axis=1) / 4.0,
        oblong.astype(np.float64),
        nodes.stride.max(axis=1) / 2.0,
        nodes.dilation / 2.0,
        np.log2(np.maximum(nodes.groups, 1)) / 4.0,
    ]


def _costs(batch: ComputationBatch) -> list[Values]:
    """Logarithm of each cost of one repeat, the node's share of the graph's, and whether it is not known."""
    found = []
    owner = batch.graph_of_node
    for costs, much in ((weights(batch), _MANY), (batch.nodes.multiply_accumulates, _COSTLY)):
        known = np.where(np.isfinite(costs), costs, 0.0)
        total = np.bincount(owner, known, minlength=len(batch))[owner]
        found += [
            np.log10(1.0 + known / batch.nodes.repeats) / much,
            known / np.maximum(total, 1.0),
            (~np.isfinite(costs)).astype(np.float64),
        ]
    return found


def _places(batch: ComputationBatch) -> list[Values]:
    count = len(batch.nodes.word)

    def degree(ends: Numbers) -> Values:
        return np.asarray(np.log2(1.0 + np.bincount(ends, minlength=count)) / 2.0)

    return [np.log2(batch.nodes.repeats) / 2.0, degree(batch.target), degree(batch.source)]
