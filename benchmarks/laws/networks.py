"""Networks that laws are tried on: draws of every built-in space, and networks and cells of many kinds."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import SIZED_VOCABULARY, Vocabulary
from catalog.architecture.sizes import NetworkInput, Size
from catalog.spaces import SPACES, space_named

OWN = "laws"
"""Name of the space that networks of one's own are in."""

Node = tuple[str, Mapping[str, Any]]
Made = Callable[[random.Random], ArchitectureGraph]

WIDTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256)
PIXELS = (32, 48, 64, 96, 128)
CELL_OPERATORS = ("conv3x3", "conv1x1", "maxpool3x3", "avg_pool_3x3", "sep_conv_3x3", "dil_conv_3x3", "skip_connect")


class Drawing:
    """A cell under construction."""

    def __init__(self, inputs: Sequence[str] = ("input",)) -> None:
        self.operators: list[str] = list(inputs)
        self.sizes: list[Size | None] = [None] * len(inputs)
        self.edges: list[tuple[int, int]] = []

    def add(self, operator: str, sources: Sequence[int], **said: Any) -> int:
        """A node behind others; its place."""
        self.operators.append(operator)
        self.sizes.append(Size.of(said) if said else None)
        self.edges += [(source, len(self.operators) - 1) for source in sources]
        return len(self.operators) - 1

    def cell(self, last: int, name: str = "cell", *, concat: Sequence[int] = ()) -> CellGraph:
        """The cell whose output takes one node, or several of them side by side."""
        if concat:
            last = self.add("concat", concat)
        self.add("output", [last])
        return CellGraph.build(name, self.operators, self.edges, vocabulary=SIZED_VOCABULARY, sizes=self.sizes)


def network(*cells: CellGraph, pixels: int | None = None, classes: int = 10, **sequence: int) -> ArchitectureGraph:
    """A whole network on images or sequences; cells for a skeleton that nobody told without either."""
    taken = None
    if pixels is not None:
        taken = NetworkInput(shape=(3, pixels, pixels))
    elif sequence:
        taken = NetworkInput(**sequence)
    return ArchitectureGraph(OWN, cells, SIZED_VOCABULARY, taken, None if taken is None else classes)


def plain_chain(draw: random.Random) -> ArchitectureGraph:
    """A stem and stages of equal convolutions, each stage with twice the channels at half the resolution."""
    drawing, last, width = Drawing(), 0, draw.choice(WIDTHS[:6])
    last = drawing.add("conv", [last], kernel=3, channels=width)
    for stage in range(draw.randint(1, 3)):
        for layer in range(draw.randint(2, 5)):
            stride = 2 if stage and not layer else 1
            kernel = draw.choice([3, 3, 1, 5])
            last = drawing.add("conv", [last], kernel=kernel, channels=width << stage, stride=stride)
    return network(drawing.cell(last), pixels=draw.choice(PIXELS))


def residual_network(draw: random.Random) -> ArchitectureGraph:
    """Stages of basic blocks, bottlenecks or inverted residuals."""
    drawing, last, width = Drawing(), 0, draw.choice(WIDTHS[:5])
    last = drawing.add("conv", [last], kernel=3, channels=width)
    kind = draw.choice(["basic", "bottleneck", "inverted"])
    for stage in range(draw.randint(1, 4)):
        channels = width << stage
        if stage:
            last = drawing.add("conv", [last], kernel=3, channels=channels, stride=2)
        for _ in range(draw.randint(1, 4)):
            last = _block(drawing, draw, kind, last, channels)
    return network(drawing.cell(last), pixels=draw.choice(PIXELS))


