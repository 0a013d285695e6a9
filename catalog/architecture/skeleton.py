"""The macro network of a cell space: what stands around the cells. Counts, networks and computation graphs read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from catalog.architecture.computation.primitives import Shape

STAGES = 3
"""Stages of every skeleton; each after the first has twice the channels and half the resolution of the one before."""

STEM_KERNEL = 3

CIFAR10 = "cifar10"
"""What the spaces' parameters and multiply-accumulates are counted for."""

Reduction = Literal["residual", "pool", "cell"]


@dataclass(frozen=True)
class Images:
    """What a data set asks of a network: its number of classes, and the edge of its images in pixels."""

    classes: int
    resolution: int


@dataclass(frozen=True)
class Stage:
    """Cells of equal channels and resolution.

    Parameters
    ----------
    channels
        Of the cells.
    cells
        How many of them keep the resolution.
    reduces
        Whether the resolution is halved before these cells (which, if a cell does it, is one more).
    """

    channels: int
    cells: int
    reduces: bool


@dataclass(frozen=True)
class Skeleton:
    """A stem, stages of cells, a head.

    The stem is one convolution 3 by 3 with BatchNorm, the head global average pooling and a linear classifier with a
    bias. No convolution has a bias; all keep the resolution or divide it by their stride, rounded up.

    Parameters
    ----------
    channels
        Of the cells of the first stage.
    cells
        Cells a stage or, where a cell halves the resolution, in all.
    reduction
        What halves the resolution between stages: a ``residual`` block, which also doubles the channels, max ``pool``
        with a window of 2 by 2, or a reduction ``cell`` at one third and two thirds of the cells.
    datasets
        What the space's networks are trained on.
    stem_factor
        The stem has this times `channels`.
    stem_relu
        Whether a ReLU closes the stem.
    deep_stem
        Whether the stem is two convolutions that divide the resolution by four, and a third, which gives the second
        state, by two once more (DARTS's networks for images of 224 pixels).
    head_norm
        Whether the head begins with BatchNorm and ReLU.
    image_channels
        Colours of an image.
    """

    channels: int
    cells: int
    reduction: Reduction
    datasets: Mapping[str, Images]
    stem_factor: int = 1
    stem_relu: bool = False
    deep_stem: bool = False
    head_norm: bool = False
    image_channels: int = 3

    @property
    def stem_channels(self) -> int:
        """Channels that leave the stem."""
        return self.stem_factor * self.channels

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in the order in which the data passes them."""
        if self.reduction != "cell":
            return tuple(Stage(self.channels * 2**place, self.cells, place > 0) for place in range(STAGES))
        starts = sorted({place * self.cells // STAGES for place in range(1, STAGES)} - {self.cells})
        ends = [*starts, self.cells]
        first = Stage(self.channels, ends[0], reduces=False)
        later = [
            Stage(self.channels * 2**place, end - start - 1, reduces=True)
            for place, (start, end) in enumerate(zip(starts, ends[1:], strict=True), 1)
        ]
        return (first, *later)

    def sized(self, channels: int, cells: int) -> Skeleton:
        """The same skeleton with other numbers of channels and cells."""
        return replace(self, channels=channels, cells=cells)

    def image(self, dataset: str) -> Shape:
        """The shape of one image of a data set, batch first."""
        edge = self.datasets[dataset].resolution
        return (1, self.image_channels, edge, edge)

    def resolutions(self, dataset: str) -> tuple[int, ...]:
        """The edge in pixels of the cells' outputs in each stage."""
        edge = self.datasets[dataset].resolution
        for _ in range(3 if self.deep_stem else 0):
            edge = -(-edge // 2)
        edges = []
        for stage in self.stages:
            edge = -(-edge // 2) if stage.reduces else edge
            edges.append(edge)
        return tuple(edges)

    def __hash__(self) -> int:
        return hash((self.channels, self.cells, self.reduction, self.stem_factor, self.image_channels))
