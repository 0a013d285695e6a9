"""Running a search: the methods by name, and the loop that drives one until a limit, its end or an interruption."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from catalog.errors import UsageError
from catalog.nearest import did_you_mean
from catalog.search.methods.bayesian import bayesian
from catalog.search.methods.differential_evolution import differential_evolution
from catalog.search.methods.history import History
from catalog.search.methods.listing import exhaustive, random
from catalog.search.methods.local_search import local_search
from catalog.search.methods.nsga2 import nsga2
from catalog.search.methods.problem import Budget, Problem
from catalog.search.methods.progress import Earlier, OnBatch, OnProgress, SearchProgress
from catalog.search.methods.pruning import prune_evolve, pruning
from catalog.search.methods.regularized_evolution import regularized_evolution
from catalog.search.methods.space_choices import choices_of
from catalog.search.methods.steps import Steps
from catalog.spaces.base import SearchSpace

LARGEST_BATCH = 1024

SINGLE, ANY, SEVERAL = "one score", "any number of scores", "two or three scores"


@dataclass(frozen=True)
class Method:
    """One way to search.

    Parameters
    ----------
    propose
        The generator of its candidates.
    description
        What it does, in one line.
    scores
        How many scores it can follow: `SINGLE`, `ANY` or `SEVERAL`.
    varies
        Whether it makes candidates itself by varying others, which a space must have a rule for.
    ends
        Whether it comes to an end without a limit.
    learns
        Whether it needs a predictor that learns from what was scored.
    """

    propose: Callable[[Problem, np.random.Generator], Steps[None]]
    description: str
    scores: str = SINGLE
    varies: bool = True
    ends: bool = False
    learns: bool = False

    def fits(self, objectives: int) -> bool:
        """Whether it can follow so many scores."""
        return self.scores == ANY or (self.scores == SINGLE) == (objectives == 1)


METHODS: dict[str, Method] = {
    "exhaustive": Method(exhaustive, "every architecture, in order", ANY, varies=False, ends=True),
    "random": Method(random, "architectures drawn at random", ANY, varies=False),
    "regularized-evolution": Method(regularized_evolution, "tournaments choose parents, the oldest die"),
    "local-search": Method(local_search, "to the best neighbour until none is better, from many random starts"),
    "differential-evolution": Method(differential_evolution, "differences of continuous genes, discretised"),
    "pruning": Method(pruning, "take options from the supernet, those that cost the score least first", ends=True),
    "prune-evolve": Method(prune_evolve, "pruning, then differential evolution: the better of the two"),
    "bayesian": Method(
        bayesian, "what a predictor that learns from the labels so far finds promising", varies=False, learns=True
    ),
    "nsga2": Method(nsga2, "NSGA-II towards the Pareto front", SEVERAL),
}
"""The methods by name."""


def methods_for(
    space: SearchSpace, *, pooled: bool = False, objectives: int = 1, learning: bool = False
) -> tuple[str, ...]:
    """The names of the methods that can search a space.

    Parameters
    ----------
    space
        The space.
    pooled
        Whether there is a pool of stored architectures.
    objectives
        How many scores there are.
    learning
        Whether there is a predictor that learns from what was scored.
    """
    variable = choices_of(space) is not None
    can_draw = pooled or variable
    listable = {"exhaustive": pooled or space.size is not None, "random": can_draw, "bayesian": can_draw}
    return tuple(
        name
        for name, method in METHODS.items()
        if method.fits(objectives)
        and (variable if method.varies else listable[name])
        and (learning or not method.learns)
    )


def check(problem: Problem, name: str, budget: Budget, seed: int = 0, batch: int = LARGEST_BATCH) -> Method:
    """The method of this name, if it can search a problem within a budget: what `search` checks first.

    Raises
    ------
    UsageError
        There is no such method, or it cannot search this space or this many scores, or nothing would ever end it; or
        the seed is negative or the batch empty.
    """
    learning = problem.asking is not None
    pooled = problem.pool is not None
    allowed = methods_for(problem.space, pooled=pooled, objectives=problem.objectives, learning=learning)
    choose = (
        f"choose one of {', '.join(allowed)}."
        if allowed
        else "search its stored architectures, with --method exhaustive or random."
    )
    if name not in METHODS:
        raise UsageError(f"unknown search method {name!r}. {did_you_mean(name, METHODS)}{choose.capitalize()}")
    method = METHODS[name]
    if not method.fits(problem.objectives):
        raise UsageError(f"{name} searches by {method.scores}, not by {problem.objectives}; {choose}")
    if method.learns and not learning:
        raise UsageError(f"{name} needs a predictor that learns from what was scored, and has none here; {choose}")
    if name not in allowed:
        lacking = "be varied or drawn from" if problem.space.size is None else "be varied"
        reason = "is too large to enumerate" if name == "exhaustive" else f"has no rule by which it could {lacking}"
        raise UsageError(f"{name} cannot search the space {problem.space.name!r}, which {reason}; {choose}")
    if budget.is_unlimited and not method.ends:
        raise UsageError(f"{name} never ends by itself; give a number of evaluations or of seconds.")
    if batch < 1:
        raise UsageError(f"batches of {batch} candidates cannot be scored; give 1 or more.")
    if seed < 0:
        raise UsageError(f"{seed} is no seed; give 0 or more.")
    return method


def search(
    problem: Problem,
    method: str,
    budget: Budget,
    seed: int = 0,
    *,
    batch: int = LARGEST_BATCH,
    on_batch: OnBatch | None = None,
    on_progress: OnProgress | None = None,
    earlier: Earlier | None = None,
) -> History:
    """Search until the budget or the method ends, or the user interrupts.

    Every method is any-time: what it does next does not depend on the budget, so a longer search begins with exactly
    the visits of a shorter one of the same seed. That is also how a search is resumed: it is run again, and what an
    earlier part has scored is not scored again.

    Parameters
    ----------
    problem
        What to search.
    method
        One of `METHODS`.
    budget
        How long.
    seed
        Where chance begins: the same problem, method and seed give the same visits.
    batch
        How many candidates are scored at once at most, and so how many an interruption can lose.
    on_batch
        Given the newly scored visits of each batch in order, so that they can be stored at once.
    on_progress
        Given the history after each batch.
    earlier
        Key to scores and seconds of what an earlier part of this search visited.

    Returns
    -------
    History
        Everything that was visited, also after KeyboardInterrupt; any other exception is passed on.

    Raises
    ------
    UsageError
        There is no such method, or it cannot search this space or this many scores, or nothing would ever end it.
    """
    chosen = check(problem, method, budget, seed, batch)
    history = History(method, seed, problem.objectives)
    progress = SearchProgress(
        problem, budget, history, batch=batch, on_batch=on_batch, on_progress=on_progress, earlier=earlier
    )
    try:
        _drive(chosen.propose(problem, np.random.default_rng(seed)), progress)
    except KeyboardInterrupt:
        history.stopped = "interrupted"
    history.seconds = progress.elapsed()
    return history


def _drive(steps: Steps[None], progress: SearchProgress) -> None:
    try:
        step = next(steps)
        while True:
            visits = progress.take(step)
            if progress.history.stopped:
                steps.close()
                return
            step = steps.send(visits)
    except StopIteration:
        progress.history.stopped = "finished"
