"""Kinds of modules that proxies tell apart: what is weighted, what costs, what normalises."""

from __future__ import annotations

from torch import Tensor, nn

from predictor.networks import Network
from predictor.networks.generic_layers import Mixing
from predictor.networks.sequence_layers import SpanConvolution, TokenTransform
from predictor.networks.whole_layers import Transposed

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
NORMS = (*BATCH_NORMS, nn.LayerNorm, nn.GroupNorm, nn.InstanceNorm1d, nn.InstanceNorm2d, nn.RMSNorm)
"""What stands between a signal and its size."""

_Counted = nn.Conv2d | nn.Linear | Mixing
"""The layers whose multiply-accumulates count."""


def leaves(network: nn.Module) -> list[nn.Module]:
    """The modules that have no parts, or whose one part has its channels elsewhere."""
    inside = {id(module.norm) for module in network.modules() if isinstance(module, Transposed)}
    return [
        module
        for module in network.modules()
        if isinstance(module, Transposed) or not (list(module.children()) or id(module) in inside)
    ]


def counted(network: nn.Module) -> list[_Counted]:
    """The layers of a network whose multiply-accumulates count."""
    return [module for module in network.modules() if isinstance(module, _Counted)]


def operations(layer: _Counted, output: Tensor) -> int:
    """Multiply-accumulates of one image; a classifier's bias counts, as NAS-Bench-201 counts it."""
    if isinstance(layer, Mixing):
        return layer.multiply_accumulates(output)
    bias = layer.bias.numel() if isinstance(layer, nn.Linear) and layer.bias is not None else 0
    return layer.weight[0].numel() * output[0].numel() + bias


def weighted(network: nn.Module) -> dict[str, nn.Conv2d | nn.Linear]:
    """The convolutions and linear layers of a network by name."""
    return {name: module for name, module in network.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)}


def conserving(network: Network) -> Network:
    """The network without what adds to or takes from the flow of a signal of positive weights."""
    for module in list(network.modules()):
        if isinstance(module, Mixing | SpanConvolution):
            module.is_gate = True
        if isinstance(module, TokenTransform):
            module.is_positive = True
        for name, child in list(module.named_children()):
            if isinstance(child, NORMS):
                setattr(module, name, nn.Identity())
            elif isinstance(child, nn.ReLU6):  # whose bound holds a signal down as a normalisation does
                setattr(module, name, nn.ReLU())
    return network
