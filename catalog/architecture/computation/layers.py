"""Layers: a primitive operator with the shape that it gives and what it costs, from the shape that it takes.

Shapes have the batch first: ``(1, channels, height, width)`` for images, ``(1, tokens, channels)`` for sequences,
``(1, features)`` for vectors. Windows are padded so that a stride divides the resolution, rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from catalog.architecture.computation import primitives
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.operators import VOCABULARY


@dataclass(frozen=True)
class Layer:
    """One primitive operator at its place.

    Parameters
    ----------
    primitive
        What it computes, with the multiply-accumulates of this place.
    shape
        Of its output, batch first; empty where it is not known.
    parameters
        Trainable ones; None where they are not known.
    padding
        Of a window, on each side; None where it is padded so that a stride divides the resolution, rounded up.
    parts
        Heads of an attention or a transform, groups of a group normalisation, rows of a table of learned vectors; None
        where nobody says it.
    """

    primitive: Primitive
    shape: Shape
    parameters: int | None = 0
    padding: Shape | None = None
    parts: int | None = None

    def costing(self, parameters: int | None, multiply_accumulates: int | None) -> Layer:
        """The same layer with other costs."""
        return replace(
            self, primitive=replace(self.primitive, multiply_accumulates=multiply_accumulates), parameters=parameters
        )


def given(shape: Shape) -> Layer:
    """What a network takes."""
    return Layer(Primitive(VOCABULARY["input"]), shape)


def taken(shape: Shape) -> Layer:
    """What a network gives."""
    return Layer(Primitive(VOCABULARY["output"]), shape)


def convolution(
    shape: Shape,
    outputs: int,
    kernel: int,
    *,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
    bias: bool = False,
) -> Layer:
    """A convolution with a square window, of an image of `shape`."""
    channels = shape[1]
    result = (shape[0], outputs, *strided(shape[2:], stride))
    axes = len(shape) - 2
    window, steps, spread = (kernel,) * axes, (stride,) * axes, (dilation,) * axes
    primitive = primitives.convolution(window, steps, spread, groups, channels, outputs, shape, result)
    return Layer(primitive, result, outputs * channels // groups * kernel**axes + bias * outputs)


def norm(shape: Shape, word: str = "batchnorm", *, affine: bool = True) -> Layer:
    """A normalisation, with a scale and a shift for each channel if it is affine (``rmsnorm`` has no shift)."""
    return Layer(primitives.plain(word), shape, affine * (1 if word == "rmsnorm" else 2) * channels_of(shape))


def activation(shape: Shape, word: str = "relu") -> Layer:
    """An activation without weights."""
    return Layer(primitives.plain(word), shape)


def pooling(shape: Shape, how: str, kernel: int, *, stride: int = 1) -> Layer:
    """Pooling in a square window; `how` is ``max`` or ``avg``."""
    axes = len(shape) - 2
    primitive = primitives.pooling(how, (kernel,) * axes, (stride,) * axes)
    return Layer(primitive, (*shape[:2], *strided(shape[2:], stride)))


def global_pooling(shape: Shape, how: str = "avg") -> Layer:
    """Pooling to a single pixel."""
    return Layer(primitives.adaptive_pooling(how, (1,) * (len(shape) - 2)), (*shape[:2], *(1 for _ in shape[2:])))


def mean(shape: Shape) -> Layer:
    """The mean over the tokens of a sequence."""
    return Layer(primitives.plain("mean"), (shape[0], shape[-1]))


def linear(shape: Shape, outputs: int, *, bias: bool = True) -> Layer:
    """A linear map of the last axis."""
    result = (*shape[:-1], outputs)
    return Layer(primitives.linear(shape[-1], result), result, shape[-1] * outputs + bias * outputs)


def attention(query: Shape, key: Shape, value: Shape, *, is_causal: bool = False) -> Layer:
    """Softmax of query-key products, times the values, for shapes ``(..., tokens, channels)``; without projections.

    A causal one sees no tokens behind each; the products that are then left out count all the same.
    """
    word = "causal_attention" if is_causal else "attention"
    return Layer(primitives.attention(query, key, value, word=word), (*query[:-1], value[-1]))


def embedding(shape: Shape, vocabulary: int, channels: int) -> Layer:
    """Learned vectors of tokens, looked up."""
    return Layer(primitives.plain("embedding"), (*shape, channels), vocabulary * channels)


def flatten(shape: Shape) -> Layer:
    """Everything behind the batch on one axis."""
    return plain((shape[0], math.prod(shape[1:])), "reshape")


def plain(shape: Shape, word: str) -> Layer:
    """An operator without window and weights that gives `shape`, by the catalog's word for it: ``add``, ``slice``."""
    return Layer(primitives.plain(word), shape)


def concat(shapes: Sequence[Shape]) -> Layer:
    """Images or sequences joined along the channels."""
    first = shapes[0]
    width = sum(channels_of(shape) for shape in shapes)
    joined = (first[0], width, *first[2:]) if len(first) > 3 else (*first[:-1], width)
    return Layer(primitives.plain("concat"), joined)


def strided(pixels: Shape, stride: int) -> Shape:
    """Edges of an image after a stride, rounded up."""
    return tuple(-(-edge // stride) for edge in pixels)


def channels_of(shape: Shape) -> int:
    """The channels of an image, or the width of a sequence or vector."""
    return shape[1] if len(shape) > 3 else shape[-1]
