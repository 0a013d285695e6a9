"""Supernets: a space of which only some options are left, and scores that can value one without trying it out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from catalog.search.choices import Choices


@dataclass(frozen=True)
class Supernet:
    """All architectures that some options of each decision allow.

    Parameters
    ----------
    choices
        The decisions.
    active
        For each decision the numbers of the options that are left, ascending.
    """

    choices: Choices
    active: tuple[tuple[int, ...], ...]

    @classmethod
    def whole(cls, choices: Choices) -> Supernet:
        """The supernet in which every option is left."""
        return cls(choices, tuple(tuple(range(count)) for count in choices.counts.tolist()))

    @property
    def open_decisions(self) -> tuple[int, ...]:
        """The decisions of which more than one option is left."""
        return tuple(place for place, options in enumerate(self.active) if len(options) > 1)

    def without(self, decision: int, option: int) -> Supernet:
        """The supernet with one option of one decision removed."""
        left = tuple(other for other in self.active[decision] if other != option)
        return Supernet(self.choices, (*self.active[:decision], left, *self.active[decision + 1 :]))

    def sample(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """(count, D) genes of architectures drawn from it."""
        return np.stack(
            [np.array(options)[generator.integers(len(options), size=count)] for options in self.active], axis=1
        )

    def __repr__(self) -> str:
        return f"Supernet({sum(map(len, self.active))} options of {len(self.active)} decisions)"


@runtime_checkable
class SupernetScorer(Protocol):
    """A score that can value a supernet itself, as TG-NAS does by the mean embedding of the active operators."""

    def score_supernets(self, supernets: Sequence[Supernet]) -> NDArray[np.float64]:
        """(B,) scores of supernets, higher is better, NaN where there is no value."""
        ...
