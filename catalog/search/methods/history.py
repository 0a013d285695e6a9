"""What a search has seen: every candidate that it scored, the best so far, and why it ended."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.search.methods.problem import Candidate

Rank = tuple[int, float]

_INFEASIBLE, _WITHOUT_VALUE, _SCORED = range(3)


@dataclass(frozen=True, eq=False, slots=True)
class Visit:
    """One candidate that a search looked at.

    Parameters
    ----------
    candidate
        The architecture.
    evaluation
        Its number among the evaluations, from 1; 0 for one that breaks the constraints, which is never scored.
    seconds
        When it was scored, since the search began.
    scores
        One value an objective, higher is better, NaN where there is none; empty for one that was not scored.
    violation
        By how much it breaks the constraints; 0 if it keeps them.
    """

    candidate: Candidate
    evaluation: int
    seconds: float
    scores: tuple[float, ...]
    violation: float = 0.0

    @property
    def is_feasible(self) -> bool:
        """Whether it keeps the constraints."""
        return self.violation == 0

    @property
    def rank(self) -> Rank:
        """What a search by one score compares: values first, then what has none, then what breaks constraints least."""
        if not self.is_feasible:
            return _INFEASIBLE, -self.violation
        value = self.scores[0]
        return (_WITHOUT_VALUE, 0.0) if np.isnan(value) else (_SCORED, value)


@dataclass
class History:
    """The course of a search.

    Parameters
    ----------
    method, seed
        What was run.
    objectives
        How many scores each visit has.
    visits
        Every candidate that was scored, in order; none of them breaks the constraints.
    evaluations
        How many evaluations were made: the visits, and supernets where those were scored themselves.
    seconds
        How long the search took, with the parts before it was resumed.
    proposals
        How many candidates the method came up with.
    duplicates
        How many of them had been visited before and cost nothing.
    infeasible
        How many different candidates broke the constraints.
    stopped
        Why it ended: ``budget`` or ``seconds`` (a limit), ``finished`` (the method is at its end), ``exhausted``
        (nothing that is allowed is left, or nothing left was found in 20,000 proposals), ``interrupted``; empty while
        it runs.
    """

    method: str
    seed: int
    objectives: int = 1
    visits: list[Visit] = field(default_factory=list)
    evaluations: int = 0
    seconds: float = 0.0
    proposals: int = 0
    duplicates: int = 0
    infeasible: int = 0
    stopped: str = ""

    @property
    def best(self) -> Visit | None:
        """The visit with the highest score, the first of equal ones; None where none has a value."""
        found = self.top(1)
        return found[0] if found else None

    def top(self, count: int) -> list[Visit]:
        """The `count` visits with the highest scores, best first, earlier ones first among equal ones.

        Raises
        ------
        UsageError
            There are several objectives, so that no visit is the best.
        """
        if self.objectives > 1:
            raise UsageError(f"a search by {self.objectives} scores has no best candidate; ask for its Pareto front.")
        values = self.values()[:, 0]
        with_value = np.flatnonzero(~np.isnan(values))
        order = with_value[np.argsort(-values[with_value], kind="stable")[:count]]
        return [self.visits[place] for place in order.tolist()]

    def front(self) -> list[Visit]:
        """The visits that no other visit beats in one score without losing in another, by falling first score.

        Of visits with equal scores in all objectives the first is listed; one without a value in any is not.
        """
        values = self.values()
        rows = np.flatnonzero(~np.isnan(values).any(axis=1))
        rows = rows[np.lexsort([*-values[rows].T[::-1]])]  # stable: by the first score, then the second, then the order
        kept: list[int] = []
        for row in rows.tolist():  # whatever beats a row comes before it
            if not kept or not (values[kept] >= values[row]).all(axis=1).any():
                kept.append(row)
        return [self.visits[row] for row in kept]

    def values(self) -> NDArray[np.float64]:
        """(visits, objectives) the scores of all visits."""
        return np.array([visit.scores for visit in self.visits], dtype=np.float64).reshape(-1, self.objectives)

    def curve(self) -> list[Visit]:
        """The any-time curve of a search by one score: each visit that was better than all before it."""
        improvements = []
        best = -np.inf
        for visit, value in zip(self.visits, self.values()[:, 0].tolist(), strict=True):
            if value > best:
                best = value
                improvements.append(visit)
        return improvements

    def __repr__(self) -> str:
        return f"History({self.method}, {len(self.visits)} visits, {self.stopped or 'running'})"
