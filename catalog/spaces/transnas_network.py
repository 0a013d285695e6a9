"""The network around a TransNAS-Bench-101 micro cell: its skeleton, its costs, and its computation graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.cells import LiveCell, Operators, add_cell, live_cell
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.skeleton import STEM_KERNEL, Images, Stage

KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}
"""The operators with weights wherever they stand, and their kernels."""

COUNTED = "class_object"
"""The task whose network's parameters and multiply-accumulates are the space's."""

_HALVING_SKIP = "factorized_reduce"

Costs = NDArray[np.float64]
"""Trainable parameters, multiply-accumulates, `root_macs` and activations, (4,) or (4, B)."""


@dataclass(frozen=True)
class ModuleSkeleton:
    """A stem, modules of cells, a head.

    The stem is two convolutions 3 by 3 of stride 2 with BatchNorm and a ReLU between them, the first of half the
    channels; the head global average pooling and a linear classifier with a bias. No convolution has a bias.

    Parameters
    ----------
    channels
        That leave the stem.
    cells
        Of each module.
    modules
        Whether a module's first cell doubles the channels and halves the resolution; the benchmark writes the digits 4
        and 1.
    datasets
        The tasks that end in a classifier.
    """

    channels: int = 64
    cells: int = 2
    modules: tuple[bool, ...] = (True, False, True, False, True)
    datasets: Mapping[str, Images] = field(
        default_factory=lambda: {"class_object": Images(75, 256), "class_scene": Images(47, 256)}, hash=False
    )

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The cells in the order in which the data passes them: one that halves the resolution, and those behind it."""
        stages: list[Stage] = []
        for reduces in self.modules:
            if reduces:
                stages.append(Stage(self.channels * 2 ** (len(stages) + 1), self.cells - 1, reduces=True))
            else:
                stages[-1] = replace(stages[-1], cells=stages[-1].cells + self.cells)
        return tuple(stages)

    def sized(self, channels: int, cells: int) -> ModuleSkeleton:
        """The same skeleton with other numbers of channels and cells."""
        return replace(self, channels=channels, cells=cells)


SKELETON = ModuleSkeleton()
"""Duan et al., "TransNAS-Bench-101", 2021 (arXiv 2105.11871): ``64-41414``."""


