"""A user's whole network: what flows through each node of its graph, and what each node costs.

The graph says which operator follows which and what is known of each one's size; its input says what goes in. Channels
and resolutions flow from there. What the fields do not say stays unknown: an operator that nobody can count costs None,
and so does what comes after one whose shape is not known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

from catalog.architecture.computation import layers
from catalog.architecture.computation.layers import Layer
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.computation.sized_layers import IMAGE, Laid, laid
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.sizes import NetworkInput, Size
from catalog.errors import GraphError

_MOST_COPIES = 100_000
"""Applications of operators in one network, repeats counted."""

_MOST_KEPT = 2**17
"""Operators with their sizes and places whose costs are remembered."""


class NodeFacts(NamedTuple):
    """What is known of one node of a whole network, the repeats of the node and of its cell all together.

    Parameters
    ----------
    shape
        Of the output of the last repeat, batch first; None where it is not known.
    parameters, multiply_accumulates
        None where they are not known.
    """

    shape: Shape | None
    parameters: int | None
    multiply_accumulates: int | None

    def then(self, later: NodeFacts) -> NodeFacts:
        """Both together, where the same node is applied once more."""
        return NodeFacts(
            later.shape,
            _plus(self.parameters, later.parameters),
            _plus(self.multiply_accumulates, later.multiply_accumulates),
        )


@dataclass(frozen=True)
class NetworkFacts:
    """What follows from the sizes of a whole network.

    Parameters
    ----------
    nodes
        For each cell, what is known of each of its nodes.
    parameters, multiply_accumulates
        Of the whole network, its head included; None where an operator cannot be counted.
    root_macs
        Sum over all layers of the square root of their multiply-accumulates; None as above.
    activations
        Numbers that convolutions, linear maps and attentions give, for one input; None as above.
    weighted_depth
        Layers with multiply-accumulates on the longest path; None as above.
    """

    nodes: tuple[tuple[NodeFacts, ...], ...]
    parameters: int | None
    multiply_accumulates: int | None
    root_macs: float | None
    activations: int | None
    weighted_depth: int | None

    def ordered(self, orders: Iterable[Sequence[int]]) -> NetworkFacts:
        """The same with the nodes of each cell in another order, told by their present places."""
        nodes = [tuple([cell[node] for node in order]) for cell, order in zip(self.nodes, orders, strict=True)]
        return replace(self, nodes=tuple(nodes))


class SizedNetworks:
    """Finds out what flows through whole networks of one vocabulary; what one node does is worked out once.

    Parameters
    ----------
    vocabulary
        What the operators are.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._applied: dict[tuple[str, Size | None, Shape], _Costs] = {}
        self._heads: dict[tuple[int, int], _Costs] = {}

    def facts(self, graph: ArchitectureGraph) -> NetworkFacts:
        """What is known of each node, and of the whole.

        Raises
        ------
        GraphError
            A size is impossible at its place; the message names the cell and the node.
        """
        if graph.input is None:
            raise ValueError(f"{graph!r} is no whole network: it has no input")
        start = _entering(graph.input)
        run = _Run(start.shape)
        run.count(start)
        nodes = []
        for cell in graph.cells:
            incoming: list[list[tuple[int, int]]] = [[] for _ in cell.operators]
            for source, target, copies in cell.edges:
                incoming[target].append((source, copies))
            facts = self._cell(cell, incoming, run)
            for _ in range(cell.repeats - 1):
                facts = [before.then(now) for before, now in zip(facts, self._cell(cell, incoming, run), strict=True)]
            nodes.append(tuple(facts))
        if graph.classes is not None:
            run.count(self._head(run.states[-1].shape, graph.classes))
        return run.network(tuple(nodes))

    def _head(self, shape: Shape | None, classes: int) -> _Costs:
        """The mean over pixels or tokens, and a linear map with bias."""
        if shape is None:
            return _Costs(None, None, None)
        key = (layers.channels_of(shape), classes)
        if key not in self._heads:
            self._heads[key] = _of_layers([layers.linear((1, key[0]), classes)])
        return self._heads[key]

    def _cell(self, cell: CellGraph, incoming: Sequence[Sequence[tuple[int, int]]], run: _Run) -> list[NodeFacts]:
        """Apply a cell once to the states before it; what is known of each node then."""
        states: list[_State | None] = []
        facts: list[NodeFacts] = []
        operators = [self._vocabulary[name] for name in cell.operators]
        entering = run.entering(sum(operator.kind == "input" for operator in operators))
        for node, operator in enumerate(operators):
            if operator.kind == "input":
                state = entering.pop(0)
                states.append(state)
                facts.append(NodeFacts(state.shape, 0, 0))
                continue
            fed = [(before, copies) for source, copies in incoming[node] if (before := states[source]) is not None]
            if not fed or operator.is_zero:  # no data reaches it, or none goes on from it
                states.append(None)
                facts.append(NodeFacts(None, 0, 0))
                continue
            state, known = self._node(cell, node, operator, fed, run)
            states.append(state)
            facts.append(known)
        if states[-1] is not None:
            run.states.append(states[-1])
        return facts

    def _node(
        self, cell: CellGraph, node: int, operator: Operator, fed: Sequence[tuple[_State, int]], run: _Run
    ) -> tuple[_State, NodeFacts]:
        """The state that a node gives, and what is known of it."""
        size = cell.size(node)
        try:
            costs = self._costs(operator, size, _gathered(operator, fed))
            run.count(costs)
            depth = max(state.depth for state, _ in fed) + costs.depth
            known = costs.node
            for _ in range((size.repeats or 1) - 1 if size is not None else 0):
                costs = self._costs(operator, size, costs.shape)
                run.count(costs)
                depth += costs.depth
                known = known.then(costs.node)
        except GraphError as error:
            raise GraphError(f"cell {cell.name!r}, node {node} ({operator.name}): {error}") from None
        return _State(costs.shape, depth), known

    def _costs(self, operator: Operator, size: Size | None, shape: Shape | None) -> _Costs:
        if shape is None:
            return _without_shape(operator, size)
        key = (operator.name, size, shape)
        found = self._applied.get(key)
        if found is None:
            if len(self._applied) >= _MOST_KEPT:
                self._applied.clear()
            found = self._applied[key] = _counted(operator, size, shape)
        return found


