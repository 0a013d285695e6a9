"""MeCo: how far the channels of each feature map are from repeating one another."""

from __future__ import annotations

import torch
from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, Proxy


class MeCo(Proxy):
    r"""Sum over feature maps of the smallest eigenvalue of the channels' correlation matrix.

    Jiang et al., "MeCo: Zero-shot NAS with one data and single forward pass via minimum eigenvalue of correlation",
    2023 (NeurIPS). Here every module without children counts once; a container would repeat its last one's map.

    Direction: higher is better. Cost: one forward of one image. Data: none (noise). A map of more channels than
    positions has dependent channels and adds exactly 0, and a network of such maps alone has no score; a constant
    channel correlates with nothing. The positions of a sequence are its tokens.
    """

    name = "meco"
    version = DRAWN_BY_LAYER
    needs = Need.MAPS

    def measure(self, passes: Passes) -> float:
        maps = [_by_channel(output) for output in passes.maps]
        if all(len(one) >= one.shape[1] for one in maps):
            raise ProxyError("no map has more positions than channels, so that every network of this kind gets 0")
        return sum(smallest_eigenvalue(one) for one in maps)


def _by_channel(output: Tensor) -> Tensor:
    """(1, C, H, W), or (1, tokens, C), to (C, positions)."""
    return output[0].flatten(1) if output.ndim == 4 else output[0].T


def smallest_eigenvalue(channels: Tensor) -> float:
    """Smallest eigenvalue of the correlation matrix of the rows of (C, positions)."""
    count, positions = channels.shape
    if count >= positions:  # centring costs a dimension, so equality is singular too
        return 0.0
    centred = channels.double() - channels.double().mean(dim=1, keepdim=True)
    lengths = centred.norm(dim=1, keepdim=True)
    unit = torch.where(lengths > 0, centred / lengths, 0.0)
    return max(0.0, float(torch.linalg.eigvalsh(unit @ unit.T)[0]))
