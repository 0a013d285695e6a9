"""What is searched: a space, a score, constraints, and how long."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import UsageError
from catalog.spaces.base import SearchSpace

MOST_OBJECTIVES = 3


@dataclass(frozen=True, eq=False, slots=True)
class Candidate:
    """One architecture that a search looks at.

    A candidate that the search made has both graphs and no place; one out of a pool has a place and no graphs, so that
    a pool of hundreds of thousands costs no graphs that nobody reads.

    Parameters
    ----------
    digest
        Its canonical digest: candidates of one digest compute the same function.
    graph
        The native graph; in NAS-Bench-101 the first form, which fixes the channels.
    canonical
        The canonical form of `graph`.
    place
        Its place in the pool, from 0.
    native_id
        The benchmark's own identifier, where the search looks at every architecture for itself; None where one stands
        for all that compute the same function.
    """

    digest: str
    graph: ArchitectureGraph | None = None
    canonical: ArchitectureGraph | None = None
    place: int | None = None
    native_id: str | None = None

    @property
    def key(self) -> str:
        """What tells it from others: candidates of one key are one to the search, and are scored once."""
        return self.digest if self.native_id is None else self.native_id

    def __repr__(self) -> str:
        where = "" if self.place is None else f", place={self.place}"
        return f"Candidate({self.digest[:8]}{where})"


Scores = Callable[[Sequence[Candidate]], NDArray[np.float64]]
"""(B, objectives) scores of a batch, or (B,) of one objective; higher is better, NaN where there is no value.

An object of this kind may also follow `catalog.search.methods.supernet.SupernetScorer`.
"""

Violations = Callable[[Sequence[Candidate]], NDArray[Any]]
"""(B,) by how much each candidate breaks the constraints: 0 or False where it keeps them, NaN counts as broken.

Amounts lead a search back into what is allowed; where only yes or no is known, True and False will do.
"""


class Surrogate(Protocol):
    """What stands between known labels and unknown ones: it learns from the ones and predicts the others."""

    def believe(
        self, known: Sequence[Candidate], labels: NDArray[np.float64], asked: Sequence[Candidate], seed: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(B,) mean and spread of the labels of the candidates that are asked about, NaN where it has no opinion.

        Parameters
        ----------
        known, labels
            (L,) candidates with labels, higher is better.
        asked
            The B others.
        seed
            Decides everything random in the learning.
        """
        ...


@dataclass(frozen=True)
class Asking:
    """How a search asks for labels.

    Parameters
    ----------
    surrogate
        The predictor.
    acquisition
        One of `catalog.search.methods.bayesian.ACQUISITIONS`.
    first
        How many labels are asked for at random before the predictor says anything.
    batch
        How many labels are asked for between two of its trainings.
    """

    surrogate: Surrogate
    acquisition: str = "thompson"
    first: int = 10
    batch: int = 5


@dataclass(frozen=True)
class Problem:
    """What to search, and by what.

    Parameters
    ----------
    space
        The search space; its `sample` and `neighbours` and its encoding as choices make the candidates.
    score
        Scores a batch. Called once for each key of a candidate, never for one that breaks the constraints.
    objectives
        How many numbers the score gives: 1, or 2 or 3 for a Pareto front.
    violations
        By how much candidates break the constraints; None if everything is allowed. A search may look at candidates
        that break them, but neither scores nor returns them.
    pool
        The canonical digests of the architectures among which `exhaustive` and `random` choose, in order. None if the
        candidates come from the space itself. The methods that vary candidates do not read it: what must not leave a
        pool needs `violations` too.
    pool_ids
        The native ids of the pool's architectures; read where twins are told apart.
    tells_twins_apart
        Whether every architecture is looked at for itself. Otherwise the first that a search meets stands for all that
        compute the same function, which is right where they are equal in all that is asked of them.
    asking
        For the method that learns from labels which to ask for next: how.

    Raises
    ------
    UsageError
        The number of objectives is not 1, 2 or 3.
    """

    space: SearchSpace
    score: Scores
    objectives: int = 1
    violations: Violations | None = None
    pool: Sequence[str] | None = None
    pool_ids: Sequence[str] | None = None
    tells_twins_apart: bool = False
    asking: Asking | None = None

    def __post_init__(self) -> None:
        if self.tells_twins_apart and (self.pool is None) != (self.pool_ids is None):
            raise ValueError("a pool whose twins are told apart needs the native ids of its architectures.")
        if not 1 <= self.objectives <= MOST_OBJECTIVES:
            raise UsageError(f"{self.objectives} scores cannot be searched by; give 1, or 2 or 3 for a Pareto front.")

    @property
    def named_by(self) -> SearchSpace | None:
        """The space whose native ids tell candidates apart; None where their functions do."""
        return self.space if self.tells_twins_apart else None


@dataclass(frozen=True)
class Budget:
    """How long a search may last; it ends with the first limit that it reaches.

    Parameters
    ----------
    evaluations
        How many different candidates may be scored, supernets included; such as were visited before or break the
        constraints cost nothing. None for no limit.
    seconds
        For how long; looked at between batches. None for no limit.

    Raises
    ------
    UsageError
        A limit is not positive.
    """

    evaluations: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.evaluations is not None and self.evaluations < 1:
            raise UsageError(f"a budget of {self.evaluations} evaluations allows no search; give 1 or more.")
        if self.seconds is not None and not (self.seconds > 0 and math.isfinite(self.seconds)):
            raise UsageError(f"a budget of {self.seconds:g} seconds allows no search; give a positive number.")

    @property
    def is_unlimited(self) -> bool:
        """Whether there is no limit at all."""
        return self.evaluations is None and self.seconds is None
