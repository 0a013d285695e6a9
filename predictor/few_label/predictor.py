"""`few_label` behind the door: what it is told, how it learns from labels, and what it scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.nearest import did_you_mean
from predictor.door import Given, Labelled, Needs, Predictor, Scores, Training
from predictor.few_label.groups import NAMES, Frozen
from predictor.few_label.layers import READ
from predictor.few_label.model import Model
from predictor.few_label.tables import OPTIONAL, TERMS, ZERO_SHOT

MOST_TREES = 10_000
"""More change no score that anybody could see, and take hours and all memory."""


@dataclass(frozen=True)
class FewLabelOptions:
    """What a training can be told.

    Parameters
    ----------
    blind
        Leave out what was made with labels in sight: zero-shot scores, and the terms of the structural prior.
    without
        Groups of inputs to leave out, with commas between them.
    trees
        How many trees grow, at most `MOST_TREES`.
    """

    blind: bool = False
    without: str = ""
    trees: int = 200

    def __post_init__(self) -> None:
        if not 1 <= self.trees <= MOST_TREES:
            raise ValueError(f"trees={self.trees}; from 1 to {MOST_TREES:,} can grow")
        for name in self.left_out:
            if name not in NAMES:
                hint = did_you_mean(name, NAMES)
                raise UsageError(f"there is no group of inputs {name!r:.80}. {hint}There are {', '.join(NAMES)}.")

    @property
    def left_out(self) -> frozenset[str]:
        """The groups that are left out."""
        named = {part.strip() for part in self.without.split(",") if part.strip()}
        return frozenset(named | ({ZERO_SHOT, TERMS} if self.blind else set()))


class FewLabel(Predictor):
    """Predicted normal score of the label; a Gaussian process and extra trees on whatever a space has.

    0 is the median of the labels that it learned from, 1.28 their best tenth; higher is better, whatever the label.
    docs/few_labels.md says how far to trust it.
    """

    name = "few_label"
    needs = Needs(
        labels=True,
        graphs=("native", "canonical"),
        extra="predict",
        optional=OPTIONAL,
        optional_layers=READ,
        zero_shot=True,
    )
    has_spread: ClassVar[bool] = True
    trains_in_seconds: ClassVar[bool] = True
    developed_with: ClassVar[tuple[str, ...]] = ("nb201", "darts")
    Options = FewLabelOptions

    def __init__(self, options: FewLabelOptions | None = None) -> None:
        super().__init__(options)
        self._frozen: Frozen | None = None
        self._model: Model | None = None

    def fit(self, sources: Sequence[Labelled], training: Training) -> Self:
        if len(sources) != 1:
            raise UsageError(f"few_label learns from one space, not from {len(sources)}; give --space once.")
        (source,) = sources
        labels = source.require(self.fewest_labels).labels
        labelled = np.flatnonzero(np.isfinite(labels))
        self._frozen = Frozen.of(source.given, labelled, self.options.left_out)
        if not self._frozen.groups and not self._frozen.vocabularies:
            raise UsageError(f"{source.name}: no input tells the architectures apart, or all groups are left out.")
        inputs = self._frozen.read(source.given).taken(labelled)
        self._model = Model.fit(inputs, labels[labelled], trees=self.options.trees, seed=training.seed)
        self.card = {
            "space": source.given.space,
            "inputs": {name: list(group.names) for name, group in self._frozen.groups.items()},
            "share_of_trees": round(self._model.share, 3),
        }
        return self

    def remarks(self, given: Given) -> Sequence[str]:
        """Say that it learned from another space; refuse one without the columns that it was trained with.

        Raises
        ------
        UsageError
            The space lacks some.
        """
        self.frozen.require(given)
        space = self.card.get("space", given.space)
        if space == given.space:
            return ()
        return [f"it learned from labels of {space}; how it ranks {given.space} is unknown."]

    def score(self, given: Given) -> Scores:
        mean, spread = self.model.predict(self.frozen.read(given))
        nothing = np.where(given.connected, 0.0, np.nan)
        return Scores(mean + nothing, spread + nothing)

    @property
    def frozen(self) -> Frozen:
        """What it reads."""
        assert self._frozen is not None
        return self._frozen

    @property
    def model(self) -> Model:
        """What it learned."""
        assert self._model is not None
        return self._model

    def state(self) -> Mapping[str, NDArray[Any]]:
        return {**self.frozen.state(), **self.model.state()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        self._frozen = Frozen.restored(state)
        self._model = Model.restored(state, self._frozen)
