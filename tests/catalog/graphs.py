"""Small graphs that several tests use: cells written by hand, and any cell as a hypothesis strategy."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from catalog.architecture.graph import ArchitectureGraph, CellGraph

NB201_EDGES = ((0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7))
NB201_OPERATORS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
MIDDLE = ("nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none", "sum", "concat")


def nb201(*operators: str) -> ArchitectureGraph:
    """A NAS-Bench-201 cell from the operators of its six edges: into node 1, then 2, then 3."""
    cell = CellGraph.build("cell", ("input", *operators, "output"), NB201_EDGES)
    return ArchitectureGraph("nb201", (cell,))


def darts_cell(name: str, pairs: Sequence[tuple[str, int]], *, reduction: bool = False) -> CellGraph:
    """A DARTS cell from its eight (operator, predecessor) pairs."""
    operators, edges, states = ["input_0", "input_1"], [], [0, 1]
    for first in range(0, len(pairs), 2):
        joined = []
        for operator, predecessor in pairs[first : first + 2]:
            operators.append(operator)
            edges.append((states[predecessor], len(operators) - 1))
            joined.append(len(operators) - 1)
        operators.append("sum")
        edges += [(node, len(operators) - 1) for node in joined]
        states.append(len(operators) - 1)
    operators += ["concat", "output"]
    edges += [(node, len(operators) - 2) for node in states[2:]]
    edges.append((len(operators) - 2, len(operators) - 1))
    return CellGraph.build(name, operators, edges, reduction=reduction)


@st.composite
def cells(
    draw: st.DrawFn, most: int = 8, operators: Sequence[str] = MIDDLE, most_parallel: int = 3, name: str = "cell"
) -> CellGraph:
    """Any cell of one input and one output, dead ends included."""
    count = draw(st.integers(2, most))
    middle = draw(st.lists(st.sampled_from(list(operators)), min_size=count - 2, max_size=count - 2))
    pairs = [(source, target) for source in range(count - 1) for target in range(max(1, source + 1), count)]
    counts = draw(st.lists(st.integers(0, most_parallel), min_size=len(pairs), max_size=len(pairs)))
    edges = [(*pair, parallel) for pair, parallel in zip(pairs, counts, strict=True) if parallel]
    return CellGraph.build(name, ("input", *middle, "output"), edges)
