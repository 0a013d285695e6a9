"""Initial weights that a layer's name seeds, so that equal layers of two networks start equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from predictor.zero_cost.inputs import seeded


def draw_by_layer(network: nn.Module, seed: int) -> None:
    """Give every convolution, linear layer and look-up PyTorch's default weights anew."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear | nn.Embedding):
            with seeded(f"initialisation:{name}", seed):
                layer.reset_parameters()


def initialise(network: nn.Module, draw_weights: Callable[[Tensor], Tensor], purpose: str, seed: int) -> None:
    """Convolution and linear weights from `draw_weights`, biases zero, normalisations as new.

    Parameters
    ----------
    purpose
        Networks of different purposes have different weights.
    """
    for name, layer in _layers(network):
        fresh = torch.empty_like(layer.weight, memory_format=torch.contiguous_format)
        with seeded(f"{purpose}:{name}", seed):
            layer.weight.data.copy_(draw_weights(fresh))  # in the usual order, whatever the layout in memory
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.reset_parameters()


def _layers(network: nn.Module) -> Iterator[tuple[str, nn.Conv2d | nn.Linear]]:
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            yield name, module
