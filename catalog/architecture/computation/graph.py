"""A network as a graph of primitive operators with shapes and costs, built or traced."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Operator, Vocabulary
from catalog.errors import IngestError

MOST_NODES = 2_000
"""Nodes of one network: its canonical form works on matrices of this size."""

_LONGEST_SETTINGS = 1_000
_MOST_COUNTED = 2**60  # costs stand in 64 bits; what is beyond is no network but a hostile file
_COMMUTATIVE = ("add", "multiply")
_INPUT = Primitive(VOCABULARY["input"])
_OUTPUT = Primitive(VOCABULARY["output"])


@dataclass(frozen=True)
class ComputationNode:
    """One node.

    Parameters
    ----------
    primitive
        What it computes.
    inputs
        The nodes that it takes, in the order of its operands.
    name
        Its name in the module or file.
    shape
        Of its output, batch first; None where it is not known.
    parameters
        Trainable ones that no earlier node uses; None where they are not known.
    settings
        Further constants that it was called with, as text.
    repeats
        How many equal nodes it stands for, one behind the other; `parameters` and the multiply-accumulates of
        `primitive` are those of all of them together.
    is_compared
        Whether shapes, windows and settings tell all that it computes: it takes no weight, and nothing else of which
        nobody compares the numbers.
    """

    primitive: Primitive
    inputs: tuple[int, ...]
    name: str
    shape: Shape | None
    parameters: int | None = 0
    settings: str = ""
    repeats: int = 1
    is_compared: bool = True

    @property
    def label(self) -> str:
        """All that decides what the node computes, whatever its weights."""
        primitive = self.primitive
        shown = (primitive.operator.name, self.shape, primitive.kernel, primitive.stride, primitive.groups)
        copies = () if self.repeats == 1 else (f"{self.repeats} times",)
        return "|".join(map(str, (*shown, self.parameters, self.settings, *copies)))

    @property
    def is_ordered(self) -> bool:
        """Whether its operands cannot change places."""
        return self.primitive.operator.name not in _COMMUTATIVE or "alpha=" in self.settings


@dataclass(frozen=True)
class ComputationGraph:
    """One network: its inputs first, its output last, every node after those that it takes."""

    nodes: tuple[ComputationNode, ...]

    @property
    def parameters(self) -> int | None:
        """Trainable parameters of all nodes, shared ones counted once; None where a node's are not known."""
        return _total([node.parameters for node in self.nodes])

    @property
    def multiply_accumulates(self) -> int | None:
        """Cost of one pass over the traced input; None where a shape is not known."""
        return _total([node.primitive.multiply_accumulates for node in self.nodes])

    @cached_property
    def live(self) -> tuple[ComputationNode, ...]:
        """The nodes on a path from an input to the output."""
        fed: set[int] = set()
        used = {len(self.nodes) - 1}
        for place, node in enumerate(self.nodes):
            if node.primitive == _INPUT or fed.intersection(node.inputs):
                fed.add(place)
        for place in reversed(range(len(self.nodes))):
            if place in used:
                used.update(self.nodes[place].inputs)
        return tuple(self.nodes[place] for place in sorted(fed & used))

    @property
    def live_parameters(self) -> int | None:
        """`parameters` of the nodes on a path from an input to the output."""
        return _total([node.parameters for node in self.live])

    @property
    def live_multiply_accumulates(self) -> int | None:
        """`multiply_accumulates` of the nodes on a path from an input to the output."""
        return _total([node.primitive.multiply_accumulates for node in self.live])

    @cached_property
    def operators(self) -> tuple[Operator, ...]:
        """Operators that are not built in, or are described otherwise there."""
        found = {node.primitive.operator.name: node.primitive.operator for node in self.nodes}
        return tuple(
            operator
            for name, operator in sorted(found.items())
            if name not in VOCABULARY or VOCABULARY[name] != operator
        )

    @cached_property
    def digest(self) -> str:
        """32 hexadecimal digits, equal for networks with the same operators, shapes, windows, costs and settings.

        It holds what the operators' names leave out: a convolution 3 by 3 of 32 channels is not one of 64.
        """
        labels: dict[str, str] = {}
        names, edges = [], []
        for node in self.nodes:
            ends = node.primitive in (_INPUT, _OUTPUT) or node.primitive.operator.is_identity
            name = node.primitive.operator.name if ends else node.label
            pure = node.primitive.operator.is_pure and node.is_compared and node.parameters == 0 and not ends
            kind = node.primitive.operator.kind if ends else "reshape" if pure else "other"
            labels[name] = "other" if labels.get(name) == "other" else kind
            names.append(name)
        for target, node in enumerate(self.nodes):
            if len(node.inputs) < 2 or not node.is_ordered:
                edges += [(source, target) for source in node.inputs]
                continue
            for place, source in enumerate(node.inputs):  # the order of the operands, as nodes of their own
                labels[f"operand {place}"] = "reshape"
                names.append(f"operand {place}")
                edges += [(source, len(names) - 1), (len(names) - 1, target)]
        shapes = "".join(str(node.shape) for node in self.nodes if node.primitive == _INPUT)
        vocabulary = Vocabulary(Operator(name, kind, name, name, name) for name, kind in labels.items())
        cell = CellGraph.build(f"traced {shapes}", names, edges, vocabulary=vocabulary)
        return ArchitectureGraph("traced", (cell,), vocabulary).digest

    def cell(self) -> CellGraph:
        """The network as one cell; its name ends in digits of `digest`, so that the canonical digest covers it too."""
        edges = [(source, target) for target, node in enumerate(self.nodes) for source in node.inputs]
        names = [node.primitive.operator.name for node in self.nodes]
        return CellGraph.build(
            f"network_{self.digest[:12]}", names, edges, vocabulary=VOCABULARY.extended(self.operators)
        )

    def graph(self, space: str, vocabulary: Vocabulary | None = None) -> ArchitectureGraph:
        """The native graph as an architecture of a space."""
        return ArchitectureGraph(space, (self.cell(),), vocabulary or VOCABULARY.extended(self.operators))

    def operator_counts(self) -> Mapping[str, int]:
        """Operator name to number of nodes, inputs and output included."""
        return Counter(node.primitive.operator.name for node in self.nodes)

    def __repr__(self) -> str:
        parameters, cost = (
            "unknown" if total is None else f"{total:,}" for total in (self.parameters, self.multiply_accumulates)
        )
        return f"ComputationGraph({len(self.nodes)} nodes, {parameters} parameters, {cost} multiply-accumulates)"


