"""Supernet pruning: from all options of every decision, take away what costs the score least until one is left."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.search.methods.choices import Choices, Genes
from catalog.search.methods.decoding import Decoder
from catalog.search.methods.differential_evolution import differential_evolution
from catalog.search.methods.history import Visit
from catalog.search.methods.problem import Problem
from catalog.search.methods.space_choices import required_choices
from catalog.search.methods.steps import EvaluationCost, Steps
from catalog.search.methods.supernet import Supernet, SupernetScorer

COMPLETIONS = 4
"""Random architectures of a supernet among which its removals are compared, where the score values no supernets."""

_DRAWS = 16  # times that completions are drawn in search of such as keep the constraints

Values = NDArray[np.float64]

Worth = tuple[int, float]
"""What an option is worth to the supernet; the smallest is removed."""

Worths = dict[int, dict[int, Worth]]
"""By decision and option."""


def pruning(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """Prune the supernet by the score (Qiao et al., "TG-NAS", 2024; Chen et al., "TE-NAS", 2021).

    Each round removes from every decision the option whose removal costs the score least, all candidates of a round
    judged on the same supernet in one batch, until one option of each decision is left: that architecture is visited
    last.

    A score that follows `SupernetScorer` values the supernets without an option, each of which counts as an evaluation
    and is no answer. For any other score, and under constraints, which speak of architectures and not of supernets,
    the value of a supernet is the mean over some of its architectures: `COMPLETIONS` are drawn at random, and each
    takes every option of each decision in turn while its other decisions stay. So all removals are compared on the
    same completions, and an additive score is pruned to its optimum. These architectures are visited like any other,
    count as evaluations and can be the answer.

    Parameters
    ----------
    problem
        What to search, by one score.
    generator
        Where chance comes from.
    """
    choices = required_choices(problem.space)
    decoder, supernet = Decoder(choices, problem.named_by), Supernet.whole(choices)
    score: object = problem.score
    while supernet.open_decisions:
        if isinstance(score, SupernetScorer) and problem.violations is None:
            worths = yield from _worths_by_supernets(score, supernet)
        else:
            worths = yield from _worths_by_completions(decoder, supernet, generator)
        for decision, options in worths.items():
            supernet = supernet.without(decision, min(options, key=lambda option: options[option]))
    yield decoder.candidates(supernet.sample(1, generator))


def prune_evolve(problem: Problem, generator: np.random.Generator) -> Steps[None]:
    """The hybrid of TG-NAS: `pruning`, then `differential_evolution` with what the budget still allows.

    Both visit candidates of one history, so its best is the better of the two by the score.

    Parameters
    ----------
    problem
        What to search, by one score.
    generator
        Where chance comes from.
    """
    yield from pruning(problem, generator)
    yield from differential_evolution(problem, generator)


def supernets_to_score(choices: Choices) -> int:
    """How many supernets `pruning` scores before it comes to its architecture, by a score that values supernets."""
    return int(sum(sum(range(2, count + 1)) for count in choices.counts.tolist()))


def _worths_by_supernets(score: SupernetScorer, supernet: Supernet) -> Steps[Worths]:
    removals = [(decision, option) for decision in supernet.open_decisions for option in supernet.active[decision]]
    yield EvaluationCost(len(removals))
    values = np.asarray(score.score_supernets([supernet.without(*removal) for removal in removals]), dtype=np.float64)
    worths: Worths = {decision: {} for decision in supernet.open_decisions}
    for (decision, option), value in zip(removals, values.tolist(), strict=True):
        # What is left without the option has a high value: the option is worth little.
        worths[decision][option] = (1, np.inf) if np.isnan(value) else (1, -value)
    return worths


def _worths_by_completions(decoder: Decoder, supernet: Supernet, generator: np.random.Generator) -> Steps[Worths]:
    completions = yield from _completions(decoder, supernet, generator)
    varied = [
        (decision, option, row)
        for decision in supernet.open_decisions
        for option in supernet.active[decision]
        for row in range(len(completions))
    ]
    decisions, options, rows = np.array(varied).T
    genes = completions[rows]
    genes[np.arange(len(genes)), decisions] = options
    visits = yield decoder.candidates(genes)
    values = np.array([visit.scores[0] if visit.is_feasible else np.nan for visit in visits])
    known = values[~np.isnan(values)]
    values = np.where(np.isnan(values), known.min() if len(known) else 0.0, values)  # none is as bad as the worst
    worths: Worths = {decision: {} for decision in supernet.open_decisions}
    for start in range(0, len(varied), len(completions)):
        decision, option, _ = varied[start]
        part = slice(start, start + len(completions))
        worths[decision][option] = _worth(visits[part], values[part])
    return worths


def _completions(decoder: Decoder, supernet: Supernet, generator: np.random.Generator) -> Steps[Genes]:
    """Architectures of the supernet: such as keep the constraints, or else those that break them least."""
    drawn: list[tuple[float, Genes]] = []
    for _ in range(_DRAWS):
        genes = supernet.sample(COMPLETIONS, generator)
        visits = yield decoder.candidates(genes)
        drawn += [(visit.violation, row) for visit, row in zip(visits, genes, strict=True)]
        drawn = sorted(drawn, key=lambda pair: pair[0])[:COMPLETIONS]
        if drawn[-1][0] == 0:
            break
    return np.stack([row for _, row in drawn])


def _worth(visits: Sequence[Visit], values: Values) -> Worth:
    """The mean over the completions that keep the constraints; less than any mean where none does."""
    feasible = [row for row, visit in enumerate(visits) if visit.is_feasible]
    if feasible:
        return 1, float(values[feasible].mean())
    return 0, -float(np.mean([visit.violation for visit in visits]))
