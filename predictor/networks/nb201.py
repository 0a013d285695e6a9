"""The network around a NAS-Bench-201 cell."""

from __future__ import annotations

from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import Operator
from catalog.errors import UnknownOperatorError
from predictor.networks.cell import GraphCell
from predictor.networks.layers import Zero, classifier, convolution, pooling, relu_conv_bn
from predictor.networks.network import Network, NetworkConfig


class ReductionBlock(nn.Module):
    """Residual block that doubles the channels and halves the resolution: (B, C, H, W) to (B, 2 C, H / 2, W / 2)."""

    def __init__(self, channels: int, *, replicas: int = 1) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            relu_conv_bn(channels, 2 * channels, 3, stride=2, replicas=replicas),
            relu_conv_bn(2 * channels, 2 * channels, 3, replicas=replicas),
        )
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=True), convolution(channels, 2 * channels, 1, replicas=replicas)
        )

    def forward(self, state: Tensor) -> Tensor:
        """The shortcut plus the two convolutions."""
        out: Tensor = self.shortcut(state) + self.convolutions(state)
        return out


class NB201Network(Network):
    """Three stages of N equal cells with C, 2 C and 4 C channels, residual reduction blocks between them.

    Dong and Yang, "NAS-Bench-201", 2020 (arXiv 2001.00326). Trainable parameters with C = 16, N = 5 and ten classes:
    73,306 + 243,040 n3 + 28,000 n1 for n3 convolutions 3x3 and n1 convolutions 1x1 in the cell's native form. On the
    canonical form the network leaves out the operators that reach no output.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        width = config.channels
        self.stem = nn.Sequential(
            convolution(config.input_channels, width, 3, replicas=replicas), nn.BatchNorm2d(width * replicas)
        )
        blocks: list[nn.Module] = []
        for stage in range(3):
            if stage:
                blocks.append(ReductionBlock(width, replicas=replicas))
                width *= 2
            blocks += [_cell(graph, width, replicas) for _ in range(config.cells)]
        self.body = nn.ModuleList(blocks)
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
        if operator.kind == "conv" and operator.kernel is not None:
            return relu_conv_bn(channels, channels, operator.kernel, replicas=replicas)
        if operator.name == "avg_pool_3x3":
            return pooling(3, maximum=False)
        raise UnknownOperatorError(
            f"a NAS-Bench-201 cell has no operator {operator.name!r}; build a space of your own with "
            "predictor.networks.generic."
        )

    return GraphCell(graph.cells[0], make, vocabulary=graph.vocabulary, replicas=replicas)
