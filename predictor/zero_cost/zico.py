"""ZiCo: gradients that are large and alike from minibatch to minibatch."""

from __future__ import annotations

import torch
from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.passes import GRADIENT, Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, LayerwiseProxy


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
        values = []
        for gradients in zip(*passes.batch_gradients, strict=True):
            stacked = torch.stack(gradients).double()
            deviation = stacked.std(dim=0, correction=0)
            varies = deviation > 0
            total = (stacked.abs().mean(dim=0)[varies] / deviation[varies]).sum()
            values.append(total.log() if total > 0 else torch.zeros_like(total))
        return torch.stack(values)
