"""What a predictor is: its name, what it needs, how it learns and scores, and what is to be known of it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray

from catalog.development import in_sight
from catalog.errors import UsageError
from predictor.door.given import Given, Labelled, Training

Values = NDArray[np.float64]
Form = Literal["native", "canonical"]

DOOR_VERSION = 1
"""Rises when a predictor that fitted this door does not fit it any more."""

SPREAD = "_std"
"""Ending of the column with a predictor's spread."""


@dataclass(frozen=True)
class Needs:
    """What a predictor has to be given.

    Parameters
    ----------
    labels
        Whether it has to learn before it can score.
    graphs
        Forms of the graphs that it reads: ``native``, ``canonical``.
    columns
        Structural columns, proxies and other predictors whose values it reads. What is missing is measured first.
    layers
        Zero-cost proxies whose values of layers it reads, in their default configuration. What is missing is measured
        first.
    extra
        The optional dependency group that has to be installed, for example ``predict``.
    optional
        Columns that it reads where a space has them; nothing is measured for them. What was trained on architectures
        of the space is not among them.
    optional_layers
        Zero-cost proxies whose values of layers it reads where a space has them, in the same way.
    zero_shot
        Whether it reads, in the same way, the scores of other predictors that come with weights.
    networks
        Whether it reads whole networks as computation graphs.
    """

    labels: bool = False
    graphs: tuple[Form, ...] = ()
    columns: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    extra: str | None = None
    optional: tuple[str, ...] = ()
    optional_layers: tuple[str, ...] = ()
    zero_shot: bool = False
    networks: bool = False

    @property
    def reads_operators(self) -> bool:
        """Whether it reads what operators are, in whatever form of the architectures."""
        return bool(self.graphs) or self.networks

    @property
    def reads_graphs_alone(self) -> bool:
        """Whether nothing but the graphs decides its scores, once it is trained."""
        more = (self.columns, self.layers, self.optional, self.optional_layers, self.zero_shot)
        return bool(self.graphs) and not any(more)


@dataclass(frozen=True)
class NoOptions:
    """The options of a predictor that has none."""


@dataclass(frozen=True)
class Scores:
    """Scores of A architectures.

    Parameters
    ----------
    mean
        (A,) the score, in the predictor's direction; NaN where there is none.
    spread
        (A,) how uncertain it is, in the same unit; None for a predictor that does not say.
    reasons
        (A,) why there is no score; None where there is one, or no reason is known. None for no reasons at all.
    facts
        What was decided from the pool as a whole, to be recorded with the scores.
    """

    mean: Values
    spread: Values | None = None
    reasons: Sequence[str | None] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


