"""Measuring proxies on architectures: one network, every pass once, a status for every score."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache, reduce
from operator import or_
from typing import Any

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.sizes import NetworkInput
from catalog.errors import DatasetError, GraphError, ProxyError
from predictor.door.guard import FAILURES
from predictor.networks import (
    MOST_PIXELS,
    MOST_TOKENS,
    Network,
    NetworkConfig,
    at_input,
    build,
    cells_input,
    has_own_network,
    live_form,
    measured_input,
    scoring_config,
    thin_config,
    whole_classes,
    whole_counts,
)
from predictor.zero_cost.inputs import COLOURED, Batch, draw, label_kind
from predictor.zero_cost.layer_facts import LayerFacts, layer_facts, unrepeated
from predictor.zero_cost.passes import IMAGES, Need, Passes
from predictor.zero_cost.proxy import LayeredProxy, Proxy


@dataclass(frozen=True)
class MeasureConfig:
    """Everything beside the architecture that changes a score.

    Parameters
    ----------
    input
        ``photos``, ``noise``, ``digits`` or ``cifar10:DIR``; see `predictor.zero_cost.inputs.draw`.
    batch_size
        Images of a minibatch.
    batches
        Minibatches; only ``zico`` looks at more than the first.
    seed
        Of the images, the labels, the weights and the noise.
    network
        The network's size; `predictor.networks.scoring_config` of the space where it is None. A network that states its
        input has its own size.
    device
        Where PyTorch computes.
    layerwise
        Whether to keep the value of each layer of the proxies that are sums over layers.
    """

    input: str = "photos"
    batch_size: int = 16
    batches: int = 2
    seed: int = 0
    network: NetworkConfig | None = None
    device: str = "cpu"
    layerwise: bool = False

    def network_of(self, space: str) -> NetworkConfig:
        """The network's size for architectures of `space`."""
        return self.network or scoring_config(space)

    def recorded(self, space: str) -> dict[str, Any]:
        """What a stored score must tell about how it was measured, as plain values.

        The input and the seed have columns of their own; device and layer-wise output do not change a score. Of a space
        of a user's own it tells how large an input whole networks are measured with at most; those have a size of their
        own, beside which `network` holds for cells.
        """
        network = {name: value for name, value in asdict(self.network_of(space)).items() if name != "replicas"}
        own: dict[str, Any] = {}
        if not has_own_network(space):
            own = {"largest": {"pixels": MOST_PIXELS, "tokens": MOST_TOKENS}}
        elif cells_input(space) != COLOURED:
            own = {"input": cells_input(space).text}
        return own | {
            "batch_size": self.batch_size,
            "batches": self.batches,
            "labels": label_kind(self.input),
            "batch_norm": "training",
            "network": network,
        }


def measure_config(
    space: str,
    given: str = MeasureConfig.input,
    batch_size: int | None = None,
    channels: int | None = None,
    cells: int | None = None,
    *,
    device: str = MeasureConfig.device,
    layerwise: bool = False,
) -> MeasureConfig:
    """A configuration for a space in which whatever is None is as it is by default.

    A network is given in full by its channels and cells: one that says the default's is the default.
    """
    usual = scoring_config(space)
    network = replace(usual, channels=channels or usual.channels, cells=cells or usual.cells)
    return MeasureConfig(
        input=given,
        batch_size=batch_size or MeasureConfig.batch_size,
        network=network,
        device=device,
        layerwise=layerwise,
    )


@dataclass(frozen=True)
class Measurement:
    """One score of one proxy for one architecture.

    Parameters
    ----------
    value
        None unless the status is ``ok``.
    status
        ``ok``, ``failed`` or ``disconnected``.
    seconds
        Its own time and its share of every pass that it had in common with others: the seconds of all proxies of one
        measurement add up to what the measurement took, up to building the network.
    layers
        Layer name to value, where asked for and where the proxy has layers; None where a layer has no value.
    facts
        Layer name to where it stands.
    """

    proxy: str
    value: float | None
    status: str
    reason: str | None = None
    seconds: float | None = None
    layers: Mapping[str, float | None] = field(default_factory=dict)
    facts: Mapping[str, LayerFacts] = field(default_factory=dict)


