r"""How a signal flows through networks: which share of it passes each node, and the routes from input to output.

All quantities belong to the network and not to the way it is written: a cell with so many repeats gives what the
cells one behind the other give, and a chain of sums what one sum of all gives.

A node that takes several values mixes them by their numbers: of the operands u of a node v, u brings the share
:math:`n_u / \sum n` with n the numbers of one image. A sum thus takes equal shares, a concatenation takes shares by
channels, and a gate of one pixel has next to none. The share of the output that passed v is

.. math:: s_v = \sum_{w \text{ takes } v} s_w \frac{n_v}{\sum_{u \text{ feeds } w} n_u}, \qquad s_\text{output} = 1.

A node of share 1 is a bottleneck: every way passes it. What lies between two bottlenecks of one shape could be bypassed
by an identity, whether or not a network has that identity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]
Places = NDArray[np.int64]

WEIGHTED = ("conv", "linear", "attention", "recurrent", "other")
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
    could_be_bypassed
        (N,) whether the node lies between two bottlenecks of one shape.
    shortest
        (G,) layers and windows that keep the shape of what they take, on the way that has fewest of them.
    """

    shares: Values
    layers: Values
    pools: Values
    could_be_bypassed: Mask
    shortest: Values


def flow_of(batch: ComputationBatch) -> Flow:
    """The flow through each network of a batch; of one without nodes all is 0."""
    nodes = batch.nodes
    repeats = nodes.repeats.astype(np.float64)
    over_all = np.array([word in _WHOLE_IMAGE for word in batch.words], dtype=bool)
    kinds = np.array(batch.kinds, dtype=str)
    layers = np.where(np.isin(kinds, WEIGHTED)[nodes.word] & (np.nan_to_num(nodes.parameters) > 0), repeats, 0.0)
    pools = np.where(((kinds == "pool") & ~over_all)[nodes.word], repeats, 0.0)
    steps = _Steps(batch)
    shares = steps.shares(_numbers(nodes.shape))
    avoidable = np.where(_keeps_shape(batch), layers + pools, 0.0)
    has = np.diff(batch.first_node) > 0
    shortest = np.zeros(len(batch))
    shortest[has] = steps.shortest(avoidable)[batch.first_node[1:][has] - 1]
    return Flow(shares, layers, pools, _between_equals(batch, np.flatnonzero(shares >= _ALL)), shortest)


def totals(batch: ComputationBatch, values: Values) -> Values:
    """(G,) sums over the nodes of each network."""
    return np.bincount(batch.graph_of_node, values, minlength=len(batch)).astype(np.float64)


def _numbers(shape: Places) -> Values:
    """(N,) how many numbers a node gives for one image; what is not known counts as 1."""
    return np.asarray(np.where(shape[:, 1:] > 0, shape[:, 1:], 1).astype(np.float64).prod(axis=1))


def _keeps_shape(batch: ComputationBatch) -> Mask:
    """(N,) whether a node gives the shape that its first operand has."""
    shape = batch.nodes.shape
    first = np.flatnonzero(batch.operand == 0)
    keeps = np.zeros(len(shape), dtype=bool)
    keeps[batch.target[first]] = (shape[batch.target[first]] == shape[batch.source[first]]).all(axis=1)
    return keeps


def _between_equals(batch: ComputationBatch, bottlenecks: Places) -> Mask:
    """(N,) whether a node comes after one bottleneck and not after another of the same shape."""
    count = len(batch.nodes.word)
    if not len(bottlenecks):
        return np.zeros(count, dtype=bool)
    columns = [batch.graph_of_node[bottlenecks], *batch.nodes.shape[bottlenecks].T]
    order = np.lexsort((bottlenecks, *columns))
    sorted_columns = np.stack(columns)[:, order]
    starts = np.flatnonzero(np.r_[True, (sorted_columns[:, 1:] != sorted_columns[:, :-1]).any(axis=0)])
    ends = np.r_[starts[1:], len(order)] - 1
    opened = np.zeros(count + 1, dtype=np.int64)
    np.add.at(opened, bottlenecks[order[starts]] + 1, 1)
    np.add.at(opened, bottlenecks[order[ends]] + 1, -1)
    return np.asarray(np.cumsum(opened)[:count] > 0)


class _Steps:
    """The nodes of all networks by their place in their network, and the edges into each of these places."""

    def __init__(self, batch: ComputationBatch) -> None:
        self.batch = batch
        self.place = np.arange(len(batch.nodes.word)) - batch.first_node[batch.graph_of_node]
        at = self.place[batch.target]
        self._order = np.argsort(at, kind="stable")
        self._ends = np.searchsorted(at[self._order], np.arange(self.place.max(initial=0) + 2))

    def _edges(self, place: int) -> Places:
        return np.asarray(self._order[self._ends[place] : self._ends[place + 1]])

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
