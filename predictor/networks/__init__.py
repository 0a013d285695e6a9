"""Real PyTorch networks of the catalog's architectures.

It knows graphs and tensors; who measures or trains a network stands above.
"""

from __future__ import annotations

from dataclasses import replace

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.sizes import NetworkInput
from catalog.architecture.skeleton import Skeleton
from catalog.spaces import NATIVE_NETWORKS, darts_network, nb101_network, nb201_network, transnas_network
from predictor.networks.network import Network, NetworkConfig, load_replicas

__all__ = [
    "CELLS_PIXELS",
    "MOST_PIXELS",
    "MOST_TOKENS",
    "PUBLISHED",
    "SCORING",
    "THIN",
    "Network",
    "NetworkConfig",
    "at_input",
    "build",
    "cells_input",
    "has_own_network",
    "live_form",
    "load_replicas",
    "measured_input",
    "network_kind",
    "published_config",
    "scoring_config",
    "thin_config",
    "whole_classes",
    "whole_counts",
]

_SKELETONS: dict[str, Skeleton | transnas_network.ModuleSkeleton] = {
    "nb201": nb201_network.SKELETON,
    "nb101": nb101_network.SKELETON,
    "darts": darts_network.SKELETON,
    "transnas_micro": transnas_network.SKELETON,
}

PUBLISHED = {
    space: NetworkConfig(channels=skeleton.channels, cells=skeleton.cells) for space, skeleton in _SKELETONS.items()
}
"""The sizes in which the benchmarks trained their networks, those of NAS-Bench-201, 101 and DARTS on CIFAR-10."""

SCORING = {
    "nb201": PUBLISHED["nb201"],
    "nb101": NetworkConfig(channels=32, cells=1),
    "darts": NetworkConfig(channels=16, cells=8),
    "transnas_micro": PUBLISHED["transnas_micro"],
}
"""The sizes in which proxies are measured by default.

NAS-Bench-201's is the benchmark's own: gradient proxies of a network with one cell a stage rank the cells otherwise
(docs/proxies.md). So is TransNAS-Bench-101's, whose stem divides the resolution by four. The others are smaller than
the benchmark's, to be affordable.
"""

THIN = {
    "nb201": NetworkConfig(channels=1, cells=1),
    "nb101": NetworkConfig(channels=8, cells=1),  # up to five vertices share the channels of a module
    "darts": NetworkConfig(channels=2, cells=3),  # a skip that halves the resolution splits its channels in two
    "transnas_micro": NetworkConfig(channels=2, cells=1),  # the stem begins with half the channels
}
"""The thinnest networks that still contain every operator."""

_GENERIC = NetworkConfig(channels=16, cells=1)

CELLS_PIXELS = 32
"""The edge of the images that cells without a benchmark's network are measured with."""

MOST_PIXELS = 64
MOST_TOKENS = 64
"""The largest edge of an image, and the longest sequence, that a network that states its input is measured with."""


def has_own_network(space: str) -> bool:
    """Whether the cells of a space stand in a network of the benchmark's."""
    return space in PUBLISHED


def network_kind(space: str) -> str:
    """Which of the networks `build` makes for the cells of a space: its own, or the generic one."""
    return space if has_own_network(space) else "generic"


def cells_input(space: str) -> NetworkInput:
    """What the cells of a space are measured with: images as large as the benchmark's, no more than `MOST_PIXELS`."""
    edge = CELLS_PIXELS
    if space in _SKELETONS:
        edge = next(iter(_SKELETONS[space].datasets.values())).resolution
    return measured_input(NetworkInput(shape=(3, edge, edge)))


def measured_input(taken: NetworkInput) -> NetworkInput:
    """What a network that states its input is measured with: no more than `MOST_PIXELS` or `MOST_TOKENS`."""
    if taken.shape is not None:
        channels, height, width = taken.shape
        return NetworkInput(shape=(channels, min(height, MOST_PIXELS), min(width, MOST_PIXELS)))
    return replace(taken, tokens=min(taken.tokens or 1, MOST_TOKENS))


def at_input(graph: ArchitectureGraph, taken: NetworkInput) -> ArchitectureGraph:
    """A network that states its input with another one; see `predictor.networks.resolution.at_input`."""
    from predictor.networks import resolution

    return resolution.at_input(graph, taken)


def whole_counts(graph: ArchitectureGraph) -> tuple[int, int]:
    """Parameters and multiply-accumulates of a network that states its input, at the resolution that it states.

    Raises
    ------
    ProxyError
        A node cannot be counted; the message names its operator and what is missing.
    """
    from predictor.networks.whole import counts

    return counts(graph)


def whole_classes(graph: ArchitectureGraph, config: NetworkConfig) -> int:
    """How many classes a network that states its input tells apart: its own, or those of the configuration."""
    from predictor.networks.whole import classes_of

    return classes_of(graph, config)


def scoring_config(space: str) -> NetworkConfig:
    """The network size in which proxies are measured unless a user asks for another."""
    return SCORING.get(space, _GENERIC)


def thin_config(space: str) -> NetworkConfig:
    """The thinnest network of a space, for images of one channel."""
    return replace(THIN.get(space, NetworkConfig(channels=2, cells=1)), input_channels=1)


def published_config(space: str) -> NetworkConfig:
    """The benchmark's own network size; C = 16 and one round of cells a stage for a space without one."""
    return PUBLISHED.get(space, _GENERIC)


def live_form(graph: ArchitectureGraph) -> ArchitectureGraph:
    """The form whose network is measured: canonical, so that equal functions are equal networks.

    The architectures of `NATIVE_NETWORKS` stay native.
    """
    return graph if graph.space in NATIVE_NETWORKS else graph.canonical


def build(graph: ArchitectureGraph, config: NetworkConfig | None = None) -> Network:
    """The network of an architecture in the form given, with PyTorch's default initialisation.

    Parameters
    ----------
    graph
        Native (all parameters of the benchmark's network) or canonical (the live operators only).
    config
        The network's size; the benchmark's own by default. A graph that states its input has a size of its own.

    Raises
    ------
    GraphError
        A cell has no path from input to output.
    ProxyError
        The graph does not say what the network computes: an operator's facts are not all that it does.
    UnknownOperatorError
        A built-in space's cell has an operator of another space.
    """
    config = config or published_config(graph.space)
    if graph.input is not None:
        from predictor.networks.whole import WholeNetwork

        return WholeNetwork(graph, config)
    if graph.space == "nb201":
        from predictor.networks.nb201 import NB201Network

        return NB201Network(graph, config)
    if graph.space == "nb101":
        from predictor.networks.nb101 import NB101Network

        return NB101Network(graph, config)
    if graph.space == "darts":
        from predictor.networks.darts import DARTSNetwork

        return DARTSNetwork(graph, config)
    if graph.space == "transnas_micro":
        from predictor.networks.transnas import TransNASNetwork

        return TransNASNetwork(graph, config)
    from predictor.networks.generic import GenericNetwork

    return GenericNetwork(graph, config)
