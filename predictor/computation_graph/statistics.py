"""What is known of a computation graph without any label: spectrum, operators and surroundings, statistics, a flow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch
from predictor.computation_graph.words import FAMILIES, WordTable

Values = NDArray[np.float64]

WAVES = 64
"""Numbers that tell which operators a graph has and what is around them."""
FLOW = 8
"""Directions of a flow."""
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


def surroundings(batch: ComputationBatch, words: WordTable) -> Values:
    r"""(G, `WAVES`) which operators a graph has and what is around them; operators of near descriptions are near.

    Each node is the vector :math:`x` of its description, beside the means of those that it takes and that it feeds: one
    round of the continuous Weisfeiler-Lehman scheme (Togninalli et al., "Wasserstein Weisfeiler-Lehman graph kernels",
    2019, arXiv 1906.01277). A graph is the mean of :math:`\cos(w^\top x + b)` over its nodes and their repeats with
    random :math:`w`: the histogram of a Gaussian kernel (Rahimi and Recht, "Random features for large-scale kernel
    machines", 2007), so that Euclidean distances compare whole histograms.
    """
    own = words.vectors[batch.nodes.word].astype(np.float64)
    nodes = np.concatenate([own, *_around(own, batch)], axis=1)
    random = np.random.default_rng(0)
    directions = random.normal(size=(nodes.shape[1], WAVES)) / np.sqrt(nodes.shape[1] / own.shape[1])
    waves = np.cos(nodes @ directions + random.uniform(0.0, 2 * np.pi, WAVES)) * np.sqrt(2.0 / WAVES)
    return _means(waves, batch)


def _around(values: Values, batch: ComputationBatch) -> Iterator[Values]:
    """(N, F) the mean of what each node takes, and of what it feeds."""
    for ends, others in ((batch.target, batch.source), (batch.source, batch.target)):
        found = np.zeros_like(values)
        np.add.at(found, ends, values[others])
        yield found / np.maximum(np.bincount(ends, minlength=len(values)), 1)[:, None]


def _means(values: Values, batch: ComputationBatch) -> Values:
    weights = batch.nodes.repeats.astype(np.float64)
    found = np.zeros((len(batch), values.shape[1]))
    np.add.at(found, batch.graph_of_node, values * weights[:, None])
    total = np.bincount(batch.graph_of_node, weights, minlength=len(batch))
    return np.asarray(found / np.maximum(total, 1.0)[:, None])


def flows(batch: ComputationBatch, words: WordTable) -> Values:
    r"""(N, 2 `FLOW`) what comes to each node forward, and what comes back, in a network of random maps.

    .. math:: h_v = \tanh\Bigl(a_v \frac{1}{\sqrt{n_v}} \sum_{u \to v} h_u + b_v\Bigr), \qquad
              g_u = 1_{\text{fed by none}} + \sum_{u \to v} \frac{1}{\sqrt{n_v}} a_v (1 - h_v^2) g_v

    with :math:`a_v, b_v` fixed random maps of the operator's description: a cheap stand-in for a forward and a backward
    pass, as the surrogate of flow-based pre-training (FGP, NeurIPS 2025).
    """
    random = np.random.default_rng(0)
    own = words.vectors[batch.nodes.word].astype(np.float64)
    gains, offsets = (own @ (random.normal(size=(own.shape[1], FLOW)) / np.sqrt(own.shape[1])) for _ in range(2))
    gains = 1.0 + np.tanh(gains)
    scale = 1.0 / np.sqrt(np.maximum(np.bincount(batch.target, minlength=len(own)), 1))
    depth = _depth_of_nodes(batch)
    steps = [np.flatnonzero(depth[batch.target] == level) for level in range(1, int(depth.max(initial=0)) + 1)]
    heard = np.zeros_like(offsets)
    forward = np.tanh(offsets)
    for edges in steps:
        source, target = batch.source[edges], batch.target[edges]
        np.add.at(heard, target, forward[source] * scale[target, None])
        forward[target] = np.tanh(gains[target] * heard[target] + offsets[target])
    back = np.zeros_like(forward)
    back[np.bincount(batch.source, minlength=len(own)) == 0] = 1.0
    for edges in reversed(steps):
        source, target = batch.source[edges], batch.target[edges]
        np.add.at(back, source, scale[target, None] * gains[target] * (1.0 - forward[target] ** 2) * back[target])
    return np.concatenate([forward, np.arcsinh(back)], axis=1)


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
    deepest = np.zeros(len(batch))
    np.maximum.at(deepest, batch.graph_of_node, _depth_of_nodes(batch))
    return deepest


def _depth_of_nodes(batch: ComputationBatch) -> Values:
    depth = np.zeros(len(batch.nodes.word))
    for source, target in zip(batch.source.tolist(), batch.target.tolist(), strict=True):
        depth[target] = max(depth[target], depth[source] + 1.0)
    return depth
