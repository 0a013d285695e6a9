r"""For every row of two samples, how many other rows agree with it in order: what Kendall's tau is the mean of.

A jackknife of tau needs the rows' own counts and not only their sum, which is all that SciPy gives. They cost as much
as the sum does, O(n log n).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.analysis.correlation import Ranking

Counts = NDArray[np.int64]

_BLOCK = 64  # below this width comparing all pairs of a block beats partitioning it further


def concordance(first: Ranking, second: Ranking) -> Counts:
    r"""Of each row, the concordant pairs less the discordant ones.

    :math:`s_i = \sum_j \operatorname{sign}(x_i - x_j) \operatorname{sign}(y_i - y_j)`; half their sum is the numerator
    of tau.

    Returns
    -------
    numpy.ndarray
        (n,) counts between -(n - 1) and n - 1.
    """
    x, y = first.dense, second.dense
    smaller_x, equal_x = _smaller_and_equal(x)
    smaller_y, equal_y = _smaller_and_equal(y)
    x_smaller_y_equal, both_equal = _within_groups(y, x)
    y_smaller_x_equal, _ = _within_groups(x, y)
    both_smaller = _both_smaller(x, y)
    x_smaller_y_larger = smaller_x - both_smaller - x_smaller_y_equal
    x_larger_y_smaller = smaller_y - both_smaller - y_smaller_x_equal
    x_larger_y_equal = equal_y - x_smaller_y_equal - both_equal
    both_larger = len(x) - smaller_x - equal_x - x_larger_y_smaller - x_larger_y_equal
    return np.asarray(both_smaller + both_larger - x_smaller_y_larger - x_larger_y_smaller)


def untied(ranking: Ranking) -> Counts:
    """(n,) how many other rows each row is not tied with."""
    _, equal = _smaller_and_equal(ranking.dense)
    return np.asarray(len(ranking) - equal)


def _smaller_and_equal(ranks: Counts) -> tuple[Counts, Counts]:
    """Of each row, how many rows are smaller, and how many are equal, itself included."""
    counts = np.bincount(ranks)
    return (np.cumsum(counts) - counts)[ranks], counts[ranks]


def _within_groups(group: Counts, ranks: Counts) -> tuple[Counts, Counts]:
    """Of each row, how many rows of its group are smaller, and how many are equal, itself included."""
    counts = np.bincount(group)
    if len(counts) == len(group):  # nothing is tied
        return np.zeros_like(group), np.ones_like(group)
    keys = group << len(group).bit_length() | ranks
    order = np.argsort(keys)
    place = np.arange(len(keys))
    starts = np.append(True, keys[order][1:] != keys[order][:-1])[: len(keys)]
    first = np.maximum.accumulate(np.where(starts, place, 0))
    smaller, equal = np.empty_like(place), np.empty_like(place)
    smaller[order] = first - (np.cumsum(counts) - counts)[group[order]]
    runs = np.diff(np.append(np.flatnonzero(starts), len(keys)))
    equal[order] = np.repeat(runs, runs)
    return smaller, equal


def _both_smaller(x: Counts, y: Counts) -> Counts:
    """Of each row, how many rows have a smaller x and a smaller y."""
    # By y, and within equal y the larger x first: a row that stands before and has a smaller x has a smaller y too.
    # Equal x are told apart the same way, the row that stands first being the largest.
    bits = len(x).bit_length()
    order = np.argsort(y << bits | (len(x) - x))
    standing = np.arange(len(x))
    by_x = len(x) - 1 - (np.sort(x[order] << bits | standing[::-1]) & ((1 << bits) - 1))
    permutation = np.empty_like(by_x)
    permutation[by_x] = standing
    result = np.empty_like(by_x)
    result[order] = _smaller_before(permutation)
    return result


def _smaller_before(permutation: Counts) -> Counts:
    """Of each place of a permutation of 0..n-1, how many smaller values stand before it.

    Values are split by their highest bit, then each half by the next: a smaller value before is counted at the one
    level where it has a 0 and the larger value a 1. With n padded to a power of two every part of a level holds as
    many zeros as ones, so a level is one flat array; at the end the counts lie in the order of the values.
    """
    count = len(permutation)
    size = max(_BLOCK, 1 << max(count - 1, 0).bit_length())
    values = np.concatenate([permutation, np.arange(count, size)]).astype(np.int32)
    smaller = np.zeros(size, dtype=np.int32)
    width = size // 2
    while width >= _BLOCK:
        zero = (values & width) == 0
        ones = ~zero
        zeros_before = np.cumsum(zero, dtype=np.int32)
        smaller[ones] += zeros_before[ones] - values[ones] // (2 * width) * width  # less the zeros of earlier parts
        values, smaller = (
            np.concatenate([side[zero].reshape(-1, width), side[ones].reshape(-1, width)], axis=1).ravel()
            for side in (values, smaller)
        )
        width //= 2
    columns = np.ascontiguousarray((values % _BLOCK).astype(np.int8).reshape(-1, _BLOCK).T)
    within = np.zeros(columns.shape, dtype=np.int8)
    for place in range(1, _BLOCK):
        within[place] = (columns[:place] < columns[place]).sum(axis=0, dtype=np.int8)
    by_value = np.empty(size, dtype=np.int64)
    by_value[values] = smaller + within.T.ravel()
    return by_value[permutation]
