"""`cg` behind the door: what it is told, how it learns without labels and from few, and what it scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.nearest import did_you_mean
from predictor.computation_graph import words
from predictor.door import Given, Labelled, Needs, Predictor, Scores, Training
from predictor.few_label.layers import READ
from predictor.few_label.tables import OPTIONAL

if TYPE_CHECKING:
    from catalog.progress import Advance
    from predictor.computation_graph.encoder import NetworkEncoder
    from predictor.computation_graph.fine_tuning import FineTuned
    from predictor.computation_graph.model import Model
    from predictor.few_label.groups import Frozen
    from predictor.graph_network.encoder import GraphEncoderConfig

NONE = "none"
NAMES = (NONE, "contrastive", "operators", "statistics", "masked", "flow")
"""Objectives of the pre-training; without one the encoder has random weights."""
LABELS = "labels"
"""What a card calls the pre-training of encoders that learned from another space's labels."""
NETWORKS = ("graph", "transformer")
AT_ONCE = 8_192
"""Architectures whose vectors are in memory."""
_OF_ENCODER = ("objective", "network", "width", "layers", "encoders", "graphs", "steps")

State = Mapping[str, NDArray[Any]]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class ComputationGraphsOptions:
    """What a training can be told.

    Parameters
    ----------
    objective
        What the encoder is pre-trained by: one of `NAMES`.
    pretrained
        Folder of a pre-trained encoder; without it the encoder has random weights.
    network
        ``graph``: messages along edges; ``transformer``: with attention to all nodes, too.
    width, layers
        Of an encoder.
    encoders
        How many encoders there are, each with random weights of its own; their vectors stand beside each other.
    encoder_seed
        Of the encoders' random weights, where no pre-training decides them; the same for every draw of labels.
    graphs, steps
        Most networks of a space, and steps, of the pre-training.
    blind
        Leave out what was made with labels of other spaces in sight: zero-shot scores, and the structural prior.
    structure
        Read what `predictor.few_label` reads, too; else networks, sizes and zero-shot scores alone, as of traced
        networks always: those groups count operators as they are written, which an ONNX file and its module are not
        alike.
    fine_tune
        Let the encoders learn from the labels end to end; then networks and zero-shot scores alone are read.
    """

    objective: str = NONE
    pretrained: str = ""
    network: str = "graph"
    width: int = 32
    layers: int = 3
    encoders: int = 2
    encoder_seed: int = 0
    graphs: int = 1_000
    steps: int = 400
    blind: bool = False
    structure: bool = True
    fine_tune: bool = False

    def __post_init__(self) -> None:
        for name, value, allowed in (("objective", self.objective, NAMES), ("network", self.network, NETWORKS)):
            if value not in allowed:
                hint = did_you_mean(value, allowed)
                raise UsageError(f"there is no {name} {value!r:.80}. {hint}There are {', '.join(allowed)}.")
        for name, number, least in (
            ("layers", self.layers, 1),
            ("encoders", self.encoders, 1),
            ("graphs", self.graphs, 8),
            ("steps", self.steps, 10),
        ):
            if number < least:
                raise ValueError(f"{name} is {number}; {least} is the least")
        if self.width < 4 or self.width % 4:
            raise ValueError(f"width is {self.width}; it has to be a multiple of 4")

    @property
    def config(self) -> GraphEncoderConfig:
        """The encoder's shape."""
        from predictor.graph_network.encoder import GraphEncoderConfig

        return GraphEncoderConfig(self.width, self.layers, attends=self.network == "transformer", expansion=1)


