"""A network as a list of blocks, each with what it takes: the short form from which graphs and arrays are made."""

from __future__ import annotations

from typing import NamedTuple

from catalog.architecture.computation import blocks, layers, primitives
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.graph import ComputationGraph, GraphBuilder
from catalog.architecture.computation.primitives import Shape


class Origin(NamedTuple):
    """The node of a graph that a block is part of: the cell's name, which of its repeats, and the node's place."""

    cell: str
    repetition: int
    node: int


class NetworkPlan:
    """Blocks in an order in which each follows those that it takes; the first one is the network's input.

    Parameters
    ----------
    shape
        What the network takes.

    Attributes
    ----------
    origins
        By the places of blocks where their nodes were noted: these.
    """

    __slots__ = ("blocks", "inputs", "origins")

    def __init__(self, shape: Shape) -> None:
        self.blocks: list[Block] = [blocks.single(layers.given(shape))]
        self.inputs: list[tuple[int, ...]] = [()]
        self.origins: dict[int, Origin] = {}

    def add(self, block: Block, *inputs: int) -> int:
        """Add a block that takes the outputs of those at `inputs`, and return its place."""
        self.blocks.append(block)
        self.inputs.append(inputs)
        return len(self.blocks) - 1

    def total(self, terms: list[int], repeats: int = 1) -> int:
        """The sum of the outputs at `terms`, two by two, and its place; a single term is its own sum."""
        result = terms[0]
        if len(terms) > 1:
            adding = blocks.plain(self.blocks[result].shape, "add", repeats)
            for term in terms[1:]:
                result = self.add(adding, result, term)
        return result

    @property
    def parameters(self) -> int:
        """Trainable parameters of the network, as far as they are known."""
        return sum(block.parameters for block in self.blocks)

    @property
    def multiply_accumulates(self) -> int:
        """Multiply-accumulates of one pass, as far as they are known."""
        return sum(block.multiply_accumulates for block in self.blocks)

    @property
    def root_macs(self) -> float:
        """Square roots of the layers' multiply-accumulates, summed; exact where the plan is not compressed."""
        return sum(block.root_macs for block in self.blocks)

    @property
    def activations(self) -> int:
        """Numbers that the layers with multiply-accumulates give."""
        return sum(block.activations for block in self.blocks)

    def reaching(self, last: int) -> NetworkPlan:
        """The blocks that the one at `last` needs, and that one as the end; what the network takes stays first."""
        used = {0, last}
        for place in range(last, 0, -1):
            if place in used:
                used.update(self.inputs[place])
        kept = sorted(used)
        places = {place: number for number, place in enumerate(kept)}
        plan = NetworkPlan(self.blocks[0].shape)
        for place in kept[1:]:
            plan.add(self.blocks[place], *(places[source] for source in self.inputs[place]))
        plan.origins = {places[place]: origin for place, origin in self.origins.items() if place in places}
        return plan

    def graph(self) -> ComputationGraph:
        """The network as a graph of nodes."""
        builder = GraphBuilder()
        exits: list[int] = []
        for block, sources in zip(self.blocks, self.inputs, strict=True):
            places: list[int] = []
            for layer, inner in zip(block.layers, block.inputs, strict=True):
                taken = [places[place] for place in inner] if places else [exits[source] for source in sources]
                name = layer.primitive.operator.name
                if not taken:
                    places.append(builder.input(name, layer.shape))
                    continue
                weights = {} if layer.parameters == 0 else {object(): layer.parameters}
                shape = layer.shape or None
                places.append(builder.add(layer.primitive, taken, name, shape, weights=weights, repeats=block.repeats))
            exits.append(places[-1])
        return builder.finish(exits[-1:], primitives.plain("gather_outputs"))
