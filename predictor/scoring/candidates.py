"""Scores of architectures that no catalog holds: any proxy by its name, computed for a batch of graphs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import placed_cells
from catalog.architecture.structural import STRUCTURAL_PROXIES, count_scores, graph_scores
from catalog.errors import UnknownProxyError, UsageError
from catalog.spaces.base import SearchSpace
from catalog.tables.proxies import ProxyFacts

if TYPE_CHECKING:
    from predictor.zero_cost import MeasureConfig, Measurement
    from predictor.zero_cost.proxy import Proxy

Values = NDArray[np.float64]
Graphs = Sequence[ArchitectureGraph]

ENSEMBLES = ("tg_nas", "tg_nas_multi")
PAPER = "tg_nas_paper"
NB101 = "nb101"

_SPREAD = "_std"
PREDICTED = (*ENSEMBLES, *(name + _SPREAD for name in ENSEMBLES), PAPER)
"""Names that a checkpoint of the package gives."""

OF_MIXTURES = (PAPER,)
"""Those that also score means of native graphs, and so supernets; `tg_nas` reads canonical graphs, which have none."""

_OF_THE_GRAPH = ("depth", "n_conv", "n_skip", "conv_depth", "path_count", "shortest_path")


@dataclass(frozen=True)
class Recorded:
    """How a score that was computed here is written into the catalog, so that `catalog score` knows it again.

    Parameters
    ----------
    facts
        The proxy.
    input, seed
        As in the table ``score``.
    card
        Of the checkpoint, which says what it was trained on; empty for a proxy without one.
    """

    facts: ProxyFacts
    input: str | None = None
    seed: int | None = None
    card: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Computed:
    """One proxy's scores of a batch of B architectures.

    Parameters
    ----------
    values
        (B,), NaN where there is none.
    reasons
        (B,) why measuring failed; None where it did not, and for an architecture without a path, which nobody measures.
    """

    values: Values
    reasons: Sequence[str | None]


@dataclass(frozen=True)
class _Family:
    """Proxies that are computed together."""

    names: tuple[str, ...]
    compute: Callable[[Graphs, Graphs], Mapping[str, Computed]]
    recorded: Mapping[str, Recorded]
    mix: Callable[[Graphs, Values], Mapping[str, Values]] | None = None


class CandidateScorer:
    """Computes the proxies of some names for graphs of one space.

    Parameters
    ----------
    space
        The graphs' space.
    names
        Structural proxies, predictors with shipped weights, and registered zero-cost proxies.
    config
        How zero-cost proxies are measured; the default configuration if None.

    Attributes
    ----------
    recorded
        How to store each score; structural proxies are missing, because entering an architecture stores them.
    reads_native
        Whether any of the proxies looks at native graphs; canonical ones will do in their place otherwise.

    Raises
    ------
    UnknownProxyError
        A name is none of these; the message lists them.
    """

    def __init__(self, space: SearchSpace, names: Sequence[str], config: MeasureConfig | None = None) -> None:
        self.space = space
        self.names = tuple(names)
        structural = structural_names(space)
        wanted_of_graph = tuple(name for name in names if name in structural)
        predictors = [name for name in (*ENSEMBLES, PAPER) if {name, name + _SPREAD} & set(names)]
        measured = [name for name in names if name not in structural and name.removesuffix(_SPREAD) not in predictors]
        self._families: list[_Family] = []
        if wanted_of_graph:
            self._families.append(_structural(space, wanted_of_graph))
        if measured:  # before the weights are read: an unknown name is told at once
            self._families.append(_measured(space, measured, config))
        self._families += [_paper() if name == PAPER else _ensemble(name) for name in predictors]
        self.reads_native = space.name == NB101 or bool(wanted_of_graph or measured) or PAPER in predictors
        self.recorded = {name: how for family in self._families for name, how in family.recorded.items()}

    def score(self, native: Graphs, canonical: Graphs) -> dict[str, Values]:
        """Each name's scores, (B,); NaN where a proxy has no value. The arguments are those of `compute`."""
        return {name: found.values for name, found in self.compute(native, canonical).items()}

    def compute(self, native: Graphs, canonical: Graphs) -> dict[str, Computed]:
        """Each name's scores with the reasons of failures.

        Parameters
        ----------
        native, canonical
            The two forms of the same architectures, in the same order.
        """
        found: dict[str, Computed] = {}
        for family in self._families:
            none = {name: Computed(np.empty(0), ()) for name in family.names}
            found.update(family.compute(native, canonical) if native else none)
        return found

    def score_mixtures(self, graphs: Graphs, shares: Values) -> dict[str, Values]:
        """Each name's scores of weighted means of native graphs, (M,).

        Parameters
        ----------
        graphs
            Native graphs whose nodes correspond.
        shares
            (M, graphs) the weights of each mean, with a sum of 1.

        Raises
        ------
        UsageError
            A name has no scores of means, or the graphs have no mean.
        """
        found: dict[str, Values] = {}
        for family in self._families:
            if family.mix is None:
                raise UsageError(
                    f"{', '.join(family.names)} cannot score a mean of graphs; only {', '.join(OF_MIXTURES)} can."
                )
            found.update(family.mix(graphs, shares))
        return found

    def __repr__(self) -> str:
        return f"CandidateScorer({self.space.name!r}, {', '.join(self.names)})"


def structural_names(space: SearchSpace) -> tuple[str, ...]:
    """The structural proxies that graphs of a space have without building a network."""
    return (*(_OF_THE_NETWORK if space.structural_scores((), ()) else ()), *_OF_THE_GRAPH)


