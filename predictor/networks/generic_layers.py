"""The layers of the generic operators, in a cell whose states have one width and keep the resolution or halve it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor, nn

from catalog.architecture.sizes import Size
from predictor.networks.layers import convolution, pooling

ACTIVATIONS: Mapping[str, Callable[[], nn.Module]] = MappingProxyType(
    {
        "relu": nn.ReLU,
        "relu6": nn.ReLU6,
        "leaky_relu": nn.LeakyReLU,
        "elu": nn.ELU,
        "selu": nn.SELU,
        "gelu": nn.GELU,
        "silu": nn.SiLU,
        "mish": nn.Mish,
        "hardswish": nn.Hardswish,
        "sigmoid": nn.Sigmoid,
        "hardsigmoid": nn.Hardsigmoid,
        "tanh": nn.Tanh,
        "softplus": nn.Softplus,
    }
)
"""Words of the field ``activation``."""

NORMS = ("batch", "batchnorm")
"""Words of the field ``norm``."""


@dataclass(frozen=True)
class Place:
    """Where a layer stands: C channels in and out, a stride, and how many networks share it."""

    channels: int
    stride: int
    replicas: int

    @property
    def after(self) -> Place:
        """The place behind a layer that took the stride."""
        return Place(self.channels, 1, self.replicas)

    def within(self, ratio: float) -> int:
        """Channels of an inner layer, rounded; at least one."""
        return max(1, round(ratio * self.channels))


def conv(said: Size, kernel: int, place: Place) -> nn.Module:
    """ReLU, convolution, BatchNorm, as the built-in cells have them; with an expansion the fused block."""
    channels, replicas = place.channels, place.replicas
    if said.expansion is None:
        made = convolution(
            channels,
            channels,
            kernel,
            stride=place.stride,
            dilation=said.dilation or 1,
            groups=said.groups or 1,
            bias=said.bias or False,
            replicas=replicas,
        )
        return nn.Sequential(
            *_activation(said), made, *_norm(said, channels, replicas), *_squeeze(said, channels, place)
        )
    inner = place.within(said.expansion)
    widening = convolution(
        channels,
        inner,
        kernel,
        stride=place.stride,
        dilation=said.dilation or 1,
        groups=said.groups or 1,
        replicas=replicas,
    )
    return nn.Sequential(
        widening,
        *_norm(said, inner, replicas),
        *_activation(said),
        *_squeeze(said, inner, place),
        convolution(inner, channels, 1, bias=said.bias or False, replicas=replicas),
        *_norm(said, channels, replicas),
    )


def depthwise_conv(said: Size, kernel: int, place: Place) -> nn.Module:
    """ReLU, depthwise convolution, BatchNorm; with an expansion the body of an inverted residual."""
    channels, replicas = place.channels, place.replicas
    inner = channels if said.expansion is None else place.within(said.expansion)
    window = convolution(
        inner,
        inner,
        kernel,
        stride=place.stride,
        dilation=said.dilation or 1,
        depthwise=True,
        bias=said.expansion is None and (said.bias or False),
        replicas=replicas,
    )
    if said.expansion is None:
        return nn.Sequential(*_activation(said), window, *_norm(said, inner, replicas), *_squeeze(said, inner, place))
    widening: list[nn.Module] = []
    if said.expansion != 1:
        widening = [convolution(channels, inner, 1, replicas=replicas), *_norm(said, inner, replicas)]
        widening += _activation(said)
    return nn.Sequential(
        *widening,
        window,
        *_norm(said, inner, replicas),
        *_activation(said),
        *_squeeze(said, inner, place),
        convolution(inner, channels, 1, bias=said.bias or False, replicas=replicas),
        *_norm(said, channels, replicas),
    )


def linear(said: Size, place: Place) -> nn.Module:
    """One linear map of the channels of each pixel, with bias unless said otherwise."""
    mapped = convolution(
        place.channels, place.channels, 1, stride=place.stride, bias=said.bias is not False, replicas=place.replicas
    )
    normed = _norm(said, place.channels, place.replicas) if said.norm else []
    return nn.Sequential(mapped, *normed, *(_activation(said) if said.activation else []))


def mlp(said: Size, ratio: float, place: Place) -> nn.Module:
    """Two linear maps of the channels of each pixel with an activation between them."""
    inner, bias = place.within(ratio), said.bias is not False
    return nn.Sequential(
        convolution(place.channels, inner, 1, bias=bias, replicas=place.replicas),
        *_activation(said),
        convolution(inner, place.channels, 1, bias=bias, replicas=place.replicas),
    )


def attention(said: Size, heads: int, place: Place) -> nn.Module:
    """Self-attention over all pixels, with projections."""
    inner = place.channels if said.expansion is None else place.within(said.expansion)
    return Attention(place.channels, inner, heads, bias=said.bias is not False, replicas=place.replicas)


def norm(said: Size, place: Place) -> nn.Module:
    """Normalisation alone."""
    return nn.Sequential(*_norm(said, place.channels, place.replicas))


def activation(said: Size) -> nn.Module:
    """Activation alone."""
    return nn.Sequential(*_activation(said))


def pool(said: Size, kernel: int, place: Place, *, maximum: bool) -> nn.Module:
    """Pooling over real pixels."""
    return pooling(kernel, maximum=maximum, stride=place.stride, dilation=said.dilation or 1)


class Mixing(nn.Module):
    """Softmax of query-key products, times the values, in each head.

    Shapes: query, key and value (B, C, H, W) each; result (B, heads, H W, C / heads).

    Attributes
    ----------
    is_gate
        Whether no gradient goes through the weights: they then gate the values as a ReLU gates its input.
    is_causal
        Whether a position takes from itself and those before it alone.
    """

    def __init__(self, heads: int, *, is_causal: bool = False) -> None:
        super().__init__()
        self.heads = heads
        self.is_gate = False
        self.is_causal = is_causal

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """What each pixel takes from all of them."""
        query, key, value = (
            part.flatten(2).unflatten(1, (self.heads, -1)).transpose(2, 3) for part in (query, key, value)
        )  # (B, heads, H W, C / heads)
        return self.mixed(query, key, value)

    def mixed(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """What each position takes from all of them, for (B, heads, positions, C / heads) each."""
        products = query @ key.transpose(2, 3) / query.shape[-1] ** 0.5
        if self.is_causal:
            later = torch.ones(products.shape[2:], dtype=torch.bool, device=products.device).triu(1)
            products = products.masked_fill(later, -torch.inf)
        weights = products.softmax(dim=-1)
        mixed: Tensor = (weights.detach() if self.is_gate else weights) @ value
        return mixed

    def multiply_accumulates(self, output: Tensor) -> int:
        """Of one image, from what `forward` gave for a batch: two products of all pixels with all pixels."""
        return 2 * output[0].numel() * output.shape[2]

    def extra_repr(self) -> str:
        """The number of heads, for ``repr``."""
        return f"heads={self.heads}"


class Attention(nn.Module):
    """Multi-head self-attention over the pixels, `inner` channels wide; (B, R C, H, W) to the same shape."""

    def __init__(self, channels: int, inner: int, heads: int, *, bias: bool = True, replicas: int = 1) -> None:
        super().__init__()
        self.query, self.key, self.value = (
            convolution(channels, inner, 1, bias=bias, replicas=replicas) for _ in range(3)
        )
        self.output = convolution(inner, channels, 1, bias=bias, replicas=replicas)
        self.mixing = Mixing(heads * replicas)

    def forward(self, state: Tensor) -> Tensor:
        """Attention of each pixel to all of them."""
        mixed = self.mixing(self.query(state), self.key(state), self.value(state))
        out: Tensor = self.output(mixed.transpose(2, 3).flatten(1, 2).unflatten(2, state.shape[2:]))
        return out


class SqueezeExcitation(nn.Module):
    """Channels weighed by what the mean pixel says of them (Hu et al. 2018, arXiv 1709.01507)."""

    def __init__(self, channels: int, inner: int, replicas: int) -> None:
        super().__init__()
        self.weighing = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            convolution(channels, inner, 1, bias=True, replicas=replicas),
            nn.ReLU(),
            convolution(inner, channels, 1, bias=True, replicas=replicas),
            nn.Sigmoid(),
        )

    def forward(self, state: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape."""
        weighed: Tensor = state * self.weighing(state)
        return weighed


def _norm(said: Size, channels: int, replicas: int) -> list[nn.Module]:
    return [] if said.norm is False else [nn.BatchNorm2d(channels * replicas)]


def _activation(said: Size) -> list[nn.Module]:
    if said.activation is False:
        return []
    return [ACTIVATIONS[said.activation if isinstance(said.activation, str) else "relu"]()]


def _squeeze(said: Size, inner: int, place: Place) -> list[nn.Module]:
    return [] if said.squeeze is None else [SqueezeExcitation(inner, place.within(said.squeeze), place.replicas)]
