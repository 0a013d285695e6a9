"""Many graphs as one: their nodes in a row, and edges between places in that row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sparse
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True)
class GraphBatch:
    """G graphs of N nodes and E edges in all.

    Parameters
    ----------
    features
        (N, F).
    edges
        (2, E) the places of source and target of each edge.
    owner
        (N,) which graph a node belongs to, ascending.
    count
        G; a graph without nodes has the vector 0.
    """

    features: Tensor
    edges: Tensor
    owner: Tensor
    count: int

    @classmethod
    def of(cls, graphs: Sequence[tuple[NDArray[np.float32], NDArray[np.int64]]]) -> GraphBatch:
        """Join graphs, each given by its features (n, F) and its edges (2, e) between its own nodes."""
        sizes = np.array([len(features) for features, _ in graphs], dtype=np.int64)
        starts = np.cumsum(sizes) - sizes
        edges = [edges + start for (_, edges), start in zip(graphs, starts, strict=True)]
        return cls(
            torch.from_numpy(np.concatenate([features for features, _ in graphs])),
            torch.from_numpy(np.concatenate(edges, axis=1)),
            torch.from_numpy(np.repeat(np.arange(len(graphs)), sizes)),
            len(graphs),
        )

    @cached_property
    def adjacencies(self) -> tuple[Adjacency, Adjacency]:
        """The edges as they are and the other way round, for reading."""
        count = len(self.owner)
        return Adjacency.of(self.edges, count), Adjacency.of(self.edges.flip(0), count)

    @property
    def complete(self) -> Tensor:
        """(2, C) an edge from each node to each node of its graph, itself included."""
        sizes = torch.bincount(self.owner, minlength=self.count)
        of_target = sizes[self.owner]  # (N,)
        targets = torch.repeat_interleave(torch.arange(len(self.owner)), of_target)
        first = (torch.cumsum(sizes, 0) - sizes)[self.owner]
        within = torch.arange(len(targets)) - torch.repeat_interleave(torch.cumsum(of_target, 0) - of_target, of_target)
        return torch.stack([torch.repeat_interleave(first, of_target) + within, targets])


@dataclass(frozen=True)
class Adjacency:
    """Edges as a sparse matrix: sums over their sources several times as fast as `gathered`, but without gradients."""

    matrix: sparse.csr_matrix

    @classmethod
    def of(cls, edges: Tensor, count: int) -> Adjacency:
        """The edges between so many nodes."""
        sources, targets = edges.numpy()
        once = np.ones(len(sources), dtype=np.float32)
        return cls(sparse.csr_matrix((once, (targets, sources)), shape=(count, count)))

    def heard(self, hidden: Tensor) -> Tensor:
        """(N, D) what each node hears."""
        return torch.from_numpy(self.matrix @ hidden.numpy())


def gathered(values: Tensor, place: Tensor, count: int) -> Tensor:
    """(count, ...) sums of the rows of `values` by their place."""
    return values.new_zeros(count, *values.shape[1:]).index_add(0, place, values)


def shares(scores: Tensor, place: Tensor, count: int) -> Tensor:
    """Softmax of the rows of `scores` among those of one place, in each column."""
    spread = place.unsqueeze(-1).expand_as(scores)
    most = scores.new_full((count, scores.shape[1]), -torch.inf).scatter_reduce(0, spread, scores.detach(), "amax")
    weights = (scores - most[place]).exp()
    return weights / gathered(weights, place, count)[place]


def sum_of_nodes(hidden: Tensor, owner: Tensor, count: int) -> Tensor:
    """(N, D) to (G, D): the sum over the nodes of each graph."""
    return gathered(hidden, owner, count)


def mean_of_nodes(hidden: Tensor, owner: Tensor, count: int) -> Tensor:
    """(N, D) to (G, D): the mean over the nodes of each graph."""
    sizes = torch.bincount(owner, minlength=count).clamp(min=1)
    return gathered(hidden, owner, count) / sizes.unsqueeze(-1)