@dataclass
class GraphBuilder:
    """A traced graph under construction; nodes are added in an order in which each follows what it takes."""

    nodes: list[ComputationNode] = field(default_factory=list)
    _counted: set[object] = field(default_factory=set)

    def input(self, name: str, shape: Shape | None) -> int:
        """Add an input; all of them come before anything else."""
        return self._append(ComputationNode(_INPUT, (), name, shape))

    def add(
        self,
        primitive: Primitive,
        inputs: Sequence[int],
        name: str,
        shape: Shape | None,
        *,
        weights: Mapping[object, int | None] | None = None,
        settings: str = "",
        repeats: int = 1,
        is_compared: bool = True,
    ) -> int:
        """Add a node and return its place.

        Parameters
        ----------
        weights
            Identity of each trainable weight that the node uses, and its number of parameters, None if that is not
            known; a weight that an earlier node used is not counted again.
        repeats
            How many equal nodes it stands for; weights and multiply-accumulates are those of all of them together.
        """
        fresh = {key: count for key, count in (weights or {}).items() if key not in self._counted}
        self._counted.update(fresh)
        text = settings
        if len(settings) > _LONGEST_SETTINGS:
            text = f"{settings[:_LONGEST_SETTINGS]}… {hashlib.sha256(settings.encode()).hexdigest()[:12]}"
        if (primitive.multiply_accumulates or 0) > _MOST_COUNTED:
            primitive = replace(primitive, multiply_accumulates=None)
        compared = is_compared and not weights
        parameters = _total(list(fresh.values()))
        return self._append(ComputationNode(primitive, tuple(inputs), name, shape, parameters, text, repeats, compared))

    def finish(self, outputs: Sequence[int], gather: Primitive) -> ComputationGraph:
        """Add the output; several results are put together by a node `gather` first.

        Raises
        ------
        IngestError
            No result is computed from an input.
        """
        if not outputs:
            raise IngestError("no result of the network is computed from its input; nothing was stored.")
        if len(outputs) > 1:
            outputs = [self.add(gather, outputs, "outputs", None)]
        last = outputs[0]
        self._append(ComputationNode(_OUTPUT, (last,), "output", self.nodes[last].shape))
        return ComputationGraph(tuple(self.nodes))

    def _append(self, node: ComputationNode) -> int:
        if len(self.nodes) >= MOST_NODES:
            raise IngestError(
                f"the network has more than {MOST_NODES} primitive operators, the most that is possible; nothing was "
                "stored. Trace a part of it."
            )
        self.nodes.append(node)
        return len(self.nodes) - 1


def _total(costs: Sequence[int | None]) -> int | None:
    return None if None in costs else sum(cost for cost in costs if cost is not None)
