"""Layered layout of a cell: where its nodes and edges stand on a drawing.

The method of Sugiyama, Tagawa and Toda, "Methods for visual understanding of hierarchical system structures", 1981:
nodes in layers by their longest path from an input, long edges cut by bends that take room like nodes, bends and nodes
of a layer ordered by the mean place of their neighbours, and each layer then placed as near to its neighbours as its
order allows.

No library draws it: networkx 3.6 has no layers that mind crossings, igraph 1.0 has, but takes no widths of nodes, and
Graphviz is a program that pip does not install.
"""

from __future__ import annotations

import random
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from catalog.architecture.graph import CellGraph, Edge

Point = tuple[float, float]

_STARTS = 12
_ORDERING_SWEEPS = 6
_PLACING_SWEEPS = 40
_BEND_WIDTH = 10.0
_PULL = (1.0, 2.0, 8.0)  # between two nodes, a node and a bend, two bends


@dataclass(frozen=True)
class Layout:
    """Places on a canvas whose origin is the upper left corner; data flows downwards.

    Parameters
    ----------
    width, height
        Size of the canvas that holds all nodes and edges.
    centres
        Centre of each node.
    routes
        Per edge the points that it passes, from its source's centre to its target's.
    """

    width: float
    height: float
    centres: tuple[Point, ...]
    routes: Mapping[Edge, tuple[Point, ...]]


@dataclass
class _Layers:
    """Nodes and bends in layers; `widths` and `neighbours` are indexed by both, nodes first."""

    nodes: int
    layers: list[list[int]]
    widths: list[float]
    above: list[list[int]]
    below: list[list[int]]
    chains: dict[Edge, list[int]]


def layered_layout(
    cell: CellGraph, widths: Sequence[float], inputs: Container[int], *, layer_height: float, gap: float
) -> Layout:
    """Lay out a cell whose node i is ``widths[i]`` wide, with layers `layer_height` and neighbours `gap` apart."""
    layered = _with_bends(cell, widths, _layer_of_each_node(cell, inputs))
    _order(layered)
    across = _place(layered, gap)
    left = min(x - width / 2 for x, width in zip(across, layered.widths, strict=True))
    right = max(x + width / 2 for x, width in zip(across, layered.widths, strict=True))
    depth = {member: row for row, layer in enumerate(layered.layers) for member in layer}
    points = [(x - left, (depth[member] + 0.5) * layer_height) for member, x in enumerate(across)]
    return Layout(
        right - left,
        len(layered.layers) * layer_height,
        tuple(points[: cell.node_count]),
        {edge: tuple(points[member] for member in chain) for edge, chain in layered.chains.items()},
    )


def _layer_of_each_node(cell: CellGraph, inputs: Container[int]) -> list[int]:
    depths = [0] * cell.node_count
    readers: dict[int, list[int]] = {node: [] for node in range(cell.node_count)}
    fed = set()
    for source, target, _ in cell.edges:  # sorted by source, so a source's depth is final when it is read
        depths[target] = max(depths[target], depths[source] + 1)
        readers[source].append(target)
        fed.add(target)
    for node, targets in readers.items():
        if targets and node not in fed and node not in inputs:
            depths[node] = min(depths[target] for target in targets) - 1  # beside what it joins
    depths[-1] = max(depths[-1], max(depths[:-1], default=-1) + 1)
    return depths


def _with_bends(cell: CellGraph, widths: Sequence[float], depths: Sequence[int]) -> _Layers:
    layers: list[list[int]] = [[] for _ in range(max(depths) + 1)]
    for node, depth in enumerate(depths):
        layers[depth].append(node)
    result = _Layers(cell.node_count, layers, list(widths), [[] for _ in depths], [[] for _ in depths], {})
    for edge in cell.edges:
        source, target, _ = edge
        chain = [source]
        for depth in range(depths[source] + 1, depths[target]):
            bend = len(result.widths)
            result.widths.append(_BEND_WIDTH)
            result.above.append([])
            result.below.append([])
            layers[depth].append(bend)
            chain.append(bend)
        chain.append(target)
        for upper, lower in pairwise(chain):
            result.below[upper].append(lower)
            result.above[lower].append(upper)
        result.chains[edge] = chain
    return result


