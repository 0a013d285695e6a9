"""Local search: from a random start to the best neighbour, again and again, until none is better."""

from __future__ import annotations

import numpy as np

from catalog.search.methods.problem import Problem
from catalog.search.methods.steps import Steps, candidates_of

STARTS = 10
"""Architectures drawn at random for each climb, which begins at the best of them."""


def local_search(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """Steepest ascent with restarts (White et al., "Local search is state of the art for NAS benchmarks", 2020).

    All neighbours of the current architecture are visited as one batch; the best of them is the next one if it is
    better. At a local optimum the climb begins anew at the best of `STARTS` random architectures. Architectures one
    edit away are what `SearchSpace.neighbours` says.

    Parameters
    ----------
    problem
        What to search, by one score.
    generator
        Where chance comes from.
    """
    while True:
        graphs = problem.space.sample(STARTS, int(generator.integers(2**32)))
        visits = yield candidates_of(graphs, problem.named_by)
        current = max(visits, key=lambda visit: visit.rank)
        while True:
            assert current.candidate.graph is not None  # the search itself made it
            neighbours = problem.space.neighbours(current.candidate.graph)
            visits = yield candidates_of(neighbours, problem.named_by)
            best = max(visits, key=lambda visit: visit.rank, default=current)
            if best.rank <= current.rank:
                break
            current = best
