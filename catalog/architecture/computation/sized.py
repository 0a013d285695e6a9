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
from catalog.architecture.computation.chain import IMAGE
from catalog.architecture.computation.layers import Layer
from catalog.architecture.computation.node_error import NodeError
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.computation.sized_operators import applied, said_shape
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.sizes import LARGEST, LARGEST_COUNT, NetworkInput, Size
from catalog.errors import GraphError

_MOST_COPIES = 100_000
"""Applications of operators in one network, repeats counted."""

_MOST_KEPT = 2**17
"""Operators with their sizes and places whose costs are remembered."""

_MOST_CELLS = 2**12
"""Cells, with the states that enter them, of which the same is remembered."""


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
        Of the whole network, its head included; None where an operator cannot be counted, or nothing at all feeds a
        cell's output.
    root_macs
        Sum over all layers of the square root of their multiply-accumulates; None as above.
    activations
        Numbers that convolutions, linear maps and attentions give, for one input; None as above.
    """

    nodes: tuple[tuple[NodeFacts, ...], ...]
    parameters: int | None
    multiply_accumulates: int | None
    root_macs: float | None
    activations: int | None

    def ordered(self, orders: Iterable[Sequence[int]]) -> NetworkFacts:
        """The same with the nodes of each cell in another order, told by their present places."""
        nodes = [tuple([cell[node] for node in order]) for cell, order in zip(self.nodes, orders, strict=True)]
        return replace(self, nodes=tuple(nodes))


def check_applications(cells: Sequence[CellGraph]) -> None:
    """Check that the operators of some cells can be counted, repeats of nodes and of cells included.

    Raises
    ------
    GraphError
        They are applied more often.
    """
    count = sum(cell.repeats * sum(cell.applications()) for cell in cells)
    if count > _MOST_COPIES:
        raise GraphError(f"it applies {count:,} operators, repeats counted; {_MOST_COPIES:,} is the most.")


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
        self._passed: dict[tuple[object, ...], _Passed] = {}

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
            facts = self._cell(cell, run)
            for _ in range(cell.repeats - 1):
                facts = [before.then(now) for before, now in zip(facts, self._cell(cell, run), strict=True)]
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

    def _cell(self, cell: CellGraph, run: _Run) -> Sequence[NodeFacts]:
        """Apply a cell once to the states before it; what is known of each node then.

        A cell that graphs share is worked out once for equal states.
        """
        entering = run.entering(sum(self._vocabulary[name].kind == "input" for name in cell.operators))
        key = (id(cell), *entering)
        passed = self._passed.get(key)
        if passed is None:
            if len(self._passed) >= _MOST_CELLS:
                self._passed.clear()
            passed = self._passed[key] = _Passed(cell, *self._through(cell, entering, run))
        else:
            for costs in passed.costs:
                run.count(costs)
        run.states.append(passed.state)
        return passed.facts

    def _through(
        self, cell: CellGraph, entering: list[_State], run: _Run
    ) -> tuple[_State, list[NodeFacts], Sequence[_Costs]]:
        """What a cell gives, what is known of its nodes, and what was counted."""
        incoming: list[list[tuple[int, int]]] = [[] for _ in cell.operators]
        for source, target, copies in cell.edges:
            incoming[target].append((source, copies))
        states: list[_State | None] = []
        facts: list[NodeFacts] = []
        begin = len(run.costs)
        for node, operator in enumerate([self._vocabulary[name] for name in cell.operators]):
            if operator.kind == "input":
                state = entering.pop(0)
                states.append(state)
                facts.append(NodeFacts(state.shape, 0, 0))
                continue
            fed = [(before, copies) for source, copies in incoming[node] if (before := states[source]) is not None]
            if not fed:  # no data reaches it
                states.append(None)
                facts.append(NodeFacts(None, 0, 0))
                continue
            state, known = self._node(cell, node, operator, fed, run)
            states.append(state)
            facts.append(known)
        return states[-1] or _NOTHING, facts, run.costs[begin:]

    def _node(
        self, cell: CellGraph, node: int, operator: Operator, fed: Sequence[_Fed], run: _Run
    ) -> tuple[_State, NodeFacts]:
        """The state that a node gives, and what is known of it."""
        size = cell.size(node)
        live = [one for one in fed if one[0].is_live]
        try:
            costs = self._costs(operator, size, _gathered(operator, live or fed))
            run.count(costs)
            known = costs.node
            for _ in range(_repeats(operator, size) - 1):
                costs = self._costs(operator, size, costs.shape)
                run.count(costs)
                known = known.then(costs.node)
        except GraphError as error:
            raise NodeError(cell.name, node, operator.name, str(error)) from None
        return _State(costs.shape, is_live=bool(live) and not operator.is_zero), known

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
    """What flows: its shape, and whether it is no zero."""

    shape: Shape | None
    is_live: bool = True


_NOTHING = _State(None, is_live=False)
"""What a cell gives whose output nothing reaches."""


class _Passed(NamedTuple):
    """A cell that was applied, which has to stay there for its identity to mean it, and what came of it."""

    cell: CellGraph
    state: _State
    facts: Sequence[NodeFacts]
    costs: Sequence[_Costs]


_Fed = tuple[_State, int]
"""What feeds a node, and how many times."""


@dataclass(frozen=True, slots=True)
class _Costs:
    """What one application of one operator gives and costs; `node` says the first three in one."""

    shape: Shape | None
    parameters: int | None = 0
    multiply_accumulates: int | None = 0
    root: float = 0.0
    activations: int | None = 0
    node: NodeFacts = field(init=False)
    most: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "most", max(self.parameters or 0, self.multiply_accumulates or 0))
        object.__setattr__(self, "node", NodeFacts(self.shape, self.parameters, self.multiply_accumulates))


class _Run:
    """One pass through a network: the states that cells gave, and the costs so far."""

    def __init__(self, shape: Shape | None) -> None:
        self.states = [_State(shape)]
        self.costs: list[_Costs] = []
        self._largest = 0

    def entering(self, count: int) -> list[_State]:
        """The states that a cell of `count` inputs takes: the latest ones, the oldest first."""
        latest = self.states[-count:]
        return [latest[0]] * (count - len(latest)) + latest

    def count(self, costs: _Costs) -> None:
        self.costs.append(costs)
        if len(self.costs) > _MOST_COPIES:
            raise GraphError(f"the network applies more than {_MOST_COPIES:,} operators, repeats counted.")
        self._largest += costs.most
        if self._largest > LARGEST_COUNT:
            raise GraphError(
                f"the network has {self._largest:,} parameters or multiply-accumulates up to here; the most is "
                f"{LARGEST_COUNT:,}."
            )
        if costs.shape is not None and max(costs.shape) > LARGEST:
            raise GraphError(f"it gives {_listed([costs.shape])}; an edge of {LARGEST:,} is the most.")

    def network(self, nodes: tuple[tuple[NodeFacts, ...], ...]) -> NetworkFacts:
        if any(state is _NOTHING for state in self.states):
            return NetworkFacts(nodes, None, None, None, None)
        parameters = _total([costs.parameters for costs in self.costs])
        multiply_accumulates = _total([costs.multiply_accumulates for costs in self.costs])
        if multiply_accumulates is None:
            return NetworkFacts(nodes, parameters, None, None, None)
        return NetworkFacts(
            nodes,
            parameters,
            multiply_accumulates,
            math.fsum([costs.root for costs in self.costs]),  # exact, so that the order of the nodes changes nothing
            _total([costs.activations for costs in self.costs]),
        )


def _total(numbers: Sequence[int | None]) -> int | None:
    return None if None in numbers else sum(number or 0 for number in numbers)


def _repeats(operator: Operator, size: Size | None) -> int:
    """How many times a node's operator is applied in a row, as `Operator.sized` says it at a higher price."""
    of_operator = 1 if operator.size is None else operator.size.repeats or 1
    return of_operator if size is None else of_operator * (size.repeats or 1)


