"""A user's whole network, from the layers that its sizes lay.

What flows where, and how wide it is, is what `catalog.architecture.computation.sized_plan` says: the modules are made
of the very layers that are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor, nn

from catalog.architecture.computation.chain import IMAGE
from catalog.architecture.computation.layers import Layer, channels_of
from catalog.architecture.computation.plan import NetworkPlan, Origin
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.computation.sized import NetworkFacts, SizedNetworks
from catalog.architecture.computation.sized_plan import SizedPlans
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import Vocabulary
from catalog.architecture.sizes import Size
from catalog.errors import GraphError, ProxyError
from predictor.networks.network import Network, NetworkConfig
from predictor.networks.whole_layers import lacking, module_of

_PLAIN = frozenset({"add", "multiply", "concat", "identity"})
"""Words of the layers that have no module: those that join several tensors, and what hands one on."""


@dataclass(frozen=True)
class Step:
    """One layer of a network, and the places of the layers that it takes; place 0 is what goes in.

    Parameters
    ----------
    origin
        The node that it is part of, where it is part of one.
    """

    layer: Layer
    sources: tuple[int, ...]
    origin: Origin | None = None


class Segment(nn.Module):
    """A part of a network that takes one state and gives one state.

    Shapes: images (B, C, H, W) or sequences (B, tokens, C), and the same with other sizes.

    Parameters
    ----------
    start
        The place of what it takes.
    steps
        Its layers by their places, in an order in which each follows what it takes; the last one is what it gives.
    shapes
        Of all layers by their places.

    Attributes
    ----------
    origins
        By the names of its modules, the nodes that they are part of.
    """

    def __init__(self, start: int, steps: Sequence[tuple[int, Step]], shapes: Sequence[Shape]) -> None:
        super().__init__()
        self.layers = nn.ModuleDict()
        self._start = start
        self.origins: dict[str, Origin] = {}
        self._steps: list[tuple[int, str, tuple[int, ...], bool]] = []
        for number, (place, step) in enumerate(steps):
            word = step.layer.primitive.operator.name
            if word not in _PLAIN:
                self.layers[str(number)] = module_of(step.layer, shapes[step.sources[0]])
                if step.origin is not None:
                    self.origins[str(number)] = step.origin
            self._steps.append((place, word, step.sources, len(step.layer.shape) == IMAGE))

    def forward(self, state: Tensor) -> Tensor:
        """The state that it gives."""
        values = {self._start: state}
        for number, (place, word, sources, is_image) in enumerate(self._steps):
            first, *others = (values[source] for source in sources)
            if word not in _PLAIN:
                first = self.layers[str(number)](first, *others)
            elif word == "concat":
                first = torch.cat([first, *others], dim=1 if is_image else -1)
            else:
                for other in others:
                    first = first + other if word == "add" else first * other
            values[place] = first
        return values[self._steps[-1][0] if self._steps else self._start]


class WholeNetwork(Network):
    """The network that a graph with an input tells: its own layers, the mean over pixels or tokens, a linear map.

    Stem and body are the parts between two places through which everything flows: a layer with what follows it without
    multiply-accumulates, or all branches up to the sum that joins them. Where one token is taken out of all, that and
    what follows is the head. A network that ends with a ``classifier`` has no other: the mean of its tokens' scores is
    computed as the scores of their mean.

    Shapes: images (B, C, H, W), vectors (B, tokens, C), or numbers of tokens (B, tokens) where the input has a
    vocabulary; logits (B, classes).

    Parameters
    ----------
    graph
        A graph with an input; a resolution or a length other than the one it states makes a network of equal weights.
    config
        Its classes hold where the graph has no head; nothing else of it does, for the sizes are the graph's own.
    """

    def __init__(self, graph: ArchitectureGraph, config: NetworkConfig) -> None:
        super().__init__()
        if config.replicas > 1:
            raise ProxyError("a network that states its input cannot be trained with several seeds at once.")
        steps = laid_steps(graph)
        shapes = [step.layer.shape for step in steps]
        assert graph.input is not None
        width = graph.input.channels or 0
        self.embedding: nn.Module = (
            nn.Identity() if graph.input.vocabulary is None else nn.Embedding(graph.input.vocabulary, width)
        )
        scores = steps.pop().layer if classifier_of(graph) is not None else None
        last = steps[-1].layer.shape
        end = _first_token(steps)
        parts = [_segment(steps, shapes, start, stop) for start, stop in _between(steps[:end])]
        self.stem, *body = parts or [Segment(0, [], shapes)]
        self.body = nn.ModuleList(body)
        self.head = _segment(steps, shapes, end - 1, len(steps) - 1) if end < len(steps) else nn.Identity()
        self.pool: nn.Module = nn.AdaptiveAvgPool2d(1) if len(last) == IMAGE else TokenMean()
        width, classes = channels_of(last), classes_of(graph, config)
        self.classifier = nn.Linear(width, classes, bias=scores is None or scores.parameters != width * classes)

    def vectors(self, inputs: Tensor) -> Tensor:
        """Images and vectors as they are, tokens looked up."""
        out: Tensor = self.embedding(inputs)
        return out

    def forget_words(self) -> None:
        """See the base class."""
        self.embedding = nn.Identity()

    def from_vectors(self, vectors: Tensor) -> Tensor:
        """Logits of images or vectors."""
        return super().forward(vectors)

    def forward(self, images: Tensor) -> Tensor:
        """Logits of a batch."""
        return self.from_vectors(self.vectors(images))


class TokenMean(nn.Module):
    """The mean over the tokens of a sequence: (B, tokens, C) to (B, C)."""

    def forward(self, state: Tensor) -> Tensor:
        """The mean vector of each sequence."""
        return state.mean(dim=1)


def laid_steps(graph: ArchitectureGraph) -> list[Step]:
    """The layers of a whole network up to its head, without what no path to the output needs.

    Raises
    ------
    ProxyError
        A node does not say what it computes; the message names its operator and what is missing.
    GraphError
        A size is impossible at its place, or no path leads from the input to the output.
    """
    assert graph.input is not None
    taken = replace(graph.input, vocabulary=None)
    bare = replace(_without_costs(graph), input=taken, classes=None)
    facts = SizedNetworks(bare.vocabulary).facts(bare)
    _check(graph, facts)
    plan = SizedPlans(bare.vocabulary).plan(bare, compressed=False)
    if plan is None:
        raise GraphError("the network has no path from its input to its output; score it as disconnected.")
    return _steps(plan)


def classifier_of(graph: ArchitectureGraph) -> int | None:
    """The classes of the node ``classifier`` that a network without a head ends with; None where it ends otherwise."""
    cell = graph.cells[-1]
    ends = [(source, count) for source, target, count in cell.edges if target == cell.node_count - 1]
    if graph.classes is not None or cell.repeats > 1 or len(ends) != 1 or ends[0][1] > 1:
        return None
    operator, size = graph.vocabulary[cell.operators[ends[0][0]]], cell.size(ends[0][0])
    said = operator.sized(size)
    if operator.counts_as != "classifier" or said.channels is None or (said.repeats or 1) > 1:
        return None
    return int(said.channels)


def classes_of(graph: ArchitectureGraph, config: NetworkConfig) -> int:
    """How many classes the logits of a whole network have."""
    return graph.classes or classifier_of(graph) or config.classes


def _segment(steps: Sequence[Step], shapes: Sequence[Shape], start: int, end: int) -> Segment:
    """The part behind one place up to another one."""
    return Segment(start, [(place, steps[place]) for place in range(start + 1, end + 1)], shapes)


def _first_token(steps: Sequence[Step]) -> int:
    """The place from which on a network is of one token taken out of all; the number of places where it is not."""
    for place, step in enumerate(steps):
        if step.layer.primitive.operator.name == "slice":
            later = [source for one in steps[place + 1 :] for source in one.sources]
            before = [source for one in steps[:place] for source in one.sources]
            is_alone = min(later, default=place) >= place and set(range(1, place - 1)) <= set(before)
            return place if is_alone and step.sources == (place - 1,) else len(steps)
    return len(steps)


def _steps(plan: NetworkPlan) -> list[Step]:
    """The layers of a plan; a sum that is taken several times, as the canonical form has it, is computed once."""
    steps: list[Step] = []
    exits: list[int] = []
    sums: dict[tuple[int, ...], int] = {}
    for number, (block, entering) in enumerate(zip(plan.blocks, plan.inputs, strict=True)):
        origin = plan.origins.get(number)
        places: list[int] = []
        for layer, inner in zip(block.layers, block.inputs, strict=True):
            sources = tuple(places[place] for place in inner) or tuple(exits[source] for source in entering)
            place = len(steps)
            if layer.primitive.operator.name == "add":
                place = sums.setdefault(sources, place)
            if place == len(steps):
                steps.append(Step(layer, sources, origin))
            places.append(place)
        exits.append(places[-1])
    return steps


def counts(graph: ArchitectureGraph) -> tuple[int, int]:
    """Parameters and multiply-accumulates of a whole network at its own resolution, dead operators included.

    Raises
    ------
    ProxyError
        A node cannot be counted; the message names its operator and what is missing.
    """
    facts = SizedNetworks(graph.vocabulary).facts(graph)
    if facts.parameters is None or facts.multiply_accumulates is None:
        _check(graph, facts)
        raise ProxyError("a node says its parameters or its multiply-accumulates, and not both.")
    return facts.parameters, facts.multiply_accumulates


def _between(steps: Sequence[Step]) -> list[tuple[int, int]]:
    """Pairs of places: each part begins behind the first, which alone it takes, and ends with the second."""
    needed = list(range(len(steps)))  # by place: the last layer that takes it
    for place, step in enumerate(steps):
        for source in step.sources:
            needed[source] = max(needed[source], place)
    cuts = [0]
    furthest = 0
    for place in range(1, len(steps)):
        furthest = max(furthest, needed[place - 1])
        if furthest <= place:
            cuts.append(place)
    parts: list[tuple[int, int]] = []
    is_open = False  # whether the last part has no multiply-accumulates yet
    for start, end in pairwise(cuts):
        costs = any(step.layer.primitive.multiply_accumulates for step in steps[start + 1 : end + 1])
        if parts and (is_open or not costs):
            parts[-1] = (parts[-1][0], end)
            is_open = is_open and not costs
        else:
            parts.append((start, end))
            is_open = not costs
    return parts


def _check(graph: ArchitectureGraph, facts: NetworkFacts) -> None:
    """Raise at the first node that does not say what it computes, or says other parameters than its layers have."""
    said = SizedNetworks(graph.vocabulary).facts(graph)
    for cell, known, told in zip(graph.cells, facts.nodes, said.nodes, strict=True):
        for node, name in enumerate(cell.operators):
            place = f"cell {cell.name!r}, node {node} ({name})"
            counted = known[node].parameters
            if counted is None:
                raise ProxyError(f"{place} does not say what it computes: {_lack(graph, name, cell.size(node))}.")
            if reason := lacking(graph.vocabulary[name], cell.size(node)):
                raise ProxyError(f"{place} has no layer: {reason}.")
            if told[node].parameters != counted:
                raise ProxyError(
                    f"{place} says that it has {told[node].parameters:,} parameters, and the layers that its other "
                    f"fields describe have {counted:,}, so that they do not say what it is."
                )


def _lack(graph: ArchitectureGraph, name: str, size: Size | None) -> str:
    """What a node would have to say."""
    operator = graph.vocabulary[name]
    if missing := operator.missing(size):
        return f"{missing} is missing (kind is {operator.kind!r}, and nothing is read from descriptions)"
    if operator.counts_as == "linear" and operator.sized(size).channels is None:
        return "channels is missing"
    return f"{operator.counts_as or operator.kind} takes an image, and it is fed with tokens"


def _without_costs(graph: ArchitectureGraph) -> ArchitectureGraph:
    """The graph without what is said of parameters and multiply-accumulates, so that layers have what they have."""
    cells = tuple(replace(cell, sizes=tuple(_bare(size) for size in cell.sizes)) for cell in graph.cells)
    operators = [replace(operator, size=_bare(operator.size)) for operator in graph.vocabulary]
    return replace(graph, cells=cells, vocabulary=Vocabulary(operators))


def _bare(size: Size | None) -> Size | None:
    if size is None or (size.params is None and size.macs is None):
        return size
    return replace(size, params=None, macs=None)
