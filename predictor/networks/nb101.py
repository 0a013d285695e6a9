"""The network around a NAS-Bench-101 module."""

from __future__ import annotations

from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.skeleton import STEM_KERNEL
from catalog.errors import UnknownOperatorError
from catalog.spaces.nb101_network import CONVOLUTIONS, SKELETON, module_channels, vertex_sources
from predictor.networks.layers import classifier, conv_bn_relu, first_channels, join, pooling
from predictor.networks.network import Network, NetworkConfig


class NB101Module(nn.Module):
    """One module: the input reaches each vertex through a 1x1 projection, vertices add, the output concatenates.

    Shapes: (B, C, H, W) to (B, C', H, W).
    """

    def __init__(self, cell: CellGraph, inputs: int, outputs: int, *, replicas: int = 1) -> None:
        super().__init__()
        self.name = cell.name
        self.replicas = replicas
        self.links = cell.adjacency().astype(bool).tolist()
        self.channels = module_channels(vertex_sources(cell), inputs, outputs)
        self.last = cell.node_count - 1
        self.projections = nn.ModuleDict(
            {
                str(vertex): conv_bn_relu(inputs, self.channels[vertex], 1, replicas=replicas)
                for vertex in range(1, self.last + 1)
                if self.links[0][vertex]
            }
        )
        self.operators = nn.ModuleList(
            [_operator(cell.operators[vertex], self.channels[vertex], replicas) for vertex in range(1, self.last)]
        )

    def forward(self, state: Tensor) -> Tensor:
        """The module's output."""
        values: dict[int, Tensor] = {}
        for vertex, operator in enumerate(self.operators, start=1):
            values[vertex] = operator(self._gathered(vertex, state, values))
        joined = [values[vertex] for vertex in range(1, self.last) if self.links[vertex][self.last]]
        direct = self.projections[str(self.last)](state) if self.links[0][self.last] else None
        if not joined:
            assert direct is not None  # module_channels refused every other case
            out: Tensor = direct
            return out
        merged = join(joined, self.replicas)
        return merged if direct is None else merged + direct

    def _gathered(self, vertex: int, state: Tensor, values: dict[int, Tensor]) -> Tensor:
        terms = [
            values[source]
            if self.channels[source] == self.channels[vertex]
            else first_channels(values[source], self.channels[vertex], self.replicas)
            for source in range(1, vertex)
            if self.links[source][vertex]
        ]
        if self.links[0][vertex]:
            terms.append(self.projections[str(vertex)](state))
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total


def _operator(name: str, channels: int, replicas: int) -> nn.Module:
    if name in CONVOLUTIONS:
        return conv_bn_relu(channels, channels, CONVOLUTIONS[name], replicas=replicas)
    if name == "maxpool3x3":
        return pooling(3, maximum=True)
    raise UnknownOperatorError(
        f"a NAS-Bench-101 module has no operator {name!r}; allowed are conv3x3, conv1x1 and maxpool3x3."
    )


class NB101Network(Network):
    """The modules in `catalog.spaces.nb101_network.SKELETON`, or one of another size.

    The trainable parameters with 128 channels, three modules a stack and ten classes equal the benchmark's for every
    module in native order.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        skeleton = SKELETON.sized(config.channels, config.cells)
        inputs = width = skeleton.stem_channels
        self.stem = conv_bn_relu(config.input_channels, width, STEM_KERNEL, replicas=replicas)
        blocks: list[nn.Module] = []
        stages: list[int] = []
        for number, stage in enumerate(skeleton.stages):
            width = stage.channels
            for place in range(stage.cells):
                module: nn.Module = NB101Module(graph.cells[0], inputs, width, replicas=replicas)
                # The pooling belongs to the block that follows it, so that blocks pass data one to the next.
                halves = stage.reduces and place == 0
                blocks.append(nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), module) if halves else module)
                inputs = width
            stages += [number] * (len(blocks) - len(stages))
        self.body = nn.ModuleList(blocks)
        self.stages = tuple(stages)
        self.head = nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier(width, config.classes, replicas)
