"""Searches that vary nothing: every candidate there is, or candidates at random."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.problem import Candidate, Problem
from catalog.search.methods.steps import Listed, Steps, candidates_of

_BATCH = 1024
_DRAWN = 256  # at once: where scoring is slow, more would be drawn than the budget lets score


def exhaustive(problem: Problem, _: np.random.Generator) -> Steps[None]:
    """Every architecture of the pool, or of the space where it can be enumerated, in order; nothing is left to chance.

    Parameters
    ----------
    problem
        What to search.
    """
    if problem.pool is not None:
        yield from _in_order(problem, range(len(problem.pool)))
        return
    graphs: Iterator[ArchitectureGraph] = problem.space.enumerate()
    while batch := list(islice(graphs, _BATCH)):
        yield Listed(candidates_of(batch, problem.named_by))


def random(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """The pool in random order, or architectures drawn from the space uniformly until the budget ends.

    Parameters
    ----------
    problem
        What to search.
    generator
        Where chance comes from.
    """
    if problem.pool is not None:
        yield from _in_order(problem, generator.permutation(len(problem.pool)).tolist())
        return
    while True:
        graphs = problem.space.sample(_DRAWN, int(generator.integers(2**32)))
        yield candidates_of(graphs, problem.named_by)


def _in_order(problem: Problem, places: Sequence[int]) -> Steps[None]:
    digests = problem.pool or ()
    ids = problem.pool_ids if problem.tells_twins_apart else None
    for start in range(0, len(places), _BATCH):
        yield Listed(
            [
                Candidate(digests[place], place=place, native_id=None if ids is None else ids[place])
                for place in places[start : start + _BATCH]
            ]
        )
