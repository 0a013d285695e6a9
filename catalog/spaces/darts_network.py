"""The CIFAR-10 network that DARTS builds from a pair of cells: its trainable parameters and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph, CellGraph, halves_resolution

CHANNELS = 36
CELLS = 20
STEM_FACTOR = 3
IMAGE_CHANNELS = 3
RESOLUTION = 32
CLASSES = 10

Costs = NDArray[np.int64]
"""Trainable parameters and multiply-accumulates, (2,)."""

_SEPARABLE = {"sep_conv_3x3": (3, 2), "sep_conv_5x5": (5, 2), "dil_conv_3x3": (3, 1), "dil_conv_5x5": (5, 1)}
_HALVING_SKIP = "factorized_reduce"


@dataclass(frozen=True)
class Size:
    """Channels of the first cells, and the number of cells."""

    channels: int = CHANNELS
    cells: int = CELLS


USUAL = Size()


def network_costs(
    graphs: Sequence[ArchitectureGraph], native: Sequence[ArchitectureGraph], size: Size = USUAL
) -> Costs:
    """(2, A): parameters and multiply-accumulates of the network of a size, without the auxiliary head.

    Liu, Simonyan and Yang, "DARTS: Differentiable architecture search", 2019 (arXiv 1806.09055). Convolutions and the
    classifier count, the pools have no weights.

    Parameters
    ----------
    graphs
        Architectures whose operators are counted, in native or canonical form; a cell has one cost an operator,
        whatever it is fed by.
    native
        The same architectures in native form, which says how many states each cell joins.
    size
        36 channels and 20 cells, as the paper trains on CIFAR-10, or another.
    """
    totals = []
    for graph, whole in zip(graphs, native, strict=True):
        joined = tuple(_joined(cell) for cell in whole.cells)
        total = _skeleton(*joined, size).copy()
        for cell in graph.cells:
            reduces = halves_resolution(cell.name)
            inputs = {place for place, word in enumerate(cell.operators) if word.startswith("input")}
            halving = {target for source, target, _ in cell.edges if reduces and source in inputs}
            for place, word in enumerate(cell.operators):
                name = _HALVING_SKIP if word == "skip_connect" and place in halving else word
                total += _operator(name, reduces, size)
        totals.append(total)
    return np.array(totals, dtype=np.int64).reshape(-1, 2).T


def _joined(cell: CellGraph) -> int:
    return sum(target == cell.operators.index("concat") for _, target, _ in cell.edges)


def auxiliary_parameters(native: ArchitectureGraph, size: Size = USUAL) -> int:
    """Parameters of the second classifier, which is fed by the second reduction cell while the network is trained."""
    joined = next(_joined(cell) for cell in native.cells if halves_resolution(cell.name))
    fed = 4 * size.channels * joined
    narrow, wide = 128, 768
    return fed * narrow + 2 * narrow + 4 * narrow * wide + 2 * wide + wide * CLASSES + CLASSES


def _reductions(size: Size) -> tuple[int, int]:
    return size.cells // 3, 2 * size.cells // 3


def _layers(reduces: bool, size: Size) -> list[tuple[int, int]]:
    """Channels and output resolution of every cell of a kind."""
    sizes = []
    channels, resolution = size.channels, RESOLUTION
    for place in range(size.cells):
        if place in _reductions(size):
            channels, resolution = 2 * channels, resolution // 2
        if (place in _reductions(size)) == reduces:
            sizes.append((channels, resolution))
    return sizes


@cache
def _operator(name: str, reduces: bool, size: Size) -> Costs:
    """Costs of an operator in all cells of a kind together."""
    total = np.zeros(2, dtype=np.int64)
    for channels, resolution in _layers(reduces, size):
        if name in _SEPARABLE:
            kernel, times = _SEPARABLE[name]
            total += times * _convolution(channels * kernel**2 + channels**2, channels, resolution)
        elif name == _HALVING_SKIP:
            total += _convolution(channels**2, channels, resolution)
    return total


def _convolution(weights: int, outputs: int, resolution: int) -> Costs:
    """A convolution without bias and the two vectors of its normalisation."""
    return np.array([weights + 2 * outputs, weights * resolution**2], dtype=np.int64)


@cache
def _skeleton(normal: int, reduce: int, size: Size) -> Costs:
    """What is around the operators: stem, the two 1x1 convolutions in front of each cell, classifier."""
    width = STEM_FACTOR * size.channels
    total = _convolution(IMAGE_CHANNELS * width * 9, width, RESOLUTION)
    before = (width, width)
    channels, resolution = size.channels, RESOLUTION
    for place in range(size.cells):
        reduces = place in _reductions(size)
        channels *= 2 if reduces else 1
        for inputs in before:
            total = total + _convolution(inputs * channels, channels, resolution)
        resolution //= 2 if reduces else 1
        before = (before[1], channels * (reduce if reduces else normal))
    classifier = before[1] * CLASSES
    return total + np.array([classifier + CLASSES, classifier], dtype=np.int64)
