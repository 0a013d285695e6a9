"""What AZ-NAS looks at: the outputs of the blocks, and gradients through each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from catalog.errors import ProxyError


@dataclass(frozen=True)
class BlockPass:
    """The output of each block, and for each but the first (random gradient, gradient before)."""

    features: list[Tensor]
    gradients: list[tuple[Tensor, Tensor]]

    @cached_property
    def entropies(self) -> list[float]:
        """Of the normalised eigenvalues of each output's covariance: worked out once for all who ask.

        Raises
        ------
        ProxyError
            An output is constant.
        """
        return [_entropy(feature) for feature in self.features]


def _entropy(feature: Tensor) -> float:
    positions = by_position(feature)
    centred = positions - positions.mean(dim=0)
    eigenvalues = torch.linalg.eigvalsh((centred.T @ centred).double() / len(centred)).clamp(min=0)
    total = float(eigenvalues.sum())
    if total <= 0:
        raise ProxyError("a block's features are constant, so they have no entropy")
    share = eigenvalues / total
    return float(-(share * (share + 1e-8).log()).sum())


def by_position(feature: Tensor) -> Tensor:
    """(B, C, H, W) or (B, tokens, C) to (positions, C), without a copy where the channels lie last in memory."""
    return (feature.permute(0, 2, 3, 1) if feature.ndim == 4 else feature).flatten(0, -2)
