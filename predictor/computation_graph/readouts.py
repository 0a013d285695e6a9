"""Read-outs: what the vectors of a network's nodes say of the network; each is a group of inputs of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from predictor.graph_network.batch import GraphBatch, gathered

PARTS = 3
"""Parts of a network from its input to its output, each with about as many nodes as the others."""


def mean(hidden: Sequence[Tensor], graphs: GraphBatch, weights: Tensor) -> Tensor:
    """(G, (L + 1) D) the mean of the nodes before, between and after the rounds, each node weighed by its repeats.

    A mean of each round, as Xu et al., "Representation learning on graphs with jumping knowledge networks", 2018
    (arXiv 1806.03536): the early ones say which operators there are, the late ones how they are wired.
    """
    return _mean(torch.cat(list(hidden), dim=1), graphs, weights)


def most(hidden: Sequence[Tensor], graphs: GraphBatch, weights: Tensor) -> Tensor:  # noqa: ARG001
    """(G, 2 D) the largest of each direction among the nodes, before and after the rounds."""
    ends = torch.cat([hidden[0], hidden[-1]], dim=1)
    place = graphs.owner[:, None].expand_as(ends)
    found = ends.new_full((graphs.count, ends.shape[1]), -torch.inf).scatter_reduce(0, place, ends, "amax")
    return torch.where(torch.isfinite(found), found, 0.0)


def parts(hidden: Sequence[Tensor], graphs: GraphBatch, weights: Tensor) -> Tensor:
    """(G, `PARTS` D) the mean of the nodes near the input, in the middle and near the output, after the rounds."""
    sizes = torch.bincount(graphs.owner, minlength=graphs.count)
    first = torch.cumsum(sizes, 0) - sizes
    place = torch.arange(len(graphs.owner)) - first[graphs.owner]
    part = PARTS * place // sizes[graphs.owner]
    return torch.cat([_mean(hidden[-1], graphs, weights * (part == one)) for one in range(PARTS)], dim=1)


def end(hidden: Sequence[Tensor], graphs: GraphBatch, weights: Tensor) -> Tensor:  # noqa: ARG001
    """(G, D) the output's own vector after the rounds: what comes together there."""
    last = torch.cumsum(torch.bincount(graphs.owner, minlength=graphs.count), 0) - 1
    found = hidden[-1].new_zeros(graphs.count, hidden[-1].shape[1])
    there = torch.unique(graphs.owner)
    return found.index_copy(0, there, hidden[-1][last[there]])


def _mean(values: Tensor, graphs: GraphBatch, weights: Tensor) -> Tensor:
    total = gathered(weights, graphs.owner, graphs.count).clamp(min=1.0)
    return gathered(values * weights[:, None], graphs.owner, graphs.count) / total[:, None]


READOUTS: Mapping[str, Callable[[Sequence[Tensor], GraphBatch, Tensor], Tensor]] = {
    "mean": mean,
    "most": most,
    "parts": parts,
    "end": end,
}
"""By name; each takes the nodes' vectors (L + 1 times (N, D)), their graphs and (N,) weights."""
