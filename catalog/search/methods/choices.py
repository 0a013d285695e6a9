"""A search space as independent choices: the genes that searches vary, each combination a valid architecture."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph
from catalog.spaces.base import SearchSpace

Genes = NDArray[np.int64]
"""(B, D) the number of the option that each of D decisions takes, of B architectures."""


@dataclass(frozen=True)
class Decision:
    """One thing that is decided about an architecture, such as the operator on one edge.

    Parameters
    ----------
    name
        What is decided.
    options
        What can be chosen.
    """

    name: str
    options: tuple[str, ...]


class Choices(ABC):
    """A space as a list of decisions that can be taken independently.

    Every combination of options is an architecture of the space: its rules are kept by the way the decisions are
    laid out, or by mending, so that no search needs to know them. Different combinations may give one architecture.
    """

    space: SearchSpace
    decisions: tuple[Decision, ...]

    is_separable: ClassVar[bool] = False
    """Whether every operator and every edge of the native graph depends on one decision at the most.

    Then all native graphs have the same nodes in the same order, and the mean graph of a supernet follows from those
    that differ in a single decision.
    """

    @abstractmethod
    def decode(self, genes: Genes) -> list[ArchitectureGraph]:
        """The native graphs that genes (B, D) stand for."""

    def sample(self, count: int, generator: np.random.Generator) -> Genes:
        """(count, D) genes drawn at random, all combinations alike."""
        return generator.integers(self.counts, size=(count, len(self.counts)))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(D,) the number of options of each decision."""
        return np.array([len(decision.options) for decision in self.decisions], dtype=np.int64)

    def mutated(self, genes: Genes, generator: np.random.Generator) -> Genes:
        """A copy of genes (B, D) in which one random decision of each row takes another of its options."""
        rows = np.arange(len(genes))
        places = generator.choice(np.flatnonzero(self.counts > 1), size=len(genes))
        steps = generator.integers(1, self.counts[places])
        changed = genes.copy()
        changed[rows, places] = (genes[rows, places] + steps) % self.counts[places]
        return changed

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self.decisions)} decisions, {float(self.counts.prod(dtype=float)):.3g})"


def options_taken(decisions: Sequence[Decision], row: Sequence[int]) -> tuple[str, ...]:
    """The options that one row of genes takes, in words."""
    return tuple(decision.options[choice] for decision, choice in zip(decisions, row, strict=True))
