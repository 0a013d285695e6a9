"""Many computation graphs as arrays: one row a node and one an edge, whatever the networks are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.graph import ComputationGraph
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.operators import Operator

Numbers = NDArray[np.int64]
Costs = NDArray[np.float64]

NONE = -1
"""What stands for no word."""

_WINDOW = re.compile(r"dilated\d+_|\d+(x\d+)*$")


@dataclass(frozen=True)
class NodeArrays:
    """What is known of each node, (N,) or as said.

    Parameters
    ----------
    word
        Which operator, as a place in `ComputationBatch.words`; its window stands in other columns.
    shape
        (N, R) the output's shape, the batch first; `NONE` beyond its rank and where it is not known.
    kernel, stride
        (N, 3) of a window; 0 where there is none.
    dilation
        Of a window; 0 where there is none.
    groups
        Of a convolution; 0 elsewhere.
    parameters, multiply_accumulates
        Trainable parameters, and costs, of all repeats together; NaN where they are not known.
    repeats
        How many equal nodes, one behind the other, this one stands for.
    norm, activation
        The normalisation and then the activation of its output, as places in `ComputationBatch.words`; `NONE` where
        there is none, and everywhere in a batch that is not fused.
    activation_before
        The activation of its input; as above.
    """

    word: Numbers
    shape: Numbers
    kernel: Numbers
    stride: Numbers
    dilation: Numbers
    groups: Numbers
    parameters: Costs
    multiply_accumulates: Costs
    repeats: Numbers
    norm: Numbers
    activation: Numbers
    activation_before: Numbers

    def taken(self, rows: NDArray[Any]) -> NodeArrays:
        """The nodes that an index array or a mask selects."""
        return NodeArrays(**{field.name: getattr(self, field.name)[rows] for field in fields(self)})


@dataclass(frozen=True)
class ComputationBatch:
    """Graphs of primitive operators, one behind the other.

    Nodes of a graph stand together, its inputs first and its output last, each after those that it takes; so do edges.
    An architecture that computes nothing has no nodes.

    Parameters
    ----------
    words
        Names of operators without their windows: ``conv``, ``depthwise_conv``, ``maxpool``, ``relu``.
    kinds
        The family of each word.
    first_node, first_edge
        (G + 1,) where each graph's nodes and edges begin; the last number is that of all.
    nodes
        What is known of each node.
    source, target
        (E,) the ends of each edge, as places among all nodes of the batch; sorted by target and operand.
    operand
        (E,) which of its target's operands it is.
    ids
        (G,) what each graph is of: ``architecture.id`` where it comes from a catalog, its place otherwise.
    """

    words: tuple[str, ...]
    kinds: tuple[str, ...]
    first_node: Numbers
    first_edge: Numbers
    nodes: NodeArrays
    source: Numbers
    target: Numbers
    operand: Numbers
    ids: Numbers

    def __len__(self) -> int:
        return len(self.first_node) - 1

    def __repr__(self) -> str:
        return f"ComputationBatch({len(self)} graphs, {len(self.nodes.word)} nodes, {len(self.source)} edges)"

    @property
    def graph_of_node(self) -> Numbers:
        """(N,) which graph a node belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.first_node))

    def totals(self) -> tuple[Costs, Costs]:
        """(G,) trainable parameters and multiply-accumulates of each graph, all repeats counted."""
        return self._total(self.nodes.parameters), self._total(self.nodes.multiply_accumulates)

    def _total(self, column: Costs) -> Costs:
        return np.bincount(self.graph_of_node, column, minlength=len(self)).astype(np.float64)

    def taken(self, graph: int) -> ComputationBatch:
        """One graph of the batch, as a batch of its own."""
        start, end = self.first_node[graph : graph + 2]
        edges = slice(*self.first_edge[graph : graph + 2])
        return replace(
            self,
            first_node=np.array([0, end - start]),
            first_edge=np.array([0, edges.stop - edges.start]),
            nodes=self.nodes.taken(np.arange(start, end)),
            source=self.source[edges] - start,
            target=self.target[edges] - start,
            operand=self.operand[edges],
            ids=self.ids[graph : graph + 1],
        )


def batch_of_plans(plans: Sequence[NetworkPlan | None]) -> ComputationBatch:
    """The graphs of plans; None stands for an architecture that computes nothing.

    Nothing is done for single nodes: the rows of each block are made once a batch, and taken as often as it occurs.
    """
    found = [plan for plan in plans if plan is not None]
    outputs = [blocks.output(plan.blocks[-1].shape) for plan in found]
    steps: list[Block] = list(
        chain.from_iterable((*plan.blocks, end) for plan, end in zip(found, outputs, strict=True))
    )
    step_counts = np.array([0 if plan is None else len(plan.blocks) + 1 for plan in plans], dtype=np.int64)
    taken = list(chain.from_iterable((*plan.inputs, (len(plan.inputs) - 1,)) for plan in found))
    table = _BlockTable(list(dict.fromkeys(steps)))
    places = table.places
    step = np.array([places[block] for block in steps], dtype=np.int64)
    base = _starts(table.sizes[step])
    rows = _ranges(table.first_row[step], table.sizes[step])
    first_step = _starts(step_counts)
    counts = np.fromiter(map(len, taken), np.int64, len(taken))
    feeding = np.fromiter(chain.from_iterable(taken), np.int64, int(counts.sum()))
    feeding += np.repeat(np.repeat(first_step[:-1], step_counts), counts)
    inner = _ranges(table.first_edge[step], table.edge_counts[step])
    shift = np.repeat(base[:-1], table.edge_counts[step])
    source = np.concatenate([base[feeding + 1] - 1, table.source[inner] + shift])
    target = np.concatenate([np.repeat(base[:-1], counts), table.target[inner] + shift])
    operand = np.concatenate([_ranges(np.zeros_like(counts), counts), table.operand[inner]])
    return _assembled(table.rows.words, table.rows.arrays().taken(rows), base[first_step], source, target, operand)


