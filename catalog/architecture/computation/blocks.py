"""Blocks: layers that networks use together, such as convolution with normalisation and activation.

A block has one entry, its first layer, and one exit, its last. Blocks are made once and shared: whoever builds many
networks names the same blocks again and again, and batches of arrays are assembled from them without touching nodes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

from catalog.architecture.computation import layers
from catalog.architecture.computation.layers import Layer
from catalog.architecture.computation.primitives import Shape

_shared = lru_cache(2**16)  # more than all built-in spaces together need


@dataclass(frozen=True, eq=False)
class Block:
    """Layers and the data flow among them.

    Parameters
    ----------
    layers
        In an order in which each follows what it takes.
    inputs
        For each layer the places of those that it takes; none for the first, which takes what the block takes.
    repeats
        How many equal blocks it stands for; the costs of its layers are those of all of them together.
    """

    layers: tuple[Layer, ...]
    inputs: tuple[tuple[int, ...], ...]
    repeats: int = 1

    @cached_property
    def shape(self) -> Shape:
        """Of the output."""
        return self.layers[-1].shape

    @cached_property
    def parameters(self) -> int:
        """Trainable parameters of all layers whose parameters are known."""
        return sum(layer.parameters or 0 for layer in self.layers)

    @cached_property
    def multiply_accumulates(self) -> int:
        """Multiply-accumulates of all layers whose cost is known."""
        return sum(layer.primitive.multiply_accumulates or 0 for layer in self.layers)

    @cached_property
    def root_macs(self) -> float:
        """Square roots of the layers' multiply-accumulates, summed; of repeats that all cost the same."""
        costs = [layer.primitive.multiply_accumulates or 0 for layer in self.layers]
        return float(sum(self.repeats * math.sqrt(cost / self.repeats) for cost in costs))

    @cached_property
    def activations(self) -> int:
        """Numbers that the layers with multiply-accumulates give."""
        counted = (layer for layer in self.layers if layer.primitive.multiply_accumulates)
        return self.repeats * sum(math.prod(layer.shape) for layer in counted)


def chain(*parts: Layer) -> Block:
    """Layers one after the other."""
    return Block(parts, tuple((place - 1,) if place else () for place in range(len(parts))))


def together(blocks: Sequence[Block]) -> Block:
    """One block for several of the same form: the shapes are the first one's, the costs are those of all."""
    first = blocks[0]
    if len(blocks) == 1:
        return first
    columns = zip(*(block.layers for block in blocks), strict=True)
    summed = tuple(
        column[0].costing(
            _sum([layer.parameters for layer in column]),
            _sum([layer.primitive.multiply_accumulates for layer in column]),
        )
        for column in columns
    )
    return Block(summed, first.inputs, sum(block.repeats for block in blocks))


