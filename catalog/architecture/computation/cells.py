"""Cells in a plan: what of a cell is alive, and its operators as blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.graph import CellGraph
from catalog.architecture.operators import Vocabulary

LiveNode = tuple[str, bool, tuple[int, ...]]
"""An operator, whether it halves the resolution, and the places in `LiveCell` that it takes."""

LiveCell = tuple[LiveNode, ...]
"""The live part of a cell: its inputs, dead or not, then every node between an input and the output, the output last.

Zero operators, and what only they feed or what reaches no output, are gone. Identities stay, and so do equal paths: two
skips side by side are ``x + x``.
"""


def live_cell(cell: CellGraph, vocabulary: Vocabulary) -> LiveCell | None:
    """The live part of a native cell; None where no path leads from an input to the output."""
    operators = cell.operators
    facts = [vocabulary[name] for name in operators]
    incoming: list[list[int]] = [[] for _ in operators]
    fed = [operator.kind == "input" for operator in facts]
    inputs = sum(fed)
    halving = [False] * len(operators)
    for source, target, count in cell.edges:  # sorted by source, so a source's state is final when it is read
        if fed[source] and not facts[source].is_zero:
            incoming[target] += [source] * count
            fed[target] = True
        halving[target] |= cell.reduction and source < inputs
    if not fed[-1]:
        return None
    used = [False] * len(operators)
    used[-1] = True
    for node in range(len(operators) - 1, inputs - 1, -1):
        if used[node]:
            for source in incoming[node]:
                used[source] = True
    places: dict[int, int] = {}
    nodes: list[LiveNode] = []
    for node, name in enumerate(operators):
        if node < inputs or used[node]:
            places[node] = len(nodes)
            nodes.append((name, halving[node], tuple([places[source] for source in incoming[node]])))
    return tuple(nodes)


Operators = Mapping[tuple[str, bool], Block | None]
"""The block of each operator, by its name and whether it halves the resolution; None where it changes nothing."""


def add_cell(plan: NetworkPlan, cell: LiveCell, states: Sequence[int], operators: Operators, repeats: int = 1) -> int:
    """Add a cell that takes the outputs at `states`, and return the place of its output.

    A node adds what feeds it, two by two; a ``concat`` joins it.
    """
    values = list(states)
    for name, halves, sources in cell[len(values) :]:
        if name == "concat":
            value = join(plan, [values[source] for source in sources], repeats)
        else:
            value = values[sources[0]]
            if len(sources) > 1:
                value = plan.total([values[source] for source in sources], repeats)
            block = operators[name, halves]
            if block is not None:
                value = plan.add(block, value)
        values.append(value)
    return values[-1]


def join(plan: NetworkPlan, parts: Sequence[int], repeats: int = 1) -> int:
    """Join states along the channels, and return the place of the result; a single one is joined already."""
    if len(parts) == 1:
        return parts[0]
    return plan.add(blocks.concat(tuple([plan.blocks[part].shape for part in parts]), repeats), *parts)
