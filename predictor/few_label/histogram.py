"""Weisfeiler-Lehman histograms: how often each surrounding of a node occurs in an architecture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sparse
from numpy.typing import NDArray

from catalog.architecture.canonical_labelling import operator_key
from catalog.architecture.weisfeiler_lehman import colours
from predictor.door import Given
from predictor.few_label.surroundings import kind_of

Values = NDArray[np.float64]

ROUNDS = 1
_TINY = 1e-12


@dataclass(frozen=True)
class Counts:
    """Colours after one round: one row an architecture and colour that occurs in it.

    Parameters
    ----------
    rows
        (R,) the architecture.
    colours
        (R,) 64-bit colours.
    counts
        (R,) how often, cells that are repeated as often as they are.
    """

    rows: NDArray[np.int64]
    colours: NDArray[np.uint64]
    counts: Values


@dataclass(frozen=True)
class Histogram:
    """Square roots of counts at unit length, so that large architectures are not far from all others.

    Parameters
    ----------
    values
        (A, V) of the colours of a vocabulary, sparse.
    rest
        (A,) squared length of what stands outside of the vocabulary.
    """

    values: sparse.csr_matrix
    rest: Values

    def squares(self, other: Histogram) -> Values:
        """(A, N) squared distances, of histograms of which `other` is made of the vocabulary alone."""
        shared = np.asarray((self.values @ other.values.T).todense())
        lengths = np.asarray(self.values.multiply(self.values).sum(axis=1)).reshape(-1) + self.rest
        others = np.asarray(other.values.multiply(other.values).sum(axis=1)).reshape(-1)
        return np.asarray(np.maximum(lengths[:, None] + others - 2.0 * shared, 0.0))


def count_colours(given: Given, rounds: int = ROUNDS) -> list[Counts]:
    """The colours of canonical graphs after each round from the first to the last; cells of different names apart."""
    found: list[list[Counts]] = [[] for _ in range(rounds)]
    for part in given.canonical.cells:
        keys = part.cells.keys() ^ np.uint64(operator_key(kind_of(part.cells.name)))
        repeats = np.ones(len(part.rows)) if part.repeats is None else part.repeats.astype(np.float64)
        nodes = keys.shape[1]
        rows, counts = np.repeat(part.rows, nodes), np.repeat(repeats, nodes)
        for place, current in enumerate(colours(keys, part.cells.adjacency, rounds)):
            if place:
                found[place - 1].append(Counts(rows, current.reshape(-1), counts))
    return [
        Counts(
            np.concatenate([one.rows for one in parts]),
            np.concatenate([one.colours for one in parts]),
            np.concatenate([one.counts for one in parts]),
        )
        for parts in found
    ]


def vocabulary_of(counts: Counts, rows: NDArray[np.intp]) -> NDArray[np.uint64]:
    """(V,) the colours that occur in some architectures, ascending."""
    return np.unique(counts.colours[np.isin(counts.rows, rows)])


def histogram(counts: Counts, architectures: int, vocabulary: NDArray[np.uint64]) -> Histogram:
    """The histograms of `architectures` architectures over a vocabulary."""
    distinct, place = np.unique(counts.colours, return_inverse=True)
    shape = (architectures, len(distinct))
    summed = sparse.csr_matrix((counts.counts, (counts.rows, place)), shape=shape)  # adds up what occurs twice
    roots = summed.sqrt()
    lengths = np.asarray(summed.sum(axis=1)).reshape(-1)
    known = np.isin(distinct, vocabulary)
    by_colour = (sparse.diags(1.0 / np.sqrt(np.maximum(lengths, _TINY))) @ roots).tocsc()
    outside = by_colour[:, ~known]
    inside = by_colour[:, known].tocoo()
    column = np.searchsorted(vocabulary, distinct[known])
    values = sparse.csr_matrix((inside.data, (inside.row, column[inside.col])), shape=(architectures, len(vocabulary)))
    values.sort_indices()  # else sums depend on which operation sorted them first
    return Histogram(values, np.asarray(outside.multiply(outside).sum(axis=1)).reshape(-1))
