"""The better network of a pair: wider, on a larger image, with one more residual block, or with a shortcut.

Every function gives the better network, or None where the network has no room for it. All stay inside what predictors
are trained on: at most 2,048 channels, 288 pixels an edge, and 120 layers with weights.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import ceil
from typing import Any

from benchmarks.laws.rewriting import CellDraft, Rewrite, counted, said_of, size_of
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.sizes import NetworkInput, Size

MOST_CHANNELS, MOST_PIXELS, MOST_LAYERS = 2048, 288, 120
_FIXED = frozenset({"classifier"})


def wider(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """Every channel count times one factor: those of all nodes, and of a sequence's vectors."""
    said = [
        size.channels
        for cell in graph.cells
        for name, size in zip(cell.operators, cell.sizes, strict=False)
        if size and size.channels and name not in _FIXED
    ]
    taken = graph.input
    if not said and (taken is None or taken.channels is None):
        return None
    factor = draw.choice([1.5, 2])
    every = [*said, *([taken.channels] if taken and taken.channels else [])]
    if taken is not None and (max(every) * factor > MOST_CHANNELS or any(value * factor % 1 for value in every)):
        return None
    cells = tuple(
        replace(
            cell,
            sizes=tuple(
                size if name in _FIXED else _with(size, channels=lambda value: value * factor)
                for name, size in zip(cell.operators, cell.sizes, strict=True)
            ),
        )
        if cell.sizes
        else cell
        for cell in graph.cells
    )
    if taken is not None and taken.channels is not None:
        taken = NetworkInput(None, taken.tokens, round(taken.channels * factor), taken.vocabulary)
    return _grown(graph, replace(graph, cells=cells, input=taken))


