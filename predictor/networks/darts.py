"""The networks around a pair of DARTS cells, for CIFAR and for ImageNet."""

from __future__ import annotations

from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.skeleton import STEM_KERNEL
from catalog.errors import UnknownOperatorError
from catalog.spaces.darts_network import IMAGENET, SEPARABLE, SKELETON
from predictor.networks.cell import GraphCell
from predictor.networks.layers import (
    FactorizedReduce,
    Zero,
    classifier,
    convolution,
    depthwise_conv,
    pooling,
    relu_conv_bn,
)
from predictor.networks.network import Network, NetworkConfig


class DARTSCell(nn.Module):
    """A cell and the two 1x1 convolutions that bring its inputs to its channels.

    Shapes: states (B, C0, H0, W0) and (B, C1, H, W); result (B, C * joined, H, W), halved in a reduction cell.
    """

    def __init__(
        self,
        cell: CellGraph,
        channels: int,
        before: tuple[int, int],
        config: NetworkConfig,
        *,
        after_reduction: bool,
        vocabulary: Vocabulary,
    ) -> None:
        super().__init__()
        replicas = config.replicas
        self.first: nn.Module
        if after_reduction:
            self.first = FactorizedReduce(before[0], channels, replicas=replicas)
        else:
            self.first = relu_conv_bn(before[0], channels, 1, replicas=replicas)
        self.second = relu_conv_bn(before[1], channels, 1, replicas=replicas)

        def make(operator: Operator, stride: int) -> nn.Module | None:
            return _operator(operator, channels, stride, config)

        self.graph = GraphCell(cell, make, vocabulary=vocabulary, replicas=replicas)
        self.outputs = channels * self.graph.joined

    def forward(self, before_last: Tensor, last: Tensor) -> Tensor:
        """The cell's output from the outputs of the two cells before it."""
        out: Tensor = self.graph(self.first(before_last), self.second(last))
        return out


def _operator(operator: Operator, channels: int, stride: int, config: NetworkConfig) -> nn.Module | None:
    if operator.kind in ("output", "merge") or (operator.name == "skip_connect" and stride == 1):
        return None
    if operator.kind == "none":
        return Zero(stride)
    if operator.kind == "skip":
        return FactorizedReduce(channels, channels, replicas=config.replicas, affine=config.affine_operators)
    if operator.kind == "pool":
        return pooling(3, maximum=operator.counts_as == "max_pool", stride=stride)
    if operator.name in SEPARABLE:
        kernel, dilation, times = SEPARABLE[operator.name]
        return depthwise_conv(
            channels,
            kernel,
            stride=stride,
            dilation=dilation,
            times=times,
            replicas=config.replicas,
            affine=config.affine_operators,
        )
    raise UnknownOperatorError(
        f"a DARTS cell has no operator {operator.name!r}; build a space of your own with predictor.networks.generic."
    )


class DARTSNetwork(Network):
    """The cells in `catalog.spaces.darts_network.SKELETON`, or one of another size, each fed by the two before it.

    Without auxiliary head and path dropping. DARTS_V2 has 3.3 M parameters with C = 36 and 20 cells on CIFAR-10, and
    4.7 M with C = 48 and 14 cells on ImageNet.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        normal, reduction = graph.cells
        skeleton = (IMAGENET if config.imagenet else SKELETON).sized(config.channels, config.cells)
        width = skeleton.stem_channels
        if config.imagenet:
            self.stem = _imagenet_stem(config, width)
            self.second_stem: nn.Module | None = nn.Sequential(
                nn.ReLU(),
                convolution(width, width, STEM_KERNEL, stride=2, replicas=replicas),
                nn.BatchNorm2d(width * replicas),
            )
        else:
            self.stem = nn.Sequential(
                convolution(config.input_channels, width, STEM_KERNEL, replicas=replicas),
                nn.BatchNorm2d(width * replicas),
            )
            self.second_stem = None
        before = (width, width)
        after_reduction = skeleton.deep_stem
        cells: list[DARTSCell] = []
        stages: list[int] = []
        for number, stage in enumerate(skeleton.stages):
            for place in range(stage.cells + stage.reduces):
                reduces = stage.reduces and place == 0
                cell = DARTSCell(
                    reduction if reduces else normal,
                    stage.channels,
                    before,
                    config,
                    after_reduction=after_reduction,
                    vocabulary=graph.vocabulary,
                )
                cells.append(cell)
                stages.append(number)
                before, after_reduction = (before[1], cell.outputs), reduces
        self.body = nn.ModuleList(cells)
        self.stages = tuple(stages)
        self.head = nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier(before[1], config.classes, replicas)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        before_last = self.stem(images)
        last = before_last if self.second_stem is None else self.second_stem(before_last)
        for cell in self.body:
            before_last, last = last, cell(before_last, last)
        return self.logits(last)


def _imagenet_stem(config: NetworkConfig, width: int) -> nn.Sequential:
    half, replicas = width // 2, config.replicas
    return nn.Sequential(
        convolution(config.input_channels, half, STEM_KERNEL, stride=2, replicas=replicas),
        nn.BatchNorm2d(half * replicas),
        nn.ReLU(),
        convolution(half, width, STEM_KERNEL, stride=2, replicas=replicas),
        nn.BatchNorm2d(width * replicas),
    )
