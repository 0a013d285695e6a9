"""Specifications of NAS-Bench-101 modules for property tests."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import CellGraph
from catalog.spaces.nb101_enumeration import enumerate_arrays

INTERIOR = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")

Spec = tuple[list[list[int]], list[str]]

# The example of the benchmark's README: an Inception-like module.
INCEPTION: Spec = (
    [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    ["input", INTERIOR[1], INTERIOR[0], INTERIOR[0], INTERIOR[0], INTERIOR[2], "output"],
)


@st.composite
def raw_specs(draw: st.DrawFn, most_vertices: int = 7) -> Spec:
    """Upper triangular matrices with operators; many have vertices to prune, some no path."""
    vertices = draw(st.integers(2, most_vertices))
    matrix = [[0] * vertices for _ in range(vertices)]
    places = [(row, column) for row in range(vertices) for column in range(row + 1, vertices)]
    for row, column in draw(st.lists(st.sampled_from(places), min_size=1, max_size=12, unique=True)):
        matrix[row][column] = 1
    interior = draw(st.lists(st.sampled_from(INTERIOR), min_size=vertices - 2, max_size=vertices - 2))
    return matrix, ["input", *interior, "output"]


@cache
def _all_modules() -> list[CellArrays]:
    return list(enumerate_arrays())


@st.composite
def modules(draw: st.DrawFn, most_vertices: int = 7) -> CellGraph:
    """Modules of the space, small ones as often as large ones, with their vertices in any topological order."""
    batch = _all_modules()[draw(st.integers(2, most_vertices)) - 2]
    return draw(relabelled(batch.cell(draw(st.integers(0, len(batch) - 1)))))


@st.composite
def relabelled(draw: st.DrawFn, cell: CellGraph) -> CellGraph:
    """The same module with its vertices in another topological order."""
    waiting = list(range(1, cell.node_count - 1))
    order = [0]
    while waiting:
        free = [vertex for vertex in waiting if not any(s in waiting for s, t, _ in cell.edges if t == vertex)]
        chosen = draw(st.sampled_from(free))
        waiting.remove(chosen)
        order.append(chosen)
    order.append(cell.node_count - 1)
    place = {vertex: number for number, vertex in enumerate(order)}
    edges = [(place[source], place[target]) for source, target, _ in cell.edges]
    return CellGraph.build(cell.name, [cell.operators[vertex] for vertex in order], edges)
