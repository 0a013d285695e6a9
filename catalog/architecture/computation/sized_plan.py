"""The computation graph of a user's whole network, from the sizes of its nodes."""

from __future__ import annotations

from collections.abc import Sequence

from catalog.architecture.computation import blocks, cells, layers, primitives
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.chain import IMAGE
from catalog.architecture.computation.layers import Layer
from catalog.architecture.computation.plan import NetworkPlan, Origin
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.computation.sized_operators import applied, said_shape
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.sizes import NetworkInput, Size

UNKNOWN: Shape = ()
"""The shape of a layer of which none is known."""


class SizedPlans:
    """Makes plans of whole networks of one vocabulary; what one node is at one place is worked out once.

    Parameters
    ----------
    vocabulary
        What the operators are.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._made: dict[tuple[str, Size | None, Shape], Block | None] = {}

    def plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        """The live part of a whole network; None where no path leads from its input to its output.

        Parameters
        ----------
        compressed
            Whether the first of equal applications in a row, of an operator or of a cell, stands for all of them.

        Raises
        ------
        GraphError
            A size is impossible at its place.
        """
        assert graph.input is not None
        plan, start = _begun(graph.input)
        states = [start]
        for cell in graph.cells:
            count = sum(self._vocabulary[name].kind == "input" for name in cell.operators)
            left = cell.repeats
            while left:
                entering = _latest(states, count)
                alike = left if compressed and left > 1 and self._repeats_itself(plan, cell, states, count) else 1
                done = cell.repeats - left
                output = self._add_cell(plan, cell, entering, alike, compressed=compressed, repetition=done)
                if output is None:
                    return None
                states = [*states, *[output] * min(alike, count)]
                left -= alike
        last = states[-1]
        if graph.classes is not None:
            last = _add_head(plan, last, graph.classes)
        return plan.reaching(last)

    def _repeats_itself(self, plan: NetworkPlan, cell: CellGraph, states: Sequence[int], count: int) -> bool:
        """Whether a cell, applied to its own output, takes what it takes now, so that all that follow are equal."""
        shapes = [plan.blocks[state].shape for state in _latest(states, count)]
        trial = NetworkPlan(shapes[0])
        places = [trial.add(blocks.single(layers.given(shape))) for shape in shapes]
        output = self._add_cell(trial, cell, places, 1, compressed=True)
        if output is None:
            return False
        return [*shapes[1:], trial.blocks[output].shape] == shapes

    def _add_cell(
        self,
        plan: NetworkPlan,
        cell: CellGraph,
        entering: Sequence[int],
        copies: int,
        *,
        compressed: bool,
        repetition: int = 0,
    ) -> int | None:
        """Add a cell that stands for so many, and return the place of its output; None where it gives nothing."""
        values: list[int | None] = []
        fed: list[list[int]] = [[] for _ in cell.operators]
        waiting = list(entering)
        taken: dict[int, list[tuple[int, int]]] = {}
        for source, target, count in cell.edges:
            taken.setdefault(target, []).append((source, count))
        for node, name in enumerate(cell.operators):
            operator = self._vocabulary[name]
            if operator.kind == "input":
                values.append(waiting.pop(0))
                continue
            for source, count in taken.get(node, ()):
                value = values[source]
                if value is not None:
                    fed[node] += [value] * count
            dead = not fed[node] or operator.is_zero
            origin = Origin(cell.name, repetition, node)
            values.append(None if dead else self._add_node(plan, cell, origin, operator, fed[node], copies, compressed))
        return values[-1]

    def _add_node(
        self,
        plan: NetworkPlan,
        cell: CellGraph,
        origin: Origin,
        operator: Operator,
        terms: list[int],
        copies: int,
        compressed: bool,
    ) -> int:
        """Gather what feeds a node, and apply its operator as often as it says."""
        value = cells.join(plan, terms, copies) if operator.is_join else plan.total(terms, copies)
        size = cell.size(origin.node)
        left = operator.sized(size).repeats or 1
        while left:
            shape = plan.blocks[value].shape
            block = self._block(operator, size, shape)
            if block is None:
                return value
            alike = left if compressed and block.shape == shape else 1
            value = plan.add(blocks.times(block, alike * copies), value)
            plan.origins[value] = origin
            left -= alike
        return value

    def _block(self, operator: Operator, size: Size | None, shape: Shape) -> Block | None:
        """One application of an operator; None where it changes nothing."""
        key = (operator.name, size, shape)
        if key not in self._made:
            self._made[key] = _made(operator, size, shape)
        return self._made[key]


def _begun(taken: NetworkInput) -> tuple[NetworkPlan, int]:
    """A plan with what a network takes, and where that stands; tokens are looked up where their vocabulary is known."""
    if taken.shape is not None:
        return NetworkPlan((1, *taken.shape)), 0
    tokens, channels = taken.tokens or 0, taken.channels or 0  # which stand there where no image does
    if taken.vocabulary is None:
        return NetworkPlan((1, tokens, channels)), 0
    plan = NetworkPlan((1, tokens))
    return plan, plan.add(blocks.single(layers.embedding((1, tokens), taken.vocabulary, channels)), 0)


def _latest(states: Sequence[int], count: int) -> list[int]:
    """The states that a cell of `count` inputs takes: the latest ones, the oldest first."""
    latest = list(states[-count:])
    return [latest[0]] * (count - len(latest)) + latest


def _add_head(plan: NetworkPlan, last: int, classes: int) -> int:
    shape = plan.blocks[last].shape
    if shape == UNKNOWN:
        unknown = Layer(primitives.linear(None, None), (1, classes), None)
        return plan.add(blocks.single(unknown), last)
    if len(shape) == IMAGE:
        return plan.add(blocks.classifier(shape, classes), last)
    averaged = layers.mean(shape)
    return plan.add(blocks.chain(averaged, layers.linear(averaged.shape, classes)), last)


def _made(operator: Operator, size: Size | None, shape: Shape) -> Block | None:
    if operator.kind == "output" or (size is None and (operator.is_identity or operator.is_join)):
        return None
    found = None if shape == UNKNOWN else applied(operator, size, shape)
    if found is not None:
        return Block(found.layers, found.inputs) if found.layers else None
    said = operator.sized(size) if size is None else size
    given = UNKNOWN if shape == UNKNOWN else said_shape(said, shape) or UNKNOWN
    return blocks.chain(Layer(Primitive(operator, multiply_accumulates=said.macs), given, said.params))
