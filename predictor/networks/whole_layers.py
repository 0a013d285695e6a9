"""The module of one laid layer of a whole network: weights, window and shapes are those that the layer states.

Images are (B, C, H, W), sequences (B, tokens, C).
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType

from torch import Tensor, nn

from catalog.architecture.computation.chain import IMAGE
from catalog.architecture.computation.layers import Layer, channels_of
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.computation.sequence_layers import GATES
from catalog.architecture.operators import Operator
from catalog.architecture.sizes import Size
from catalog.errors import ProxyError
from predictor.networks.generic_layers import ACTIVATIONS, Mixing
from predictor.networks.layers import WidePool
from predictor.networks.sequence_layers import (
    ClassToken,
    FirstToken,
    Gate,
    Positions,
    Segments,
    SpanConvolution,
    TokenConvolution,
    Tokens,
    TokenTransform,
)

Padding = tuple[int, int, int, int]
"""Pixels on the left, on the right, above and below."""


def module_of(layer: Layer, taken: Shape) -> nn.Module:
    """The module of a layer.

    Parameters
    ----------
    taken
        The shape of what it takes, or takes first, batch first.

    Raises
    ------
    ProxyError
        The layer does not say what it computes: an operator that nobody knows, a word that no module has.
    """
    operator = layer.primitive.operator
    if operator.kind == "conv" and len(taken) < IMAGE:
        return TokenConvolution(taken[-1], (layer.primitive.kernel or (1,))[0])
    if operator.kind == "conv":
        return _convolution(layer, taken)
    if operator.kind == "pool" and layer.primitive.kernel is not None:
        return _pooling(layer, taken)
    if operator.name == "linear":
        outputs = layer.shape[-1]
        return nn.Linear(taken[-1], outputs, bias=layer.parameters != taken[-1] * outputs)
    if operator.name == "global_avgpool":
        return nn.AdaptiveAvgPool2d(1)
    if operator.kind == "attention" and operator.name != "span_convolution":
        is_causal = operator.name == "causal_attention"
        return SelfMixing(layer.parts or 1, is_image=len(taken) == IMAGE, is_causal=is_causal)
    if operator.kind == "norm":
        return _norm(layer)
    if operator.name in ACTIVATIONS:
        return ACTIVATIONS[operator.name]()
    if operator.name in _OF_SEQUENCES:
        return _OF_SEQUENCES[operator.name](layer, taken)
    raise ProxyError(f"no layer is known for {operator.name!r}.")


def _gate(activation: str) -> Callable[[Layer, Shape], nn.Module]:
    return lambda _, taken: Gate(activation, is_image=len(taken) == IMAGE)


_OF_SEQUENCES = MappingProxyType[str, Callable[[Layer, Shape], nn.Module]](
    {
        "reshape": lambda *_: Tokens(),
        "slice": lambda *_: FirstToken(),
        "class_token": lambda _, taken: ClassToken(taken[-1]),
        "positions": lambda layer, taken: Positions(layer.parts or 1, taken[-1]),
        "segments": lambda layer, taken: Segments(layer.parts or 1, taken[-1]),
        "span_convolution": lambda layer, _: SpanConvolution(layer.parts or 1),
        "fourier_transform": lambda layer, _: TokenTransform(layer.parts or 1, is_cosine=False),
        "cosine_transform": lambda layer, _: TokenTransform(layer.parts or 1, is_cosine=True),
        **{f"gated_{word}": _gate(word) for word in GATES},
    }
)
"""What sequences alone have, and gates."""


def lacking(operator: Operator, size: Size | None) -> str | None:
    """What a node says, or does not say, that no module here can do; None where there is nothing."""
    said, generic = operator.sized(size), operator.counts_as
    if isinstance(said.activation, str) and said.activation not in ACTIVATIONS:
        return f"its activation is {said.activation!r}; known are true, false, {', '.join(ACTIVATIONS)}"
    if said.norm in ("group", "groupnorm") and (generic != "norm" or said.groups is None):
        return "no field says how many groups its normalisation has; give a node 'norm' of its own with 'groups'"
    if generic == "avg_pool" and said.dilation is not None:
        return "no layer averages a dilated window"
    return None


def _convolution(layer: Layer, taken: Shape) -> nn.Module:
    primitive = layer.primitive
    window, steps = primitive.kernel or (1, 1), primitive.stride or (1, 1)
    spread, groups = primitive.operator.dilation or 1, primitive.groups or 1
    inputs, outputs = taken[1], layer.shape[1]
    left, right, above, below = _padding(layer, taken)
    weights = outputs * (inputs // groups) * window[0] * window[1]
    made = nn.Conv2d(
        inputs,
        outputs,
        (window[0], window[1]),
        stride=(steps[0], steps[1]),
        padding=(above, left) if (left, above) == (right, below) else 0,
        dilation=spread,
        groups=groups,
        bias=layer.parameters != weights,
    )
    return made if (left, above) == (right, below) else nn.Sequential(nn.ZeroPad2d((left, right, above, below)), made)


def _pooling(layer: Layer, taken: Shape) -> nn.Module:
    primitive = layer.primitive
    window, steps = primitive.kernel or (1, 1), primitive.stride or (1, 1)
    spread, maximum = primitive.operator.dilation or 1, "max" in primitive.operator.name
    padding = left, right, above, below = _padding(layer, taken)
    kernel, stride = (window[0], window[1]), (steps[0], steps[1])
    if (left, above) == (right, below) and 2 * above <= kernel[0] and 2 * left <= kernel[1]:
        if maximum:
            return nn.MaxPool2d(kernel, stride, (above, left), spread)
        return nn.AvgPool2d(kernel, stride, (above, left), count_include_pad=False)
    return WidePool(kernel, maximum=maximum, stride=stride, dilation=spread, padding=padding)


def _padding(layer: Layer, taken: Shape) -> Padding:
    """What a window needs around an image for the shape that the layer states.

    An odd window has as much on both sides; an even one, which has no middle, no more than it needs, the odd pixel on
    the right and below: a window as large as its stride has none.
    """
    window, steps = layer.primitive.kernel or (1, 1), layer.primitive.stride or (1, 1)
    spread = layer.primitive.operator.dilation or 1
    sides: list[int] = []
    for axis in (1, 0):
        if layer.padding is not None:
            sides += [layer.padding[axis]] * 2
            continue
        reach = spread * (window[axis] - 1)
        if reach % 2:
            reach = max(0, (layer.shape[2 + axis] - 1) * steps[axis] + reach + 1 - taken[2 + axis])
        sides += [reach // 2, reach - reach // 2]
    return sides[0], sides[1], sides[2], sides[3]


def _norm(layer: Layer) -> nn.Module:
    channels, is_image = channels_of(layer.shape), len(layer.shape) == IMAGE
    word = layer.primitive.operator.name
    if word == "groupnorm" and channels % (layer.parts or 1):
        raise ProxyError(f"groups is {layer.parts}, which does not divide the {channels} channels that are normalised.")
    by_channel = _BY_CHANNEL.get(word)
    if by_channel is not None:
        made = by_channel(channels, layer.parts or 1, is_image)
        return made if is_image else Transposed(made)
    made = _LAST[word](channels, layer.parameters != channels)
    return Transposed(made) if is_image else made


_BY_CHANNEL = MappingProxyType[str, Callable[[int, int, bool], nn.Module]](
    {
        "batchnorm": lambda channels, _, is_image: (nn.BatchNorm2d if is_image else nn.BatchNorm1d)(channels),
        "groupnorm": lambda channels, groups, _: nn.GroupNorm(groups, channels),
        "instancenorm": lambda channels, _, is_image: (nn.InstanceNorm2d if is_image else nn.InstanceNorm1d)(
            channels, affine=True
        ),
    }
)
"""Normalisations whose modules want the channels right behind the batch."""

_LAST = MappingProxyType[str, Callable[[int, bool], nn.Module]](
    {
        "layernorm": lambda channels, bias: nn.LayerNorm(channels, bias=bias),
        "rmsnorm": lambda channels, _: nn.RMSNorm(channels),
    }
)
"""Normalisations whose modules want the channels last."""


class Transposed(nn.Module):
    """A normalisation that wants the channels elsewhere: last for images, right behind the batch for sequences."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, state: Tensor) -> Tensor:
        """The same shape, normalised."""
        out: Tensor = self.norm(state.movedim(1, -1)).movedim(-1, 1)
        return out


class SelfMixing(Mixing):
    """`Mixing` of what comes side by side, in the form of images or of sequences.

    Shapes: query, key and value side by side, (B, 3 C, H, W) or (B, tokens, 3 C); result (B, C, H, W) or
    (B, tokens, C).
    """

    def __init__(self, heads: int, *, is_image: bool, is_causal: bool = False) -> None:
        super().__init__(heads, is_causal=is_causal)
        self.is_image = is_image

    def forward(self, joined: Tensor) -> Tensor:  # type: ignore[override]  # one tensor in place of three
        """What each pixel or token takes from all of them."""
        tokens = joined.flatten(2).transpose(1, 2) if self.is_image else joined  # (B, T, 3 C)
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in tokens.chunk(3, dim=2))
        mixed = self.mixed(query, key, value).transpose(1, 2).flatten(2)  # (B, T, C)
        return mixed.transpose(1, 2).unflatten(2, joined.shape[2:]) if self.is_image else mixed
