"""Graphs as the hybrid reads them: operators, what a node's cell is, and positions in the graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph
from predictor.graph_network.batch import GraphBatch
from predictor.graph_network.positions import laplacian_positions

POSITIONS = 4
Arrays = tuple[NDArray[np.float32], NDArray[np.int64]]


def operators_of(graphs: Sequence[ArchitectureGraph]) -> tuple[str, ...]:
    """The operators that occur, sorted."""
    return tuple(sorted({name for graph in graphs for cell in graph.cells for name in cell.operators}))


def width_of(operators: Sequence[str]) -> int:
    """How many features a node has."""
    return len(operators) + 1 + POSITIONS


def arrays_of(graph: ArchitectureGraph, operators: Sequence[str]) -> Arrays | None:
    """Features (n, F) and edges (2, e) of all cells of a graph side by side; None where an operator is not listed.

    A node has its operator as one of many, whether it is of a reduction cell, and its Laplacian positions.
    """
    place = {name: number for number, name in enumerate(operators)}
    features, edges, start = [], [], 0
    for cell in graph.cells:
        if any(name not in place for name in cell.operators):
            return None
        links = np.array([(source, target) for source, target, _ in cell.edges], dtype=np.int64).reshape(-1, 2).T
        kinds = np.zeros((cell.node_count, len(operators) + 1), dtype=np.float32)
        kinds[np.arange(cell.node_count), [place[name] for name in cell.operators]] = 1.0
        kinds[:, -1] = cell.reduction
        features.append(np.concatenate([kinds, laplacian_positions(cell.node_count, links, POSITIONS)], axis=1))
        edges.append(links + start)
        start += cell.node_count
    return np.concatenate(features), np.concatenate(edges, axis=1)


def batch_of(graphs: Sequence[Arrays]) -> GraphBatch:
    """Several graphs as one batch."""
    return GraphBatch.of(graphs)
