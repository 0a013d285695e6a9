"""A whole network at another resolution than the one it states: what looks at all of a map still does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from catalog.architecture.computation.chain import IMAGE
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.computation.sized import SizedNetworks
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.sizes import LARGEST, NetworkInput, Size, pair

_Place = tuple[int, int]
"""Of a cell, and of a node in it."""


def at_input(graph: ArchitectureGraph, taken: NetworkInput) -> ArchitectureGraph:
    """The network with another input.

    A pooling whose window is the whole map at the resolution that the network states is a global one, and its window
    is the whole map at the other resolution as well. All other operators stay as they are.

    Parameters
    ----------
    graph
        A graph with an input.
    taken
        What goes in.

    Raises
    ------
    GraphError
        Another operator does not fit the other resolution.
    """
    moved = replace(graph, input=taken)
    if taken == graph.input:
        return moved
    poolings = {place: size for place, size in _poolings(graph).items() if size.padding == 0}
    if not poolings:
        return moved
    before = _entering(graph)
    whole = {place for place, size in poolings.items() if _is_whole(size, before.get(place))}
    if not whole:
        return moved
    # One pixel, whatever the map is: so the shapes elsewhere are known before its size is.
    after = _entering(_resized(moved, whole, lambda _: Size(kernel=1, stride=LARGEST, padding=0)))
    return _resized(moved, whole, lambda place: _window_over(after.get(place)))


def _poolings(graph: ArchitectureGraph) -> dict[_Place, Size]:
    """What is known of the size of each pooling."""
    return {
        (number, node): operator.sized(cell.size(node))
        for number, cell in enumerate(graph.cells)
        for node, operator in enumerate(graph.vocabulary[name] for name in cell.operators)
        if operator.kind == "pool"
    }


def _entering(graph: ArchitectureGraph) -> dict[_Place, Shape]:
    """The shape of what each node takes, where it is known."""
    facts = SizedNetworks(graph.vocabulary).facts(graph)
    found: dict[_Place, Shape] = {}
    for number, (cell, nodes) in enumerate(zip(graph.cells, facts.nodes, strict=True)):
        for source, target, _ in cell.edges:
            shape = nodes[source].shape
            if shape is not None:
                found[number, target] = shape
    return found


def _is_whole(size: Size, shape: Shape | None) -> bool:
    if shape is None or len(shape) != IMAGE or size.dilation not in (None, 1):
        return False
    return pair(size.kernel or 0) == tuple(shape[2:])


def _window_over(shape: Shape | None) -> Size:
    edges = tuple(shape[2:]) if shape is not None else (1, 1)
    return Size(kernel=edges[0] if edges[0] == edges[-1] else (edges[0], edges[-1]))


def _resized(graph: ArchitectureGraph, places: set[_Place], fields: Callable[[_Place], Size]) -> ArchitectureGraph:
    """The graph with other windows at some places."""
    cells = [_cell(cell, number, places, fields) for number, cell in enumerate(graph.cells)]
    return replace(graph, cells=tuple(cells))


def _cell(cell: CellGraph, number: int, places: set[_Place], fields: Callable[[_Place], Size]) -> CellGraph:
    sizes = [cell.size(node) for node in range(len(cell.operators))]
    for node, size in enumerate(sizes):
        if (number, node) in places:
            said = fields((number, node))
            known = {
                name: value for name in ("kernel", "stride", "padding") if (value := getattr(said, name)) is not None
            }
            sizes[node] = replace(size or Size(), **known)
    return replace(cell, sizes=tuple(sizes))