def _plus(total: int | None, more: int | None) -> int | None:
    return None if total is None or more is None else total + more


def _entering(taken: NetworkInput) -> _Costs:
    """What goes in, the look-up of tokens' vectors included where the vocabulary is known."""
    if taken.shape is not None:
        return _Costs((1, *taken.shape))
    tokens, channels = taken.tokens or 0, taken.channels or 0  # which stand there where no image does
    return _Costs((1, tokens, channels), (taken.vocabulary or 0) * channels)


def _gathered(operator: Operator, fed: Sequence[_Fed]) -> Shape | None:
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
    said = size or Size()
    passes = (operator.is_identity or operator.is_join) and operator.changes_nothing(size)
    if operator.kind in ("output", "none") or passes:
        return _Costs(None)
    return _as_one_layer(None, said)


def _counted(operator: Operator, size: Size | None, shape: Shape) -> _Costs:
    found = applied(operator, size, shape)
    if found is None:
        said = Size() if size is None else size
        return _as_one_layer(said_shape(said, shape), said)
    return _of_layers(found.layers, found.shape) if found.layers else _Costs(shape)


def _as_one_layer(shape: Shape | None, said: Size) -> _Costs:
    """What is said of an operator that nobody here can take apart."""
    cost = said.macs
    if not cost:
        return _Costs(shape, said.params, cost)
    return _Costs(shape, said.params, cost, cost**0.5, None if shape is None else math.prod(shape))


def _of_layers(found: Sequence[Layer], shape: Shape | None = None) -> _Costs:
    costs = [layer.primitive.multiply_accumulates for layer in found]
    total = None if None in costs else sum(cost or 0 for cost in costs)
    counted = [(layer, cost) for layer, cost in zip(found, costs, strict=True) if cost]
    return _Costs(
        shape if shape is not None else found[-1].shape,
        sum(layer.parameters or 0 for layer in found),
        total,
        sum(cost**0.5 for _, cost in counted),
        sum(math.prod(layer.shape) for layer, _ in counted),
    )