class ComputationGraphs(Predictor):
    """Predicted normal score of the label; encoders for computation graphs of all spaces beside plain numbers.

    Han et al., "A general-purpose transferable predictor for neural architecture search", 2023 (arXiv 2302.10835), with
    frozen encoders.

    0 is the median of the labels that it learned from, 1.28 their best tenth; higher is better, whatever the label.
    Without labels it gives the zero-shot score that the space has. docs/computation_graph.md says how far to trust it.
    """

    name = "cg"
    needs = Needs(
        labels=True,
        graphs=("native", "canonical"),
        extra="predict",
        optional=OPTIONAL,
        optional_layers=READ,
        zero_shot=True,
        networks=True,
    )
    has_spread: ClassVar[bool] = True
    developed_with: ClassVar[tuple[str, ...]] = ("nb201", "darts")
    Options = ComputationGraphsOptions

    def __init__(self, options: ComputationGraphsOptions | None = None) -> None:
        super().__init__(options)
        self._encoders: Sequence[NetworkEncoder] = ()
        self._frozen: Frozen | None = None
        self._model: Model | None = None
        self._tuned: FineTuned | None = None

    def pretrain(self, sources: Sequence[Given], training: Training) -> Self:
        if self.options.pretrained:
            raise UsageError("a pre-training begins with random weights; leave pretrained out.")
        self._encoders = self._made(sources, training.seed, training.progress)
        self.card = self._facts() | {
            "pretraining": {"objective": self.options.objective, "spaces": [given.space for given in sources]}
        }
        return self

    def _made(self, sources: Sequence[Given], seed: int, progress: Advance) -> list[NetworkEncoder]:
        """The encoders: each is decided by the seed and its place."""
        from predictor.computation_graph.encoder import untrained
        from predictor.computation_graph.pretraining import Schedule, pretrained

        options = self.options
        seeds = [seed * options.encoders + place for place in range(options.encoders)]
        if options.objective == NONE:
            return [untrained(options.config, seed) for seed in seeds]
        schedule = Schedule(options.graphs, options.steps)
        return pretrained(sources, options.objective, options.config, schedule, seeds, progress)

    def fit(self, sources: Sequence[Labelled], training: Training) -> Self:
        if len(sources) != 1:
            raise UsageError(f"{self.name} learns labels of one space, not of {len(sources)}; give --space once.")
        (source,) = sources
        labels = source.require(self.fewest_labels).labels
        if self.options.pretrained:
            self._take(type(self).load(Path(self.options.pretrained)))
            self._require_unseen(source.given)
        elif self.options.objective != NONE:
            raise UsageError(
                f"the objective {self.options.objective} needs no labels: run it first with --pretrain, then give its "
                "folder with --set pretrained=DIR."
            )
        else:
            self._encoders = self._made((), self.options.encoder_seed, training.progress)
        rows = np.flatnonzero(np.isfinite(labels)).astype(np.int64)
        learn = self._fine_tune if self.options.fine_tune else self._learn
        learned = learn(source.given, rows, labels[rows], training)
        pretraining = self.card.get("pretraining", {"objective": NONE, "spaces": []})
        self.card = self._facts() | {"space": source.given.space, "pretraining": pretraining} | learned
        return self

    def _learn(self, given: Given, rows: NDArray[np.int64], labels: Values, training: Training) -> dict[str, float]:
        """Learn from labels on frozen vectors; gives what the card says of it."""
        from predictor.computation_graph.inputs import frozen, inputs_of, was_traced
        from predictor.computation_graph.model import Model

        structure = self.options.structure and not was_traced(given, rows)
        self._frozen = frozen(self.encoders, given, rows, blind=self.options.blind, structure=structure)
        inputs = inputs_of(self.encoders, self._frozen, given, rows)
        self._model = model = Model.fit(inputs, labels, seed=training.seed)
        shares = {"share_of_labels": round(model.share, 3), "share_of_trees": round(model.learned.share, 3)}
        return shares | {"structure": float(structure)}

    def _fine_tune(self, given: Given, rows: NDArray[np.int64], labels: Values, training: Training) -> dict[str, float]:
        """Learn from labels end to end; gives what the card says of it."""
        from predictor.computation_graph.fine_tuning import FineTuned
        from predictor.computation_graph.inputs import left_out
        from predictor.few_label.groups import Frozen

        self._frozen = Frozen.of(given, rows, left_out(blind=self.options.blind, structure=False))
        self._tuned = tuned = FineTuned.fit(
            self.encoders,
            given,
            rows,
            labels,
            self._zero_shot(given, rows),
            seed=training.seed,
            progress=training.progress,
        )
        return {"share_of_labels": round(tuned.share, 3)}

    def _zero_shot(self, given: Given, rows: NDArray[np.int64]) -> Values | None:
        from predictor.computation_graph.model import zero_shot_of

        return zero_shot_of(self.frozen.read(given.taken(rows)))

    def _take(self, other: Self) -> None:
        """Go on with another one's encoders, those that labels taught where there are any, and their shape."""
        self._encoders = other.encoders
        self.card = {"pretraining": other.card["pretraining"]}
        if other.tuned is not None:
            self._encoders = [member.encoder for member in other.tuned.members][: len(other.encoders)]
            self.card = {"pretraining": {"objective": LABELS, "spaces": [other.card["space"]]}}
        own = {name: getattr(other.options, name) for name in _OF_ENCODER}
        self.options = replace(self.options, **own, pretrained="")

    def _require_unseen(self, given: Given) -> None:
        """Refuse a space whose labels the encoders learned from: nobody could tell which of them were seen.

        Raises
        ------
        UsageError
            It is one.
        """
        pretraining = self.card["pretraining"]
        if pretraining["objective"] == LABELS and given.space in pretraining["spaces"]:
            raise UsageError(
                f"the encoders of these weights learned from labels of {given.space}; they can be used on other spaces "
                f"alone. For {given.space} train without pretrained, or with a folder from --pretrain."
            )

    def remarks(self, given: Given) -> Sequence[str]:
        """Tell of operators that no family has, and that it learned from another space.

        Raises
        ------
        UsageError
            The space lacks columns or zero-shot scores that are needed, or the encoders learned from its labels.
        """
        from predictor.computation_graph.unknown import remarks_on

        if self._frozen is None:
            if given.zero_shot:
                return ()
            raise UsageError(
                f"these weights learned from no labels: {self.name} then gives the zero-shot score of the space, and "
                f"{given.space} has none. Store one with catalog score, or train with labels."
            )
        self._require_unseen(given)
        self.frozen.require(given)
        space = self.card.get("space", given.space)
        found = remarks_on(given)
        if space != given.space:
            found.insert(0, f"it learned from labels of {space}; how it ranks {given.space} is unknown.")
        return found

    def score(self, given: Given) -> Scores:
        if self._frozen is None:
            return Scores(_first_of(given), np.full(len(given), np.nan))
        mean, spread = np.full(len(given), np.nan), np.full(len(given), np.nan)
        connected = np.flatnonzero(given.connected).astype(np.int64)
        for start in range(0, len(connected), AT_ONCE):
            rows = connected[start : start + AT_ONCE]
            mean[rows], spread[rows] = self._predict(given, rows)
        return Scores(mean, spread)

    def _predict(self, given: Given, rows: NDArray[np.int64]) -> tuple[Values, Values]:
        from predictor.computation_graph.inputs import inputs_of

        if self._tuned is not None:
            return self._tuned.predict(given, rows, self._zero_shot(given, rows))
        assert self._model is not None
        return self._model.predict(inputs_of(self.encoders, self.frozen, given, rows))

    @property
    def encoders(self) -> Sequence[NetworkEncoder]:
        """What makes vectors of networks."""
        assert self._encoders
        return self._encoders

    @property
    def frozen(self) -> Frozen:
        """What it reads."""
        assert self._frozen is not None
        return self._frozen

    @property
    def tuned(self) -> FineTuned | None:
        """What learned end to end, if that was asked for."""
        return self._tuned

    def _facts(self) -> dict[str, Any]:
        from predictor.computation_graph.weights import digest_of, weights_of

        weights = weights_of(self.encoders)
        return {"words_sha256": words.digest(), "encoder_sha256": digest_of(weights)}

    def state(self) -> State:
        from predictor.computation_graph.weights import weights_of

        state = dict(weights_of(self.encoders))
        for learned in (self._frozen, self._model, self._tuned):
            state |= {} if learned is None else learned.state()
        return state

    def restore(self, state: State) -> None:
        from predictor.computation_graph.fine_tuning import FineTuned
        from predictor.computation_graph.model import Model
        from predictor.computation_graph.weights import digest_of, encoders_of, weights_in
        from predictor.few_label.groups import Frozen

        weights = weights_in(state)
        self._require_same("words_sha256", words.digest(), "operators, or the sentence encoder that reads them,")
        self._require_same("encoder_sha256", digest_of(weights), "the encoder")
        self._encoders = encoders_of(self.options.config, weights, self.options.encoders)
        if "layout" in state:
            self._frozen = Frozen.restored(state)
            if "tuned" in state:
                self._tuned = FineTuned.restored(state, self.encoders[0])
            else:
                self._model = Model.restored(state, self._frozen)

    def _require_same(self, name: str, own: str, what: str) -> None:
        told = str(self.card.get(name))
        if told != own:
            raise UsageError(
                f"these weights of {self.name} were made with another version of {what} ({name} {told[:8]}..., here "
                f"{own[:8]}...): their scores would mean nothing. Train again."
            )


def _first_of(given: Given) -> NDArray[np.float64]:
    """The first zero-shot score that a space has, in the order in which the predictors are installed."""
    return np.where(given.connected, next(iter(given.zero_shot.values())), np.nan)