def batches_for(config: MeasureConfig, space: str) -> list[Batch]:
    """The minibatches that every architecture of a run is measured on."""
    return draw(
        config.input,
        batch_size=config.batch_size,
        batches=config.batches,
        classes=config.network_of(space).classes,
        seed=config.seed,
        taken=cells_input(space),
    )


def measure(
    graph: ArchitectureGraph,
    proxies: Sequence[Proxy],
    config: MeasureConfig | None = None,
    *,
    batches: Sequence[Batch] | None = None,
) -> list[Measurement]:
    """Scores of one architecture, in the order of `proxies`.

    Parameters
    ----------
    graph
        The native graph. What is measured is the network of its live form, so architectures of equal digest score
        alike; proxies with ``native`` set count the dead operators too.
    batches
        The minibatches, where the caller has drawn them already; a network that states its input has its own.
    """
    config = config or MeasureConfig()
    if not graph.is_connected:
        reason = "no path leads from an input to the output"
        return [Measurement(proxy.name, None, "disconnected", reason) for proxy in proxies]
    needs = reduce(or_, (_needs(proxy, layerwise=config.layerwise) for proxy in proxies), Need.NOTHING)
    if graph.input is None:
        passes = _passes(graph, config, needs, batches or batches_for(config, graph.space))
    else:
        try:
            passes = _passes_of_whole(graph, graph.input, config, needs)
        except ProxyError as error:
            return [Measurement(proxy.name, None, "failed", _reason(error)) for proxy in proxies]
        except DatasetError as error:
            return _measured_without_images(graph, proxies, config, _reason(error))
    found = [_measured(proxy, passes, layerwise=config.layerwise) for proxy in proxies]
    shares = _shares(proxies, passes, layerwise=config.layerwise)
    facts = layer_facts(passes.network, graph) if any(one.layers for one in found) else {}
    return [
        replace(one, seconds=(one.seconds or 0.0) + share, facts={name: facts[unrepeated(name)] for name in one.layers})
        for one, share in zip(found, shares, strict=True)
    ]


def _needs(proxy: Proxy, *, layerwise: bool) -> Need:
    """What a proxy looks at, and with `layerwise` what its layers need."""
    return proxy.needs | proxy.layer_needs if layerwise and isinstance(proxy, LayeredProxy) else proxy.needs


def _passes(graph: ArchitectureGraph, config: MeasureConfig, needs: Need, batches: Sequence[Batch]) -> Passes:
    """The passes over cells in the network of their space."""
    live = live_form(graph)
    return Passes(
        lambda size: build(live, size),
        config.network_of(graph.space),
        batches,
        needs,
        thin=thin_config(graph.space),
        make_native=(lambda size: build(graph, size)) if _has_dead_weights(graph, live) else None,
        seed=config.seed,
        device=config.device,
    )


def _passes_of_whole(graph: ArchitectureGraph, stated: NetworkInput, config: MeasureConfig, needs: Need) -> Passes:
    """The passes over a network that states its input, which is measured in its own size.

    Raises
    ------
    ProxyError
        Another size is asked for.
    DatasetError
        The input has nothing that the network could take.
    """
    size, usual = config.network_of(graph.space), scoring_config(graph.space)
    if (size.channels, size.cells) != (usual.channels, usual.cells):
        raise ProxyError(
            f"{size.channels} channels and {size.cells} cells are asked for, and a network that states its input has a "
            "size of its own; leave both out."
        )
    taken = measured_input(stated)

    def made(size: NetworkConfig) -> Network:
        try:
            return build(at_input(live_form(graph), taken), size)
        except GraphError as error:
            if taken == stated:
                raise
            raise ProxyError(f"it is measured with an input of {taken.text}, which does not fit it: {error}") from None

    classes = whole_classes(graph, size)
    batches = _drawn(config.input, config.batch_size, config.batches, classes, config.seed, taken)
    return Passes(
        made,
        size,
        batches,
        needs,
        count=lambda: whole_counts(graph),
        seed=config.seed,
        device=config.device,
    )


