"""Regularised evolution: the fittest of a few become parents, and the oldest die whatever their score."""

from __future__ import annotations

from collections import deque

import numpy as np

from catalog.search.methods.choices import Genes
from catalog.search.methods.decoding import Decoder
from catalog.search.methods.history import Visit
from catalog.search.methods.problem import Problem
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.steps import Steps

POPULATION = 50
TOURNAMENT = 10
CHILDREN = 10
"""Children that are bred and scored together, as by so many workers."""

_ATTEMPTS = 10  # to find a child that was not visited before; each changes one choice more

Individual = tuple[Genes, Visit]
"""(D,) genes and what became of them."""


def regularized_evolution(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """Aging evolution (Real et al., "Regularized evolution for image classifier architecture search", 2019).

    `POPULATION` random architectures begin. In each step `CHILDREN` parents are chosen, each the best of `TOURNAMENT`
    members drawn at random; each has a child that differs in one choice; the children join and as many of the oldest
    members leave. A child that was visited before is changed in one more choice, up to ten times, after
    which it joins with the score that is known.

    Parameters
    ----------
    problem
        What to search, by one score.
    generator
        Where chance comes from.
    """
    choices = required_choices(problem.space)
    decoder = Decoder(choices, problem.named_by)
    genes = choices.sample(POPULATION, generator)
    visits = yield decoder.candidates(genes)
    population = deque(zip(genes, visits, strict=True), maxlen=POPULATION)
    seen = {visit.candidate.key for visit in visits}
    while True:
        parents = np.stack([_parent(population, generator) for _ in range(CHILDREN)])
        population.extend((yield from _children(decoder, parents, seen, generator)))


def _parent(population: deque[Individual], generator: np.random.Generator) -> Genes:
    drawn = generator.choice(len(population), size=min(TOURNAMENT, len(population)), replace=False).tolist()
    genes, _ = max((population[place] for place in drawn), key=lambda individual: individual[1].rank)
    return genes


def _children(
    decoder: Decoder, parents: Genes, seen: set[str], generator: np.random.Generator
) -> Steps[list[Individual]]:
    """A child of each parent, in order; all that still repeat what was seen are changed further together."""
    children: dict[int, Individual] = {}
    genes, waiting = parents, list(range(len(parents)))
    for _ in range(_ATTEMPTS):
        genes = decoder.choices.mutated(genes, generator)
        visits = yield decoder.candidates(genes)
        repeated = []
        for place, row, visit in zip(waiting, genes, visits, strict=True):
            if visit.candidate.key in seen:
                repeated.append(place)
            seen.add(visit.candidate.key)
            children[place] = row, visit
        if not repeated:
            break
        genes = np.stack([children[place][0] for place in repeated])
        waiting = repeated
    return [children[place] for place in range(len(parents))]
