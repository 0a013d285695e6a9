"""Pools: the architectures of a space that have the truth, with their labels, and all that a predictor may read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from predictor.door import Given

Values = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Target:
    """What is learned and what is judged by.

    Parameters
    ----------
    labels
        (A,) higher is better.
    truth
        (A,) higher is better; the labels themselves where a space has one metric.
    """

    labels: Values
    truth: Values


@dataclass(frozen=True)
class Pool:
    """The architectures of one space, in the order of their native indices.

    Parameters
    ----------
    name
        Of the space.
    given
        What a predictor may read of them.
    functions
        (A,) architectures with one number compute the same function: twins.
    targets
        By name.
    labelled
        Rows that labels may be drawn from.
    tested
        Rows that are tested where they have no label.
    """

    name: str
    given: Given
    functions: NDArray[np.int64]
    targets: Mapping[str, Target]
    labelled: Rows
    tested: Rows

    def __len__(self) -> int:
        return len(self.given)

    def of_target(self, name: str) -> Pool:
        """The pool of those that have one target's label and truth."""
        target = self.targets[name]
        known = np.isfinite(target.labels) & np.isfinite(target.truth)
        return replace(self, labelled=self.labelled[known[self.labelled]], tested=self.tested[known[self.tested]])

    @cached_property
    def first_twins(self) -> Rows:
        """(A,) the first row that computes the same function."""
        _, first, place = np.unique(self.functions, return_index=True, return_inverse=True)
        return np.asarray(first[place])


HALVES_SEED = 2026


def half(pool: Pool, name: str) -> Pool:
    """Half ``A`` or ``B``: labels and test inside it. Twins go with their first member.

    Every choice that cross-validation inside the labels does not make is made on half A; half B is scored once.
    """
    count = len(pool)
    in_a = np.zeros(count, dtype=bool)
    in_a[np.random.default_rng(HALVES_SEED).permutation(count)[: count // 2]] = True
    inside = in_a[pool.first_twins] == (name == "A")
    return replace(pool, labelled=pool.labelled[inside[pool.labelled]], tested=pool.tested[inside[pool.tested]])


def part(given: Given, rows: Rows) -> Given:
    """Some of the architectures, in the order of `rows`."""
    return given.taken(rows)