def _sum(costs: Sequence[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None


@_shared
def times(block: Block, count: int) -> Block:
    """One block for `count` equal ones."""
    if count == 1:
        return block
    costs = ((layer, layer.parameters, layer.primitive.multiply_accumulates) for layer in block.layers)
    multiplied = tuple(
        layer.costing(*(None if cost is None else cost * count for cost in both)) for layer, *both in costs
    )
    return Block(multiplied, block.inputs, block.repeats * count)


@_shared
def single(layer: Layer) -> Block:
    """A block of one layer."""
    return chain(layer)


@_shared
def plain(shape: Shape, word: str, repeats: int = 1) -> Block:
    """An operator without window and weights that gives `shape`."""
    return times(single(layers.plain(shape, word)), repeats)


@_shared
def concat(shapes: tuple[Shape, ...], repeats: int = 1) -> Block:
    """Images joined along the channels."""
    return times(single(layers.concat(shapes)), repeats)


@_shared
def pooling(shape: Shape, how: str, kernel: int, stride: int = 1, repeats: int = 1) -> Block:
    """Pooling in a square window."""
    return times(single(layers.pooling(shape, how, kernel, stride=stride)), repeats)


@_shared
def convolution(shape: Shape, outputs: int, kernel: int, stride: int = 1, dilation: int = 1) -> Block:
    """A convolution alone."""
    return single(layers.convolution(shape, outputs, kernel, stride=stride, dilation=dilation))


@_shared
def conv_bn(shape: Shape, outputs: int, kernel: int, stride: int = 1) -> Block:
    """Convolution and BatchNorm."""
    convolved = layers.convolution(shape, outputs, kernel, stride=stride)
    return chain(convolved, layers.norm(convolved.shape))


@_shared
def conv_bn_relu(shape: Shape, outputs: int, kernel: int, stride: int = 1) -> Block:
    """Convolution, BatchNorm, ReLU: the order of NAS-Bench-101."""
    parts = conv_bn(shape, outputs, kernel, stride).layers
    return chain(*parts, layers.activation(parts[-1].shape))


@_shared
def relu_conv_bn(shape: Shape, outputs: int, kernel: int, stride: int = 1) -> Block:
    """ReLU, convolution, BatchNorm: the order of NAS-Bench-201 and DARTS."""
    return chain(layers.activation(shape), *conv_bn(shape, outputs, kernel, stride).layers)


@_shared
def depthwise_conv(shape: Shape, kernel: int, stride: int = 1, dilation: int = 1, times: int = 1) -> Block:
    """ReLU, depthwise and pointwise convolution, BatchNorm, `times` over; only the first has the stride.

    DARTS's ``sep_conv`` is this twice, its ``dil_conv`` once with dilation 2.
    """
    parts: list[Layer] = []
    channels = shape[1]
    for turn in range(times):
        steps = 1 if turn else stride
        spatial = layers.convolution(shape, channels, kernel, stride=steps, dilation=dilation, groups=channels)
        pointwise = layers.convolution(spatial.shape, channels, 1)
        parts += [layers.activation(shape), spatial, pointwise, layers.norm(pointwise.shape)]
        shape = pointwise.shape
    return chain(*parts)


@_shared
def factorized_reduce(shape: Shape, outputs: int) -> Block:
    """Half the resolution from two pointwise convolutions, the second shifted by a pixel (DARTS, Liu et al. 2019)."""
    even = layers.convolution(shape, outputs // 2, 1, stride=2)
    odd = layers.convolution(shape, outputs - outputs // 2, 1, stride=2)
    joined = layers.concat([even.shape, odd.shape])
    parts = (
        layers.activation(shape),
        layers.plain((*shape[:2], *(edge - 1 for edge in shape[2:])), "slice"),
        layers.plain(shape, "pad"),
        even,
        odd,
        joined,
        layers.norm(joined.shape),
    )
    return Block(parts, ((), (0,), (1,), (0,), (2,), (3, 4), (5,)))


@_shared
def classifier(shape: Shape, classes: int, *, norm_first: bool = False) -> Block:
    """Global average pooling and a linear map with bias; with `norm_first` BatchNorm and ReLU before them."""
    before = [layers.norm(shape), layers.activation(shape)] if norm_first else []
    pooled = layers.global_pooling(shape)
    flat = layers.flatten(pooled.shape)
    return chain(*before, pooled, flat, layers.linear(flat.shape, classes))


@_shared
def residual_reduction(shape: Shape, outputs: int) -> tuple[Block, Block]:
    """The two branches of a block that halves the resolution and adds them: pooled, and two convolutions 3 by 3."""
    pooled = layers.pooling(shape, "avg", 2, stride=2)
    inner = relu_conv_bn(shape, outputs, 3, 2)
    outer = relu_conv_bn(inner.shape, outputs, 3)
    return chain(pooled, layers.convolution(pooled.shape, outputs, 1)), chain(*inner.layers, *outer.layers)


@_shared
def output(shape: Shape) -> Block:
    """The end of a network."""
    return single(layers.taken(shape))
