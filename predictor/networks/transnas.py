"""The network around a cell of TransNAS-Bench-101's micro space."""

from __future__ import annotations

from torch import nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator
from catalog.architecture.skeleton import STEM_KERNEL
from catalog.errors import UnknownOperatorError
from catalog.spaces.transnas_network import KERNELS, SKELETON
from predictor.networks.cell import GraphCell
from predictor.networks.layers import FactorizedReduce, Zero, classifier, convolution, relu_conv_bn
from predictor.networks.network import Network, NetworkConfig


class TransNASNetwork(Network):
    """The cells in `catalog.spaces.transnas_network.SKELETON`, or one of another size: encoder and linear classifier.

    The encoder is the one of all seven tasks; three of them have decoders of images in the classifier's place, and one
    joins the encoder's outputs for nine pieces of an image.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        normal, reducing = graph.cells
        skeleton = SKELETON.sized(config.channels, config.cells)
        narrow = skeleton.channels // 2
        self.stem = nn.Sequential(
            convolution(config.input_channels, narrow, STEM_KERNEL, stride=2, replicas=replicas),
            nn.BatchNorm2d(narrow * replicas),
            relu_conv_bn(narrow, skeleton.channels, STEM_KERNEL, stride=2, replicas=replicas),
        )
        width = skeleton.channels
        cells: list[GraphCell] = []
        stages: list[int] = []
        for number, stage in enumerate(skeleton.stages):
            cells.append(_cell(graph, reducing, width, stage.channels, replicas))
            width = stage.channels
            cells += [_cell(graph, normal, width, width, replicas) for _ in range(stage.cells)]
            stages += [number] * (1 + stage.cells)
        self.body = nn.ModuleList(cells)
        self.stages = tuple(stages)
        self.head = nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier(width, config.classes, replicas)


def _cell(graph: ArchitectureGraph, cell: CellGraph, inputs: int, outputs: int, replicas: int) -> GraphCell:
    def make(operator: Operator, stride: int) -> nn.Module | None:
        entering = inputs if stride == 2 else outputs
        if operator.kind in ("output", "merge") or (operator.kind == "skip" and stride == 1):
            return None
        if operator.kind == "none":
            return Zero(stride, outputs * replicas)
        if operator.kind == "skip":
            return FactorizedReduce(entering, outputs, replicas=replicas)
        if operator.name in KERNELS:
            return relu_conv_bn(entering, outputs, KERNELS[operator.name], stride=stride, replicas=replicas)
        raise UnknownOperatorError(
            f"a cell of TransNAS-Bench-101 has no operator {operator.name!r}; build a space of your own with "
            "predictor.networks.generic."
        )

    return GraphCell(cell, make, vocabulary=graph.vocabulary, replicas=replicas)
