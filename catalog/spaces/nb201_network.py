"""The network around a NAS-Bench-201 cell: its skeleton, its costs, and its computation graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.cells import LiveCell, Operators, add_cell, live_cell
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.skeleton import CIFAR10, STEM_KERNEL, Images, Skeleton

SKELETON = Skeleton(
    channels=16,
    cells=5,
    reduction="residual",
    head_norm=True,
    datasets={
        CIFAR10: Images(10, 32),
        "cifar10-valid": Images(10, 32),
        "cifar100": Images(100, 32),
        "imagenet16-120": Images(120, 16),
    },
)
"""Dong and Yang, "NAS-Bench-201", 2020 (arXiv 2001.00326)."""

KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
"""The operators with weights, and their kernels."""

_IDENTITY: LiveCell = (("input", False, ()), ("output", False, (0,)))

Costs = NDArray[np.float64]
"""Trainable parameters, multiply-accumulates, `root_macs` and activations, (4,); or counts of convolutions, (B, 2)."""


def network_plan(
    graph: ArchitectureGraph, skeleton: Skeleton = SKELETON, dataset: str = CIFAR10, *, compressed: bool = True
) -> NetworkPlan | None:
    """The live part of the network of a native graph; None where the cell computes nothing.

    Parameters
    ----------
    skeleton, dataset
        The network's size, and what it is trained on.
    compressed
        Whether a stage has one cell that stands for all of them.
    """
    cell = live_cell(graph.cells[0], graph.vocabulary)
    return None if cell is None else _plan(cell, skeleton, dataset, compressed)


def _plan(cell: LiveCell, skeleton: Skeleton, dataset: str, compressed: bool) -> NetworkPlan:
    around = _around(skeleton, dataset, compressed)
    plan = NetworkPlan(around.image)
    state = plan.add(around.stem, 0)
    for reduction, operators, repeats in around.stages:
        if reduction:
            pooled, convolved = reduction
            state = plan.total([plan.add(pooled, state), plan.add(convolved, state)])
        for _ in range(1 if compressed else around.cells):
            state = add_cell(plan, cell, [state], operators, repeats)
    plan.add(around.head, state)
    return plan


class _Around:
    """All blocks of a skeleton; a stage has the two branches of its reduction block, its operators, and how often."""

    def __init__(self, skeleton: Skeleton, dataset: str, compressed: bool) -> None:
        self.image = skeleton.image(dataset)
        self.cells = skeleton.cells
        self.stem = blocks.conv_bn(self.image, skeleton.stem_channels, STEM_KERNEL)
        self.stages: list[tuple[tuple[Block, Block] | None, Operators, int]] = []
        repeats = skeleton.cells if compressed else 1
        shape = self.stem.shape
        for stage in skeleton.stages:
            reduction = blocks.residual_reduction(shape, stage.channels) if stage.reduces else None
            shape = reduction[0].shape if reduction else shape
            operators: dict[tuple[str, bool], Block | None] = {
                (name, False): blocks.times(blocks.relu_conv_bn(shape, stage.channels, kernel), repeats)
                for name, kernel in KERNELS.items()
            }
            operators["avg_pool_3x3", False] = blocks.pooling(shape, "avg", 3, repeats=repeats)
            operators["skip_connect", False] = operators["output", False] = None
            self.stages.append((reduction, operators, repeats))
        classes = skeleton.datasets[dataset].classes
        self.head = blocks.classifier(shape, classes, norm_first=skeleton.head_norm)


@cache
def _around(skeleton: Skeleton, dataset: str, compressed: bool) -> _Around:
    return _Around(skeleton, dataset, compressed)


def costs(convolutions: Costs, dataset: str = CIFAR10) -> Costs:
    """(4, B) trainable parameters, multiply-accumulates of one image, `root_macs` and activations.

    They follow from `convolution_counts`. The benchmark counts the classifier's bias as one operation a class, and so
    does this.
    """
    fixed, added = _costs(dataset)
    return np.asarray(fixed[:, None] + added @ convolutions.T)


@cache
def _costs(dataset: str) -> tuple[Costs, Costs]:
    """Costs of all that is not in a cell, (4,), and of a convolution 1x1 and 3x3 on one edge of the cell, (4, 2)."""
    plan = _plan(_IDENTITY, SKELETON, dataset, compressed=False)
    bias = SKELETON.datasets[dataset].classes
    fixed = np.array(
        [plan.parameters, plan.multiply_accumulates + bias, plan.root_macs, plan.activations], dtype=np.float64
    )
    added = np.zeros((4, 2))
    for _, operators, _ in _around(SKELETON, dataset, compressed=True).stages:
        for place, name in enumerate(KERNELS):
            block = operators[name, False]
            assert block is not None
            added[:, place] += (block.parameters, block.multiply_accumulates, block.root_macs, block.activations)
    return fixed, added


def convolution_counts(cells: Sequence[Sequence[str]]) -> Costs:
    """(B, 2) numbers of 1x1 and of 3x3 convolutions among the operators of each cell."""
    counts = [[operators.count(name) for name in KERNELS] for operators in cells]
    return np.array(counts, dtype=np.float64).reshape(-1, 2)