@lru_cache(maxsize=1)
def sized_networks(vocabulary: Vocabulary) -> SizedNetworks:
    """The networks of a vocabulary, the same object for as long as nobody asks for another one."""
    return SizedNetworks(vocabulary)


class _State(NamedTuple):
    """What flows: its shape, and the layers with multiply-accumulates that it has passed."""

    shape: Shape | None
    depth: int


@dataclass(frozen=True, slots=True)
class _Costs:
    """What one application of one operator gives and costs; `node` says the first three in one."""

    shape: Shape | None
    parameters: int | None = 0
    multiply_accumulates: int | None = 0
    root: float = 0.0
    activations: int = 0
    depth: int = 0
    node: NodeFacts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "node", NodeFacts(self.shape, self.parameters, self.multiply_accumulates))


class _Run:
    """One pass through a network: the states that cells gave, and all costs so far."""

    def __init__(self, shape: Shape | None) -> None:
        self.states = [_State(shape, 0)]
        self._costs: list[_Costs] = []

    def entering(self, count: int) -> list[_State]:
        """The states that a cell of `count` inputs takes: the latest ones, the oldest first."""
        latest = self.states[-count:]
        return [latest[0]] * (count - len(latest)) + latest

    def count(self, costs: _Costs) -> None:
        self._costs.append(costs)
        if len(self._costs) > _MOST_COPIES:
            raise GraphError(f"the network applies more than {_MOST_COPIES:,} operators, repeats counted.")

    def network(self, nodes: tuple[tuple[NodeFacts, ...], ...]) -> NetworkFacts:
        parameters = _total([costs.parameters for costs in self._costs])
        multiply_accumulates = _total([costs.multiply_accumulates for costs in self._costs])
        if multiply_accumulates is None:
            return NetworkFacts(nodes, parameters, None, None, None, None)
        return NetworkFacts(
            nodes,
            parameters,
            multiply_accumulates,
            math.fsum([costs.root for costs in self._costs]),  # exact, so that the order of the nodes changes nothing
            sum([costs.activations for costs in self._costs]),
            self.states[-1].depth,
        )


def _total(numbers: Sequence[int | None]) -> int | None:
    return None if None in numbers else sum(number or 0 for number in numbers)


def _plus(total: int | None, more: int | None) -> int | None:
    return None if total is None or more is None else total + more


def _entering(taken: NetworkInput) -> _Costs:
    """What goes in, the look-up of tokens' vectors included where the vocabulary is known."""
    if taken.shape is not None:
        return _Costs((1, *taken.shape))
    tokens, channels = taken.tokens or 0, taken.channels or 0  # which stand there where no image does
    return _Costs((1, tokens, channels), (taken.vocabulary or 0) * channels)


