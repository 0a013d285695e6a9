"""How a method and the search that drives it talk: the method proposes candidates and is sent what they turned out."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from catalog.architecture.canonical_form import canonical_graphs
from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.history import Visit
from catalog.search.methods.problem import Candidate
from catalog.spaces.base import SearchSpace

Result = TypeVar("Result")


@dataclass(frozen=True)
class EvaluationCost:
    """What a method is about to evaluate itself; it is sent no visits for it.

    Parameters
    ----------
    evaluations
        How many evaluations that costs; the search ends first where the budget has fewer.
    """

    evaluations: int


@dataclass(frozen=True)
class Listed:
    """Candidates out of a list that comes to its end: none of them can make the search give up looking for new ones.

    Parameters
    ----------
    candidates
        The next ones of the list.
    """

    candidates: Sequence[Candidate]


Step = Sequence[Candidate] | EvaluationCost | Listed

Steps = Generator[Step, list[Visit], Result]
"""A method: it yields candidates and is sent one visit each, in order, also for those that were visited before.

It ends by returning, or is closed when a limit is reached, so it needs to know nothing of budgets and clocks.
"""


def candidates_of(graphs: Sequence[ArchitectureGraph], named_by: SearchSpace | None = None) -> list[Candidate]:
    """Candidates of native graphs, with the canonical forms and digests computed together.

    Parameters
    ----------
    named_by
        As `Problem.named_by`.
    """
    names = [None if named_by is None else named_by.native_id(graph) for graph in graphs]
    return [
        Candidate(canonical.digest_as_is(), graph, canonical, native_id=name)
        for graph, canonical, name in zip(graphs, canonical_graphs(graphs), names, strict=True)
    ]