class Predictor(ABC):
    """One predictor; a subclass states the facts and scores, and one that learns also fits, and gives its weights.

    A package names its predictors in the entry point group ``catalog.predictors``. A predictor knows no database, no
    file but the folder of its weights, and no option of a command.

    Parameters
    ----------
    options
        What its training can be told, an instance of `Options`.
    """

    name: ClassVar[str]
    """Its column, too."""
    needs: ClassVar[Needs] = Needs()
    direction: ClassVar[int] = 1
    """+1 if higher scores are better, -1 if lower ones are."""
    version: ClassVar[str] = "1"
    """Rises when the same weights give other scores."""
    door_version: ClassVar[int] = DOOR_VERSION
    has_spread: ClassVar[bool] = False
    depends_on_pool: ClassVar[bool] = False
    """Whether the score of an architecture depends on which others are scored with it."""
    scores_mixtures: ClassVar[bool] = False
    """Whether `score_mixtures` scores means of native graphs, and so supernets."""
    trains_in_seconds: ClassVar[bool] = False
    """Whether a few hundred labels take it seconds: what a search takes that learns while it asks for labels."""
    fewest_labels: ClassVar[int] = 5
    developed_with: ClassVar[tuple[str, ...]] = ()
    """Spaces in sight while it was developed: what it reaches there is no blind result."""
    Options: ClassVar[type] = NoOptions
    """A frozen dataclass."""

    def __init__(self, options: Any = None) -> None:
        self.options = self.Options() if options is None else options
        self.card: dict[str, Any] = {}

    @abstractmethod
    def score(self, given: Given) -> Scores:
        """Scores of the given architectures; the same for the same input, whenever and in whatever batches."""

    def remarks(self, given: Given) -> Sequence[str]:
        """Sentences for the user about what it does not see of the given architectures; usually none."""
        return ()

    def fit(self, sources: Sequence[Labelled], training: Training) -> Self:
        """Learn from labels; gives the predictor itself, ready to score.

        Raises
        ------
        UsageError
            The labels are unusable, or the predictor learns nothing.
        """
        raise UsageError(f"{self.name} learns nothing: it scores without labels.")

    def pretrain(self, sources: Sequence[Given], training: Training) -> Self:
        """Learn from architectures without labels; gives the predictor itself.

        Raises
        ------
        UsageError
            The predictor learns nothing without labels.
        """
        raise UsageError(f"{self.name} learns nothing without labels; name a column of labels with --target.")

    def score_mixtures(self, graphs: Sequence[Any], shares: Values) -> Values:
        """(M,) scores of means of native graphs, weighed by `shares`, (M, graphs), each row with a sum of 1.

        Raises
        ------
        UsageError
            The predictor has no scores of means, or the graphs have no mean.
        """
        raise UsageError(f"{self.name} cannot score a mean of graphs.")

    def state(self) -> Mapping[str, NDArray[Any]]:
        """What it has learned, as arrays by name; empty for a predictor that learns nothing."""
        return {}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take back what `state` gave.

        Raises
        ------
        UsageError
            The predictor gave nothing.
        """
        if state:
            raise UsageError(f"{self.name} learns nothing, so it cannot take back {', '.join(state)}.")

    def save(self, folder: Path) -> dict[str, Any]:
        """Write weights and card into a folder; gives the card. The default writes what `state` gives."""
        from predictor.door.checkpoint import write

        facts = {"predictor": self.name, "version": self.version, "configuration": asdict(self.options), **self.card}
        self.card = write(folder, self.state(), facts)
        return self.card

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The predictor that `save` wrote into a folder.

        Raises
        ------
        UsageError
            The folder holds no checkpoint of this predictor, or a damaged one.
        """
        from predictor.door.checkpoint import read

        card, state = read(folder, cls.name)
        try:
            loaded = cls(cls.Options(**card["configuration"]))
            loaded.card = card
            loaded.restore(state)
        except (TypeError, KeyError, ValueError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise UsageError(
                f"{folder} holds no weights that this {cls.name} can read ({problem}); train again."
            ) from error
        return loaded

    @classmethod
    def shipped(cls) -> Path | None:
        """The folder of weights that come with its package; None where there are none."""
        return None

    @classmethod
    def digest(cls, card: Mapping[str, Any]) -> str | None:
        """sha256 of all in a card that decides a score; None where nothing was learned."""
        from predictor.door.checkpoint import digest_of

        return digest_of(card) if card else None

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The columns that it writes."""
        return (cls.name, cls.name + SPREAD) if cls.has_spread else (cls.name,)

    @classmethod
    def is_ready(cls) -> bool:
        """Whether it can score without having been trained by the user."""
        return not cls.needs.labels or cls.shipped() is not None

    @classmethod
    def ready(cls, checkpoint: Path | None = None) -> Self:
        """One that can score: with the weights of a folder, else with those that its package brings.

        Raises
        ------
        UsageError
            It has to be trained first, or the folder does not hold its weights.
        """
        folder = checkpoint or cls.shipped()
        if folder is not None:
            return cls.load(folder)
        if cls.needs.labels:
            raise UsageError(
                f"{cls.name} has to be trained before it scores: catalog train {cls.name} --space SPACE "
                "--target COLUMN --out DIR, then give --checkpoint DIR."
            )
        return cls()

    @classmethod
    def configured(cls, options: Mapping[str, object]) -> Self:
        """An untrained one with options by name; values given as text are read as what the option is.

        Raises
        ------
        UsageError
            There is no such option, or it has no such value.
        """
        known = {option.name: option for option in fields(cls.Options)}
        unknown = [name for name in options if name not in known]
        if unknown:
            allowed = f"it has {', '.join(known)}" if known else "it has none"
            raise UsageError(f"{cls.name} has no option {', '.join(unknown)}; {allowed}.")
        defaults = cls.Options()
        read = {name: _read(cls.name, name, value, getattr(defaults, name)) for name, value in options.items()}
        try:
            return cls(cls.Options(**read))
        except (TypeError, ValueError) as error:
            raise UsageError(f"{cls.name} does not take these options: {error}.") from error

    def description(self, suffix: str = "") -> str:
        """What is stored with its scores: what they are, what it was trained on, and what was in sight."""
        what = "spread of " if suffix else ""
        first = what + (type(self).__doc__ or self.name).strip().partition("\n")[0].rstrip(".")
        sources = ", ".join(str(source["name"]) for source in self.card.get("sources", ()))
        trained = f"; trained on {sources}" if sources else ""
        return f"{first}{trained}{in_sight(self.developed_with)}"

    def __repr__(self) -> str:
        trained = f", {digest[:8]}" if (digest := self.digest(self.card)) else ""
        return f"{type(self).__name__}({self.name!r}{trained})"


def _read(predictor: str, name: str, value: object, default: object) -> object:
    """An option's value, which may be a text, as the kind of its default."""
    if not isinstance(value, str) or isinstance(default, str) or default is None:
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        found = value
    kind = type(default)
    if kind is float and type(found) is int:
        return float(found)
    if kind is tuple and isinstance(found, list):
        return tuple(found)
    if type(found) is not kind:
        raise UsageError(f"the option {name} of {predictor} is {value!r}; allowed is a value such as {default!r}.")
    return found