class _Stage:
    """The blocks of a stage's cells: of the one that halves the resolution, and of the equal ones behind it."""

    def __init__(self, stage: Stage, entering: Shape, compressed: bool) -> None:
        self.cells = stage.cells
        halved = [-(-edge // 2) for edge in entering[2:]]
        self.shape: Shape = (1, stage.channels, *halved)
        self.reducing: Operators = {
            **{
                (name, True): blocks.relu_conv_bn(entering, stage.channels, kernel, 2)
                for name, kernel in KERNELS.items()
            },
            ("skip_connect", True): blocks.factorized_reduce(entering, stage.channels),
            **self._behind(1),
        }
        self.keeping = self._behind(stage.cells if compressed else 1)

    def _behind(self, repeats: int) -> dict[tuple[str, bool], Block | None]:
        """The operators that keep the resolution."""
        convolutions = {
            (name, False): blocks.times(blocks.relu_conv_bn(self.shape, self.shape[1], kernel), repeats)
            for name, kernel in KERNELS.items()
        }
        return {**convolutions, ("skip_connect", False): None, ("output", False): None}


class _Around:
    """All blocks of a skeleton."""

    def __init__(self, skeleton: ModuleSkeleton, dataset: str, compressed: bool) -> None:
        edge = skeleton.datasets[dataset].resolution
        self.image: Shape = (1, 3, edge, edge)
        first = blocks.conv_bn(self.image, skeleton.channels // 2, STEM_KERNEL, 2)
        second = blocks.relu_conv_bn(first.shape, skeleton.channels, STEM_KERNEL, 2)
        self.stem = blocks.chain(*first.layers, *second.layers)
        self.stages: list[_Stage] = []
        shape = self.stem.shape
        for stage in skeleton.stages:
            self.stages.append(_Stage(stage, shape, compressed))
            shape = self.stages[-1].shape
        self.head = blocks.classifier(shape, skeleton.datasets[dataset].classes)


@cache
def _around(skeleton: ModuleSkeleton, dataset: str, compressed: bool) -> _Around:
    return _Around(skeleton, dataset, compressed)


def network_plan(
    graph: ArchitectureGraph, skeleton: ModuleSkeleton = SKELETON, dataset: str = COUNTED, *, compressed: bool = True
) -> NetworkPlan | None:
    """The live part of the network of a native graph; None where the cell computes nothing.

    Parameters
    ----------
    skeleton, dataset
        The network's size, and what it is trained on.
    compressed
        Whether the first of equal cells in a row stands for all of them.
    """
    normal, reducing = (live_cell(cell, graph.vocabulary) for cell in graph.cells)
    if normal is None or reducing is None:
        return None
    return _plan(normal, reducing, _around(skeleton, dataset, compressed), compressed)


def _plan(normal: LiveCell, reducing: LiveCell, around: _Around, compressed: bool) -> NetworkPlan:
    plan = NetworkPlan(around.image)
    state = plan.add(around.stem, 0)
    for stage in around.stages:
        state = add_cell(plan, reducing, [state], stage.reducing)
        for _ in range(min(stage.cells, 1) if compressed else stage.cells):
            state = add_cell(plan, normal, [state], stage.keeping, stage.cells if compressed else 1)
    plan.add(around.head, state)
    return plan


_WEIGHTED = (
    ("normal", "nor_conv_1x1", False),
    ("normal", "nor_conv_3x3", False),
    ("reduce", "nor_conv_1x1", False),
    ("reduce", "nor_conv_3x3", False),
    ("reduce", "nor_conv_1x1", True),
    ("reduce", "nor_conv_3x3", True),
    ("reduce", "skip_connect", True),
)
"""Where operators have weights: the cell, the operator, and whether it halves the resolution."""


def network_costs(graphs: Sequence[ArchitectureGraph], dataset: str = COUNTED) -> Costs:
    """(4, B): parameters, multiply-accumulates, `root_macs` and activations of native or canonical graphs' networks.

    Convolutions and the classifier's matrix count, as everywhere but in NAS-Bench-201.
    """
    fixed, added = _costs(dataset)
    counts = np.array([_counts(graph) for graph in graphs], dtype=np.float64).reshape(-1, len(_WEIGHTED))
    return np.asarray(fixed[:, None] + added @ counts.T)


def encoder_parameters(graphs: Sequence[ArchitectureGraph]) -> list[int]:
    """Trainable parameters of stem and cells, to which each task adds those of its own decoder."""
    head = _around(SKELETON, COUNTED, compressed=True).head.parameters
    return [int(count) - head for count in network_costs(graphs)[0].tolist()]


def _counts(graph: ArchitectureGraph) -> list[int]:
    """How often each of `_WEIGHTED` stands in a graph."""
    found = dict.fromkeys(_WEIGHTED, 0)
    for cell in graph.cells:
        halving = _halving(cell)
        for place, name in enumerate(cell.operators):
            known = "skip_connect" if name == _HALVING_SKIP else name
            key = (cell.name, known, place in halving)
            if key in found:
                found[key] += 1
    return list(found.values())


def _halving(cell: CellGraph) -> set[int]:
    """What the input of a reduction cell feeds."""
    return {target for source, target, _ in cell.edges if source == 0} if cell.reduction else set()


@cache
def _costs(dataset: str) -> tuple[Costs, Costs]:
    """Costs of all that is not in a cell, (4,), and of one more of each of `_WEIGHTED`, (4, 7)."""
    around = _around(SKELETON, dataset, compressed=True)
    added = np.zeros((4, len(_WEIGHTED)))
    for stage in around.stages:
        for place, (cell, *key) in enumerate(_WEIGHTED):
            name, halves = key
            block = (stage.keeping if cell == "normal" else stage.reducing)[str(name), bool(halves)]
            assert block is not None
            added[:, place] += _of(block)
    return _of(around.stem) + _of(around.head), added


def _of(block: Block) -> Costs:
    return np.array([block.parameters, block.multiply_accumulates, block.root_macs, block.activations], dtype=float)
