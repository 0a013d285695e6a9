"""The same network told otherwise: in other words, at another grain, with its nodes in another order.

Every function gives the other telling, or None where the network leaves nothing to tell otherwise. What is the same is
not claimed here but counted: tellings of a whole network must have equal parameters and multiply-accumulates, layer by
layer (`equal_counts`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from catalog.architecture.computation.sized import NetworkFacts, SizedNetworks
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import Operator, Vocabulary
from catalog.architecture.sizes import FIELDS, Size
from catalog.errors import GraphError

ENDS = frozenset({"input", "output"})
Rewrite = Callable[[ArchitectureGraph, random.Random], ArchitectureGraph | None]


# Words


def renamed(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """Every operator under a name of the user's own, with the same facts and the same descriptions."""
    return _with_operators(graph, lambda place, one: replace(one, name=f"my_{place}_{draw.randrange(1000)}"))


def reworded(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """Every operator with the same name and facts, described by a paraphrase."""
    opening = draw.choice(["Our layer. {}", "{}, as usual", "A building block: {}", "{} (see the paper)"])

    def said(_: int, one: Operator) -> Operator:
        sentence = opening.format(one.long)
        return replace(one, short=sentence, medium=sentence, long=sentence)

    return _with_operators(graph, said)


def _with_operators(graph: ArchitectureGraph, change: Callable[[int, Operator], Operator]) -> ArchitectureGraph:
    used = dict.fromkeys(name for cell in graph.cells for name in cell.operators)
    made: dict[str, Operator] = {}
    for place, name in enumerate(used):
        operator = graph.vocabulary[name]
        made[name] = operator if operator.kind in ENDS else change(place, operator)
    cells = tuple(replace(cell, operators=tuple(made[name].name for name in cell.operators)) for cell in graph.cells)
    return replace(graph, cells=cells, vocabulary=graph.vocabulary.extended(made.values()))


def told_by_operators(graph: ArchitectureGraph, _: random.Random) -> ArchitectureGraph | None:
    """What nodes say of their windows, groups and inner widths, said by operators of the user's own instead."""
    made: dict[str, Operator] = {}
    cells = []
    for cell in graph.cells:
        names, sizes = list(cell.operators), list(cell.sizes)
        for node, size in enumerate(sizes):
            said = said_of(size)
            moved = {fact: said.pop(fact) for fact in _OF_OPERATORS if fact in said}
            operator = graph.vocabulary[names[node]]
            if moved and operator.size is None and operator.kind not in ENDS:
                own = replace(operator, name=f"{operator.name} {size_of(moved)}", kernel=None, size=size_of(moved))
                made[own.name] = own
                names[node], sizes[node] = own.name, size_of(said)
        cells.append(replace(cell, operators=tuple(names), sizes=tuple(sizes)))
    return replace(graph, cells=tuple(cells), vocabulary=graph.vocabulary.extended(made.values())) if made else None


_OF_OPERATORS = ("kernel", "dilation", "groups", "expansion", "mlp_ratio", "squeeze")


# Order


def reordered(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """The nodes of every cell in another topological order; None where there is only one."""
    cells = tuple(_shuffled(cell, graph.vocabulary, draw) for cell in graph.cells)
    return None if cells == graph.cells else replace(graph, cells=cells)


def _shuffled(cell: CellGraph, vocabulary: Vocabulary, draw: random.Random) -> CellGraph:
    kinds = [vocabulary[name].kind for name in cell.operators]
    sources: list[set[int]] = [set() for _ in cell.operators]
    for source, target, _ in cell.edges:
        sources[target].add(source)
    order = [node for node, kind in enumerate(kinds) if kind == "input"]
    waiting = [node for node, kind in enumerate(kinds) if kind not in ENDS]
    while waiting:
        node = draw.choice([node for node in waiting if sources[node] <= set(order)])
        waiting.remove(node)
        order.append(node)
    return cell.ordered([*order, kinds.index("output")])


# Grain


@dataclass
class CellDraft:
    """A cell as lists that can be rewritten."""

    operators: list[str]
    sizes: list[Size | None]
    edges: list[tuple[int, int, int]]

    @classmethod
    def of(cls, cell: CellGraph) -> CellDraft:
        sizes = list(cell.sizes) or [None] * cell.node_count
        return cls(list(cell.operators), sizes, list(cell.edges))

    def replace(self, node: int, parts: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
        """A chain of nodes in the place of one; the first keeps its place and takes what it took."""
        name, said = parts[0]
        self.operators[node], self.sizes[node] = name, size_of(said)
        last = node
        for name, said in parts[1:]:
            self.operators.append(name)
            self.sizes.append(size_of(said))
            self.edges.append((last, len(self.operators) - 1, 1))
            last = len(self.operators) - 1
        if last != node:
            chain = set(range(len(self.operators) - len(parts) + 1, len(self.operators)))
            self.edges = [
                (last, target, copies) if source == node and target not in chain else (source, target, copies)
                for source, target, copies in self.edges
            ]

    def built(self, cell: CellGraph, vocabulary: Vocabulary, name: str | None = None) -> CellGraph:
        return CellGraph.build(
            name or cell.name,
            self.operators,
            self.edges,
            reduction=cell.reduction,
            vocabulary=vocabulary,
            sizes=self.sizes,
            repeats=cell.repeats,
        )


def size_of(said: Mapping[str, Any]) -> Size | None:
    """The size of what is said; None where nothing is."""
    found = Size.of({name: list(value) if isinstance(value, tuple) else value for name, value in said.items()})
    return None if found == Size() else found


def said_of(size: Size | None) -> dict[str, Any]:
    """What a size says."""
    return {} if size is None else {name: value for name in FIELDS if (value := getattr(size, name)) is not None}


def taken_apart(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """Convolutions and linear maps as convolution, normalisation and activation, each a node of its own."""
    return _rewritten(graph, draw, _layer_by_layer)


def blocks_as_layers(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """Inverted residuals, bottlenecks and MLPs that are one sized operator as their layers."""
    return _rewritten(graph, draw, _block_by_layer)


def unrolled(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """Copies in the place of repeats, of nodes and of cells."""
    found = _rewritten(graph, draw, _node_by_node, always=True) or graph
    if all(cell.repeats == 1 for cell in graph.cells):
        return found if found is not graph else None
    cells = [
        replace(cell, name=f"{cell.name}_{copy}", repeats=1) for cell in found.cells for copy in range(cell.repeats)
    ]
    return replace(found, cells=tuple(cells))


def one_cell(graph: ArchitectureGraph, _: random.Random) -> ArchitectureGraph | None:
    """All cells of a whole network as one."""
    inputs = [sum(graph.vocabulary[name].kind == "input" for name in cell.operators) for cell in graph.cells]
    alone = all(cell.repeats == 1 for cell in graph.cells)
    if graph.input is None or len(graph.cells) < 2 or set(inputs) != {1} or not alone:
        return None
    operators, sizes, edges, last = [graph.cells[0].operators[0]], [None], [], 0
    for cell in graph.cells:
        place = {0: last}
        for node in range(1, cell.node_count - 1):
            place[node] = len(operators)
            operators.append(cell.operators[node])
            sizes.append(cell.size(node))
        into = [(source, copies) for source, target, copies in cell.edges if target == cell.node_count - 1]
        edges += [(place[s], place[t], copies) for s, t, copies in cell.edges if t != cell.node_count - 1]
        if len(into) == 1 and into[0][1] == 1:
            last = place[into[0][0]]
            continue
        last = len(operators)
        operators.append("sum")
        sizes.append(None)
        edges += [(place[source], last, copies) for source, copies in into]
    edges.append((last, len(operators), 1))
    made = CellGraph.build("all", [*operators, "output"], edges, vocabulary=graph.vocabulary, sizes=[*sizes, None])
    return replace(graph, cells=(made,))


Parts = Sequence[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class _Node:
    """A node as whoever takes it apart sees it.

    Parameters
    ----------
    rule
        The generic operator that it counts as; None where nobody knows.
    said
        All that its operator and itself say of its size.
    entering
        Channels that it takes; 0 where they are not known, as in cells without an input.
    """

    rule: str | None
    said: dict[str, Any]
    entering: int


def _rewritten(
    graph: ArchitectureGraph,
    draw: random.Random,
    parts: Callable[[_Node], Parts | None],
    *,
    always: bool = False,
) -> ArchitectureGraph | None:
    """A graph with some of its nodes, at random, replaced by what `parts` makes of them; None where it is nothing."""
    known = None if graph.input is None else SizedNetworks(graph.vocabulary).facts(graph).nodes
    changed, cells = False, []
    for place, cell in enumerate(graph.cells):
        made = CellDraft.of(cell)
        for node, name in enumerate(cell.operators):
            operator = graph.vocabulary[name]
            if operator.kind in ENDS or not operator.has_weights:
                continue
            entering = 0 if known is None else _entering(cell, node, known[place])
            found = parts(_Node(operator.counts_as, said_of(operator.sized(cell.size(node))), entering))
            if found is not None and (always or draw.random() < _SHARE):
                made.replace(node, found)
                changed = True
        cells.append(made.built(cell, graph.vocabulary))
    return replace(graph, cells=tuple(cells)) if changed else None


_SHARE = 0.8
"""Of the nodes that can be told otherwise."""


def _entering(cell: CellGraph, node: int, known: Sequence[Any]) -> int:
    """Channels that a node takes; 0 where they are not known."""
    for source, target, _ in cell.edges:
        shape = known[source].shape
        if target == node and shape is not None:
            return int(shape[1] if len(shape) == 4 else shape[-1])
    return 0


def _layer_by_layer(node: _Node) -> Parts | None:
    said = dict(node.said)
    if node.rule not in ("conv", "depthwise_conv", "linear") or {"expansion", "squeeze", "repeats"} & set(said):
        return None
    is_map = node.rule == "linear"
    norm, activation = said.pop("norm", not is_map), said.pop("activation", False if is_map else "relu")
    parts: list[tuple[str, Mapping[str, Any]]] = [(node.rule, said | {"norm": False, "activation": False})]
    if norm:
        parts.append(("norm", {} if norm is True else {"norm": norm}))
    if activation:
        parts.append(("activation", {} if activation is True else {"activation": activation}))
    return parts if len(parts) > 1 else None


def _block_by_layer(node: _Node) -> Parts | None:
    said, entering = dict(node.said), node.entering
    times = said.pop("repeats", 1)
    if node.rule == "mlp" and entering and times == 1 and not {"norm", "bias"} & set(said):
        inner = {"channels": round(said["mlp_ratio"] * entering), "activation": said.get("activation", "gelu")}
        return [("linear", inner), ("linear", {"channels": entering})]
    if node.rule not in ("conv", "depthwise_conv") or "expansion" not in said or {"groups", "bias"} & set(said):
        return None
    expansion = said.pop("expansion")
    if (expansion != 1 and not entering) or (times > 1 and entering):
        return None
    inner = math.floor(expansion * entering + 0.5)
    outputs = said.pop("channels", entering)
    common = {fact: said.pop(fact) for fact in ("norm", "activation") if fact in said}
    if "squeeze" in said:
        said["squeeze"] = said["squeeze"] * entering / inner if inner and node.rule == "depthwise_conv" else None
        if said["squeeze"] is None:
            return None
    wide = {"channels": inner} if inner and node.rule == "conv" else {}
    last = ("conv", {"kernel": 1, "channels": outputs or None, **common, "activation": False})
    parts = [(node.rule, {**said, **common, **wide}), last]
    if node.rule == "depthwise_conv" and inner != entering:
        parts.insert(0, ("conv", {"kernel": 1, "channels": inner, **common}))
    return parts * times


def _node_by_node(node: _Node) -> Parts | None:
    said = dict(node.said)
    times = said.pop("repeats", 1)
    return [(node.rule, said)] * times if times > 1 and node.rule is not None else None


def equal_counts(one: ArchitectureGraph, other: ArchitectureGraph) -> bool:
    """Whether two tellings of a whole network cost the same, layer by layer; true of what has no costs."""
    if one.input is None:
        return True
    first, second = counted(one), counted(other)
    if first is None or second is None or first.root_macs is None or second.root_macs is None:
        return False
    return (first.parameters, first.multiply_accumulates, first.activations) == (
        second.parameters,
        second.multiply_accumulates,
        second.activations,
    ) and math.isclose(first.root_macs, second.root_macs, rel_tol=1e-9)


def counted(graph: ArchitectureGraph) -> NetworkFacts | None:
    """What a whole network costs; None where its shapes do not meet."""
    try:
        return SizedNetworks(graph.vocabulary).facts(graph)
    except GraphError:
        return None


WORDS: Mapping[str, Rewrite] = {"renamed": renamed, "reworded": reworded, "told by operators": told_by_operators}
GRAINS: Mapping[str, Rewrite] = {
    "layers": taken_apart,
    "blocks": blocks_as_layers,
    "repeats": unrolled,
    "cells": one_cell,
}
