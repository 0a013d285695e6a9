"""Scores of architectures that no catalog holds: any proxy by its name, computed for a batch of graphs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import placed_cells
from catalog.architecture.size_tables import sized_forms, sized_scores
from catalog.architecture.structural import STRUCTURAL_PROXIES, count_scores, graph_scores
from catalog.errors import UnknownProxyError, UsageError
from catalog.nearest import did_you_mean
from catalog.spaces.base import SearchSpace
from catalog.tables.proxies import ProxyFacts
from predictor.door import Given, Needs
from predictor.door import Graphs as GivenGraphs
from predictor.door.given import networks_of
from predictor.door.guard import scored
from predictor.door.predictor import SPREAD
from predictor.door.registry import Kind, predictors
from predictor.scoring.predictors import predictor_facts

if TYPE_CHECKING:
    from predictor.zero_cost import MeasureConfig, Measurement
    from predictor.zero_cost.proxy import Proxy

Values = NDArray[np.float64]
Graphs = Sequence[ArchitectureGraph]

_OF_THE_GRAPH = ("depth", "n_conv", "n_skip", "conv_depth", "path_count", "shortest_path")
_OF_THE_CANONICAL_FORM = (
    *("live_params", "live_flops", "root_macs", "activations"),
    *("depth", "conv_depth", "path_count", "shortest_path"),
)


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
        kinds = dict.fromkeys(kind for name in names if (kind := predicted().get(name)) is not None)
        measured = [name for name in names if name not in structural and name not in predicted()]
        self._families: list[_Family] = []
        if wanted_of_graph:
            self._families.append(_structural(space, wanted_of_graph))
        if measured:  # before the weights are read: an unknown name is told at once
            self._families.append(_measured(space, measured, config))
        self._families += [_predicted(space, kind) for kind in kinds]
        reads_native = any("native" in kind.needs.graphs for kind in kinds)
        self.reads_native = space.forms_are_equal or bool(wanted_of_graph or measured) or reads_native
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
                able = ", ".join(name for name in predicted() if scores_mixtures(name))
                raise UsageError(f"{', '.join(family.names)} cannot score a mean of graphs; only {able} can.")
            found.update(family.mix(graphs, shares))
        return found

    def __repr__(self) -> str:
        return f"CandidateScorer({self.space.name!r}, {', '.join(self.names)})"


def structural_names(space: SearchSpace) -> tuple[str, ...]:
    """The structural proxies that graphs of a space have without building a network."""
    are_counted = space.has_whole_networks or bool(space.structural_scores((), ()))
    return (*(_OF_THE_NETWORK if are_counted else ()), *_OF_THE_GRAPH)


_OF_THE_NETWORK = tuple(proxy.name for proxy in STRUCTURAL_PROXIES if proxy.name not in _OF_THE_GRAPH)


@cache
def predicted() -> Mapping[str, Kind]:
    """The columns that a predictor gives to any graph, one at a time, with the weights that it came with."""
    return {
        column: kind
        for kind in predictors().values()
        if kind.is_ready() and not kind.depends_on_pool and not kind.needs.columns and not kind.needs.layers
        for column in kind.columns()
    }


def scores_mixtures(name: str) -> bool:
    """Whether a name has scores of means of native graphs, and so of supernets."""
    return name in predicted() and predicted()[name].scores_mixtures


def is_slow(space: SearchSpace, name: str) -> bool:
    """Whether a network has to be built and measured for a name, which takes a good part of a second each."""
    return name not in predicted() and name not in structural_names(space)


def computable_names(space: SearchSpace) -> tuple[str, ...]:
    """Every name that a `CandidateScorer` of this space takes, as far as what it needs is installed."""
    return tuple(dict.fromkeys((*structural_names(space), *predicted(), *_measurable())))


def is_computable(space: SearchSpace, name: str) -> bool:
    """Whether a `CandidateScorer` of this space takes the name."""
    return name in structural_names(space) or name in predicted() or name in _measurable()  # in order of their cost


def is_of_function(space: SearchSpace, name: str) -> bool:
    """Whether all architectures of a space that compute the same function have the same score under a computable name.

    Some structural proxies count dead operators, a predictor of native graphs reads them, and so do some zero-cost
    proxies; where the two forms are one, as in NAS-Bench-101, something else than the function depends on the graph.
    """
    if space.forms_are_equal:
        return False
    if name in structural_names(space):
        return name in _OF_THE_CANONICAL_FORM
    if name in predicted():
        return "native" not in predicted()[name].needs.graphs
    return name in _measurable() and not _measurable()[name].native


def direction(name: str) -> int:
    """+1 where higher scores of a computable name are better, -1 where lower ones are."""
    structural = {proxy.name: proxy.direction for proxy in STRUCTURAL_PROXIES}
    if name in structural:
        return structural[name]
    if name in predicted():
        return predicted()[name].direction if name == predicted()[name].name else -1  # a spread is better small
    return _measurable()[name].direction


def _measurable() -> Mapping[str, Proxy]:
    if find_spec("torch") is None:
        return {}
    from predictor.zero_cost.registry import registered

    return registered()


def structural_scores(space: SearchSpace, native: Graphs, canonical: Graphs) -> dict[str, Values]:
    """All structural proxies of graphs, (B,) each: what entering them into a catalog stores."""
    count = len(native)
    sized = sized_scores(sized_forms(native, canonical, sizes_are_all=space.sizes_are_all))
    scores: dict[str, Values] = {**space.structural_scores(native, canonical), **sized}
    depths = [sum(cell.repeats * cell.depth() for cell in graph.cells) for graph in canonical]
    scores["depth"] = np.array(depths, dtype=np.float64)
    for placed in placed_cells(native):
        for name, values in count_scores(placed.cells, space.vocabulary).items():
            scores.setdefault(name, np.zeros(count))[placed.rows] += placed.repeated(values)
    for placed in placed_cells(canonical):
        for name, values in graph_scores(placed.cells, space.vocabulary).items():
            scores.setdefault(name, np.zeros(count))[placed.rows] += placed.repeated(values)
    return scores


def given_of(space: SearchSpace, needs: Needs, native: Graphs, canonical: Graphs) -> Given:
    """Architectures that no catalog holds, as a predictor is given them: graphs and structural columns."""
    forms = {"native": native, "canonical": native if space.forms_are_equal else canonical}
    wanted = set(needs.optional) & set(structural_names(space))
    known = structural_scores(space, native, canonical) if wanted else {}
    return Given(
        space.name,
        len(native),
        native[0].vocabulary,
        {form: GivenGraphs.of(forms[form]) for form in needs.graphs},
        np.empty((len(native), 0)),
        np.array([graph.is_connected for graph in native]),
        optional={name: known[name] for name in needs.optional if name in wanted and name in known},
        read_networks=networks_of(space, native) if needs.networks else None,
    )


def _structural(space: SearchSpace, names: tuple[str, ...]) -> _Family:
    def compute(native: Graphs, canonical: Graphs) -> dict[str, Computed]:
        found = structural_scores(space, native, canonical)
        return {name: _without_failures(found[name]) for name in names}

    return _Family(names, compute, {})


def _without_failures(values: Values) -> Computed:
    """What is computed without building a network: a value is missing only where there is nothing to compute."""
    return Computed(values, [None] * len(values))


def _predicted(space: SearchSpace, kind: Kind) -> _Family:
    model = kind.ready()

    def compute(native: Graphs, canonical: Graphs) -> dict[str, Computed]:
        found = scored(model, given_of(space, kind.needs, native, canonical))
        reasons = found.reasons or [None] * len(native)
        spread = found.mean if found.spread is None else found.spread
        return dict(zip(kind.columns(), (Computed(found.mean, reasons), Computed(spread, reasons)), strict=False))

    suffixes = ("", SPREAD)[: len(kind.columns())]
    facts = [predictor_facts(model, kind.name, suffix) for suffix in suffixes]
    recorded = {one.name: Recorded(one, card=model.card) for one in facts}
    mix = None
    if kind.scores_mixtures:

        def mix(graphs: Graphs, shares: Values) -> Mapping[str, Values]:
            return {kind.name: model.score_mixtures(graphs, shares)}

    return _Family(kind.columns(), compute, recorded, mix)


def _measured(space: SearchSpace, names: Sequence[str], config: MeasureConfig | None) -> _Family:
    from predictor.scoring.configuration import input_of, is_seeded, recorded_for
    from predictor.zero_cost import MeasureConfig, measure_many
    from predictor.zero_cost.registry import registered

    if unknown := [name for name in names if name not in registered()]:
        raise UnknownProxyError(
            f"no proxy {unknown[0]!r} can be computed for {space.name}; known are {', '.join(computable_names(space))}. "
            f"{did_you_mean(unknown[0], computable_names(space))}".rstrip()
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
