r"""Bayesian search: ask for the labels that a predictor, learning from those it has, finds most promising.

.. math:: a_{UCB}(x) = \mu(x) + \beta \, \sigma(x), \qquad a_{TS}(x) \sim N(\mu(x), \sigma(x)^2)

Srinivas et al. 2010 (arXiv 0912.3995); Thompson 1933, here of each candidate for itself: the search knows mean and
spread alone, not how candidates vary together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from catalog.search.methods.history import Visit
from catalog.search.methods.problem import Candidate, Problem
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.steps import Listed, Steps, candidates_of

Values = NDArray[np.float64]

FEWEST = 5
"""Labels that a predictor has to learn from, two of them different."""
BETA = 1.0
"""How many spreads above the mean a candidate is judged by."""
DRAWN = 500
"""Candidates that are drawn anew before each batch, where they are not listed."""
_PARENTS = 10  # the best so far, around which ...
_CHILDREN = 25  # ... so many more are made of each


def upper_bounds(mean: Values, spread: Values, count: int, _: np.random.Generator) -> NDArray[np.intp]:
    """The places of the `count` highest mean plus `BETA` spreads."""
    return np.argsort(-(mean + BETA * spread), kind="stable")[:count]


def thompson(mean: Values, spread: Values, count: int, generator: np.random.Generator) -> NDArray[np.intp]:
    """The places that are the highest in one draw each, `count` different ones."""
    chosen: dict[int, None] = {}
    open_ = np.ones(len(mean), dtype=bool)
    for _ in range(min(count, len(mean))):
        drawn = np.where(open_, generator.normal(mean, spread), -np.inf)
        best = int(np.argmax(drawn))
        open_[best] = False
        chosen[best] = None
    return np.array(list(chosen), dtype=np.intp)


ACQUISITIONS: dict[str, Callable[[Values, Values, int, np.random.Generator], NDArray[np.intp]]] = {
    "ucb": upper_bounds,
    "thompson": thompson,
}
"""How the next candidates are chosen by mean and spread."""


def bayesian(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """Ask at random first, then in batches for those that a predictor likes best by mean and spread.

    The candidates are the pool; where there is none, architectures drawn anew for each batch, and some that differ in
    one choice from the best so far. Who failed teaches nothing and is not asked again.

    Parameters
    ----------
    problem
        What to search, by one score; its `asking` says by which predictor.
    generator
        Where chance comes from.
    """
    asking = problem.asking
    assert asking is not None
    choose = ACQUISITIONS[asking.acquisition]
    source = _Pool(problem, generator) if problem.pool is not None else _Draws(problem, generator)
    visits: dict[str, Visit] = {}
    count = asking.first
    while True:
        candidates = source.unvisited(visits)
        if not candidates:
            return
        known = [visit for visit in visits.values() if visit.is_feasible and not np.isnan(visit.scores[0])]
        labels = np.array([visit.scores[0] for visit in known])
        seed = int(generator.integers(2**32))
        if len(labels) < FEWEST or len(np.unique(labels)) < 2:
            places = generator.permutation(len(candidates))[:count]
        else:
            mean, spread = asking.surrogate.believe([visit.candidate for visit in known], labels, candidates, seed)
            judged = np.flatnonzero(np.isfinite(mean) & np.isfinite(spread))
            if not len(judged):
                return
            places = judged[choose(mean[judged], spread[judged], count, generator)]
        answers = yield Listed([candidates[place] for place in places.tolist()])
        visits.update((visit.candidate.key, visit) for visit in answers)
        count = asking.batch


class _Pool:
    """All candidates of a pool, each function once."""

    def __init__(self, problem: Problem, _: np.random.Generator) -> None:
        ids = problem.pool_ids if problem.tells_twins_apart else None
        found: dict[str, Candidate] = {}
        for place, digest in enumerate(problem.pool or ()):
            one = Candidate(digest, place=place, native_id=None if ids is None else ids[place])
            found.setdefault(one.key, one)
        self._candidates = _allowed(problem, found.values())

    def unvisited(self, visits: dict[str, Visit]) -> list[Candidate]:
        return [one for one in self._candidates if one.key not in visits]


class _Draws:
    """Candidates of a space that nobody can list: drawn from it, and made from the best so far."""

    def __init__(self, problem: Problem, generator: np.random.Generator) -> None:
        self._problem = problem
        self._generator = generator
        self._choices = required_choices(problem.space)
        self._genes: dict[str, NDArray[np.int64]] = {}

    def unvisited(self, visits: dict[str, Visit]) -> list[Candidate]:
        """New candidates; empty only where many draws bring none that is allowed and was not visited."""
        for _ in range(10):
            genes = self._choices.sample(DRAWN, self._generator)
            best = sorted((one for one in visits.values() if one.is_feasible), key=lambda visit: visit.rank)[-_PARENTS:]
            parents = [self._genes[visit.candidate.key] for visit in best]
            if parents:
                children = self._choices.mutated(np.repeat(np.stack(parents), _CHILDREN, axis=0), self._generator)
                genes = np.concatenate([genes, children])
            made = candidates_of(self._choices.decode(genes), self._problem.named_by)
            found = {one.key: (one, row) for one, row in zip(made, genes, strict=True) if one.key not in visits}
            allowed = _allowed(self._problem, [one for one, _ in found.values()])
            if allowed:
                self._genes.update((key, row) for key, (_, row) in found.items())
                return allowed
        return []


def _allowed(problem: Problem, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Those that keep the constraints."""
    listed = list(candidates)
    if problem.violations is None or not listed:
        return listed
    amounts = np.asarray(problem.violations(listed), dtype=np.float64)
    return [listed[place] for place in np.flatnonzero(amounts == 0).tolist()]
