"""What a generic operator is in a whole network: its layers, from its size and the shape that it takes.

A convolution is convolution, normalisation and activation; other operators are bare. ``activation`` and ``norm`` may be
words that say which. Windows without ``padding`` are padded so that a stride divides the resolution, rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from catalog.architecture.computation import layers, primitives
from catalog.architecture.computation.layers import Layer
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.sizes import Size, pair
from catalog.errors import GraphError

IMAGE = 4
"""Axes of an image with its batch; a sequence has one less."""

_NORMS = MappingProxyType(
    {
        "batch": "batchnorm",
        "batchnorm": "batchnorm",
        "layer": "layernorm",
        "layernorm": "layernorm",
        "group": "groupnorm",
        "groupnorm": "groupnorm",
        "instance": "instancenorm",
        "instancenorm": "instancenorm",
        "rms": "rmsnorm",
        "rmsnorm": "rmsnorm",
    }
)
"""Words of the field ``norm``, and the catalog's word for each."""


@dataclass(frozen=True)
class Laid:
    """The layers of one operator at its place.

    Parameters
    ----------
    layers
        One after the other, but for those of a squeeze-and-excitation, whose last multiplies what it began with.
    inputs
        For each layer the places of those that it takes; none for the first.
    """

    layers: tuple[Layer, ...]
    inputs: tuple[tuple[int, ...], ...]

    @property
    def shape(self) -> Shape:
        """Of the output."""
        return self.layers[-1].shape


class _Chain:
    """Layers under construction, each taking the one before it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.layers: list[Layer] = []
        self.inputs: list[tuple[int, ...]] = []

    def add(self, layer: Layer, *inputs: int) -> None:
        self.inputs.append(inputs or ((len(self.layers) - 1,) if self.layers else ()))
        self.layers.append(layer)
        self.shape = layer.shape

    def norm(self, said: Size, *, default: bool, groups: int | None = None) -> None:
        if (said.norm is None and not default) or said.norm is False:
            return
        usual = "batchnorm" if len(self.shape) == IMAGE else "layernorm"
        word = said.norm if isinstance(said.norm, str) else usual
        self.add(replace(layers.norm(self.shape, _norm_word(word)), parts=groups))

    def activation(self, said: Size, *, default: str | None) -> None:
        if said.activation is False or (said.activation is None and default is None):
            return
        word = said.activation if isinstance(said.activation, str) else default or "relu"
        self.add(layers.activation(self.shape, word))

    def squeeze(self, said: Size, entering: int) -> None:
        """Squeeze-and-excitation (Hu et al. 2018), as wide inside as the block's input times the ratio."""
        if said.squeeze is None or len(self.shape) != IMAGE:
            return
        begin, channels = len(self.layers) - 1, self.shape[1]
        inner = max(1, round(said.squeeze * entering))
        self.add(layers.global_pooling(self.shape))
        self.add(layers.convolution(self.shape, inner, 1, bias=True))
        self.add(layers.activation(self.shape))
        self.add(layers.convolution(self.shape, channels, 1, bias=True))
        self.add(layers.activation(self.shape, "sigmoid"))
        self.add(layers.plain(self.layers[begin].shape, "multiply"), begin, len(self.layers) - 1)

    def finish_convolution(self, said: Size, entering: int) -> None:
        """What follows a convolution unless the node says otherwise, in a block that `entering` channels enter."""
        self.norm(said, default=True)
        self.activation(said, default="relu")
        self.squeeze(said, entering)

    def done(self) -> Laid:
        return Laid(tuple(self.layers), tuple(self.inputs))


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
    made = _Chain(shape)
    entering = shape[1]
    outputs = _channels(said, entering)
    if said.expansion is None:
        made.add(convolved(said, shape, outputs, said.groups or 1, bias=bool(said.bias)))
        made.finish_convolution(said, entering)
        return made.done()
    made.add(convolved(said, shape, _scaled(said.expansion, entering), said.groups or 1, bias=False))
    made.finish_convolution(said, entering)
    return _projected(made, said, outputs)


def _depthwise_conv(said: Size, shape: Shape) -> Laid | None:
    if said.kernel is None or len(shape) != IMAGE:
        return None
    made = _Chain(shape)
    entering = shape[1]
    outputs = _channels(said, entering)
    if said.expansion is None:
        if outputs % entering:
            raise GraphError(
                f"channels is {outputs}, and a depthwise convolution gives a multiple of the {entering} that it takes; "
                "put a convolution 1 by 1 behind it, or give it an expansion."
            )
        made.add(convolved(said, shape, outputs, entering, bias=bool(said.bias)))
        made.finish_convolution(said, entering)
        return made.done()
    inner = _scaled(said.expansion, entering)
    if said.expansion != 1:
        made.add(layers.convolution(shape, inner, 1))
        made.norm(said, default=True)
        made.activation(said, default="relu")
    made.add(convolved(said, made.shape, inner, inner, bias=False))
    made.finish_convolution(said, entering)
    return _projected(made, said, outputs)


