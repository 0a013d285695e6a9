r"""Differential evolution over continuous genes, each option of a choice an equal slice of [0, 1].

.. math:: v = x_a + F (x_b - x_c), \qquad u_j = v_j \text{ with probability } CR, \text{ else } x_j
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from catalog.search.methods.choices import Choices, Genes
from catalog.search.methods.decoding import Decoder
from catalog.search.methods.problem import Problem
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.steps import Steps

POPULATION = 20
SCALE = 0.5
CROSSOVER = 0.3

_STALE = 5  # generations without a new candidate after which the population has converged

Positions = NDArray[np.float64]
"""(P, D) continuous genes in [0, 1)."""


def differential_evolution(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """DE/rand/1/bin (Storn and Price 1997) as TG-NAS uses it: mutate, cross over, discretise, score, select.

    A generation of `POPULATION` trials is scored as one batch; a trial takes its target's place unless it is worse.
    What leaves [0, 1) is drawn anew. Where five generations bring nothing that was not visited before, the population
    has converged: all but its best member begin anew.

    Parameters
    ----------
    problem
        What to search, by one score.
    generator
        Where chance comes from.
    """
    choices = required_choices(problem.space)
    decoder = Decoder(choices, problem.named_by)
    positions = _spread(choices, generator)
    visits = yield decoder.candidates(_discretised(choices, positions))
    seen = {visit.candidate.key for visit in visits}
    stale = 0
    while True:
        trials = _trials(positions, generator)
        outcomes = yield decoder.candidates(_discretised(choices, trials))
        known = len(seen)
        seen.update(visit.candidate.key for visit in outcomes)
        stale = stale + 1 if len(seen) == known else 0
        if stale == _STALE:
            best = max(range(POPULATION), key=lambda place: visits[place].rank)
            others = np.arange(POPULATION) != best
            positions[others] = _spread(choices, generator)[others]
            visits = yield decoder.candidates(_discretised(choices, positions))
            stale = 0
            continue
        for place, outcome in enumerate(outcomes):
            if outcome.rank >= visits[place].rank:
                positions[place], visits[place] = trials[place], outcome


def _discretised(choices: Choices, positions: Positions) -> Genes:
    return np.minimum((positions * choices.counts).astype(np.int64), choices.counts - 1)


def _spread(choices: Choices, generator: np.random.Generator) -> Positions:
    """A random population: anywhere within the slices of the options that random genes take."""
    genes = choices.sample(POPULATION, generator)
    return np.asarray((genes + generator.random(genes.shape)) / choices.counts)


def _trials(positions: Positions, generator: np.random.Generator) -> Positions:
    members, length = positions.shape
    # Three different members for each target, none the target itself: the first three of the others in random order.
    others = np.argsort(generator.random((members, members - 1)), axis=1)[:, :3]
    others += others >= np.arange(members)[:, None]
    base, one, other = (positions[others[:, column]] for column in range(3))
    mutants = base + SCALE * (one - other)
    outside = (mutants < 0) | (mutants >= 1)
    mutants[outside] = generator.random(int(outside.sum()))
    crossed = generator.random((members, length)) < CROSSOVER
    crossed[np.arange(members), generator.integers(length, size=members)] = True
    return np.where(crossed, mutants, positions)
