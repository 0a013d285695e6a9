r"""Supernets: a space of which only some options are left, and scores that can value one without trying it out.

Where choices are separable, each number X that encodes a native graph's operators and edges has a mean over all
architectures of a supernet which needs only the graphs that differ from the first in one decision at the most:

.. math:: \bar X = X_0 + \sum_d \frac{1}{|A_d|} \sum_{o \in A_d} (X_{d,o} - X_0)

with :math:`A_d` the options that are left of decision d. On a fixed graph that is the mean embedding of the active
operators; where predecessors are chosen (DARTS) the adjacency has a mean too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from catalog.search.methods.choices import Choices, Genes


@dataclass(frozen=True)
class Supernet:
    """All architectures that some options of each decision allow.

    Parameters
    ----------
    choices
        The decisions.
    active
        For each decision the numbers of the options that are left, ascending.
    """

    choices: Choices
    active: tuple[tuple[int, ...], ...]

    @classmethod
    def whole(cls, choices: Choices) -> Supernet:
        """The supernet in which every option is left."""
        return cls(choices, tuple(tuple(range(count)) for count in choices.counts.tolist()))

    @property
    def open_decisions(self) -> tuple[int, ...]:
        """The decisions of which more than one option is left."""
        return tuple(place for place, options in enumerate(self.active) if len(options) > 1)

    def without(self, decision: int, option: int) -> Supernet:
        """The supernet with one option of one decision removed."""
        left = tuple(other for other in self.active[decision] if other != option)
        return Supernet(self.choices, (*self.active[:decision], left, *self.active[decision + 1 :]))

    def sample(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """(count, D) genes of architectures drawn from it."""
        return np.stack(
            [np.array(options)[generator.integers(len(options), size=count)] for options in self.active], axis=1
        )

    def shares(self) -> NDArray[np.float64]:
        """(K,) the weight of each architecture of `single_changes` in the mean of all of the supernet; their sum is 1.

        That of the first is negative where most of its options are gone: it is what the others have too much of.
        """
        parts = []
        for count, options in zip(self.choices.counts.tolist(), self.active, strict=True):
            part = np.zeros(count)
            part[list(options)] = 1 / len(options)
            parts.append(part[1:])  # the first option is that of the first architecture
        others = np.concatenate(parts)
        return np.concatenate([[1 - others.sum()], others])

    def __repr__(self) -> str:
        return f"Supernet({sum(map(len, self.active))} options of {len(self.active)} decisions)"


def single_changes(choices: Choices) -> Genes:
    """(K, D) the genes that take the first option of every decision, then those that take one other option of one.

    They are in the order of the decisions and of their options, which is that of `Supernet.shares`.
    """
    changes = [(decision, option) for decision, count in enumerate(choices.counts) for option in range(1, count)]
    genes = np.zeros((1 + len(changes), len(choices.counts)), dtype=np.int64)
    for row, (decision, option) in enumerate(changes, 1):
        genes[row, decision] = option
    return genes


@runtime_checkable
class SupernetScorer(Protocol):
    """A score that can value a supernet itself, as TG-NAS does by the mean embedding of the active operators."""

    def score_supernets(self, supernets: Sequence[Supernet]) -> NDArray[np.float64]:
        """(B,) scores of supernets, higher is better, NaN where there is no value."""
        ...