def _order(layered: _Layers) -> None:
    """Reorder the layers so that few edges cross: the best of some starts, the given order first."""
    best, fewest = [list(layer) for layer in layered.layers], _crossings(layered)
    chance = random.Random(0)  # the same drawing every time
    for _ in range(_STARTS):
        for sweep in range(_ORDERING_SWEEPS):
            _sweep(layered, downwards=sweep % 2 == 0)
            crossings = _crossings(layered)
            if crossings < fewest:
                best, fewest = [list(layer) for layer in layered.layers], crossings
        if fewest == 0:
            break
        for layer in layered.layers:
            chance.shuffle(layer)
    layered.layers[:] = best


def _sweep(layered: _Layers, *, downwards: bool) -> None:
    """Sort each layer by the mean place of its members' neighbours in the layer before."""
    neighbours = layered.above if downwards else layered.below
    for earlier, layer in pairwise(layered.layers if downwards else layered.layers[::-1]):
        place = {member: index for index, member in enumerate(earlier)}
        wish = {m: _mean([place[n] for n in neighbours[m]], index) for index, m in enumerate(layer)}
        layer.sort(key=wish.__getitem__)


def _crossings(layered: _Layers) -> int:
    total = 0
    for upper, lower in pairwise(layered.layers):
        place = {member: index for index, member in enumerate(lower)}
        ends = [place[target] for source in upper for target in sorted(layered.below[source], key=place.__getitem__)]
        total += sum(first > second for index, first in enumerate(ends) for second in ends[index + 1 :])
    return total


def _place(layered: _Layers, gap: float) -> list[float]:
    """The horizontal centre of each node and bend."""
    across = [0.0] * len(layered.widths)
    for layer in layered.layers:
        start = -sum(layered.widths[member] + gap for member in layer) / 2
        for member in layer:
            across[member] = start + layered.widths[member] / 2
            start += layered.widths[member] + gap
    for sweep in range(_PLACING_SWEEPS):
        for layer in layered.layers if sweep % 2 == 0 else layered.layers[::-1]:
            wishes, weights = zip(*(_wish(layered, member, across) for member in layer), strict=True)
            for member, x in zip(layer, _spread(layer, wishes, weights, layered.widths, gap), strict=True):
                across[member] = x
    return across


def _wish(layered: _Layers, member: int, across: Sequence[float]) -> tuple[float, float]:
    """Where a node or bend would like to stand, between its neighbours, and how strongly.

    A long edge should be straight more than a short one, so bends pull harder, hardest at each other.
    """
    wish = weight = 0.0
    for neighbour in (*layered.above[member], *layered.below[member]):
        pull = _PULL[(member >= layered.nodes) + (neighbour >= layered.nodes)]
        wish += pull * across[neighbour]
        weight += pull
    return (wish / weight, weight) if weight else (across[member], 1.0)


def _spread(
    layer: Sequence[int], wishes: Sequence[float], weights: Sequence[float], widths: Sequence[float], gap: float
) -> list[float]:
    """The places nearest to `wishes` (weighted least squares) that keep the order and the distances of a layer.

    Less each member's distance from the first, places must only not fall: isotonic regression by pooling violators.
    SciPy's (1.17) takes 14 us for three places instead of 3; a page lays out up to 1,500 cells in 40 sweeps each.
    """
    offsets = [0.0]
    for left, right in pairwise(layer):
        offsets.append(offsets[-1] + (widths[left] + widths[right]) / 2 + gap)
    pools: list[tuple[float, float, int]] = []  # (mean, weight, members)
    for wish, weight, offset in zip(wishes, weights, offsets, strict=True):
        mean, total, count = wish - offset, weight, 1
        while pools and pools[-1][0] > mean:
            earlier, earlier_total, members = pools.pop()
            mean = (earlier * earlier_total + mean * total) / (earlier_total + total)
            total, count = earlier_total + total, members + count
        pools.append((mean, total, count))
    levels = [mean for mean, _, count in pools for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=True)]


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default
