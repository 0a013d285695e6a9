"""ParZC behind the door: the mixer alone, the mixer beside a graph encoder, and the fixed sine that needs no labels."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from catalog.errors import UsageError
from predictor.door import Given, Labelled, Needs, Predictor, Scores, Training

if TYPE_CHECKING:
    from predictor.parzc.graphs import Arrays
    from predictor.parzc.mixer import MABN

STATISTICS = ("grad_norm", "snip", "synflow_normed")
"""What the paper takes of each layer in NAS-Bench-101 and NAS-Bench-201."""

VARIANTS = ("statistics", "hybrid")
_DECISIVE = ("network", "longest", "operators", "seed")
_NO_LAYERS = "its layers have no statistics; measure them: catalog score {space} {proxies} --layerwise"
_NO_FIT = "it has more layers than the {longest} that were trained with, or one without a value"
_NO_OPERATOR = "it has an operator that was not trained with"


@dataclass(frozen=True)
class ParZCOptions:
    """What a training can be told; the defaults are those of the paper's code.

    Parameters
    ----------
    variant
        ``statistics``: the statistics of layers alone; ``hybrid``: with a graph encoder over operators.
    epochs, batch, learning_rate, weight_decay
        See `predictor.parzc.training.Schedule`.
    loss
        One of `predictor.parzc.losses.LOSSES`.
    labels
        ``z`` or ``normal``: the scale of the labels.
    channels
        Width of the mixer; the paper's has 512.
    samples
        How many weights are drawn for the spread.
    """

    variant: str = "statistics"
    epochs: int = 300
    batch: int = 10
    learning_rate: float = 1e-4
    weight_decay: float = 1e-3
    loss: str = "diff_kendall"
    labels: str = "z"
    channels: int = 512
    samples: int = 8

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("variant", self.variant, VARIANTS),
            ("loss", self.loss, ("diff_kendall", "diff_kendall_original", "mse", "pairwise", "warp")),
            ("labels", self.labels, ("z", "normal")),
        ):
            if value not in allowed:
                raise ValueError(f"{name} is {value!r}; allowed are {', '.join(allowed)}")
        for name, number, least in (("epochs", self.epochs, 1), ("batch", self.batch, 2), ("samples", self.samples, 2)):
            if number < least:
                raise ValueError(f"{name} is {number}; {least} is the least")


class ParZC(Predictor):
    """Predicted order of the accuracy from layer-wise zero-cost statistics; ParZC, to compare with.

    Dong et al., "ParZC: Parametric zero-cost proxies for efficient NAS", 2025 (arXiv 2402.02105).

    Direction: higher is better. Needs: the layers of three zero-cost proxies, and labels. Cost: an epoch of 78 labels
    takes about two seconds of a core. The spread is that of scores with weights drawn from what was learned.
    """

    name = "parzc"
    needs = Needs(labels=True, graphs=("canonical",), layers=STATISTICS, extra="predict")
    has_spread: ClassVar[bool] = True
    Options = ParZCOptions

    def __init__(self, options: Any = None) -> None:
        super().__init__(options)
        self._model: MABN | None = None

    def fit(self, sources: Sequence[Labelled], training: Training) -> Self:
        from predictor.parzc.graphs import operators_of, width_of
        from predictor.parzc.mixer import MABNConfig
        from predictor.parzc.statistics import longest_of
        from predictor.parzc.training import Schedule, train

        (source,) = (one.require(self.fewest_labels) for one in _only(sources))
        given = source.given
        assert given.layers is not None
        is_hybrid = self.options.variant == "hybrid"
        longest = longest_of(given.layers)
        operators = operators_of(given.canonical.graphs) if is_hybrid else ()
        rows = np.flatnonzero(np.isfinite(source.labels))
        found = self._inputs(given, longest, operators, rows)
        if lacking := [row for row, reason in zip(rows.tolist(), found.reasons, strict=True) if reason is not None]:
            raise UsageError(_lack(source, len(lacking), len(rows)))
        config = MABNConfig(
            len(STATISTICS) * longest,
            channels=self.options.channels,
            nodes=width_of(operators) if is_hybrid else 0,
        )
        chosen = {name: value for name, value in asdict(self.options).items() if name in Schedule.__dataclass_fields__}
        self._model = train(
            found.values,
            source.labels[rows],
            config,
            Schedule(**chosen),
            training.seed,
            graphs=found.graphs,
            progress=training.progress,
        )
        self.card = {"network": asdict(config), "longest": longest, "operators": list(operators), "seed": training.seed}
        return self

    def score(self, given: Given) -> Scores:
        from predictor.parzc.training import predicted, sampled

        rows = np.flatnonzero(given.connected)
        found = self._inputs(given, int(self.card["longest"]), tuple(self.card["operators"]), rows)
        usable = np.array([reason is None for reason in found.reasons], dtype=bool)
        mean, spread = np.full(len(given), np.nan), np.full(len(given), np.nan)
        reasons: list[str | None] = [None] * len(given)
        for row, reason in zip(rows.tolist(), found.reasons, strict=True):
            reasons[row] = reason
        if usable.any():
            assert given.layers is not None
            networks, place = np.unique(given.layers.network[rows[usable]], return_index=True)
            back = np.searchsorted(networks, given.layers.network[rows[usable]])
            kept = np.flatnonzero(usable)[place]
            graphs = None if found.graphs is None else [found.graphs[row] for row in kept.tolist()]
            inputs = found.values[kept]
            mean[rows[usable]] = predicted(self.model, inputs, graphs)[back]
            drawn = sampled(self.model, inputs, self.options.samples, int(self.card["seed"]), graphs)
            spread[rows[usable]] = drawn.std(axis=0)[back]
        return Scores(mean, spread, reasons)

    def _inputs(self, given: Given, longest: int, operators: tuple[str, ...], rows: NDArray[np.int64]) -> _Rows:
        from predictor.parzc.graphs import arrays_of
        from predictor.parzc.statistics import inputs

        layers = given.layers
        assert layers is not None
        values, fits = inputs(layers, longest)
        network = layers.network[rows]
        reasons = [
            _no_layers(given.space) if place < 0 else None if fits[place] else _NO_FIT.format(longest=longest)
            for place in network.tolist()
        ]
        graphs: list[Arrays] | None = None
        if operators:
            graphs = []
            nothing = (np.zeros((0, 0), np.float32), np.zeros((2, 0), np.int64))
            for number, row in enumerate(rows.tolist()):
                read = arrays_of(given.canonical.graphs[row], operators)
                graphs.append(nothing if read is None else read)
                if read is None:
                    reasons[number] = reasons[number] or _NO_OPERATOR
        chosen = values[np.maximum(network, 0)] if len(values) else np.zeros((len(rows), 0), np.float32)
        return _Rows(chosen, reasons, graphs)

    @property
    def model(self) -> MABN:
        """The network itself."""
        assert self._model is not None
        return self._model

    def state(self) -> Mapping[str, NDArray[Any]]:
        return {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        import torch

        from predictor.parzc.graphs import width_of
        from predictor.parzc.mixer import MABN, MABNConfig

        config, operators = MABNConfig(**self.card["network"]), list(self.card["operators"])
        nodes = width_of(operators) if operators else 0
        if (config.inputs, config.nodes) != (len(STATISTICS) * int(self.card["longest"]), nodes):
            raise ValueError("its network does not fit its layers and operators")
        if config.depth > len(state):
            raise ValueError(f"its network has {config.depth} pairs of layers, and there are {len(state)} weights")
        try:
            with torch.device("meta"):  # so that no card decides how much memory is taken, but the weights alone
                model = MABN(config)
            tensors = {name: torch.from_numpy(array.copy()) for name, array in state.items()}
            model.load_state_dict(tensors, assign=True)
        except RuntimeError as error:  # names or shapes of another network
            raise ValueError(str(error).partition("\n")[0]) from error
        self._model = model.eval()

    @classmethod
    def digest(cls, card: Mapping[str, Any]) -> str | None:
        """sha256 of all in a card that decides a score."""
        decisive = {name: card.get(name) for name in ("sha256", "configuration", *_DECISIVE)}
        return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest() if card else None


class ParZCDagger(Predictor):
    """Layer-wise zero-cost statistics weighed by a fixed sine over the layers; ParZC without training.

    Dong et al., 2025 (arXiv 2402.02105), name the variant and a sine; the form here is ours: the scaled statistics of L
    layers, weighed by sin(pi (l + 1/2) / L), summed over layers and proxies.

    Direction: higher is better. Needs: the layers of three zero-cost proxies, no labels.
    """

    name = "parzc_dagger"
    needs = Needs(layers=STATISTICS, extra="predict")

    def score(self, given: Given) -> Scores:
        from predictor.parzc.statistics import inputs, longest_of

        layers = given.layers
        assert layers is not None
        longest = longest_of(layers)
        values, fits = inputs(layers, longest)
        sizes = np.bincount(layers.owner, minlength=layers.networks)[: layers.networks]
        place = np.arange(longest) + 0.5
        weights = np.sin(np.pi * np.minimum(place / np.maximum(sizes, 1)[:, None], 1.0))  # (M, longest)
        sums = (values.reshape(len(values), len(STATISTICS), longest) * weights[:, None]).sum(axis=(1, 2))
        of_networks = np.where(fits, sums, np.nan)
        known = layers.network >= 0
        mean = np.full(len(given), np.nan)
        mean[known] = of_networks[layers.network[known]]
        reasons = [None if one else _no_layers(given.space) for one in known.tolist()]
        return Scores(mean, None, reasons)


@dataclass(frozen=True)
class _Rows:
    """What a mixer is given of some architectures, and why it cannot be given others."""

    values: NDArray[np.float32]
    reasons: list[str | None]
    graphs: list[Arrays] | None


def _only(sources: Sequence[Labelled]) -> Sequence[Labelled]:
    if len(sources) != 1:
        raise UsageError(f"parzc learns from one space, and {len(sources)} are given: layers of two do not compare.")
    return sources


def _no_layers(space: str) -> str:
    return _NO_LAYERS.format(space=space, proxies=" ".join(f"--proxy {name}" for name in STATISTICS))


def _lack(source: Labelled, lacking: int, labels: int) -> str:
    space = source.given.space
    return (
        f"{source.name}: {lacking} of the {labels} labelled architectures have no layer-wise statistics. "
        f"Measure them, then train again: catalog score {space} "
        f"{' '.join(f'--proxy {name}' for name in STATISTICS)} --layerwise"
    )