def _gathered(operator: Operator, fed: Sequence[tuple[_State, int]]) -> Shape | None:
    """The shape that an operator is applied to: its inputs added, or side by side."""
    if len(fed) == 1 and not operator.is_join:
        return fed[0][0].shape
    shapes = [state.shape for state, _ in fed]
    if any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    if operator.is_join:
        rest = {_without_channels(shape) for shape in known}
        if len(rest) > 1:
            raise GraphError(f"it joins {_listed(known)}, which differ in more than their channels.")
        width = sum(layers.channels_of(shape) * copies for shape, (_, copies) in zip(known, fed, strict=True))
        first = known[0]
        return (first[0], width, *first[2:]) if len(first) == IMAGE else (*first[:-1], width)
    if len(set(known)) > 1:
        raise GraphError(f"it adds {_listed(known)}, which do not meet.")
    return known[0]


def _without_channels(shape: Shape) -> Shape:
    return shape[2:] if len(shape) == IMAGE else shape[:-1]


def _listed(shapes: Sequence[Shape]) -> str:
    return " and ".join("x".join(map(str, shape[1:])) for shape in dict.fromkeys(shapes))


def _without_shape(operator: Operator, size: Size | None) -> _Costs:
    """An operator behind one whose shape nobody knows: what its node says itself is all."""
    if operator.kind == "output" or (operator.is_identity and size is None):
        return _Costs(None)
    said = size or Size()
    return _Costs(None, said.params, said.macs)


def _counted(operator: Operator, size: Size | None, shape: Shape) -> _Costs:
    found = applied(operator, size, shape)
    if found is None:
        known = Size() if size is None else size
        return _Costs(said_shape(known, shape), known.params, known.macs)
    return _of_layers(found.layers, found.shape) if found.layers else _Costs(shape)


def applied(operator: Operator, size: Size | None, shape: Shape) -> Laid | None:
    """The layers of one application of a node's operator; without layers where it changes nothing.

    None where its fields do not say what it is. What its node says of parameters and multiply-accumulates holds before
    what is counted.
    """
    if operator.kind == "output" or ((operator.is_identity or operator.is_join) and size is None):
        return Laid((), ())
    said = operator.sized(size)
    if operator.kind == "skip":
        found = _projection(said, shape)
    elif operator.is_identity or operator.is_join:
        found = Laid((), ())
    else:
        generic = operator.counts_as
        found = None if generic is None or operator.missing(size) else laid(generic, said, shape)
    if found is not None and (said.params is not None or said.macs is not None):
        return _as_said(found, said)
    return found


def _projection(said: Size, shape: Shape) -> Laid | None:
    """A skip that changes the shape: a convolution 1 by 1 and its normalisation; without a size the identity."""
    if said.channels is None and said.stride is None and said.kernel is None:
        return Laid((), ())
    usual = Size(kernel=1, activation=False)
    known = {name: value for name in vars(usual) if (value := getattr(said, name, None)) is not None}
    return laid("conv", Size(**{"kernel": 1, "activation": False, **known}), shape)


def _as_said(found: Laid, said: Size) -> Laid | None:
    """Layers whose costs are what the source says, all on the last one."""
    if not found.layers:
        return None
    *before, last = found.layers
    counted_parameters = sum(layer.parameters or 0 for layer in found.layers)
    costs = [layer.primitive.multiply_accumulates or 0 for layer in found.layers]
    parameters = counted_parameters if said.params is None else said.params
    multiply_accumulates = sum(costs) if said.macs is None else said.macs
    free = tuple(layer.costing(0, 0) for layer in before)
    return Laid((*free, last.costing(parameters, multiply_accumulates)), found.inputs)


def said_shape(said: Size, shape: Shape) -> Shape | None:
    """What an unknown operator gives: nothing is known of it unless its node says the channels."""
    if said.channels is None or said.channels != int(said.channels):
        return None
    channels = int(said.channels)
    if len(shape) != IMAGE:
        return (*shape[:-1], channels)
    steps = said.stride or 1
    strides = steps if isinstance(steps, tuple) else (steps, steps)
    return (shape[0], channels, *(-(-edge // step) for edge, step in zip(shape[2:], strides, strict=True)))


def _of_layers(found: Sequence[Layer], shape: Shape | None = None) -> _Costs:
    costs = [layer.primitive.multiply_accumulates for layer in found]
    total = None if None in costs else sum(cost or 0 for cost in costs)
    counted = [(layer, cost) for layer, cost in zip(found, costs, strict=True) if cost]
    activations = 0
    for layer, _ in counted:
        size = 1
        for edge in layer.shape:
            size *= edge
        activations += size
    return _Costs(
        shape if shape is not None else found[-1].shape,
        sum(layer.parameters or 0 for layer in found),
        total,
        sum(cost**0.5 for _, cost in counted),
        activations,
        len(counted),
    )
