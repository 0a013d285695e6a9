"""The layers that networks are made of, each able to hold several replicas of itself side by side.

A network with R replicas is R independent networks in one: replica r owns the r-th slice of every channel axis, and
convolutions are grouped so that no replica sees another. One kernel call then serves all of them, which is what makes
training several seeds of a small network cheap. With R = 1 everything is the ordinary layer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def convolution(
    inputs: int,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    depthwise: bool = False,
    groups: int = 1,
    bias: bool = False,
    replicas: int = 1,
) -> nn.Conv2d:
    """A convolution whose padding keeps the resolution (divided by the stride), of each replica in `groups` groups."""
    padding, uneven = divmod(dilation * (kernel - 1), 2)
    return (UnevenConv2d if uneven else nn.Conv2d)(
        inputs * replicas,
        outputs * replicas,
        kernel,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=(inputs if depthwise else groups) * replicas,
        bias=bias,
    )


class UnevenConv2d(nn.Conv2d):
    """A convolution whose window has no middle: it is padded by one more pixel on the right and below."""

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 -- the name that the base class has
        """(B, C, H, W) to (B, C', H, W), divided by the stride and rounded up."""
        return super().forward(nn.functional.pad(input, (0, 1, 0, 1)))


def relu_conv_bn(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, dilation: int = 1, replicas: int = 1
) -> nn.Sequential:
    """ReLU, convolution, BatchNorm: the order of NAS-Bench-201 and DARTS."""
    return nn.Sequential(
        nn.ReLU(),
        convolution(inputs, outputs, kernel, stride=stride, dilation=dilation, replicas=replicas),
        nn.BatchNorm2d(outputs * replicas),
    )


def conv_bn_relu(inputs: int, outputs: int, kernel: int, *, replicas: int = 1) -> nn.Sequential:
    """Convolution, BatchNorm, ReLU: the order of NAS-Bench-101."""
    return nn.Sequential(
        convolution(inputs, outputs, kernel, replicas=replicas), nn.BatchNorm2d(outputs * replicas), nn.ReLU()
    )


def depthwise_conv(
    channels: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    times: int = 1,
    replicas: int = 1,
    affine: bool = True,
) -> nn.Sequential:
    """ReLU, depthwise and pointwise convolution, BatchNorm, `times` over; only the first has the stride.

    DARTS's ``sep_conv`` is this twice, its ``dil_conv`` once with dilation 2. `affine` is whether the BatchNorms have
    trainable parameters.
    """
    layers: list[nn.Module] = []
    for turn in range(times):
        layers += [
            nn.ReLU(),
            convolution(
                channels,
                channels,
                kernel,
                stride=stride if turn == 0 else 1,
                dilation=dilation,
                depthwise=True,
                replicas=replicas,
            ),
            convolution(channels, channels, 1, replicas=replicas),
            nn.BatchNorm2d(channels * replicas, affine=affine),
        ]
    return nn.Sequential(*layers)


def pooling(kernel: int, *, maximum: bool, stride: int = 1, dilation: int = 1) -> nn.Module:
    """Maximum or average pooling that keeps the resolution (divided by the stride); padding is not averaged."""
    if kernel % 2 == 0 or dilation > 1:
        return WidePool(kernel, maximum=maximum, stride=stride, dilation=dilation)
    if maximum:
        return nn.MaxPool2d(kernel, stride=stride, padding=kernel // 2)
    return nn.AvgPool2d(kernel, stride=stride, padding=kernel // 2, count_include_pad=False)


class WidePool(nn.Module):
    """Pooling over real pixels alone, with a window that has no middle, that is dilated, or whose padding is uneven.

    Parameters
    ----------
    kernel, stride
        One edge, or height and width.
    padding
        On the left, on the right, above and below; without it the resolution is divided by the stride and rounded up.
    """

    def __init__(
        self,
        kernel: int | tuple[int, int],
        *,
        maximum: bool,
        stride: int | tuple[int, int] = 1,
        dilation: int = 1,
        padding: tuple[int, int, int, int] | None = None,
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.maximum = maximum
        self.stride = stride
        self.dilation = dilation
        if padding is None:
            height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
            sides = (dilation * part for edge in (width, height) for part in ((edge - 1) // 2, edge // 2))
            padding = (next(sides), next(sides), next(sides), next(sides))
        self.padding = padding

    def forward(self, state: Tensor) -> Tensor:
        """(B, C, H, W) to the resolution that the windows leave."""
        if self.maximum:
            padded = nn.functional.pad(state, self.padding, value=-math.inf)
            return nn.functional.max_pool2d(padded, self.kernel, self.stride, dilation=self.dilation)
        real = nn.functional.pad(state.new_ones(1, 1, *state.shape[2:]), self.padding)
        padded = nn.functional.pad(state, self.padding)
        sums, counts = (nn.functional.avg_pool2d(part, self.kernel, self.stride) for part in (padded, real))
        return sums / counts

    def extra_repr(self) -> str:
        """What it takes from which window, for ``repr``."""
        return f"{'max' if self.maximum else 'avg'}, {self.kernel}, stride={self.stride}, dilation={self.dilation}"


def _by_replica(tensor: Tensor, replicas: int) -> Tensor:
    """(B, R * C, ...) to (B, R, C, ...)."""
    return tensor.reshape(len(tensor), replicas, -1, *tensor.shape[2:])


def join(tensors: Sequence[Tensor], replicas: int = 1) -> Tensor:
    """Concatenate along the channels, replica by replica: (B, R * C_i, H, W) to (B, R * sum C_i, H, W)."""
    if len(tensors) == 1:
        return tensors[0]
    if replicas == 1:
        return torch.cat(list(tensors), dim=1)
    return torch.cat([_by_replica(tensor, replicas) for tensor in tensors], dim=2).flatten(1, 2)


def first_channels(tensor: Tensor, channels: int, replicas: int = 1) -> Tensor:
    """The first `channels` channels of each replica."""
    if replicas == 1:
        return tensor[:, :channels]
    return _by_replica(tensor, replicas)[:, :, :channels].flatten(1, 2)


class FactorizedReduce(nn.Module):
    """Half the resolution from two pointwise convolutions, the second shifted by a pixel (DARTS, Liu et al. 2019)."""

    def __init__(self, inputs: int, outputs: int, *, replicas: int = 1, affine: bool = True) -> None:
        super().__init__()
        self.replicas = replicas
        self.relu = nn.ReLU()
        self.even = convolution(inputs, outputs // 2, 1, stride=2, replicas=replicas)
        self.odd = convolution(inputs, outputs - outputs // 2, 1, stride=2, replicas=replicas)
        self.norm = nn.BatchNorm2d(outputs * replicas, affine=affine)

    def forward(self, state: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', H / 2, W / 2), rounded up."""
        active = self.relu(state)
        # Padding replaces the row and column that the shift takes away, so that odd resolutions fit too.
        shifted = nn.functional.pad(active[:, :, 1:, 1:], (0, 1, 0, 1))
        halves = [self.even(active), self.odd(shifted)]
        out: Tensor = self.norm(join(halves, self.replicas))
        return out


class Zero(nn.Module):
    """Zeros in the shape that the operator would give: with as many channels as the state, or with `channels`."""

    def __init__(self, stride: int = 1, channels: int | None = None) -> None:
        super().__init__()
        self.stride = stride
        self.channels = channels

    def forward(self, state: Tensor) -> Tensor:
        """(B, C, H, W) to zeros."""
        zeros = state[:, : 1 if self.channels else None, :: self.stride, :: self.stride] * 0.0
        return zeros.expand(-1, self.channels or -1, -1, -1)


class ReplicatedLinear(nn.Module):
    """One linear classifier a replica: (B, R * C) to (B, R, classes)."""

    def __init__(self, inputs: int, outputs: int, replicas: int) -> None:
        super().__init__()
        bound = 1.0 / math.sqrt(inputs)  # what nn.Linear draws from
        self.weight = nn.Parameter(torch.empty(replicas, outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(replicas, outputs).uniform_(-bound, bound))

    def forward(self, features: Tensor) -> Tensor:
        """(B, R * C) to (B, R, classes)."""
        parts = _by_replica(features, len(self.weight))
        return torch.einsum("brc,roc->bro", parts, self.weight) + self.bias


def classifier(inputs: int, classes: int, replicas: int) -> nn.Module:
    """The last layer: logits (B, classes), or (B, R, classes) with R > 1 replicas."""
    return nn.Linear(inputs, classes) if replicas == 1 else ReplicatedLinear(inputs, classes, replicas)