_OF_THE_NETWORK = tuple(proxy.name for proxy in STRUCTURAL_PROXIES if proxy.name not in _OF_THE_GRAPH)


def computable_names(space: SearchSpace) -> tuple[str, ...]:
    """Every name that a `CandidateScorer` of this space takes, as far as what it needs is installed."""
    return tuple(dict.fromkeys((*structural_names(space), *PREDICTED, *_measurable())))


def is_computable(space: SearchSpace, name: str) -> bool:
    """Whether a `CandidateScorer` of this space takes the name."""
    return name in structural_names(space) or name in PREDICTED or name in _measurable()  # in order of their cost


def is_of_function(space: SearchSpace, name: str) -> bool:
    """Whether all architectures of a space that compute the same function have the same score under a computable name.

    Structural proxies count dead operators, `tg_nas_paper` reads them, and so do some zero-cost proxies; in
    NAS-Bench-101 the channels depend on the order of the vertices.
    """
    if space.name == NB101 or name in structural_names(space) or name == PAPER:
        return False
    return name in PREDICTED or (name in _measurable() and not _measurable()[name].native)


def direction(name: str) -> int:
    """+1 where higher scores of a computable name are better, -1 where lower ones are."""
    structural = {proxy.name: proxy.direction for proxy in STRUCTURAL_PROXIES}
    if name in structural:
        return structural[name]
    if name in PREDICTED:
        return -1 if name.endswith(_SPREAD) else 1
    return _measurable()[name].direction


def _measurable() -> Mapping[str, Proxy]:
    if find_spec("torch") is None:
        return {}
    from predictor.zero_cost.registry import registered

    return registered()


def structural_scores(space: SearchSpace, native: Graphs, canonical: Graphs) -> dict[str, Values]:
    """All structural proxies of graphs, (B,) each: what entering them into a catalog stores."""
    count = len(native)
    scores: dict[str, Values] = dict(space.structural_scores(native, canonical))
    scores["depth"] = np.array([sum(cell.depth() for cell in graph.cells) for graph in canonical], dtype=np.float64)
    for placed in placed_cells(native):
        for name, values in count_scores(placed.cells, space.vocabulary).items():
            scores.setdefault(name, np.zeros(count))[placed.rows] += values
    for placed in placed_cells(canonical):
        for name, values in graph_scores(placed.cells, space.vocabulary).items():
            scores.setdefault(name, np.zeros(count))[placed.rows] += values
    return scores


def _structural(space: SearchSpace, names: tuple[str, ...]) -> _Family:
    def compute(native: Graphs, canonical: Graphs) -> dict[str, Computed]:
        found = structural_scores(space, native, canonical)
        return {name: _without_failures(found[name]) for name in names}

    return _Family(names, compute, {})


def _without_failures(values: Values) -> Computed:
    """What is computed without building a network: a value is missing only where there is nothing to compute."""
    return Computed(values, [None] * len(values))


def _ensemble(name: str) -> _Family:
    from predictor.scoring.predictors import predictor_facts
    from predictor.tg_nas.ensemble import Scorer

    scorer = Scorer.load(name)
    spread = name + _SPREAD

    def compute(native: Graphs, canonical: Graphs) -> dict[str, Computed]:
        found = scorer.score(native if native[0].space == NB101 else canonical)
        return {name: _without_failures(found.mean), spread: _without_failures(found.std)}

    facts = {name + suffix: predictor_facts(name, name, suffix, scorer.card) for suffix in ("", _SPREAD)}
    return _Family((name, spread), compute, {column: Recorded(one, card=scorer.card) for column, one in facts.items()})


def _paper() -> _Family:
    from predictor.scoring.predictors import predictor_facts
    from predictor.tg_nas.paper import PaperScorer

    scorer = PaperScorer.load()
    recorded = {PAPER: Recorded(predictor_facts(PAPER, PAPER, "", scorer.card), card=scorer.card)}
    return _Family(
        (PAPER,),
        lambda native, _: {PAPER: _without_failures(scorer.score(native))},
        recorded,
        lambda graphs, shares: {PAPER: scorer.score_mixtures(graphs, shares)},
    )


def _measured(space: SearchSpace, names: Sequence[str], config: MeasureConfig | None) -> _Family:
    from predictor.scoring.configuration import input_of, is_seeded, recorded_for
    from predictor.zero_cost import MeasureConfig, measure_many
    from predictor.zero_cost.registry import registered

    if unknown := [name for name in names if name not in registered()]:
        raise UnknownProxyError(
            f"no proxy {unknown[0]!r} can be computed for {space.name}; known are {', '.join(computable_names(space))}."
        )
    chosen = config or MeasureConfig()
    proxies = [registered()[name] for name in names]
    recorded = {
        proxy.name: Recorded(
            ProxyFacts(
                proxy.name,
                proxy.version,
                proxy.direction,
                proxy.description,
                configuration=json.dumps(recorded_for(proxy, chosen, space.name), sort_keys=True),
            ),
            input_of(proxy, chosen),
            chosen.seed if is_seeded(proxy) else None,
        )
        for proxy in proxies
    }

    def compute(native: Graphs, _: Graphs) -> dict[str, Computed]:
        of_each = zip(*measure_many(native, proxies, chosen), strict=True)
        return {name: _as_computed(measurements) for name, measurements in zip(names, of_each, strict=True)}

    return _Family(tuple(names), compute, recorded)


def _as_computed(measurements: Sequence[Measurement]) -> Computed:
    values = [np.nan if one.value is None else one.value for one in measurements]
    reasons = [one.reason if one.status == "failed" else None for one in measurements]
    return Computed(np.array(values, dtype=np.float64), reasons)
