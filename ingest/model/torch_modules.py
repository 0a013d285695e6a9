"""PyTorch's own modules as primitive operators."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import nn

from catalog.architecture.computation import primitives
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.computation.vocabulary import word_of

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_MAX_POOLS = (nn.MaxPool1d, nn.MaxPool2d, nn.MaxPool3d)
_AVERAGE_POOLS = (nn.AvgPool1d, nn.AvgPool2d, nn.AvgPool3d)
_ADAPTIVE_MAX = (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d)
_ADAPTIVE_AVERAGE = (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
_WHOLE = (nn.MultiheadAttention, nn.RNNBase)
_CONTAINERS = (nn.Sequential, nn.ModuleList, nn.ModuleDict, nn.ParameterList, nn.ParameterDict)


def is_primitive(module: nn.Module) -> bool:
    """Whether a module is one operator: a module of PyTorch's without parts, attention, or a recurrent layer.

    A container never is: an empty one hands on what it gets.
    """
    own = type(module).__module__.startswith("torch.nn.modules") and not isinstance(module, _CONTAINERS)
    return own and (isinstance(module, _WHOLE) or not any(True for _ in module.children()))


def primitive_of(module: nn.Module, taken: Sequence[Shape | None], given: Shape | None) -> Primitive:
    """The operator that a primitive module is, from the shapes of its inputs and of its output."""
    first = taken[0] if taken else None
    dimensions = 1
    for kinds in (_CONVOLUTIONS, _TRANSPOSED, _MAX_POOLS, _AVERAGE_POOLS, _ADAPTIVE_MAX, _ADAPTIVE_AVERAGE):
        for place, kind in enumerate(kinds, 1):
            dimensions = place if isinstance(module, kind) else dimensions
    if isinstance(module, (*_CONVOLUTIONS, *_TRANSPOSED)):
        return primitives.convolution(
            tuple(module.kernel_size),
            tuple(module.stride),
            tuple(module.dilation),
            module.groups,
            module.in_channels,
            module.out_channels,
            first,
            given,
            transposed=isinstance(module, _TRANSPOSED),
        )
    if isinstance(module, (*_MAX_POOLS, *_AVERAGE_POOLS)):
        kernel, dilation = repeated(module.kernel_size, dimensions), 1
        if isinstance(module, _MAX_POOLS):
            dilation = max(repeated(module.dilation, dimensions))
        stride = repeated(module.stride, dimensions)
        return primitives.pooling("max" if isinstance(module, _MAX_POOLS) else "avg", kernel, stride, dilation)
    if isinstance(module, (*_ADAPTIVE_MAX, *_ADAPTIVE_AVERAGE)):
        how = "max" if isinstance(module, _ADAPTIVE_MAX) else "avg"
        return primitives.adaptive_pooling(how, repeated(module.output_size, dimensions))
    if isinstance(module, nn.Linear):
        return primitives.linear(module.in_features, given)
    word = word_of(type(module).__name__)
    if isinstance(module, nn.MultiheadAttention):
        return Primitive(primitives.plain(word).operator, multiply_accumulates=_attention_cost(module, taken))
    if isinstance(module, nn.RNNBase | nn.RNNCellBase):
        steps = None if first is None else math.prod(first[:-1])  # time and batch, in either order
        matrices = sum(weight.numel() for name, weight in module.named_parameters() if name.startswith("weight"))
        return primitives.recurrent(word, steps, matrices)
    return primitives.plain(word)


def repeated(value: Any, dimensions: int) -> Shape:
    """A size for each dimension, from one for all or a sequence; an adaptive size may be None, for as it was."""
    sizes = tuple(value) if isinstance(value, Sequence) else (value,)
    return sizes * dimensions if len(sizes) == 1 else sizes


def _attention_cost(module: nn.MultiheadAttention, taken: Sequence[Shape | None]) -> int | None:
    query, key, value = (*taken[:3], None, None, None)[:3]
    if query is None or key is None or value is None:
        return None
    width = int(module.embed_dim)
    tokens, others = math.prod(query[:-1]), math.prod(key[:-1])
    batch = 1 if len(query) == 2 else query[0] if module.batch_first else query[1]
    projections = tokens * width * query[-1] + others * width * (key[-1] + value[-1]) + tokens * width * width
    seen = others // batch + (module.bias_k is not None) + bool(module.add_zero_attn)
    return projections + 2 * tokens * seen * width
