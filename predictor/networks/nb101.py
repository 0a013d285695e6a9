"""The network around a NAS-Bench-101 module."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import GraphError, UnknownOperatorError
from predictor.networks.layers import classifier, conv_bn_relu, first_channels, join, pooling
from predictor.networks.network import Network, NetworkConfig

_STACKS = 3


def vertex_channels(inputs: int, outputs: int, adjacency: Sequence[Sequence[int]]) -> list[int]:
    """Channels of each vertex of a module (Ying et al. 2019, arXiv 1902.09635).

    The interior vertices that feed the output share its channels, the first ones taking one more where the division
    leaves a remainder; any other interior vertex has as many channels as the widest interior vertex that it feeds.
    The split depends on the order of the vertices, so the module must come in the benchmark's own order.
    """
    last = len(adjacency) - 1
    channels = [0] * (last + 1)
    channels[0], channels[last] = inputs, outputs
    joined = [vertex for vertex in range(1, last) if adjacency[vertex][last]]
    if joined:
        share, remainder = divmod(outputs, len(joined))
        for place, vertex in enumerate(joined):
            channels[vertex] = share + (place < remainder)
    for vertex in range(last - 1, 0, -1):
        if not adjacency[vertex][last]:
            channels[vertex] = max((channels[t] for t in range(vertex + 1, last) if adjacency[vertex][t]), default=0)
    return channels


class NB101Module(nn.Module):
    """One module: the input reaches each vertex through a 1x1 projection, vertices add, the output concatenates.

    Shapes: (B, C, H, W) to (B, C', H, W).
    """

    def __init__(self, cell: CellGraph, inputs: int, outputs: int, *, replicas: int = 1) -> None:
        super().__init__()
        self.replicas = replicas
        self.links = cell.adjacency().astype(bool).tolist()
        self.channels = vertex_channels(inputs, outputs, self.links)
        self.last = cell.node_count - 1
        if min(self.channels[1:]) < 1:
            raise GraphError(
                f"{cell!r} is no pruned NAS-Bench-101 module, or {outputs} channels are too few to share; every vertex "
                "must lie on a path from the input to the output and get at least one channel."
            )
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
            assert direct is not None  # vertex_channels refused every other case
            out: Tensor = direct
            return out
        merged = join(joined, self.replicas)
        return merged if direct is None else merged + direct

    def _gathered(self, vertex: int, state: Tensor, values: dict[int, Tensor]) -> Tensor:
        terms = [
            first_channels(values[source], self.channels[vertex], self.replicas)
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
    if name in ("conv3x3", "conv1x1"):
        return conv_bn_relu(channels, channels, 3 if name == "conv3x3" else 1, replicas=replicas)
    if name == "maxpool3x3":
        return pooling(3, maximum=True)
    raise UnknownOperatorError(
        f"a NAS-Bench-101 module has no operator {name!r}; allowed are conv3x3, conv1x1 and maxpool3x3."
    )


class NB101Network(Network):
    """A stem of 128 channels and three stacks of three modules; channels double and resolution halves between stacks.

    Ying et al., "NAS-Bench-101", 2019 (arXiv 1902.09635). The trainable parameters with 128 channels, three modules a
    stack and ten classes equal the benchmark's for every module in native order.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        width = config.channels
        inputs = width
        self.stem = conv_bn_relu(config.input_channels, width, 3, replicas=replicas)
        blocks: list[nn.Module] = []
        for stack in range(_STACKS):
            if stack:
                width *= 2
            for place in range(config.cells):
                module: nn.Module = NB101Module(graph.cells[0], inputs, width, replicas=replicas)
                # The pooling belongs to the block that follows it, so that blocks pass data one to the next.
                halves = stack > 0 and place == 0
                blocks.append(nn.Sequential(nn.MaxPool2d(2, ceil_mode=True), module) if halves else module)
                inputs = width
        self.body = nn.ModuleList(blocks)
        self.head = nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier(width, config.classes, replicas)
