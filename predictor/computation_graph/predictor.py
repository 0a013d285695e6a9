"""`cg` behind the door: what it is told, how it learns without labels and from few, and what it scores."""

from __future__ import annotations

import hashlib
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

if TYPE_CHECKING:
    from predictor.computation_graph.encoder import NetworkEncoder
    from predictor.computation_graph.model import Model
    from predictor.few_label.groups import Frozen
    from predictor.graph_network.encoder import GraphEncoderConfig

NONE = "none"
NAMES = (NONE, "contrastive", "statistics", "masked")
"""Objectives of the pre-training; without one the encoder has random weights."""
NETWORKS = ("graph", "transformer")
AT_ONCE = 1_000
_ENCODER = "encoder."
_OF_ENCODER = ("objective", "network", "width", "layers", "graphs", "steps")
_NAMED = 5  # operators in a sentence for the user

State = Mapping[str, NDArray[Any]]


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
        Of the encoder.
    encoder_seed
        Of the encoder's random weights, where no pre-training decides them; the same for every draw of labels.
    graphs, steps
        Most networks of a space, and steps, of the pre-training.
    blind
        Leave out zero-shot scores, which were made with labels of other spaces in sight.
    """

    objective: str = NONE
    pretrained: str = ""
    network: str = "graph"
    width: int = 64
    layers: int = 3
    encoder_seed: int = 0
    graphs: int = 1_000
    steps: int = 400
    blind: bool = False

    def __post_init__(self) -> None:
        for name, value, allowed in (("objective", self.objective, NAMES), ("network", self.network, NETWORKS)):
            if value not in allowed:
                hint = did_you_mean(value, allowed)
                raise UsageError(f"there is no {name} {value!r:.80}. {hint}There are {', '.join(allowed)}.")
        for name, number, least in (
            ("layers", self.layers, 1),
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
    """Predicted normal score of the label; one encoder for computation graphs of all spaces, and a Gaussian process.

    Han et al., "A general-purpose transferable predictor for neural architecture search", 2023 (arXiv 2302.10835), with
    a frozen encoder.

    0 is the median of the labels that it learned from, 1.28 their best tenth; higher is better, whatever the label.
    Without labels it gives the zero-shot score that the space has. docs/computation_graph.md says how far to trust it.
    """

    name = "cg"
    needs = Needs(labels=True, extra="predict", zero_shot=True, networks=True)
    has_spread: ClassVar[bool] = True
    developed_with: ClassVar[tuple[str, ...]] = ("nb201", "darts")
    Options = ComputationGraphsOptions

    def __init__(self, options: ComputationGraphsOptions | None = None) -> None:
        super().__init__(options)
        self._encoder: NetworkEncoder | None = None
        self._scales: Frozen | None = None
        self._model: Model | None = None

    def pretrain(self, sources: Sequence[Given], training: Training) -> Self:
        from predictor.computation_graph.encoder import untrained
        from predictor.computation_graph.pretraining import Schedule, pretrained

        if self.options.pretrained:
            raise UsageError("a pre-training begins with random weights; leave pretrained out.")
        if self.options.objective == NONE:
            self._encoder = untrained(self.options.config, training.seed)
        else:
            schedule = Schedule(self.options.graphs, self.options.steps)
            self._encoder = pretrained(
                sources, self.options.objective, self.options.config, schedule, training.seed, training.progress
            )
        self.card = self._facts() | {
            "pretraining": {"objective": self.options.objective, "spaces": [given.space for given in sources]}
        }
        return self

    def fit(self, sources: Sequence[Labelled], training: Training) -> Self:
        from predictor.computation_graph.encoder import untrained
        from predictor.computation_graph.inputs import frozen, inputs_of
        from predictor.computation_graph.model import Model

        if len(sources) != 1:
            raise UsageError(f"{self.name} learns labels of one space, not of {len(sources)}; give --space once.")
        (source,) = sources
        labels = source.require(self.fewest_labels).labels
        if self.options.pretrained:
            self._take(type(self).load(Path(self.options.pretrained)))
        elif self.options.objective != NONE:
            raise UsageError(
                f"the objective {self.options.objective} needs no labels: run it first with --pretrain, then give its "
                "folder with --set pretrained=DIR."
            )
        else:
            self._encoder = untrained(self.options.config, self.options.encoder_seed)
        rows = np.flatnonzero(np.isfinite(labels)).astype(np.int64)
        self._scales = frozen(self.encoder, source.given, blind=self.options.blind)
        inputs = inputs_of(self.encoder, self._scales, source.given, rows)
        self._model = Model.fit(inputs, labels[rows], seed=training.seed)
        pretraining = self.card.get("pretraining", {"objective": NONE, "spaces": []})
        self.card = self._facts() | {"pretraining": pretraining, "share_of_process": round(self._model.share, 3)}
        return self

    def _take(self, other: Self) -> None:
        """Go on with another one's encoder, and with what decided its shape."""
        self._encoder = other.encoder
        self.card = {"pretraining": other.card["pretraining"]}
        own = {name: getattr(other.options, name) for name in _OF_ENCODER}
        self.options = replace(self.options, **own, pretrained="")

    def remarks(self, given: Given) -> Sequence[str]:
        """Tell of operators that no family has.

        Raises
        ------
        UsageError
            The space lacks zero-shot scores that are needed.
        """
        from predictor.computation_graph.inputs import require

        if self._model is not None:
            require(self._scales_known(), given)
        elif not given.zero_shot:
            raise UsageError(
                f"these weights learned from no labels: {self.name} then gives the zero-shot score of the space, and "
                f"{given.space} has none. Store one with catalog score, or train with labels."
            )
        return () if self._model is None else _unknown(given)

    def score(self, given: Given) -> Scores:
        if self._model is None:
            return Scores(_first_of(given), np.full(len(given), np.nan))
        from predictor.computation_graph.inputs import inputs_of

        mean, spread = np.full(len(given), np.nan), np.full(len(given), np.nan)
        connected = np.flatnonzero(given.connected).astype(np.int64)
        for start in range(0, len(connected), AT_ONCE):
            rows = connected[start : start + AT_ONCE]
            inputs = inputs_of(self.encoder, self._scales_known(), given, rows)
            mean[rows], spread[rows] = self._model.predict(inputs)
        return Scores(mean, spread)

    @property
    def encoder(self) -> NetworkEncoder:
        """What makes vectors of networks."""
        assert self._encoder is not None
        return self._encoder

    def _scales_known(self) -> Frozen:
        assert self._scales is not None
        return self._scales

    def _facts(self) -> dict[str, Any]:
        weights = _weights(self.encoder)
        return {"words_sha256": words.digest(), "encoder_sha256": _digest_of(weights)}

    def state(self) -> State:
        state = dict(_weights(self.encoder))
        if self._model is not None:
            state |= self._scales_known().state() | self._model.state()
        return state

    def restore(self, state: State) -> None:
        import torch

        from predictor.computation_graph.encoder import NetworkEncoder
        from predictor.computation_graph.model import Model
        from predictor.few_label.groups import Frozen

        weights = {name: values for name, values in state.items() if name.startswith(_ENCODER)}
        self._require_same("words_sha256", words.digest(), "operators, or the sentence encoder that reads them,")
        self._require_same("encoder_sha256", _digest_of(weights), "the encoder")
        encoder = NetworkEncoder(self.options.config)
        try:
            encoder.load_state_dict(
                {name.removeprefix(_ENCODER): torch.from_numpy(values.copy()) for name, values in weights.items()}
            )
        except RuntimeError as error:
            raise ValueError(str(error).partition("\n")[0]) from error
        self._encoder = encoder.eval()
        if "layout" in state:
            self._scales = Frozen.restored(state)
            self._model = Model.restored(state, self._scales.groups)

    def _require_same(self, name: str, own: str, what: str) -> None:
        told = str(self.card.get(name))
        if told != own:
            raise UsageError(
                f"these weights of {self.name} were made with another version of {what} ({name} {told[:8]}..., here "
                f"{own[:8]}...): their scores would mean nothing. Train again."
            )


