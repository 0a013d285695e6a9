"""The network of NATS-Bench's size space: NAS-Bench-201's skeleton with one fixed cell a stage and free widths."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.skeleton import CIFAR10, STEM_KERNEL
from catalog.spaces import nb201_network

SKELETON = nb201_network.SKELETON.sized(nb201_network.SKELETON.channels, 1)
"""Dong et al., "NATS-Bench", 2021 (arXiv 2009.00437). An architecture brings its own channels."""


def network_plan(widths: Sequence[int], dataset: str = CIFAR10) -> NetworkPlan:
    """The network of five widths; it has one cell a stage, so that nothing is left to compress.

    Parameters
    ----------
    widths
        Channels of the stem with the first cell, of the block that halves the resolution, of the cell behind it, and of
        the second block and its cell.
    dataset
        One of the data sets of `SKELETON`.
    """
    image = SKELETON.image(dataset)
    plan = NetworkPlan(image)
    stem, *later = widths
    entering = [stem, *later[::2]]
    leaving = [stem, *later[1::2]]
    state = plan.add(blocks.conv_bn(image, stem, STEM_KERNEL), 0)
    for place, (width, output) in enumerate(zip(entering, leaving, strict=True)):
        if place:
            state = plan.total(
                [plan.add(branch, state) for branch in blocks.residual_reduction(plan.blocks[state].shape, width)]
            )
        state = _add_cell(plan, state, output)
    classes = SKELETON.datasets[dataset].classes
    plan.add(blocks.classifier(plan.blocks[state].shape, classes, norm_first=SKELETON.head_norm), state)
    return plan


def _add_cell(plan: NetworkPlan, state: int, outputs: int) -> int:
    """Add the one cell of the space, the best of the topology space: five 3x3 convolutions and a skip over all of it.

    The skip is a projection where the cell changes the channels.
    """
    shape = plan.blocks[state].shape
    entering, inner, skip = _cell_blocks(shape, outputs)
    one = plan.add(entering, state)
    two = plan.total([plan.add(entering, state), plan.add(inner, one)])
    over = state if skip is None else plan.add(skip, state)
    return plan.total([over, plan.add(inner, one), plan.add(inner, two)])


@cache
def _cell_blocks(shape: Shape, outputs: int) -> tuple[Block, Block, Block | None]:
    entering = blocks.relu_conv_bn(shape, outputs, 3)
    skip = None if shape[1] == outputs else blocks.conv_bn(shape, outputs, 1)
    return entering, blocks.relu_conv_bn(entering.shape, outputs, 3), skip


def costs(widths: Sequence[int], dataset: str = CIFAR10) -> tuple[int, int, float, int]:
    """Trainable parameters, multiply-accumulates of one image, `root_macs` and activations of the trained network.

    The benchmark counts the classifier's bias as one operation a class, and so does this.

    Parameters
    ----------
    widths
        Channels of the five stages.
    dataset
        One of the data sets of `SKELETON`.
    """
    plan = network_plan(widths, dataset)
    bias = SKELETON.datasets[dataset].classes
    return plan.parameters, plan.multiply_accumulates + bias, plan.root_macs, plan.activations
