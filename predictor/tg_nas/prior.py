r"""The structural prior of TG-NAS: three numbers of a graph, each with the sign that theory gives it.

.. math:: \text{prior} = c/\sigma_c - p/\sigma_p - t/\sigma_t

* Capacity :math:`c = \log(1 + \sum_v \log(1 + \theta_v))`: weights of live operators, with diminishing returns inside
  an operator and over operators. More is better. In an architecture of several cells, of the mean cell, plus the
  logarithm of the number of cells.
* Lost detail :math:`p = \sum_{v\ \text{pools}} s_v`: how many weightless windows the signal passes on average, where
  :math:`s_v` is the share of the output's power that passed v. Less is better.
* Trainability :math:`t = \min(r, 3)\, c`, with r the operators on the shortest way from an input to the output: a
  capable cell without a short way for the gradient is hard to train. Less is better. In a cell with a single way there
  is no shorter one that the gradient could prefer, so r counts as its bound and a chain does not lose by growing.

Power: an operator with weights ends in a normalisation and gives unit power; inputs that are added share it by their
squared multiplicities, inputs that are concatenated by their number.

The three votes are equal: each is divided by its standard deviation over NAS-Bench-101 graphs (no labels involved).
The prior is a function of the graph alone, so a single architecture can be scored.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from catalog.operators import VOCABULARY, Vocabulary
from predictor.tensors import CellBatch
from predictor.tg_nas.descriptors import describe

Values = NDArray[np.float64]

_TINY = 1e-12

LONGEST_ROUTE = 3.0
"""Operators on the shortest way beyond which a longer one costs no more."""


@dataclass(frozen=True)
class Structure:
    """What the prior reads off each cell of a batch; each (B,), NaN where no path reaches the output.

    Parameters
    ----------
    weights
        Sum over live operators of the logarithm of one plus their relative parameters.
    pooling
        Weightless pooling windows on the mean way of the signal.
    route
        Weighted layers and pooling windows on the shortest way.
    ways
        Paths from an input to the output.
    """

    weights: Values
    pooling: Values
    route: Values
    ways: Values


@dataclass(frozen=True)
class Terms:
    """The three terms of each architecture, (A,), before their signs."""

    capacity: Values
    pooling: Values
    trainability: Values


@dataclass(frozen=True)
class PriorScale:
    """Spread of each term, and mean and spread of their sum, on the source; saved beside the weights."""

    capacity: float
    pooling: float
    trainability: float
    mean: float
    deviation: float

    @classmethod
    def of(cls, terms: Terms) -> PriorScale:
        """The scale of a pool of graphs."""
        spreads = {field.name: float(np.nanstd(getattr(terms, field.name))) for field in fields(Terms)}
        total = cls(**spreads, mean=0.0, deviation=1.0).score(terms)
        return cls(**spreads, mean=float(np.nanmean(total)), deviation=float(np.nanstd(total)))

    def score(self, terms: Terms) -> Values:
        """(A,) the prior; NaN where a cell has no path from input to output."""
        total = terms.capacity / self.capacity - terms.pooling / self.pooling - terms.trainability / self.trainability
        return np.asarray((total - self.mean) / self.deviation)


def terms_of(batches: Iterable[CellBatch], architectures: int, vocabulary: Vocabulary = VOCABULARY) -> Terms:
    """The terms of `architectures` architectures whose cells lie in `batches`."""
    sums = np.zeros((architectures, 3))
    total, cells = np.zeros(architectures), np.zeros(architectures)
    for batch in batches:
        for part in batch.parts():
            found = structure(part, vocabulary)
            route = np.where(found.ways > 1, np.minimum(found.route, LONGEST_ROUTE), LONGEST_ROUTE)
            values = np.stack([found.weights, found.pooling, route])
            np.add.at(sums, part.owner, (values * part.weight).T)
            np.add.at(total, part.owner, part.weight)
            np.add.at(cells, part.owner, 1.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        weights, pooling, route = (sums / total[:, None]).T
        capacity = np.log1p(weights)
        return Terms(capacity + np.log(cells), pooling, route * capacity)


def structure(cells: CellBatch, vocabulary: Vocabulary = VOCABULARY) -> Structure:
    """Read the structure of cells in the form that the network computes (canonical; modules made explicit).

    One pass over the places in topological order treats all cells of the batch at once.
    """
    facts = describe(vocabulary[name] for name in cells.names)
    weights = _looked_up([math.log1p(fact.parameters) for fact in facts], cells)
    layers = _looked_up([fact.layers for fact in facts], cells)
    pools = _looked_up([float(fact.is_pool) for fact in facts], cells)
    joins = _looked_up([float(fact.is_join) for fact in facts], cells) > 0
    is_input = _looked_up([float(vocabulary[name].kind == "input") for name in cells.names], cells) > 0
    adjacency = cells.adjacency.astype(np.float64)
    count, size = cells.operators.shape
    route = np.where(is_input, 0.0, np.inf)
    ways = is_input.astype(np.float64)
    power, pooling = np.ones((count, size)), np.zeros((count, size))
    restores = is_input | joins | (layers > 0)
    for node in range(1, size):
        copies = adjacency[:, :node, node]
        strength = np.where(joins[:, node, None], copies, copies**2) * power[:, :node]
        received = strength.sum(axis=1)
        shares = strength / np.maximum(received, _TINY)[:, None]
        power[:, node] = np.where(restores[:, node], 1.0, np.maximum(received, _TINY))
        pooling[:, node] = (shares * pooling[:, :node]).sum(axis=1) + pools[:, node]
        ways[:, node] += (copies * ways[:, :node]).sum(axis=1)
        nearest = np.where(copies > 0, route[:, :node], np.inf).min(axis=1) + layers[:, node] + pools[:, node]
        route[:, node] = np.where(is_input[:, node], 0.0, nearest)
    rows, output = np.arange(count), size - 1 - cells.mask[:, ::-1].argmax(axis=1)
    reached = np.isfinite(route[rows, output])
    found = np.stack([weights.sum(axis=1), pooling[rows, output], route[rows, output], ways[rows, output]])
    return Structure(*np.where(reached, found, np.nan))


def _looked_up(values: list[float], cells: CellBatch) -> Values:
    """(B, N) a number of each node's operator; 0 where a place is empty."""
    return np.append(np.array(values, dtype=np.float64), 0.0)[cells.operators]