def _projected(made: _Chain, said: Size, outputs: int) -> Laid:
    """The linear convolution 1 by 1 that ends a block."""
    made.add(layers.convolution(made.shape, outputs, 1, bias=bool(said.bias)))
    made.norm(said, default=True)
    return made.done()


def _linear(said: Size, shape: Shape) -> Laid | None:
    made = _Chain(shape)
    _mapped(made, _channels(said, layers.channels_of(shape)), bias=said.bias is not False)
    made.norm(said, default=False)
    made.activation(said, default=None)
    return made.done()


def _mlp(said: Size, shape: Shape) -> Laid | None:
    if said.mlp_ratio is None:
        return None
    made = _Chain(shape)
    width, bias = layers.channels_of(shape), said.bias is not False
    _mapped(made, _scaled(said.mlp_ratio, width), bias=bias)
    made.activation(said, default="gelu" if len(shape) != IMAGE else "relu")
    _mapped(made, _channels(said, width), bias=bias)
    return made.done()


def _attention(said: Size, shape: Shape) -> Laid | None:
    """Query, key and value projections, softmax of the products, the output projection."""
    if said.heads is None:
        return None
    width, bias = layers.channels_of(shape), said.bias is not False
    inner = _scaled(said.expansion, width) if said.expansion is not None else width
    if inner % said.heads:
        raise GraphError(f"heads is {said.heads}, which does not divide the width {inner}.")
    tokens = math.prod(shape[2:]) if len(shape) == IMAGE else shape[1]
    made = _Chain(shape)
    _mapped(made, 3 * inner, bias=bias)
    one = (shape[0], tokens, inner)
    attended = layers.attention(one, one, one)
    made.add(replace(attended, shape=_with_channels(shape, inner), parts=said.heads))
    _mapped(made, _channels(said, width), bias=bias)
    return made.done()


def _pool(how: str) -> Callable[[Size, Shape], Laid | None]:
    def pooled(said: Size, shape: Shape) -> Laid | None:
        if said.kernel is None or len(shape) != IMAGE:
            return None
        window, stride, result = _window(said, shape)
        made = _Chain(shape)
        primitive = primitives.pooling(how, window, stride, said.dilation or 1)
        made.add(Layer(primitive, (*shape[:2], *result), padding=_padding(said)))
        return made.done()

    return pooled


def _norm(said: Size, shape: Shape) -> Laid | None:
    made = _Chain(shape)
    made.norm(said, default=True, groups=said.groups)
    return made.done() if made.layers else None


def _activation(said: Size, shape: Shape) -> Laid | None:
    made = _Chain(shape)
    made.activation(said, default="relu")
    return made.done() if made.layers else None


RULES: Mapping[str, Callable[[Size, Shape], Laid | None]] = MappingProxyType(
    {
        "conv": _conv,
        "depthwise_conv": _depthwise_conv,
        "linear": _linear,
        "attention": _attention,
        "mlp": _mlp,
        "max_pool": _pool("max"),
        "avg_pool": _pool("avg"),
        "norm": _norm,
        "activation": _activation,
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
        "attention": frozenset({"heads", "expansion", "bias"}),
        "mlp": frozenset({"mlp_ratio", "activation", "bias"}),
        "max_pool": _OF_WINDOWS,
        "avg_pool": _OF_WINDOWS,
        "norm": frozenset({"norm", "groups"}),
        "activation": frozenset({"activation"}),
        "sum": frozenset(),
        "concat": frozenset(),
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


def _mapped(made: _Chain, outputs: int, *, bias: bool) -> None:
    """A linear map of the channels: of each pixel, or of each token."""
    if len(made.shape) == IMAGE:
        made.add(layers.convolution(made.shape, outputs, 1, bias=bias))
    else:
        made.add(layers.linear(made.shape, outputs, bias=bias))


def _channels(said: Size, entering: int) -> int:
    if said.channels is None:
        return entering
    if said.channels != int(said.channels):
        raise GraphError(f"channels is {said.channels}; a whole network needs a whole number.")
    return int(said.channels)


def _scaled(ratio: float, width: int) -> int:
    return max(1, round(ratio * width))


def _with_channels(shape: Shape, channels: int) -> Shape:
    return (shape[0], channels, *shape[2:]) if len(shape) == IMAGE else (*shape[:-1], channels)


def _norm_word(word: str) -> str:
    if word not in _NORMS:
        raise GraphError(f"norm is {word!r:.80}; true, false or one of {', '.join(sorted(set(_NORMS)))} is needed.")
    return _NORMS[word]
