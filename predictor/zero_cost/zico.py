"""ZiCo: gradients that are large and alike from minibatch to minibatch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.passes import GRADIENT, Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, LayerwiseProxy

_PIECE = 2**15
"""Weights that are looked at together."""


class ZiCo(LayerwiseProxy):
    r"""Inverse coefficient of variation of gradients, :math:`\sum_l \log \sum_w E_b|g_w| / \sigma_b(g_w)`.

    Li et al., "ZiCo: Zero-shot NAS via inverse coefficient of variation on gradients", 2023 (arXiv 2301.11300).
    Weights whose gradient does not vary over the minibatches are left out.

    Direction: higher is better. Cost: a forward and backward of each of two or more minibatches; the first is shared.
    Data: images and labels.
    """

    name = "zico"
    version = DRAWN_BY_LAYER
    needs = GRADIENT | Need.BATCHES

    def layer_values(self, passes: Passes) -> Tensor:
        if len(passes.batches) < 2:
            raise ProxyError("zico needs at least two minibatches: the deviation over one is zero")
        return torch.stack([_of_layer(gradients) for gradients in zip(*passes.batch_gradients, strict=True)])


def _of_layer(gradients: Sequence[Tensor]) -> Tensor:
    """Logarithm of the summed ratios of one layer, of pieces that a processor keeps at hand."""
    pieces = zip(*(gradient.flatten().split(_PIECE) for gradient in gradients), strict=True)
    total = torch.stack([_ratios(torch.stack(piece).double()) for piece in pieces]).sum()
    return total.log() if total > 0 else torch.zeros_like(total)


def _ratios(gradients: Tensor) -> Tensor:
    """Mean magnitude over deviation, summed over the weights that vary; (minibatches, weights)."""
    deviation = (gradients - gradients.mean(dim=0)).square().mean(dim=0).sqrt()
    ratios = gradients.abs().mean(dim=0) / deviation
    return torch.where(deviation > 0, ratios, 0.0).sum()
