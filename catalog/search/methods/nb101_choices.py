"""NAS-Bench-101 as choices: whether each of 21 edges is there, and an operator for each of five vertices."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.choices import Choices, Decision, Genes
from catalog.spaces.base import SearchSpace, architecture
from catalog.spaces.nb101_enumeration import CELL, MAXIMUM_EDGES, MAXIMUM_VERTICES, first_forms
from catalog.spaces.nb101_hash import NODE_OPERATORS

Links = NDArray[np.bool_]

_LAST = MAXIMUM_VERTICES - 1
_SOURCES, _TARGETS = np.array(list(combinations(range(MAXIMUM_VERTICES), 2))).T
_EDGES = len(_SOURCES)
_LONGEST_FIRST = np.argsort(_SOURCES - _TARGETS, kind="stable")
_EDGE_NUMBER = {pair: number for number, pair in enumerate(combinations(range(MAXIMUM_VERTICES), 2))}
_INTERIOR = NODE_OPERATORS[:3]


class NB101Choices(Choices):
    """NAS-Bench-101: 21 edges and 5 operators.

    A combination is mended into a module: without a path from input to output the edge between them is added, and of
    more than nine edges on such paths those that skip most vertices are left out, for they are the least needed to
    hold the module together. Vertices that lie on no path do not count. So what stands in a place of the module
    depends on many decisions at once: the choices are not separable.
    """

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        edges = [
            Decision(f"edge {source}->{target}", ("absent", "present"))
            for source, target in zip(_SOURCES.tolist(), _TARGETS.tolist(), strict=True)
        ]
        operators = [Decision(f"operator of vertex {vertex}", _INTERIOR) for vertex in range(1, _LAST)]
        self.decisions = (*edges, *operators)

    def sample(self, count: int, generator: np.random.Generator) -> Genes:
        """Genes of modules drawn uniformly; random edges would rarely make the large ones, which are most."""
        genes = np.zeros((count, len(self.decisions)), dtype=np.int64)
        genes[:, _EDGES:] = generator.integers(len(_INTERIOR), size=(count, _LAST - 1))
        for row, graph in enumerate(self.space.sample(count, int(generator.integers(2**32)))):
            (cell,) = graph.cells
            place = [*range(cell.node_count - 1), _LAST]
            for vertex in range(1, cell.node_count - 1):
                genes[row, _EDGES + vertex - 1] = _INTERIOR.index(cell.operators[vertex])
            for source, target, _ in cell.edges:
                genes[row, _EDGE_NUMBER[place[source], place[target]]] = 1
        return genes

    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        links = np.zeros((len(genes), MAXIMUM_VERTICES, MAXIMUM_VERTICES), dtype=bool)
        links[:, _SOURCES, _TARGETS] = genes[:, :_EDGES] == 1
        links = _mended(links)
        operators = np.empty((len(genes), MAXIMUM_VERTICES), dtype=np.int16)
        operators[:, 0], operators[:, _LAST] = NODE_OPERATORS.index("input"), NODE_OPERATORS.index("output")
        operators[:, 1:_LAST] = genes[:, _EDGES:]
        kept: Links = np.asarray(links.any(axis=1) | links.any(axis=2))
        graphs: dict[int, ArchitectureGraph] = {}
        for vertices in np.unique(kept.sum(axis=1)).tolist():
            rows = np.flatnonzero(kept.sum(axis=1) == vertices)
            places = np.nonzero(kept[rows])[1].reshape(-1, vertices)  # (R, V) the vertices that are kept
            within: Links = links[rows[:, None, None], places[:, :, None], places[:, None, :]]
            modules = first_forms(
                CellArrays(
                    CELL,
                    NODE_OPERATORS,
                    operators[rows[:, None], places],
                    np.asarray(within, dtype=np.uint8),
                )
            )
            graphs.update((row, architecture(self.space, modules.cell(i))) for i, row in enumerate(rows.tolist()))
        return [graphs[row] for row in range(len(genes))]


def _mended(links: Links) -> Links:
    """The edges that lie on paths from input to output, at most nine and at least one."""
    links = _on_paths(links)
    while True:
        excess = np.flatnonzero(links.sum(axis=(1, 2)) > MAXIMUM_EDGES)
        if not len(excess):
            return links
        longest = _LONGEST_FIRST[np.argmax(links[excess][:, _SOURCES, _TARGETS][:, _LONGEST_FIRST], axis=1)]
        links[excess, _SOURCES[longest], _TARGETS[longest]] = False
        links[excess] = _on_paths(links[excess])


def _on_paths(links: Links) -> Links:
    fed = np.zeros(links.shape[:2], dtype=bool)
    used = np.zeros(links.shape[:2], dtype=bool)
    fed[:, 0] = used[:, _LAST] = True
    for vertex in range(1, MAXIMUM_VERTICES):
        fed[:, vertex] = (links[:, :, vertex] & fed).any(axis=1)
        used[:, _LAST - vertex] = (links[:, _LAST - vertex] & used).any(axis=1)
    alive = fed & used
    kept = links & alive[:, :, None] & alive[:, None, :]
    kept[~kept.any(axis=(1, 2)), 0, _LAST] = True
    return kept
