"""Graphs that the tests of TG-NAS share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Vocabulary

NB201_EDGES = [(0, 1), (0, 2), (0, 4), (1, 3), (1, 5), (2, 6), (3, 6), (4, 7), (5, 7), (6, 7)]


def nb201_cell(*operators: str) -> ArchitectureGraph:
    """A NAS-Bench-201 cell of six operators, canonical."""
    cell = CellGraph.build("cell", ("input", *operators, "output"), NB201_EDGES)
    return ArchitectureGraph("nb201", (cell,)).canonical


def chain(operators: Sequence[str], vocabulary: Vocabulary = VOCABULARY) -> ArchitectureGraph:
    """Operators one after the other, canonical."""
    names = ("input", *operators, "output")
    edges = [(place, place + 1) for place in range(len(names) - 1)]
    cell = CellGraph.build("cell", names, edges, vocabulary=vocabulary)
    return ArchitectureGraph("own", (cell,), vocabulary).canonical


def random_graphs(count: int, seed: int = 0) -> list[ArchitectureGraph]:
    """Random NAS-Bench-201 cells, canonical."""
    generator = np.random.default_rng(seed)
    words = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
    return [nb201_cell(*(words[word] for word in generator.integers(5, size=6))) for _ in range(count)]
