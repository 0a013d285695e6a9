"""Scores that value supernets too: where every name in a formula can score a mean of graphs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from catalog.search.expression import Expression
from catalog.search.methods.space_choices import choices_of, required_choices
from catalog.search.methods.supernet import Supernet, single_changes
from catalog.search.scores import Objectives, ScoreSource, Values

if TYPE_CHECKING:
    from catalog.architecture.graph import ArchitectureGraph


def objectives_of(source: ScoreSource, formulas: Sequence[Expression], signs: Sequence[int]) -> Objectives:
    """The objectives of a search; they follow `SupernetScorer` where the formula and the space allow it."""
    from predictor.scoring.candidates import scores_mixtures

    names = {name for formula in formulas for name in formula.names}
    choices = choices_of(source.space)
    can_mix = choices is not None and choices.is_separable and bool(names) and all(map(scores_mixtures, names))
    return (SupernetObjectives if can_mix and len(formulas) == 1 else Objectives)(source, formulas, signs)


class SupernetObjectives(Objectives):
    """One formula, each name of which has a value for the mean graph of a supernet; a `SupernetScorer`."""

    def score_supernets(self, supernets: Sequence[Supernet]) -> Values:
        """(B,) the formula's values of the supernets' mean graphs, higher is better, all computed in one batch."""
        names = self.formulas[0].names
        shares = np.stack([supernet.shares() for supernet in supernets])
        values = self.source.scorer_of_names(names).score_mixtures(self._changes, shares)
        return self.signs[0] * self.formulas[0].evaluate(values)

    @cached_property
    def _changes(self) -> list[ArchitectureGraph]:
        """The native graphs that any supernet's mean is made of."""
        choices = required_choices(self.source.space)
        return choices.decode(single_changes(choices))
