"""Where a node stands in its graph, as numbers: eigenvectors of the graph's Laplacian."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_NEGLIGIBLE = 1e-6


def laplacian_positions(nodes: int, edges: NDArray[np.int64], width: int) -> NDArray[np.float32]:
    """(nodes, width) the eigenvectors of the normalised Laplacian's smallest eigenvalues but the first.

    Edges count in both directions. An eigenvector's sign means nothing: its first entry that is not zero is positive. A
    graph of fewer nodes has zeros in the columns that are left.
    """
    adjacency = np.zeros((nodes, nodes))
    adjacency[edges[0], edges[1]] = adjacency[edges[1], edges[0]] = 1.0
    degrees = adjacency.sum(axis=1)
    root = np.where(degrees > 0, 1.0 / np.sqrt(np.maximum(degrees, 1.0)), 0.0)
    vectors = np.linalg.eigh(np.eye(nodes) - root[:, None] * adjacency * root)[1][:, 1 : width + 1]
    first = np.argmax(np.abs(vectors) > _NEGLIGIBLE, axis=0)
    vectors = vectors * np.where(vectors[first, np.arange(vectors.shape[1])] < 0, -1.0, 1.0)
    return np.pad(vectors, ((0, 0), (0, width - vectors.shape[1]))).astype(np.float32)
