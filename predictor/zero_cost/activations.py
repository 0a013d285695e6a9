"""How differently a minibatch switches the ReLUs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from catalog.errors import ProxyError
from predictor.zero_cost.passes import Need, Passes
from predictor.zero_cost.proxy import DRAWN_BY_LAYER, LayeredProxy, Proxy, compared_images

_WORD = 8  # bytes of the integer that rows of up to 64 bits are compared as


class NWOT(LayeredProxy):
    r"""Logarithm of the determinant of the kernel :math:`K_{ij}` = ReLUs that images i and j switch alike.

    Mellor et al., "Neural architecture search without training", 2021 (arXiv 2006.04647).

    Direction: higher is better. Cost: one forward. Data: at least two images. The determinant is taken of a B x B
    matrix, so values of different batch sizes do not compare; of one image it would be the number of ReLUs. ReLU6 and
    leaky ReLU are ReLUs, as in the authors' code; a network without any has no score. A layer is a ReLU, and its value
    the logarithm of its own determinant; these do not add up to the score.
    """

    name = "nwot"
    version = DRAWN_BY_LAYER
    needs = Need.FORWARD

    def measure(self, passes: Passes) -> float:
        images = compared_images(passes)
        _has_relus(passes)
        kernel = torch.zeros(images, images, dtype=torch.float64)
        for codes in passes.loss.codes.values():
            kernel += _kernel(codes)
        logarithm = _log_determinant(kernel)
        if logarithm is None:
            raise ProxyError("two images switch every ReLU alike, so the kernel's determinant is zero")
        return logarithm

    def layer_parts(self, passes: Passes) -> dict[str, float | None]:
        compared_images(passes)
        return {name: _log_determinant(_kernel(codes)) for name, codes in passes.loss.codes.items()}


def _kernel(codes: Tensor) -> Tensor:
    """How many neurons any two images switch alike: (B, neurons) to (B, B), in double precision."""
    signs = codes.float() * 2 - 1  # c c' + (1 - c)(1 - c)' = (neurons + s s') / 2
    return ((codes.shape[1] + signs @ signs.T) / 2).double().cpu()


def _log_determinant(kernel: Tensor) -> float | None:
    """The logarithm of the determinant; None where that is zero."""
    determinant = torch.linalg.slogdet(kernel)
    return float(determinant.logabsdet) if float(determinant.sign) > 0 else None


class SWAP(Proxy):
    """Number of distinct sign patterns that neurons show across the images of a minibatch.

    Peng et al., "SWAP-NAS: Sample-wise activation patterns for ultra-fast NAS", 2024 (arXiv 2403.04161).

    Direction: higher is better. Cost: one forward. Data: at least two images. At most 2^B patterns exist, and with few
    images every network shows all of them.
    """

    name = "swap"
    version = DRAWN_BY_LAYER
    needs = Need.FORWARD

    def measure(self, passes: Passes) -> float:
        compared_images(passes)
        _has_relus(passes)
        return float(distinct_columns(list(passes.loss.codes.values())))


def _has_relus(passes: Passes) -> None:
    if not passes.loss.codes:
        raise ProxyError("the network has no ReLU whose switching could be looked at")


def distinct_columns(codes: Sequence[Tensor]) -> int:
    """Number of distinct columns among boolean matrices (B, neurons) side by side."""
    return distinct_rows(np.concatenate([part.cpu().numpy() for part in codes], axis=1).T)


def distinct_rows(bits: NDArray[np.bool_]) -> int:
    """Number of distinct rows of a boolean matrix."""
    packed = np.packbits(bits, axis=1)
    padded = np.zeros((len(packed), -(-packed.shape[1] // _WORD) * _WORD), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    if padded.shape[1] == _WORD:
        return len(np.unique(padded.view(np.uint64)))
    return len(np.unique(padded.view(f"V{padded.shape[1]}")))
