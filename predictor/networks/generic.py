"""A network for a user's own space, from nothing but its graphs and what its operators are."""

from __future__ import annotations

from torch import Tensor, nn

from catalog.architecture.graph import ArchitectureGraph, CellGraph, is_traced
from catalog.architecture.operators import Operator
from catalog.architecture.skeleton import STEM_KERNEL
from catalog.errors import GraphError, ProxyError
from catalog.spaces.nb201_network import SKELETON
from predictor.networks.cell import GraphCell
from predictor.networks.layers import classifier, convolution, relu_conv_bn
from predictor.networks.nb201 import ReductionBlock
from predictor.networks.network import Network, NetworkConfig
from predictor.networks.own_operators import make_operator


class GenericBlock(nn.Module):
    """One cell with as many inputs as it has, and a 1x1 convolution after it where it joins several states.

    Shapes: each state (B, C, H, W); result (B, C, H, W), in a reduction cell (B, C, H / 2, W / 2).
    """

    def __init__(self, graph: ArchitectureGraph, cell: CellGraph, channels: int, replicas: int) -> None:
        super().__init__()

        def make(operator: Operator, stride: int) -> nn.Module | None:
            return make_operator(operator, channels, stride, replicas)

        self.graph = GraphCell(cell, make, vocabulary=graph.vocabulary, replicas=replicas)
        joined = self.graph.joined
        self.narrow: nn.Module = (
            nn.Identity() if joined == 1 else relu_conv_bn(joined * channels, channels, 1, replicas=replicas)
        )

    def forward(self, *states: Tensor) -> Tensor:
        """The cell's output from the outputs of the cells before it, the latest last."""
        out: Tensor = self.narrow(self.graph(*states[-len(self.graph.inputs) :]))
        return out


class GenericNetwork(Network):
    """Three stages of N rounds of the space's plain cells with C, 2 C and 4 C channels.

    Between stages a residual block doubles the channels and halves the resolution; where the space has reduction
    cells, they run at the start of the second and third stage and halve the resolution themselves. A cell of several
    inputs gets the outputs of as many cells before it in its stage, the oldest first; the first cells of a stage get
    the stage's input in their place.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        replicas = config.replicas
        if any(is_traced(cell.name) for cell in graph.cells):
            raise ProxyError(
                f"the architecture of space {graph.space!r} is a whole network that was traced, no cell to repeat; its "
                "graph does not state the channels and strides of its operators."
            )
        cells = [cell for cell in graph.cells for _ in range(cell.repeats)]
        plain = [cell for cell in cells if not cell.reduction]
        reducing = [cell for cell in cells if cell.reduction]
        if not plain:
            raise GraphError(
                f"space {graph.space!r} has only reduction cells; a network needs at least one cell that keeps the "
                "resolution."
            )
        skeleton = SKELETON.sized(config.channels, config.cells)
        width = skeleton.stem_channels
        self.stem = nn.Sequential(
            convolution(config.input_channels, width, STEM_KERNEL, replicas=replicas), nn.BatchNorm2d(width * replicas)
        )
        blocks: list[nn.Module] = []
        stages: list[int] = []
        self.starts: set[int] = set()
        for number, stage in enumerate(skeleton.stages):
            if stage.reduces:
                if reducing:
                    blocks.append(relu_conv_bn(width, stage.channels, 1, replicas=replicas))
                else:
                    blocks.append(ReductionBlock(width, stage.channels, replicas=replicas))
                width = stage.channels
                for cell in reducing:
                    self.starts.add(len(blocks))
                    blocks.append(GenericBlock(graph, cell, width, replicas))
            self.starts.add(len(blocks))
            blocks += [GenericBlock(graph, cell, width, replicas) for _ in range(stage.cells) for cell in plain]
            stages += [number] * (len(blocks) - len(stages))
        self.body = nn.ModuleList(blocks)
        self.stages = tuple(stages)
        self.head = nn.Sequential(nn.BatchNorm2d(width * replicas), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = classifier(width, config.classes, replicas)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch of images."""
        state = self.stem(images)
        states = [state]
        for place, block in enumerate(self.body):
            if isinstance(block, GenericBlock):
                if place in self.starts:
                    states = [state]
                needed = len(block.graph.inputs)
                state = block(*[states[0]] * (needed - len(states)), *states)
                states.append(state)
            else:
                state = block(state)
        return self.logits(state)
