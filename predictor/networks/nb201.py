"""The network around a NAS-Bench-201 cell."""

from __future__ import annotations

from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import Operator
from catalog.architecture.skeleton import STEM_KERNEL
from catalog.errors import UnknownOperatorError
from catalog.spaces.nb201_network import KERNELS, SKELETON
from predictor.networks.cell import GraphCell
from predictor.networks.layers import Zero, classifier, convolution, pooling, relu_conv_bn
from predictor.networks.network import Network, NetworkConfig


class ReductionBlock(nn.Module):
    """Residual block that halves the resolution: (B, C, H, W) to (B, C', H / 2, W / 2)."""

    def __init__(self, inputs: int, outputs: int, *, replicas: int = 1) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            relu_conv_bn(inputs, outputs, 3, stride=2, replicas=replicas),
            relu_conv_bn(outputs, outputs, 3, replicas=replicas),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True), convolution(inputs, outputs, 1, replicas=replicas)
        )

    def forward(self, state: Tensor) -> Tensor:
        """The shortcut plus the two convolutions."""
        out: Tensor = self.shortcut(state) + self.convolutions(state)
        return out


class NB201Network(Network):
    """The cells in `catalog.spaces.nb201_network.SKELETON`, or one of another size.

    Trainable parameters with C = 16, N = 5 and ten classes: 73,306 + 243,040 n3 + 28,000 n1 for n3 convolutions 3x3 and
    n1 convolutions 1x1 in the cell's native form. On the canonical form the network leaves out the operators that reach
    no output.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        skeleton = SKELETON.sized(config.channels, config.cells)
        width = skeleton.stem_channels
        self.stem = nn.Sequential(
            convolution(config.input_channels, width, STEM_KERNEL, replicas=replicas), nn.BatchNorm2d(width * replicas)
        )
        blocks: list[nn.Module] = []
        stages: list[int] = []
        for number, stage in enumerate(skeleton.stages):
            if stage.reduces:
                blocks.append(ReductionBlock(width, stage.channels, replicas=replicas))
            width = stage.channels
            blocks += [_cell(graph, width, replicas) for _ in range(stage.cells)]
            stages += [number] * (len(blocks) - len(stages))
        self.body = nn.ModuleList(blocks)
        self.stages = tuple(stages)
        self.head = nn.Sequential(nn.BatchNorm2d(width * replicas), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier(width, config.classes, replicas)


def _cell(graph: ArchitectureGraph, channels: int, replicas: int) -> GraphCell:
    def make(operator: Operator, stride: int) -> nn.Module | None:
        assert stride == 1  # the space has no reduction cell
        if operator.kind in ("output", "skip", "merge"):
            return None
        if operator.kind == "none":
            return Zero()
        if operator.name in KERNELS:
            return relu_conv_bn(channels, channels, KERNELS[operator.name], replicas=replicas)
        if operator.name == "avg_pool_3x3":
            return pooling(3, maximum=False)
        raise UnknownOperatorError(
            f"a NAS-Bench-201 cell has no operator {operator.name!r}; build a space of your own with "
            "predictor.networks.generic."
        )

    return GraphCell(graph.cells[0], make, vocabulary=graph.vocabulary, replicas=replicas)
