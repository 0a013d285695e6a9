"""Search by several scores: NSGA-II looks for the Pareto front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.search.methods.choices import Choices
from catalog.search.methods.decoding import Decoder
from catalog.search.methods.history import Visit
from catalog.search.methods.problem import Candidate, Problem
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.steps import Steps

POPULATION = 50


def nsga2(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """NSGA-II (Deb et al. 2002), by pymoo, on the choices of the space.

    `POPULATION` random architectures begin; each generation brings as many children by uniform crossover, with one
    choice in each changed on average, and none that is one with another member. What breaks the
    constraints is ranked by how much. Where no new children are found the population begins anew.

    Parameters
    ----------
    problem
        What to search, by two or three scores.
    generator
        Where chance comes from.
    """
    choices = required_choices(problem.space)
    while True:
        breeding = _Breeding(Decoder(choices, problem.named_by), generator)
        algorithm = _algorithm(problem, breeding, int(generator.integers(2**31)))
        while (population := algorithm.ask()) is not None:
            visits = yield breeding.candidates(population)
            _tell(algorithm, population, visits, problem.objectives)


class _Breeding:
    """The operators on genes that pymoo calls, and the candidates of its populations."""

    def __init__(self, decoder: Decoder, generator: np.random.Generator) -> None:
        self.choices: Choices = decoder.choices
        self.generator = generator
        self._decoder = decoder

    def candidates(self, population: Any) -> list[Candidate]:
        return self._decoder.candidates(population.get("X").astype(np.int64))

    def keys(self, population: Any) -> list[str]:
        return [candidate.key for candidate in self.candidates(population)]

    def crossed(self, parents: NDArray[Any]) -> NDArray[Any]:
        """Two children of each pair: parents (2, M, D)."""
        swapped = self.generator.random(parents.shape[1:]) < 0.5
        return np.where(swapped, parents[::-1], parents)

    def mutated(self, genes: NDArray[Any]) -> NDArray[Any]:
        counts = self.choices.counts
        changes = self.generator.random(genes.shape) < 1 / max(1, int((counts > 1).sum()))
        steps = self.generator.integers(1, np.maximum(counts, 2), size=genes.shape)
        return np.where(changes, (genes + steps) % counts, genes)


def _algorithm(problem: Problem, breeding: _Breeding, seed: int) -> Any:
    from pymoo.algorithms.moo.nsga2 import NSGA2
    from pymoo.core.crossover import Crossover
    from pymoo.core.duplicate import DuplicateElimination
    from pymoo.core.mutation import Mutation
    from pymoo.core.problem import Problem as Numbers
    from pymoo.core.termination import NoTermination

    class Cross(Crossover):  # type: ignore[misc]
        def _do(self, problem: Any, parents: NDArray[Any], *_: Any, **__: Any) -> NDArray[Any]:
            return breeding.crossed(parents)

    class Mutate(Mutation):  # type: ignore[misc]
        def _do(self, problem: Any, genes: NDArray[Any], *_: Any, **__: Any) -> NDArray[Any]:
            return breeding.mutated(genes)

    class OneOfEachKey(DuplicateElimination):  # type: ignore[misc]
        def _do(self, population: Any, other: Any, is_duplicate: NDArray[np.bool_]) -> NDArray[np.bool_]:
            seen = set() if other is None else set(breeding.keys(other))
            for place, key in enumerate(breeding.keys(population)):
                is_duplicate[place] = key in seen
                if other is None:
                    seen.add(key)
            return is_duplicate

    counts = breeding.choices.counts
    numbers = Numbers(n_var=len(counts), n_obj=problem.objectives, n_ieq_constr=1, xl=0, xu=counts - 1, vtype=int)
    algorithm = NSGA2(
        pop_size=POPULATION,
        sampling=breeding.choices.sample(POPULATION, breeding.generator),
        crossover=Cross(2, 2),
        mutation=Mutate(),
        eliminate_duplicates=OneOfEachKey(),
        seed=seed,
    )
    return algorithm.setup(numbers, termination=NoTermination())


def _tell(algorithm: Any, population: Any, visits: Sequence[Visit], objectives: int) -> None:
    """Hand pymoo what it minimises, and how far each member is from having values within the constraints."""
    from pymoo.core.evaluator import Evaluator
    from pymoo.problems.static import StaticProblem

    values = np.array([visit.scores or (np.nan,) * objectives for visit in visits], dtype=np.float64)
    unusable = np.asarray(np.isnan(values).any(axis=1))
    broken = np.minimum([visit.violation for visit in visits], np.finfo(np.float64).max / 2)
    distance = np.where(broken > 0, 2 + broken, unusable.astype(np.float64))
    known = StaticProblem(algorithm.problem, F=np.where(unusable[:, None], 0.0, -values), G=distance[:, None])
    Evaluator().eval(known, population)
    algorithm.tell(infills=population)
