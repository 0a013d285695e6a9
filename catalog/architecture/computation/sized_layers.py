"""What a generic operator is in a whole network: its layers, from its size and the shape that it takes.

A convolution is convolution, normalisation and activation; other operators are bare. ``activation`` and ``norm`` may be
words that say which. Windows without ``padding`` are padded so that a stride divides the resolution, rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from catalog.architecture.computation import layers, primitives, sequence_layers
from catalog.architecture.computation.chain import IMAGE, Chain, Laid, channels_given, mapped, scaled
from catalog.architecture.computation.layers import Layer
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.sizes import Size, pair
from catalog.errors import GraphError


def laid(generic: str, said: Size, shape: Shape) -> Laid | None:
    """The layers of a generic operator that takes one tensor; None where its fields do not suffice.

    Parameters
    ----------
    generic
        A key of `RULES`.
    said
        What is known of the node's size.
    shape
        Of what it takes, batch first: (1, channels, height, width) or (1, tokens, channels).

    Raises
    ------
    GraphError
        The size is impossible for this input: groups that do not divide the channels, heads that do not divide the
        width, a window larger than what it is laid over.
    """
    return RULES[generic](said, shape)


def _conv(said: Size, shape: Shape) -> Laid | None:
    if said.kernel is None or len(shape) != IMAGE:
        return None
    made = Chain(shape)
    entering = shape[1]
    outputs = channels_given(said, entering)
    if said.expansion is None:
        made.add(convolved(said, shape, outputs, said.groups or 1, bias=bool(said.bias)))
        made.finish_convolution(said, entering)
        return made.done()
    made.add(convolved(said, shape, scaled(said.expansion, entering), said.groups or 1, bias=False))
    made.finish_convolution(said, entering)
    return _projected(made, said, outputs)


def _depthwise_conv(said: Size, shape: Shape) -> Laid | None:
    if said.kernel is None or len(shape) != IMAGE:
        return None
    made = Chain(shape)
    entering = shape[1]
    outputs = channels_given(said, entering)
    if said.expansion is None:
        if outputs % entering:
            raise GraphError(
                f"channels is {outputs}, and a depthwise convolution gives a multiple of the {entering} that it takes; "
                "put a convolution 1 by 1 behind it, or give it an expansion."
            )
        made.add(convolved(said, shape, outputs, entering, bias=bool(said.bias)))
        made.finish_convolution(said, entering)
        return made.done()
    inner = scaled(said.expansion, entering)
    if said.expansion != 1:
        made.add(layers.convolution(shape, inner, 1))
        made.norm(said, default=True)
        made.activation(said, default="relu")
    made.add(convolved(said, made.shape, inner, inner, bias=False))
    made.finish_convolution(said, entering)
    return _projected(made, said, outputs)


def _projected(made: Chain, said: Size, outputs: int) -> Laid:
    """The linear convolution 1 by 1 that ends a block."""
    made.add(layers.convolution(made.shape, outputs, 1, bias=bool(said.bias)))
    made.norm(said, default=True)
    return made.done()


def _linear(said: Size, shape: Shape) -> Laid | None:
    made = Chain(shape)
    mapped(made, channels_given(said, layers.channels_of(shape)), bias=said.bias is not False)
    made.norm(said, default=False)
    made.activation(said, default=None)
    return made.done()


def _pool(how: str) -> Callable[[Size, Shape], Laid | None]:
    def pooled(said: Size, shape: Shape) -> Laid | None:
        if said.kernel is None or len(shape) != IMAGE:
            return None
        window, stride, result = _window(said, shape)
        made = Chain(shape)
        primitive = primitives.pooling(how, window, stride, said.dilation or 1)
        made.add(Layer(primitive, (*shape[:2], *result), padding=_padding(said)))
        return made.done()

    return pooled


def _norm(said: Size, shape: Shape) -> Laid | None:
    made = Chain(shape)
    made.norm(said, default=True, groups=said.groups, shift=said.bias is not False)
    return made.done() if made.layers else None


def _activation(said: Size, shape: Shape) -> Laid | None:
    made = Chain(shape)
    made.activation(said, default="relu")
    return made.done() if made.layers else None


RULES: Mapping[str, Callable[[Size, Shape], Laid | None]] = MappingProxyType(
    {
        "conv": _conv,
        "depthwise_conv": _depthwise_conv,
        "linear": _linear,
        "max_pool": _pool("max"),
        "avg_pool": _pool("avg"),
        "norm": _norm,
        "activation": _activation,
        **sequence_layers.RULES,
    }
)
"""Generic operator to what lays its layers."""

_OF_WINDOWS = frozenset({"kernel", "stride", "dilation", "padding"})
_OF_BLOCKS = frozenset({"groups", "expansion", "squeeze", "norm", "activation", "bias"})

READ: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "conv": _OF_WINDOWS | _OF_BLOCKS,
        "depthwise_conv": (_OF_WINDOWS | _OF_BLOCKS) - {"groups"},
        "linear": frozenset({"norm", "activation", "bias"}),
        "max_pool": _OF_WINDOWS,
        "avg_pool": _OF_WINDOWS,
        "norm": frozenset({"norm", "groups", "bias"}),
        "activation": frozenset({"activation"}),
        "sum": frozenset(),
        "concat": frozenset(),
        **sequence_layers.READ,
    }
)
"""Fields that decide the layers of each generic operator."""

EVERYWHERE = frozenset({"channels", "repeats", "params", "macs"})
"""Fields that every node may have."""


def convolved(said: Size, shape: Shape, outputs: int, groups: int, *, bias: bool) -> Layer:
    """A convolution with a node's window.

    Raises
    ------
    GraphError
        The groups do not divide the channels, or the window is larger than the padded image.
    """
    entering = shape[1]
    for name, channels in (("takes", entering), ("gives", outputs)):
        if channels % groups:
            raise GraphError(f"groups is {groups}, which does not divide the {channels} channels that it {name}.")
    window, stride, result = _window(said, shape)
    given = (*shape[:1], outputs, *result)
    spread = (said.dilation or 1,) * 2
    primitive = primitives.convolution(window, stride, spread, groups, entering, outputs, shape, given)
    weights = outputs * (entering // groups) * math.prod(window)
    return Layer(primitive, given, weights + bias * outputs, padding=_padding(said))


def _window(said: Size, shape: Shape) -> tuple[Shape, Shape, Shape]:
    """Kernel, stride, and the resolution that a window leaves."""
    return pair(said.kernel or 1), pair(said.stride or 1), windowed(said, shape[2:])


def windowed(said: Size, pixels: Shape) -> Shape:
    """The resolution that a node's window leaves of an image.

    Raises
    ------
    GraphError
        The window is larger than the padded image.
    """
    stride = pair(said.stride or 1)
    if said.padding is None:
        return tuple(-(-edge // step) for edge, step in zip(pixels, stride, strict=True))
    result = []
    for edge, size, step, padded in zip(pixels, pair(said.kernel or 1), stride, pair(said.padding), strict=True):
        reach = (said.dilation or 1) * (size - 1) + 1
        if edge + 2 * padded < reach:
            raise GraphError(
                f"kernel is {size}, more than the {edge} pixels with padding {padded} that it is laid over."
            )
        result.append((edge + 2 * padded - reach) // step + 1)
    return tuple(result)


def _padding(said: Size) -> Shape | None:
    return None if said.padding is None else pair(said.padding)
