r"""How a signal flows through networks: which share of it passes each node, and the routes from input to output.

All quantities belong to the network and not to the way it is written: a cell with so many repeats gives what the
cells one behind the other give, and a chain of sums what one sum of all gives.

A node that takes several values mixes them by their numbers: of the operands u of a node v, u brings the share
:math:`n_u / \sum n` with n the numbers of one image. A sum thus takes equal shares, a concatenation takes shares by
channels, and a gate of one pixel has next to none. The share of the output that passed v is

.. math:: s_v = \sum_{w \text{ takes } v} s_w \frac{n_v}{\sum_{u \text{ feeds } w} n_u}, \qquad s_\text{output} = 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

WEIGHTED = frozenset({"conv", "linear", "attention", "recurrent", "other"})
"""Kinds of operators that are layers where they have weights."""
_WHOLE_IMAGE = frozenset({"global_avgpool", "global_maxpool", "mean", "reduce_sum", "reduce_max"})
_ALL = 1.0 - 1e-9


@dataclass(frozen=True)
class Flow:
    """The signal of the networks of a batch; (N,) of its nodes or (G,) of its networks.

    Parameters
    ----------
    shares
        (N,) share of the output that passed the node.
    layers, pools
        (N,) weighted layers and weightless windows that a node stands for.
    roots
        (N,) square roots of multiply-accumulates, of all its repeats.
    shortest
        (G,) weighted layers and windows on the shortest way.
    bottleneck
        (G,) weighted layers and windows that every way passes.
    """

    shares: Values
    layers: Values
    pools: Values
    roots: Values
    shortest: Values
    bottleneck: Values


def flow_of(batch: ComputationBatch) -> Flow:
    """The flow through each network of a batch; of one without nodes all is 0."""
    nodes = batch.nodes
    repeats = nodes.repeats.astype(np.float64)
    costs, weights = np.nan_to_num(nodes.multiply_accumulates), np.nan_to_num(nodes.parameters)
    words = np.array([word in _WHOLE_IMAGE for word in batch.words], dtype=bool)
    kinds = np.array(batch.kinds, dtype=str)
    layers = np.where(np.isin(kinds, list(WEIGHTED))[nodes.word] & (weights > 0), repeats, 0.0)
    pools = np.where(((kinds == "pool") & ~words)[nodes.word], repeats, 0.0)
    steps = _Steps(batch)
    shares = steps.shares(_numbers(nodes.shape))
    passed = layers + pools
    has = np.diff(batch.first_node) > 0
    shortest = np.zeros(len(batch))
    shortest[has] = steps.shortest(passed)[batch.first_node[1:][has] - 1]
    bottleneck = totals(batch, np.where(shares >= _ALL, passed, 0.0))
    return Flow(shares, layers, pools, np.sqrt(costs / repeats) * repeats, shortest, bottleneck)


def totals(batch: ComputationBatch, values: Values) -> Values:
    """(G,) sums over the nodes of each network."""
    sums: Values = np.bincount(batch.graph_of_node, values, minlength=len(batch)).astype(np.float64)
    return sums


def _numbers(shape: NDArray[np.int64]) -> Values:
    """(N,) how many numbers a node gives for one image; what is not known counts as 1."""
    known: Values = np.where(shape[:, 1:] > 0, shape[:, 1:], 1).astype(np.float64)
    numbers: Values = known.prod(axis=1)
    return numbers


class _Steps:
    """The nodes of all networks by their place in their network, and the edges into each of these places."""

    def __init__(self, batch: ComputationBatch) -> None:
        self.batch = batch
        self.place = np.arange(len(batch.nodes.word)) - batch.first_node[batch.graph_of_node]
        at = self.place[batch.target]
        self._order = np.argsort(at, kind="stable")
        self._ends = np.searchsorted(at[self._order], np.arange(self.place.max(initial=0) + 2))

    def _edges(self, place: int) -> NDArray[np.int64]:
        return self._order[self._ends[place] : self._ends[place + 1]]

    def shares(self, numbers: Values) -> Values:
        batch = self.batch
        source, target = batch.source, batch.target
        received = np.bincount(target, numbers[source], minlength=len(numbers))
        mixed = numbers[source] / received[target]
        shares = np.zeros(len(numbers))
        shares[batch.first_node[1:][np.diff(batch.first_node) > 0] - 1] = 1.0
        for place in range(len(self._ends) - 2, 0, -1):
            edges = self._edges(place)
            np.add.at(shares, source[edges], shares[target[edges]] * mixed[edges])
        return shares

    def shortest(self, passed: Values) -> Values:
        """(N,) the least that a way from an input passes, the node itself included."""
        batch = self.batch
        least = np.where(self.place == 0, 0.0, np.inf)
        for place in range(1, len(self._ends) - 1):
            edges = self._edges(place)
            if not len(edges):
                continue
            targets = batch.target[edges]
            starts = np.flatnonzero(np.r_[True, targets[1:] != targets[:-1]])
            into = targets[starts]
            least[into] = np.minimum.reduceat(least[batch.source[edges]], starts) + passed[into]
        return least
