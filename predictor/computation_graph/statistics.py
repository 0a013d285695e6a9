"""What the wiring of a computation graph says without any label: its spectrum, and plain statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch
from predictor.computation_graph.words import FAMILIES, WordTable

Values = NDArray[np.float64]

LEVELS = 21
"""Eigenvalues that a spectrum is told by, evenly spaced among those of the graph."""

NAMES = (
    *("nodes", "edges", "depth", "repeats", "parameters", "multiply_accumulates"),
    *(f"share_of_{family}" for family in FAMILIES),
)


def spectra(batch: ComputationBatch) -> Values:
    """(G, `LEVELS`) eigenvalues of each graph's normalised Laplacian, edges in both directions, as quantiles.

    Their distance is what the published way compares graphs by; it sees wirings, not operators.
    """
    found = np.zeros((len(batch), LEVELS))
    for graph in range(len(batch)):
        start, end = batch.first_node[graph : graph + 2]
        edges = slice(*batch.first_edge[graph : graph + 2])
        if start == end:
            continue
        source, target = batch.source[edges] - start, batch.target[edges] - start
        adjacency = np.zeros((end - start, end - start))
        adjacency[source, target] = adjacency[target, source] = 1.0
        root = 1.0 / np.sqrt(np.maximum(adjacency.sum(axis=1), 1.0))
        values = np.linalg.eigvalsh(np.eye(end - start) - root[:, None] * adjacency * root)
        found[graph] = np.quantile(values, np.linspace(0.0, 1.0, LEVELS))
    return found


def statistics(batch: ComputationBatch, words: WordTable) -> Values:
    """(G, `NAMES`) sizes as logarithms, and the share of each family of operators; what is not known counts as 0."""
    owner, count = batch.graph_of_node, len(batch)
    nodes = np.diff(batch.first_node)
    family = words.family[batch.nodes.word]
    shares = [
        np.bincount(owner, family == place, minlength=count) / np.maximum(nodes, 1) for place in range(len(FAMILIES))
    ]
    repeats = np.bincount(owner, batch.nodes.repeats, minlength=count)
    sizes = [np.bincount(owner, np.nan_to_num(costs), minlength=count) for costs in _costs(batch)]
    plain = [nodes, np.diff(batch.first_edge), _depths(batch), repeats, *sizes]
    return np.stack([*(np.log1p(values) for values in plain), *shares], axis=1)


def _costs(batch: ComputationBatch) -> tuple[Values, Values]:
    return batch.nodes.parameters, batch.nodes.multiply_accumulates


def _depths(batch: ComputationBatch) -> Values:
    """(G,) nodes on the longest path; edges are sorted by target, and each node follows those that it takes."""
    depth = np.zeros(len(batch.nodes.word))
    for source, target in zip(batch.source.tolist(), batch.target.tolist(), strict=True):
        depth[target] = max(depth[target], depth[source] + 1.0)
    deepest = np.zeros(len(batch))
    np.maximum.at(deepest, batch.graph_of_node, depth)
    return deepest