def _block(drawing: Drawing, draw: random.Random, kind: str, entering: int, channels: int) -> int:
    if kind == "inverted":
        inner = drawing.add(
            "depthwise_conv",
            [entering],
            kernel=draw.choice([3, 5, 7]),
            expansion=draw.choice([1, 3, 4, 6]),
            channels=channels,
        )
    elif kind == "basic":
        inner = drawing.add("conv", [entering], kernel=3, channels=channels)
        inner = drawing.add("conv", [inner], kernel=3, channels=channels, activation=False)
    else:
        inner = drawing.add("conv", [entering], kernel=1, channels=channels // 2)
        inner = drawing.add("conv", [inner], kernel=3, channels=channels // 2)
        inner = drawing.add("conv", [inner], kernel=1, channels=channels, activation=False)
    return drawing.add("sum", [entering, inner])


def random_graph(draw: random.Random) -> ArchitectureGraph:
    """Nodes of every kind that keep the resolution, joined at random; one halving between two cells."""
    width = draw.choice(WIDTHS[:6])
    first = _random_cell(draw, width, "first", stem=True)
    second = _random_cell(draw, 2 * width, "second", stem=False)
    return network(first, second, pixels=draw.choice(PIXELS))


def _random_cell(draw: random.Random, width: int, name: str, *, stem: bool) -> CellGraph:
    drawing = Drawing()
    nodes = [drawing.add("conv", [0], kernel=3, channels=width, stride=1 if stem else 2)]
    for _ in range(draw.randint(2, 6)):
        sources = draw.sample(nodes, k=min(len(nodes), draw.choice([1, 1, 2])))
        operator, said = draw.choice(
            [
                ("conv", {"kernel": 3, "channels": width}),
                ("conv", {"kernel": 1, "channels": width}),
                ("conv", {"kernel": 3, "channels": width, "groups": 4}),
                ("depthwise_conv", {"kernel": draw.choice([3, 5]), "expansion": 2, "channels": width}),
                ("depthwise_conv", {"kernel": 3}),
                ("max_pool", {"kernel": 3}),
                ("avg_pool", {"kernel": 3}),
                ("conv", {"kernel": 3, "channels": width, "repeats": draw.randint(2, 3)}),
            ]
        )
        nodes.append(drawing.add(operator, sources, **said))
    ends = [node for node in nodes if not any(source == node for source, _ in drawing.edges)]
    last = ends[0] if len(ends) == 1 else drawing.add("sum", ends)
    return drawing.cell(last, name)


def image_transformer(draw: random.Random) -> ArchitectureGraph:
    """A vision transformer; each layer's attention and MLP stand in residuals, normalised before them."""
    drawing, width, patch = Drawing(), 64 * draw.choice([2, 3, 4, 6]), draw.choice([8, 16])
    last = drawing.add(
        "conv", [0], kernel=patch, stride=patch, padding=0, bias=True, norm=False, activation=False, channels=width
    )
    last = drawing.add("position_table", [drawing.add("class_token", [last])])
    last = _layers(drawing, draw, last, width)
    last = drawing.add("first_token", [drawing.add("norm", [last], norm="layer")])
    return network(drawing.cell(last), pixels=draw.choice([64, 128, 224]), classes=100)


def text_transformer(draw: random.Random) -> ArchitectureGraph:
    """An encoder of sequences."""
    drawing, width = Drawing(), 64 * draw.choice([2, 4, 6, 8])
    last = _layers(drawing, draw, drawing.add("position_table", [0]), width)
    last = drawing.add("first_token", [drawing.add("norm", [last], norm="layer")])
    return network(drawing.cell(last), tokens=draw.choice([64, 128, 512]), channels=width, vocabulary=8000, classes=2)


def _layers(drawing: Drawing, draw: random.Random, last: int, width: int) -> int:
    heads, ratio = width // 64 * draw.choice([1, 2]), draw.choice([2, 3, 4])
    for _ in range(draw.randint(2, 10)):
        inner = drawing.add("attention", [drawing.add("norm", [last], norm="layer")], heads=heads)
        last = drawing.add("sum", [last, inner])
        inner = drawing.add("mlp", [drawing.add("norm", [last], norm="layer")], mlp_ratio=ratio, activation="gelu")
        last = drawing.add("sum", [last, inner])
    return last


def cell_chain(draw: random.Random) -> ArchitectureGraph:
    """A cell without sizes: a chain of one operator with weights, or of several."""
    drawing, last = Drawing(), 0
    every = draw.choice(["conv3x3", "conv3x3", "conv1x1", "sep_conv_3x3", "dil_conv_3x3", None])
    for _ in range(draw.randint(2, 8)):
        last = drawing.add(every or draw.choice(["conv3x3", "conv1x1", "sep_conv_3x3"]), [last])
    return network(drawing.cell(last))


def cell_of_blocks(draw: random.Random) -> ArchitectureGraph:
    """A cell without sizes: a chain of residual blocks."""
    drawing, last = Drawing(), 0
    operator, length = draw.choice(["conv3x3", "conv3x3", "conv1x1", "sep_conv_3x3"]), draw.choice([1, 2, 2, 3])
    for _ in range(draw.randint(1, 6)):
        entering = last
        for _ in range(length):
            last = drawing.add(operator, [last])
        last = drawing.add("sum", [entering, last])
    return network(drawing.cell(last))


def free_cell(draw: random.Random) -> ArchitectureGraph:
    """A cell without sizes: two to six operators, each behind one or two earlier nodes."""
    drawing, nodes = Drawing(), [0]
    for _ in range(draw.randint(2, 6)):
        nodes.append(
            drawing.add(draw.choice(CELL_OPERATORS), draw.sample(nodes, k=min(len(nodes), draw.choice([1, 2]))))
        )
    ends = [node for node in nodes if not any(source == node for source, _ in drawing.edges)]
    if len(ends) == 1:
        return network(drawing.cell(ends[0]))
    return (
        network(drawing.cell(drawing.add("sum", ends)))
        if draw.random() < 0.5
        else network(drawing.cell(0, concat=ends))
    )


def sized_cell(draw: random.Random) -> ArchitectureGraph:
    """A cell whose nodes say channels as multiples of the stage's width."""
    drawing, last = Drawing(), 0
    for _ in range(draw.randint(2, 6)):
        last = drawing.add("conv", [last], kernel=draw.choice([1, 3, 5]), channels=draw.choice([1, 2, 0.5]))
    return network(drawing.cell(drawing.add("conv", [last], kernel=1, channels=1)))


OWN_KINDS: Mapping[str, Made] = {
    "own plain chains": plain_chain,
    "own residual networks": residual_network,
    "own random graphs": random_graph,
    "own image transformers": image_transformer,
    "own text transformers": text_transformer,
    "own chains, cells": cell_chain,
    "own residual blocks, cells": cell_of_blocks,
    "own random cells": free_cell,
    "own sized cells": sized_cell,
}
"""Kinds of networks of one's own, by name."""

KINDS = (*SPACES, *OWN_KINDS)
"""Everything that networks can be drawn from."""

CELL_SPACES = frozenset({"nb101", "nb201", "darts", "nats-sss", "transnas_micro"})
"""Built-in spaces whose graphs are cells for a skeleton."""

TOLD_BY_GRAPHS = frozenset({"nb201", "darts", "transnas_micro"})
"""Those of them whose graphs say all that differs between architectures, so that a user can tell the same cells."""


@cache
def drawn(kind: str, count: int, seed: int) -> tuple[ArchitectureGraph, ...]:
    """`count` native graphs of one kind; one seed, one draw."""
    if kind in OWN_KINDS:
        draw = random.Random(f"{kind} {seed}")
        return tuple(OWN_KINDS[kind](draw) for _ in range(count))
    return tuple(space_named(kind).sample(count, seed))


def as_own(graph: ArchitectureGraph) -> ArchitectureGraph:
    """The same graph in a space of one's own."""
    return replace(graph, space=OWN, vocabulary=_with_sizes(graph.vocabulary))


@cache
def _with_sizes(vocabulary: Vocabulary) -> Vocabulary:
    return SIZED_VOCABULARY.extended([one for one in vocabulary if one.name not in SIZED_VOCABULARY])