def wider_inside(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """The inner width of every block or MLP times one factor."""
    factor = draw.choice([1.5, 2])
    cells = tuple(
        replace(
            cell,
            sizes=tuple(
                size
                if graph.vocabulary[name].counts_as == "attention"
                else _with(size, expansion=lambda value: value * factor, mlp_ratio=lambda value: value * factor)
                for name, size in zip(cell.operators, cell.sizes, strict=True)
            ),
        )
        if cell.sizes
        else cell
        for cell in graph.cells
    )
    return None if cells == graph.cells else _grown(graph, replace(graph, cells=cells))


def _with(size: Size | None, **changes: Any) -> Size | None:
    said = said_of(size)
    return size_of(said | {name: change(said[name]) for name, change in changes.items() if name in said})


def more_pixels(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """A larger image; a window over the whole map in the tail grows with it."""
    if graph.input is None or graph.input.shape is None:
        return None
    channels, height, width = graph.input.shape
    factor = draw.choice([1.25, 1.5, 2])
    if max(height, width) * factor > MOST_PIXELS or height * factor % 4 or width * factor % 4:
        return None
    taken = NetworkInput(shape=(channels, int(height * factor), int(width * factor)))
    *before, tail = graph.cells
    sizes = [
        _with(size, kernel=lambda edge: ceil(edge * factor), stride=lambda edge: ceil(edge * factor))
        if name == "avg_pool" and size is not None and size.kernel == size.stride and size.padding == 0
        else size
        for name, size in zip(tail.operators, tail.sizes, strict=False)
    ]
    return _grown(graph, replace(graph, input=taken, cells=(*before, replace(tail, sizes=tuple(sizes)))))


def more_blocks(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """One of the residual blocks twice in a row."""
    every = [(place, block) for place, cell in enumerate(graph.cells) for block in residual_blocks(cell, graph)]
    if not every:
        return None
    place, (entering, inner, end) = draw.choice(every)
    cell = graph.cells[place]
    made = CellDraft.of(cell)
    where = {entering: end} | {node: len(made.operators) + step for step, node in enumerate([*inner, end])}
    for node in (*inner, end):
        made.operators.append(cell.operators[node])
        made.sizes.append(cell.size(node))
    last = where[end]
    onward = [(last if s == end else s, t, copies) for s, t, copies in cell.edges]
    copied = [(where[s], where[t], copies) for s, t, copies in cell.edges if t in (*inner, end)]
    made.edges = [*onward, *copied]
    return _grown(graph, _with_cell(graph, place, made.built(cell, graph.vocabulary)))


def residual_blocks(cell: CellGraph, graph: ArchitectureGraph) -> list[tuple[int, list[int], int]]:
    """What enters, the nodes inside, and the sum, of each block with an identity shortcut around weights."""
    sources: list[list[int]] = [[] for _ in cell.operators]
    for source, target, copies in cell.edges:
        sources[target] += [source] * copies
    found = []
    for end, name in enumerate(cell.operators):
        operator = graph.vocabulary[name]
        if not (operator.generic == "sum" and len(sources[end]) == 2 and cell.size(end) is None):
            continue
        for entering, inside in (sources[end], sources[end][::-1]):
            inner = _between(sources, entering, inside)
            if inner and any(graph.vocabulary[cell.operators[node]].has_weights for node in inner):
                found.append((entering, inner, end))
                break
    return found


def _between(sources: Sequence[Sequence[int]], entering: int, last: int) -> list[int]:
    """The nodes from one to another, the first left out; empty where something else enters between them."""
    inner: set[int] = set()
    waiting = [last]
    while waiting:
        node = waiting.pop()
        if node == entering or node in inner:
            continue
        if node < entering or not sources[node]:
            return []
        inner.add(node)
        waiting += sources[node]
    return sorted(inner)


def with_shortcut(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """A shortcut over two or more layers with weights of a plain chain."""
    places = list(range(len(graph.cells)))
    draw.shuffle(places)
    if any(_is_branched(cell) for cell in graph.cells):
        return None
    for place in places:
        cell = graph.cells[place]
        known = None if graph.input is None else counted(graph)
        chain = _chain(cell)
        shapes = _widths(cell, chain) if known is None else [node.shape for node in known.nodes[place]]
        spans = [
            (first, last)
            for first in range(len(chain))
            for last in range(first + 2, len(chain) - 1)
            if _weights(graph, cell, chain[first + 1 : last + 1]) >= 2 and shapes[chain[first]] == shapes[chain[last]]
        ]
        if not spans or cell.repeats != 1:
            continue
        first, last = draw.choice(spans)
        made = CellDraft.of(cell)
        made.operators.append("sum")
        made.sizes.append(None)
        new = len(made.operators) - 1
        made.edges = [(new if s == chain[last] else s, t, copies) for s, t, copies in cell.edges]
        made.edges += [(chain[first], new, 1), (chain[last], new, 1)]
        return _with_cell(graph, place, made.built(cell, graph.vocabulary))
    return None


def _is_branched(cell: CellGraph) -> bool:
    targets = [target for _, target, copies in cell.edges for _ in range(copies)]
    sources = [source for source, _, copies in cell.edges for _ in range(copies)]
    return len(targets) != len(set(targets)) or len(sources) != len(set(sources))


def _chain(cell: CellGraph) -> list[int]:
    after = {source: target for source, target, _ in cell.edges}
    chain = [0]
    while chain[-1] in after:
        chain.append(after[chain[-1]])
    return chain


def _widths(cell: CellGraph, chain: Sequence[int]) -> dict[int, Any]:
    """The channels that leave each node of a chain, as multiples of those that enter, and how far it is reduced."""
    found: dict[int, Any] = {}
    channels, stride = 1.0, 1
    for node in chain:
        if (said := cell.size(node)) is not None:
            channels, stride = said.channels or channels, stride * (said.stride or 1)
        found[node] = (channels, stride)
    return found


def _weights(graph: ArchitectureGraph, cell: CellGraph, nodes: Sequence[int]) -> int:
    return sum(graph.vocabulary[cell.operators[node]].has_weights for node in nodes)


def _with_cell(graph: ArchitectureGraph, place: int, cell: CellGraph) -> ArchitectureGraph:
    return replace(graph, cells=(*graph.cells[:place], cell, *graph.cells[place + 1 :]))


def _grown(graph: ArchitectureGraph, larger: ArchitectureGraph) -> ArchitectureGraph | None:
    """The larger one, if its shapes meet, it costs more, and it is inside what is claimed."""
    if graph.input is None:
        return larger
    before, after = counted(graph), counted(larger)
    if before is None or after is None or not before.multiply_accumulates or not after.multiply_accumulates:
        return None
    widest = max(
        (known.shape[1] if len(known.shape) == 4 else known.shape[-1])
        for cell, nodes in zip(larger.cells, after.nodes, strict=True)
        for name, known in zip(cell.operators, nodes, strict=True)
        if known.shape is not None and name not in {*_FIXED, "output"}
    )
    layers = sum(_weights(larger, cell, range(cell.node_count)) * cell.repeats for cell in larger.cells)
    fits = widest <= MOST_CHANNELS * 4 and layers <= MOST_LAYERS
    return larger if fits and after.multiply_accumulates > before.multiply_accumulates else None


def cut(graph: ArchitectureGraph, draw: random.Random) -> ArchitectureGraph | None:
    """The same without a path: nothing but zeros reaches the output of one cell."""
    place = draw.randrange(len(graph.cells))
    cell = graph.cells[place]
    if "none" not in graph.vocabulary:
        return None
    made = CellDraft.of(cell)
    output = cell.node_count - 1
    new = len(made.operators)
    for source, target, copies in cell.edges:
        if target == output:
            made.operators.append("none")
            made.sizes.append(None)
            made.edges.remove((source, target, copies))
            made.edges += [(source, len(made.operators) - 1, 1), (len(made.operators) - 1, target, 1)]
    return _with_cell(graph, place, made.built(cell, graph.vocabulary)) if len(made.operators) > new else None


GROWING: Mapping[str, Rewrite] = {
    "wider": wider,
    "wider inside": wider_inside,
    "resolution": more_pixels,
    "one more block": more_blocks,
    "shortcut": with_shortcut,
}
