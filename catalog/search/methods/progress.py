"""The course of one search: what was visited, what the budget still allows, and when it is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.search.methods.history import History, Visit
from catalog.search.methods.problem import Budget, Candidate, Problem
from catalog.search.methods.steps import EvaluationCost, Listed, Step

PATIENCE = 20_000
"""Proposals in a row without a candidate to score, after which a search counts the space as exhausted."""

Earlier = Mapping[str, tuple[Sequence[float | None], float]]
"""A candidate's key to scores and seconds of what an interrupted search had visited."""

OnBatch = Callable[[Sequence[Visit]], None]
OnProgress = Callable[[History], None]


class SearchProgress:
    """Scores what a method proposes, each candidate once, and writes it down.

    Parameters
    ----------
    problem, budget, history
        What is searched, how long, and where it is written down.
    batch
        How many candidates are scored at once at most.
    on_batch
        Given the newly scored visits of each batch.
    on_progress
        Given the history after each batch.
    earlier
        What an earlier part of this search scored, which is not scored again.
    """

    def __init__(
        self,
        problem: Problem,
        budget: Budget,
        history: History,
        *,
        batch: int,
        on_batch: OnBatch | None = None,
        on_progress: OnProgress | None = None,
        earlier: Earlier | None = None,
    ) -> None:
        self.problem = problem
        self.budget = budget
        self.history = history
        self.batch = batch
        self.on_batch = on_batch
        self.on_progress = on_progress
        self.earlier = {key: (_as_scores(scores), spent) for key, (scores, spent) in (earlier or {}).items()}
        self._check_earlier()
        self._known: dict[str, Visit] = {}
        self._fruitless = 0  # proposals since something was scored
        self._began = time.perf_counter() - max((spent for _, spent in self.earlier.values()), default=0.0)

    def elapsed(self) -> float:
        """Seconds since the search began, with those of the parts before."""
        return time.perf_counter() - self._began

    def take(self, step: Step) -> list[Visit]:
        """Do what a method asks for; `history.stopped` says afterwards whether the search is over.

        Returns
        -------
        list of Visit
            One for each candidate, unless the search is over.
        """
        if isinstance(step, EvaluationCost):
            self._charge(step.evaluations)
            return []
        listed = isinstance(step, Listed)
        candidates = step.candidates if isinstance(step, Listed) else step
        self.history.proposals += len(candidates)
        self._fruitless += max(1, len(candidates))  # a method that proposes nothing must not go on for ever either
        fresh = {c.key: c for c in reversed(candidates) if c.key not in self._known}
        ordered = [fresh.pop(c.key) for c in candidates if c.key in fresh]
        self.history.duplicates += len(candidates) - len(ordered)
        for start in range(0, len(ordered), self.batch):
            self._visit(ordered[start : start + self.batch])
            if self.history.stopped:
                return []
        self._look_at_clock()
        if not listed and self._fruitless >= PATIENCE:
            self._stop("exhausted")
        return [] if self.history.stopped else [self._known[candidate.key] for candidate in candidates]

    def _visit(self, candidates: Sequence[Candidate]) -> None:
        violations = self._violations(candidates)
        for candidate, violation in zip(candidates, violations.tolist(), strict=True):
            if violation > 0:
                self._known[candidate.key] = Visit(candidate, 0, self.elapsed(), (), violation)
        self.history.infeasible += int((violations > 0).sum())
        allowed = [candidates[row] for row in np.flatnonzero(violations == 0).tolist()]
        affordable = allowed[: self._remaining()]
        if affordable:
            self._score(affordable)
        if self._remaining() == 0:
            self._stop("budget")
        self._look_at_clock()

    def _score(self, candidates: Sequence[Candidate]) -> None:
        """Score and write down; nothing is written before all of the batch have their scores."""
        new = [candidate for candidate in candidates if candidate.key not in self.earlier]
        scored = dict(zip((c.key for c in new), self._scores(new), strict=True)) if new else {}
        now = self.elapsed()
        first = self.history.evaluations + 1
        visits = []
        for number, candidate in enumerate(candidates, first):
            scores, spent = self.earlier.get(candidate.key) or (scored[candidate.key], now)
            visits.append(Visit(candidate, number, spent, scores))
        self._known.update((visit.candidate.key, visit) for visit in visits)
        self.history.visits += visits
        self.history.evaluations += len(visits)
        self.history.seconds = now
        self._fruitless = 0
        if self.on_batch is not None and new:
            self.on_batch([visit for visit in visits if visit.candidate.key in scored])
        if self.on_progress is not None:
            self.on_progress(self.history)

    def _scores(self, candidates: Sequence[Candidate]) -> list[tuple[float, ...]]:
        values = np.asarray(self.problem.score(candidates), dtype=np.float64)
        values = values.reshape(len(candidates), self.problem.objectives)
        return [tuple(row) for row in np.where(np.isfinite(values), values, np.nan).tolist()]

    def _violations(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        if self.problem.violations is None:
            return np.zeros(len(candidates))
        amounts = np.asarray(self.problem.violations(candidates), dtype=np.float64).reshape(len(candidates))
        return np.where(np.isnan(amounts), np.inf, np.maximum(amounts, 0.0))

    def _charge(self, evaluations: int) -> None:
        if evaluations > self._remaining():
            self._stop("budget")
        else:
            self.history.evaluations += evaluations
            self._look_at_clock()

    def _remaining(self) -> int:
        limit = self.budget.evaluations
        return 2**62 if limit is None else limit - self.history.evaluations

    def _look_at_clock(self) -> None:
        if self.budget.seconds is not None and self.elapsed() >= self.budget.seconds:
            self._stop("seconds")

    def _stop(self, reason: str) -> None:
        self.history.stopped = self.history.stopped or reason

    def _check_earlier(self) -> None:
        for key, (scores, _) in self.earlier.items():
            if len(scores) != self.problem.objectives:
                raise UsageError(
                    f"the earlier visit {key} has {len(scores)} scores, but the search is by "
                    f"{self.problem.objectives}; resume a search with the scores that it began with."
                )


def _as_scores(values: Sequence[float | None]) -> tuple[float, ...]:
    return tuple(np.nan if value is None else float(value) for value in values)