def _measured_without_images(
    graph: ArchitectureGraph, proxies: Sequence[Proxy], config: MeasureConfig, reason: str
) -> list[Measurement]:
    """What needs no images, where the input has none for the network; the reason for all others."""
    blind = [proxy for proxy in proxies if not proxy.needs & IMAGES]
    found = iter(measure(graph, blind, replace(config, input="noise")) if blind else [])
    return [
        Measurement(proxy.name, None, "failed", reason) if proxy.needs & IMAGES else next(found) for proxy in proxies
    ]


@lru_cache(maxsize=16)
def _drawn(given: str, batch_size: int, batches: int, classes: int, seed: int, taken: NetworkInput) -> list[Batch]:
    """The minibatches of networks that take the same, drawn once."""
    return draw(given, batch_size=batch_size, batches=batches, classes=classes, seed=seed, taken=taken)


def measure_many(
    graphs: Sequence[ArchitectureGraph], proxies: Sequence[Proxy], config: MeasureConfig | None = None
) -> Iterator[list[Measurement]]:
    """Scores of many architectures, in order; what computes the same function is measured once.

    Proxies that count dead operators are measured for every architecture. Architectures of equal digest get the same
    `Measurement` objects of the others.
    """
    config = config or MeasureConfig()
    drawn: dict[str, list[Batch]] = {}
    known: dict[tuple[str, object], dict[str, Measurement]] = {}
    for graph in graphs:
        if graph.space not in drawn and graph.input is None:
            drawn[graph.space] = batches_for(config, graph.space)
        shared = known.setdefault(_function_of(graph), {})
        missing = [proxy for proxy in proxies if proxy.name not in shared]
        found = measure(graph, missing, config, batches=drawn.get(graph.space)) if missing else []
        scores = {one.proxy: one for one in found}
        shared.update({proxy.name: scores[proxy.name] for proxy in missing if not proxy.native})
        yield [scores[proxy.name] if proxy.name in scores else shared[proxy.name] for proxy in proxies]


def _function_of(graph: ArchitectureGraph) -> tuple[str, object]:
    """What decides a score: the digest, or the cells themselves where the network depends on more than the function."""
    return graph.space, graph.cells if live_form(graph) is graph else graph.digest


def _has_dead_weights(graph: ArchitectureGraph, live: ArchitectureGraph) -> bool:
    return _weighted_operators(graph) != _weighted_operators(live)


def _weighted_operators(graph: ArchitectureGraph) -> int:
    """How many nodes may carry weights; skips count, because some of a reduction cell's do."""
    kinds = [graph.vocabulary[name] for cell in graph.cells for name in cell.operators]
    return sum(operator.kind == "conv" or operator.has_weights for operator in kinds)


def _measured(proxy: Proxy, passes: Passes, *, layerwise: bool) -> Measurement:
    spent = sum(passes.seconds.values())
    start = time.perf_counter()
    layers: dict[str, float | None] = {}
    try:
        value = proxy.measure(passes)
        if layerwise and isinstance(proxy, LayeredProxy):
            layers = {name: _finite(part) for name, part in proxy.layer_parts(passes).items()}
        if not math.isfinite(value):
            raise ProxyError(f"the value is {value}")
    except FAILURES as error:
        outcome = Measurement(proxy.name, None, "failed", _reason(error))
    else:
        outcome = Measurement(proxy.name, value, "ok", layers=layers)
    own = time.perf_counter() - start - (sum(passes.seconds.values()) - spent)
    return replace(outcome, seconds=max(own, 0.0))


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]


def _shares(proxies: Sequence[Proxy], passes: Passes, *, layerwise: bool) -> list[float]:
    """Each proxy's part of the passes: the seconds of a pass, divided by the number of proxies that need it."""
    needs = [_needs(proxy, layerwise=layerwise) for proxy in proxies]
    sharers = {need: sum(need in one for one in needs) for need in passes.seconds}
    return [sum(spent / sharers[need] for need, spent in passes.seconds.items() if need in one) for one in needs]
