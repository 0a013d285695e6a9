"""Modules for the members of a sequence: gates, fixed transforms, convolutions along it, tables of learned vectors.

Shapes: (B, tokens, C), unless a class says otherwise.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from predictor.networks.generic_layers import ACTIVATIONS


class Gate(nn.Module):
    """Values times their activated gates, which stand before them along the channels.

    Shapes: (B, tokens, 2 C) or, of images, (B, 2 C, H, W); half the channels come out.
    """

    def __init__(self, activation: str, *, is_image: bool) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]()
        self.axis = 1 if is_image else -1

    def forward(self, joined: Tensor) -> Tensor:
        """The products."""
        gates, values = joined.chunk(2, dim=self.axis)
        out: Tensor = self.activation(gates) * values
        return out


class TokenConvolution(nn.Module):
    """A convolution along the tokens, of each channel on its own."""

    def __init__(self, channels: int, kernel: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(
            channels, channels, (kernel, 1), padding=(kernel // 2, 0), groups=channels, bias=False
        )

    def forward(self, state: Tensor) -> Tensor:
        """The same shape."""
        out: Tensor = self.convolution(state.transpose(1, 2).unsqueeze(3)).squeeze(3).transpose(1, 2)
        return out


class SpanConvolution(nn.Module):
    """A convolution along the tokens whose kernels, one for each head, each token computes for itself.

    Attributes
    ----------
    is_gate
        Whether no gradient goes through the kernels, as in `predictor.networks.generic_layers.Mixing`.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.is_gate = False

    def forward(self, values: Tensor, kernels: Tensor) -> Tensor:
        """Values (B, tokens, C) and kernels (B, tokens, heads K) to (B, tokens, C)."""
        weights = kernels.unflatten(2, (self.heads, -1)).softmax(dim=3)  # (B, T, heads, K)
        window = weights.shape[3]
        padded = nn.functional.pad(values, (0, 0, window // 2, window // 2))
        spans = padded.unfold(1, window, 1).unflatten(2, (self.heads, -1))  # (B, T, heads, C / heads, K)
        kept = weights.detach() if self.is_gate else weights
        out: Tensor = (spans @ kept.unsqueeze(4)).flatten(2)
        return out

    def extra_repr(self) -> str:
        """The number of heads, for ``repr``."""
        return f"heads={self.heads}"


class TokenTransform(nn.Module):
    """The cosine transform, or the real part of Fourier's, over the tokens and the channels of each head.

    Neither is normalised. Both are products with fixed matrices.

    Attributes
    ----------
    is_positive
        Whether the matrices are taken without their signs, as the weights of a network are whose flow is measured.
    """

    def __init__(self, heads: int, *, is_cosine: bool) -> None:
        super().__init__()
        self.heads = heads
        self.is_cosine = is_cosine
        self.is_positive = False

    def forward(self, state: Tensor) -> Tensor:
        """The same shape."""
        parts = state.unflatten(2, (self.heads, -1)).transpose(1, 2)  # (B, heads, T, C / heads)
        tokens, channels = (self._matrices(size, state) for size in parts.shape[2:])
        mixed = tokens[0] @ parts @ channels[0].T
        if not self.is_cosine:
            sines = tokens[1] @ parts @ channels[1].T
            mixed = mixed + sines if self.is_positive else mixed - sines
        out: Tensor = mixed.transpose(1, 2).flatten(2)
        return out

    def _matrices(self, size: int, like: Tensor) -> tuple[Tensor, Tensor]:
        """Cosines and sines, (size, size): a row for each frequency."""
        places = torch.arange(size, dtype=torch.float64, device=like.device)
        turns = torch.outer(places, places + 0.5) / (2 * size) if self.is_cosine else torch.outer(places, places) / size
        angles = 2 * math.pi * turns
        factor = 2 if self.is_cosine else 1  # that of the usual, not normalised transform of the second type
        found = (factor * angles.cos()).to(like.dtype), angles.sin().to(like.dtype)
        return (found[0].abs(), found[1].abs()) if self.is_positive else found

    def extra_repr(self) -> str:
        """The number of heads, for ``repr``."""
        return f"heads={self.heads}, is_cosine={self.is_cosine}"


class ClassToken(nn.Module):
    """A learned vector before the tokens: (B, tokens, C) to (B, tokens + 1, C)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.table = nn.Embedding(1, channels)

    def forward(self, state: Tensor) -> Tensor:
        """One token more."""
        return torch.cat([self.table.weight.expand(len(state), -1, -1), state], dim=1)


class Positions(nn.Module):
    """A learned vector for each place, added."""

    def __init__(self, rows: int, channels: int) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, channels)

    def forward(self, state: Tensor) -> Tensor:
        """The same shape."""
        return state + self.table.weight[: state.shape[1]]


class Segments(nn.Module):
    """A learned vector for each kind of segment; all tokens are of the first."""

    def __init__(self, rows: int, channels: int) -> None:
        super().__init__()
        self.table = nn.Embedding(rows, channels)

    def forward(self, state: Tensor) -> Tensor:
        """The same shape."""
        return state + self.table.weight[0]


class FirstToken(nn.Module):
    """The first token alone: (B, tokens, C) to (B, 1, C)."""

    def forward(self, state: Tensor) -> Tensor:
        """One token."""
        return state[:, :1]


class Tokens(nn.Module):
    """The pixels of an image one after the other: (B, C, H, W) to (B, H W, C)."""

    def forward(self, state: Tensor) -> Tensor:
        """Tokens."""
        return state.flatten(2).transpose(1, 2)
