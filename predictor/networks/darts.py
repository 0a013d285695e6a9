"""The networks around a pair of DARTS cells, for CIFAR and for ImageNet."""

from __future__ import annotations

from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator, Vocabulary
from catalog.errors import UnknownOperatorError
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

_STEM_FACTOR = 3  # the CIFAR stem has three times the channels of the first cells


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
        return pooling(3, maximum=operator.name.startswith("max"), stride=stride)
    if operator.depthwise and operator.kernel and operator.dilation:
        return depthwise_conv(
            channels,
            operator.kernel,
            stride=stride,
            dilation=operator.dilation,
            times=1 if operator.dilation > 1 else 2,
            replicas=config.replicas,
            affine=config.affine_operators,
        )
    raise UnknownOperatorError(
        f"a DARTS cell has no operator {operator.name!r}; build a space of your own with predictor.networks.generic."
    )


class DARTSNetwork(Network):
    """Cells in a row, the reduction cell at one third and two thirds, each fed by the two before it.

    Liu, Simonyan and Yang, "DARTS: Differentiable architecture search", 2019 (arXiv 1806.09055), without auxiliary
    head and path dropping. DARTS_V2 has 3.3 M parameters with C = 36 and 20 cells on CIFAR-10, and 4.7 M with C = 48
    and 14 cells on ImageNet.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        normal, reduction = graph.cells
        channels = config.channels
        if config.imagenet:
            self.stem = _imagenet_stem(config)
            self.second_stem: nn.Module | None = nn.Sequential(
                nn.ReLU(),
                convolution(channels, channels, 3, stride=2, replicas=replicas),
                nn.BatchNorm2d(channels * replicas),
            )
            before = (channels, channels)
        else:
            width = _STEM_FACTOR * channels
            self.stem = nn.Sequential(
                convolution(config.input_channels, width, 3, replicas=replicas), nn.BatchNorm2d(width * replicas)
            )
            self.second_stem = None
            before = (width, width)
        after_reduction = config.imagenet
        reductions = {config.cells // 3, 2 * config.cells // 3}
        cells: list[DARTSCell] = []
        for place in range(config.cells):
            if place in reductions:
                channels *= 2
            cell = DARTSCell(
                reduction if place in reductions else normal,
                channels,
                before,
                config,
                after_reduction=after_reduction,
                vocabulary=graph.vocabulary,
            )
            cells.append(cell)
            before, after_reduction = (before[1], cell.outputs), place in reductions
        self.body = nn.ModuleList(cells)
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


def _imagenet_stem(config: NetworkConfig) -> nn.Sequential:
    half, replicas = config.channels // 2, config.replicas
    return nn.Sequential(
        convolution(config.input_channels, half, 3, stride=2, replicas=replicas),
        nn.BatchNorm2d(half * replicas),
        nn.ReLU(),
        convolution(half, config.channels, 3, stride=2, replicas=replicas),
        nn.BatchNorm2d(config.channels * replicas),
    )
