"""The network that DARTS builds from a pair of cells: its skeleton, trainable parameters and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.graph import ArchitectureGraph, CellGraph, halves_resolution
from catalog.architecture.skeleton import CIFAR10, STAGES, STEM_KERNEL, Images, Skeleton

SKELETON = Skeleton(channels=36, cells=20, reduction="cell", stem_factor=3, datasets={CIFAR10: Images(10, 32)})
"""Liu, Simonyan and Yang, "DARTS: Differentiable architecture search", 2019 (arXiv 1806.09055)."""

IMAGENET = Skeleton(channels=48, cells=14, reduction="cell", deep_stem=True, datasets={"imagenet": Images(1000, 224)})
"""The paper's network for ImageNet."""

Costs = NDArray[np.float64]
"""Trainable parameters, multiply-accumulates, `root_macs` and activations, (4,)."""

SEPARABLE = {
    "sep_conv_3x3": (3, 1, 2),
    "sep_conv_5x5": (5, 1, 2),
    "dil_conv_3x3": (3, 2, 1),
    "dil_conv_5x5": (5, 2, 1),
}
"""The operators with weights: kernel, dilation, and how many times over."""

_HALVING_SKIP = "factorized_reduce"


@dataclass(frozen=True)
class PlacedCell:
    """One cell of the network.

    Parameters
    ----------
    reduces
        Whether it halves the resolution.
    channels
        Of its nodes.
    entering
        Shapes of the two states that it takes, the older one first.
    image
        Edges of its output in pixels.
    """

    reduces: bool
    channels: int
    entering: tuple[Shape, Shape]
    image: Shape

    @property
    def preparing(self) -> tuple[Block, Block]:
        """The 1x1 convolutions that bring the states to the cell's channels, and the older one to its resolution."""
        first, second = self.entering
        if first[2:] != second[2:]:
            return blocks.factorized_reduce(first, self.channels), blocks.relu_conv_bn(second, self.channels, 1)
        return blocks.relu_conv_bn(first, self.channels, 1), blocks.relu_conv_bn(second, self.channels, 1)