def batch_of_graphs(graphs: Sequence[ComputationGraph]) -> ComputationBatch:
    """Graphs of nodes as arrays."""
    rows = _Rows()
    sources: list[tuple[int, ...]] = []
    for graph in graphs:
        for node in graph.nodes:
            rows.add(node.primitive, node.shape, node.parameters, node.repeats)
            sources.append(node.inputs)
    first = _starts(np.array([len(graph.nodes) for graph in graphs], dtype=np.int64))
    counts = np.fromiter(map(len, sources), np.int64, len(sources))
    source = np.fromiter(chain.from_iterable(sources), np.int64, int(counts.sum()))
    source += np.repeat(np.repeat(first[:-1], np.diff(first)), counts)
    target = np.repeat(np.arange(len(counts)), counts)
    return _assembled(rows.words, rows.arrays(), first, source, target, _ranges(np.zeros_like(counts), counts))


def _assembled(
    words: Iterable[tuple[str, str]],
    nodes: NodeArrays,
    first_node: Numbers,
    source: Numbers,
    target: Numbers,
    operand: Numbers,
) -> ComputationBatch:
    order = np.lexsort((operand, target))
    names, kinds = zip(*words, strict=True) if words else ((), ())
    first_edge = np.searchsorted(target[order], first_node)
    return ComputationBatch(
        names,
        kinds,
        first_node,
        first_edge,
        nodes,
        source[order],
        target[order],
        operand[order],
        np.arange(len(first_node) - 1),
    )


class _BlockTable:
    """The rows and inner edges of some blocks, one behind the other."""

    def __init__(self, known: Sequence[Block]) -> None:
        self.places = {block: place for place, block in enumerate(known)}
        self.sizes = np.array([len(block.layers) for block in known], dtype=np.int64)
        self.first_row = _starts(self.sizes)
        self.rows = _Rows()
        edges: list[tuple[int, int, int]] = []
        counts = []
        for block in known:
            for layer in block.layers:
                self.rows.add(layer.primitive, layer.shape, layer.parameters, block.repeats)
            own = [
                (source, target, operand)
                for target, sources in enumerate(block.inputs)
                for operand, source in enumerate(sources)
            ]
            edges += own
            counts.append(len(own))
        self.edge_counts = np.array(counts, dtype=np.int64)
        self.first_edge = _starts(self.edge_counts)
        self.source, self.target, self.operand = np.array(edges, dtype=np.int64).reshape(-1, 3).T


class _Rows:
    """Nodes on their way into arrays."""

    def __init__(self) -> None:
        self.words: dict[tuple[str, str], int] = {}
        self._rows: list[tuple[Any, ...]] = []

    def add(self, primitive: Primitive, shape: Shape | None, parameters: int | None, repeats: int) -> None:
        """Add a node."""
        operator = primitive.operator
        word, dilation = word_of_operator(operator)
        code = self.words.setdefault((word, operator.kind), len(self.words))
        cost = primitive.multiply_accumulates
        self._rows.append(
            (
                code,
                shape or (),
                primitive.kernel or (),
                primitive.stride or (),
                dilation if primitive.kernel else 0,
                primitive.groups or 0,
                np.nan if parameters is None else parameters,
                np.nan if cost is None else cost,
                repeats,
            )
        )

    def arrays(self) -> NodeArrays:
        """The nodes in the order in which they were added."""
        columns = list(zip(*self._rows, strict=True)) or [()] * 9
        word, shape, kernel, stride, dilation, groups, parameters, costs, repeats = columns
        none = np.full(len(word), NONE, dtype=np.int64)
        rank = max(map(len, shape), default=0)
        return NodeArrays(
            word=_whole(word),
            shape=_padded(shape, rank, NONE),
            kernel=_padded(kernel, 3, 0),
            stride=_padded(stride, 3, 0),
            dilation=_whole(dilation),
            groups=_whole(groups),
            parameters=np.array(parameters, dtype=np.float64),
            multiply_accumulates=np.array(costs, dtype=np.float64),
            repeats=_whole(repeats),
            norm=none,
            activation=none,
            activation_before=none,
        )


@lru_cache(4096)
def word_of_operator(operator: Operator) -> tuple[str, int]:
    """The name of an operator without its window, and the window's dilation (0 where there is none)."""
    return (_WINDOW.sub("", operator.name), operator.dilation or 1) if operator.kernel else (operator.name, 0)


def _whole(values: Sequence[int]) -> Numbers:
    return np.array(values, dtype=np.int64)


def _padded(values: Sequence[Sequence[int]], width: int, filling: int) -> Numbers:
    rows = [(*value, *(filling,) * (width - len(value))) for value in values]
    return np.array(rows, dtype=np.int64).reshape(len(values), width)


def _starts(counts: Numbers) -> Numbers:
    """Where each of some parts begins, and where the last one ends."""
    starts = np.zeros(len(counts) + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _ranges(starts: Numbers, counts: Numbers) -> Numbers:
    """start, start + 1, ... of each part, one part behind the other."""
    before = np.cumsum(counts) - counts
    return np.asarray(np.arange(int(counts.sum())) + np.repeat(starts - before, counts))
