r"""The structural prior of TG-NAS: six numbers of a graph, each with the sign that theory gives it.

.. math:: \text{prior} = c + s(e) + 2\,s(d) - 0.6\,(p + x + r), \qquad s(a) = \log\frac{a + 0.1}{a + 1.1}

The means are over the ways of the signal: :math:`s_v` is the share of the output's power that passed operator v.

* Capacity :math:`c = \log(1 + \sum_v \log(1 + \theta_v))`: weights of live operators, with diminishing returns inside
  an operator and over operators. In an architecture of several cells, of the mean cell, plus the logarithm of the
  number of cells.
* Expressivity :math:`e = \sum_v s_v \log(1 + \theta_v)`: the same along the mean way. It saturates: what bounds a
  network is the weakness of its ways, not their strength.
* Depth :math:`d = \sum_v s_v l_v`: weighted layers on the mean way. It saturates: a block of one layer is hardly better
  than none (He et al. 2016, arXiv 1512.03385, section 3.2), and a third adds less than a second.
* Lost detail :math:`p = \sum_{v\ \text{pools}} s_v`: weightless windows on the mean way.
* Excess :math:`x = \min(\max(0, d - 2), r)`: longer ways are harder to train, and the more so the longer the shortest
  of them; nothing where an input reaches the output as it is. Nothing either in a cell with a single way: nothing
  shorter is left to prefer, and a chain must not lose by growing.
* Route :math:`r`: weighted layers and pooling windows on the shortest way from an input to the output, at most three.

Power: an operator with weights ends in a normalisation and gives unit power; inputs that are added share it by their
squared multiplicities, inputs that are concatenated by their number. Cells of several inputs project each of them with
a 1x1 convolution (Zoph et al. 2018; Liu et al. 2019), which is part of the network and not of the cell; it counts as a
layer. Channels of NAS-Bench-101's vertices are left out: a weight counts relative to its vertex's width.

0.6 is about the largest cost at which no chain of operators that weigh as much as a 1x1 convolution loses by growing.
The weights were not fitted by a program, but chosen by people who saw labels: docs/tg_nas_protocol.md says how. The
prior is a function of the graph alone, so a single architecture can be scored.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.operators import VOCABULARY, Vocabulary
from predictor.encoding.descriptors import describe
from predictor.encoding.padded_graphs import CellBatch

Values = NDArray[np.float64]

_TINY = 1e-12

COST = 0.6
"""What a pooling window, a layer in excess and a layer on the shortest way cost, in logarithms of what is good."""

LONGEST_ROUTE = 3.0
"""Operators on the shortest way beyond which a longer one costs no more."""
BEST_DEPTH = 2.0
"""Weighted layers on the mean way above which more of them are harder to train than they are worth."""
AROUND_THE_CELL = 0.1
"""Expressivity and depth that the network around a cell has, so that a cell without weights is not worth minus
infinity."""


@dataclass(frozen=True)
class Structure:
    """What the prior reads off each cell of a batch; each (B,), NaN where no path reaches the output.

    Parameters
    ----------
    weights
        Sum over live operators of the logarithm of one plus their relative parameters.
    expressivity
        The same along the mean way of the signal.
    depth, pooling
        Weighted layers, and weightless pooling windows, on the mean way of the signal.
    route
        Weighted layers and pooling windows on the shortest way, at most `LONGEST_ROUTE`.
    ways
        Paths from an input to the output; an edge that is there several times is one.
    """

    weights: Values
    expressivity: Values
    depth: Values
    pooling: Values
    route: Values
    ways: Values

    @property
    def excess(self) -> Values:
        """(B,) layers above the best depth that cost something."""
        above = np.minimum(np.maximum(self.depth - BEST_DEPTH, 0.0), self.route)
        return np.where(self.ways == 1, 0.0, above)


@dataclass(frozen=True)
class Terms:
    """The six terms of each architecture, (A,), before their weights and signs."""

    capacity: Values
    expressivity: Values
    depth: Values
    detail: Values
    excess: Values
    route: Values


@dataclass(frozen=True)
class Prior:
    """Weights of the terms, and mean and spread of their sum on the source; saved beside the networks' weights.

    Parameters
    ----------
    capacity, expressivity, depth
        What is good, with its weight.
    detail, excess, route
        What is bad, with its weight.
    mean, deviation
        Of the weighted sum over graphs of the source: the prior is a standard score there.
    """

    capacity: float = 1.0
    expressivity: float = 1.0
    depth: float = 2.0
    detail: float = COST
    excess: float = COST
    route: float = COST
    mean: float = 0.0
    deviation: float = 1.0

    def standardised(self, terms: Terms) -> Prior:
        """The same weights, with mean 0 and deviation 1 over a pool of graphs."""
        total = replace(self, mean=0.0, deviation=1.0).score(terms)
        return replace(self, mean=float(np.nanmean(total)), deviation=float(np.nanstd(total)))

    def score(self, terms: Terms) -> Values:
        """(A,) the prior; NaN where a cell has no path from input to output."""
        good = self.capacity * terms.capacity + self.expressivity * terms.expressivity + self.depth * terms.depth
        bad = self.detail * terms.detail + self.excess * terms.excess + self.route * terms.route
        return np.asarray((good - bad - self.mean) / self.deviation)


def terms_of(batches: Iterable[CellBatch], architectures: int, vocabulary: Vocabulary = VOCABULARY) -> Terms:
    """The terms of `architectures` architectures whose cells lie in `batches`."""
    sums = np.zeros((architectures, 6))
    total, cells = np.zeros(architectures), np.zeros(architectures)
    for batch in batches:
        for part in batch.parts():
            found = structure(part, vocabulary)
            values = np.stack(
                [found.weights, found.expressivity, found.depth, found.pooling, found.excess, found.route]
            )
            np.add.at(sums, part.owner, (values * part.weight).T)
            np.add.at(total, part.owner, part.weight)
            np.add.at(cells, part.owner, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights, expressivity, depth, pooling, excess, route = (sums / total[:, None]).T
        capacity = np.log1p(weights) + np.log(cells)
        return Terms(capacity, _saturated(expressivity), _saturated(depth), pooling, excess, route)


def _saturated(amount: Values) -> Values:
    return np.log((amount + AROUND_THE_CELL) / (amount + AROUND_THE_CELL + 1.0))


def structure(cells: CellBatch, vocabulary: Vocabulary = VOCABULARY) -> Structure:
    """Read the structure of cells in the form that the network computes (canonical; modules made explicit).

    One pass over the places in topological order treats all cells of the batch at once.
    """
    facts = describe(vocabulary[name] for name in cells.names)
    adjacency = cells.adjacency.astype(np.float64)
    count, size = cells.operators.shape
    is_input = _looked_up([float(vocabulary[name].kind == "input") for name in cells.names], cells) > 0
    several = is_input.sum(axis=1, keepdims=True) > 1
    projected = is_input & several & adjacency.any(axis=2)
    weights = np.log1p(_looked_up([fact.parameters for fact in facts], cells) + projected)
    layers = _looked_up([fact.layers for fact in facts], cells) + projected
    pools = _looked_up([float(fact.is_pool) for fact in facts], cells)
    joins = _looked_up([float(fact.is_join) for fact in facts], cells) > 0
    passed = np.stack([weights, layers, pools])  # (3, B, N): what each node adds to the mean way
    mean_way = np.where(is_input, passed, 0.0)
    route = np.where(is_input, layers, np.inf)
    ways = is_input.astype(np.float64)
    power = np.ones((count, size))
    restores = is_input | joins | (layers > 0)
    for node in range(1, size):
        copies = adjacency[:, :node, node]
        strength = np.where(joins[:, node, None], copies, copies**2) * power[:, :node]
        received = strength.sum(axis=1)
        shares = strength / np.maximum(received, _TINY)[:, None]
        power[:, node] = np.where(restores[:, node], 1.0, np.maximum(received, _TINY))
        mean_way[:, :, node] = (shares * mean_way[:, :, :node]).sum(axis=2) + passed[:, :, node]
        ways[:, node] += ((copies > 0) * ways[:, :node]).sum(axis=1)
        nearest = np.where(copies > 0, route[:, :node], np.inf).min(axis=1) + layers[:, node] + pools[:, node]
        route[:, node] = np.where(is_input[:, node], layers[:, node], nearest)
    rows, output = np.arange(count), size - 1 - cells.mask[:, ::-1].argmax(axis=1)
    shortest = route[rows, output]
    bounded = np.minimum(shortest, LONGEST_ROUTE)
    found = np.stack([weights.sum(axis=1), *mean_way[:, rows, output], bounded, ways[rows, output]])
    return Structure(*np.where(np.isfinite(shortest), found, np.nan))


def _looked_up(values: list[float], cells: CellBatch) -> Values:
    """(B, N) a number of each node's operator; 0 where a place is empty."""
    return np.asarray(np.append(np.array(values, dtype=np.float64), 0.0)[cells.operators])