def _weights(encoder: NetworkEncoder) -> State:
    return {_ENCODER + name: values.numpy() for name, values in encoder.state_dict().items()}


def _digest_of(weights: State) -> str:
    total = hashlib.sha256()
    for name in sorted(weights):
        total.update(f"{name} {weights[name].shape}".encode() + np.ascontiguousarray(weights[name]).tobytes())
    return total.hexdigest()


def _first_of(given: Given) -> NDArray[np.float64]:
    """The first zero-shot score that a space has, in the order in which the predictors are installed."""
    return np.where(given.connected, next(iter(given.zero_shot.values())), np.nan)


def _unknown(given: Given) -> list[str]:
    """A sentence about operators that are read by their descriptions alone."""
    connected = np.flatnonzero(given.connected).astype(np.int64)
    found: dict[str, None] = {}
    touched = 0
    for start in range(0, len(connected), AT_ONCE):
        batch = given.networks(connected[start : start + AT_ONCE])
        unknown = words.unknown_words(batch.words)
        if not unknown:
            continue
        places = [place for place, word in enumerate(batch.words) if word in unknown]
        owners = batch.graph_of_node[np.isin(batch.nodes.word, places)]
        if len(owners):
            touched += len(np.unique(owners))
            found |= dict.fromkeys(unknown)
    if not found:
        return []
    names = ", ".join(list(found)[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
    return [
        f"{touched:,} architectures of {given.space} have operators that no family of computation graphs has; they are "
        f"read by their descriptions: {names}."
    ]
