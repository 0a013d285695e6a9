"""Scores whose lie of the land is known, for the tests of the searches."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph
from catalog.search.methods.problem import Candidate, Scores
from catalog.spaces import space_named
from catalog.spaces.base import SearchSpace
from catalog.spaces.nats_sss import STAGES, WIDTHS, NATSSize
from catalog.spaces.nb201 import OPERATORS

Values = NDArray[np.float64]

SIZE_SPACE = NATSSize()
NB101, NB201, DARTS, TRANSNAS = (space_named(name) for name in ("nb101", "nb201", "darts", "transnas_micro"))
STAGE_LABELS = [SIZE_SPACE.graph(":".join([str(width)] * STAGES)).cells[0].labels()[1] for width in WIDTHS]
SPACES: dict[str, SearchSpace] = {space.name: space for space in (NB101, NB201, DARTS, SIZE_SPACE, TRANSNAS)}


def graph_of(candidate: Candidate) -> ArchitectureGraph:
    """The native graph of a candidate that a search made."""
    assert candidate.graph is not None
    return candidate.graph


def canonical_of(candidate: Candidate) -> ArchitectureGraph:
    """Its canonical form."""
    assert candidate.canonical is not None
    return candidate.canonical


class Recorded:
    """A score that remembers in order what it was asked for, and may interrupt as a user would."""

    def __init__(self, score: Scores, interrupt_after: int | None = None) -> None:
        self.score = score
        self.interrupt_after = interrupt_after
        self.asked: list[str] = []

    def __call__(self, candidates: Sequence[Candidate]) -> Values:
        if self.interrupt_after is not None and len(self.asked) + len(candidates) > self.interrupt_after:
            raise KeyboardInterrupt
        self.asked += [candidate.digest for candidate in candidates]
        return self.score(candidates)


class Nearest:
    """A surrogate without a library: the label of the nearest architecture by its operators, and how far that is."""

    def __init__(self) -> None:
        self.trained: list[int] = []

    def believe(
        self, known: Sequence[Candidate], labels: Values, asked: Sequence[Candidate], _seed: int
    ) -> tuple[Values, Values]:
        self.trained.append(len(known))
        vectors, others = (np.stack([_operators(one) for one in candidates]) for candidates in (known, asked))
        apart = np.abs(others[:, None, :] - vectors[None, :, :]).sum(axis=2)
        return labels[apart.argmin(axis=1)], apart.min(axis=1)


def _operators(candidate: Candidate) -> Values:
    """(8,) how many operators of each kind there are, kinds thrown together by their names."""
    counts = np.zeros(8)
    for cell in canonical_of(candidate).cells:
        for place, name in enumerate(cell.operators):
            counts[len(name) % 8] += 1 + 0.01 * place
    return counts


class Additive:
    """A score of NATS-Bench's size space: each stage's width adds its own worth, so the best is known.

    The worths of a stage are 0 to 7 in random order, times a factor of the stage.
    """

    def __init__(self, seed: int = 0) -> None:
        generator = np.random.default_rng(seed)
        self.worths = []
        for stage in range(STAGES):
            worths = generator.permutation(len(WIDTHS)) * (1 + 0.1 * stage)
            self.worths.append(dict(zip(STAGE_LABELS, worths.tolist(), strict=True)))

    @property
    def best(self) -> float:
        return sum(max(worths.values()) for worths in self.worths)

    def __call__(self, candidates: Sequence[Candidate]) -> Values:
        return np.array([self.of(graph_of(candidate).cells[0].labels()[1:-1]) for candidate in candidates])

    def of(self, widths: Sequence[str]) -> float:
        return sum(worths[width] for worths, width in zip(self.worths, widths, strict=True))


def rugged(candidates: Sequence[Candidate]) -> Values:
    """A score of what any space's architectures compute, in which operators and their neighbours interact.

    Architectures without a path from input to output have none.
    """
    return np.array([_rugged(canonical_of(candidate)) for candidate in candidates])


def _rugged(graph: ArchitectureGraph) -> float:
    if any(not cell.depth() for cell in graph.cells):
        return float("nan")
    total = 0.0
    for cell in graph.cells:
        strengths = [_STRENGTH.get(name, 1.0) for name in cell.operators]
        total += sum(strengths) + cell.depth()
        total += 0.3 * sum(strengths[source] * strengths[target] % 1.7 for source, target, _ in cell.edges)
    return total


_STRENGTH = {name: 0.37 * (place + 1) for place, name in enumerate((*OPERATORS, *NB101.operators, *DARTS.operators))}


def weighted_operators(candidates: Sequence[Candidate]) -> Values:
    """How many operators with weights an architecture has, counted in its canonical form."""
    return np.array([_weighted(canonical_of(candidate)) for candidate in candidates], dtype=np.float64)


def _weighted(graph: ArchitectureGraph) -> int:
    return sum(graph.vocabulary[name].has_weights for cell in graph.cells for name in cell.operators)
