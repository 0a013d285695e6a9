"""What is known of the layers of a measured network beside their values."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from catalog.architecture.graph import ArchitectureGraph
from predictor.networks import Network
from predictor.networks.places import Place, places


@dataclass(frozen=True)
class LayerFacts:
    """Where a layer stands, and how many entries its weight has, without bias; 0 for an activation."""

    place: Place
    parameters: int


def layer_facts(network: Network, graph: ArchitectureGraph) -> dict[str, LayerFacts]:
    """By name, the facts of all modules of the network of the live form of a native graph."""
    modules = dict(network.named_modules())
    return {name: LayerFacts(place, _weights(modules[name])) for name, place in places(network, graph).items()}


def _weights(module: nn.Module) -> int:
    return module.weight.numel() if isinstance(module, nn.Conv2d | nn.Linear) else 0


def unrepeated(name: str) -> str:
    """The name of a module from that of one of its runs."""
    return name.partition(":")[0]