def stem_blocks(skeleton: Skeleton, dataset: str) -> tuple[Block, ...]:
    """The stem: one block, whose output is both states of the first cell, or two, whose outputs are one each."""
    image = skeleton.image(dataset)
    if not skeleton.deep_stem:
        return (blocks.conv_bn(image, skeleton.stem_channels, STEM_KERNEL),)
    width = skeleton.stem_channels
    half = blocks.conv_bn_relu(image, width // 2, STEM_KERNEL, 2)
    quarter = blocks.conv_bn(half.shape, width, STEM_KERNEL, 2)
    return blocks.chain(*half.layers, *quarter.layers), blocks.relu_conv_bn(quarter.shape, width, STEM_KERNEL, 2)


@cache
def placed_cells(skeleton: Skeleton, dataset: str, normal: int, reduce: int) -> tuple[tuple[PlacedCell, ...], ...]:
    """The cells in their order, in groups of one kind; normal cells join `normal` states, reduction ones `reduce`."""
    stem = stem_blocks(skeleton, dataset)
    before, last = stem[0].shape, stem[-1].shape
    groups: list[tuple[PlacedCell, ...]] = []
    for stage, edge in zip(skeleton.stages, skeleton.resolutions(dataset), strict=True):
        for reduces, count in ((True, int(stage.reduces)), (False, stage.cells)):
            group = []
            for _ in range(count):
                group.append(PlacedCell(reduces, stage.channels, (before, last), (edge, edge)))
                before, last = last, (1, stage.channels * (reduce if reduces else normal), edge, edge)
            groups += [tuple(group)] if group else []
    return tuple(groups)


def operator_block(name: str, shape: Shape, *, halves: bool) -> Block | None:
    """An operator on a state of `shape`, with stride 2 if it halves the resolution; None where it changes nothing."""
    stride = 2 if halves else 1
    if name in SEPARABLE:
        return blocks.depthwise_conv(shape, SEPARABLE[name][0], stride, *SEPARABLE[name][1:])
    if name.endswith("_pool_3x3"):
        return blocks.pooling(shape, name[:3], 3, stride)
    if name == _HALVING_SKIP or (name == "skip_connect" and halves):
        return blocks.factorized_reduce(shape, shape[1])
    return None


def network_costs(
    graphs: Sequence[ArchitectureGraph], native: Sequence[ArchitectureGraph], skeleton: Skeleton = SKELETON
) -> Costs:
    """(4, A): parameters, multiply-accumulates, `root_macs` and activations of the CIFAR-10 network.

    The auxiliary head is left out.

    Convolutions and the classifier count, the pools have no weights.

    Parameters
    ----------
    graphs
        Architectures whose operators are counted, in native or canonical form; a cell has one cost an operator,
        whatever it is fed by.
    native
        The same architectures in native form, which says how many states each cell joins.
    skeleton
        36 channels and 20 cells, as the paper trains on CIFAR-10, or another size.
    """
    totals = []
    for graph, whole in zip(graphs, native, strict=True):
        total = _around(skeleton, *map(joined, whole.cells)).copy()
        for cell in graph.cells:
            reduces = halves_resolution(cell.name)
            inputs = {place for place, word in enumerate(cell.operators) if word.startswith("input")}
            halving = {target for source, target, _ in cell.edges if reduces and source in inputs}
            for place, word in enumerate(cell.operators):
                name = _HALVING_SKIP if word == "skip_connect" and place in halving else word
                total += _operator(name, reduces, skeleton)
        totals.append(total)
    return np.array(totals, dtype=np.float64).reshape(-1, 4).T


def joined(cell: CellGraph) -> int:
    """How many states a native cell joins."""
    return sum(target == cell.operators.index("concat") for _, target, _ in cell.edges)


def auxiliary_parameters(native: ArchitectureGraph, skeleton: Skeleton = SKELETON) -> int:
    """Parameters of the second classifier, which is fed by the second reduction cell while the network is trained."""
    states = next(joined(cell) for cell in native.cells if halves_resolution(cell.name))
    fed = int(skeleton.channels * 2 ** (STAGES - 1)) * states
    narrow, wide, classes = 128, 768, skeleton.datasets[CIFAR10].classes
    return fed * narrow + 2 * narrow + 4 * narrow * wide + 2 * wide + wide * classes + classes


@cache
def _operator(name: str, reduces: bool, skeleton: Skeleton) -> Costs:
    """Costs of an operator in all cells of a kind together."""
    total = np.zeros(4)
    for stage, edge in zip(skeleton.stages, skeleton.resolutions(CIFAR10), strict=True):
        halves = name == _HALVING_SKIP
        pixels = (2 * edge if halves else edge,) * 2
        block = operator_block(name, (1, stage.channels, *pixels), halves=halves)
        if block is not None:
            total += (int(stage.reduces) if reduces else stage.cells) * _costs([block])
    return total


@cache
def _around(skeleton: Skeleton, normal: int, reduce: int) -> Costs:
    """What is around the operators: stem, the two 1x1 convolutions in front of each cell, classifier."""
    return _costs(_blocks_around(skeleton, normal, reduce))


def _blocks_around(skeleton: Skeleton, normal: int, reduce: int) -> Iterator[Block]:
    yield from stem_blocks(skeleton, CIFAR10)
    shape: Shape = ()
    for group in placed_cells(skeleton, CIFAR10, normal, reduce):
        for cell in group:
            yield from cell.preparing
            shape = (1, cell.channels * (reduce if cell.reduces else normal), *cell.image)
    yield blocks.classifier(shape, skeleton.datasets[CIFAR10].classes)


def _costs(parts: Sequence[Block] | Iterator[Block]) -> Costs:
    rows = [(one.parameters, one.multiply_accumulates, one.root_macs, one.activations) for one in parts]
    return np.asarray(np.array(rows, dtype=np.float64).sum(axis=0))
