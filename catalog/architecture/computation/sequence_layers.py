"""What mixes and maps the members of a sequence: attentions, MLPs, fixed transforms, and the tables of learned vectors.

Attentions and MLPs take images too, whose pixels are their tokens; whatever stands in the first half of `RULES` does.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from catalog.architecture.computation import layers, primitives
from catalog.architecture.computation.chain import (
    IMAGE,
    Chain,
    Laid,
    channels_given,
    mapped,
    scaled,
    with_channels,
)
from catalog.architecture.computation.layers import Layer, channels_of
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.sizes import Size
from catalog.errors import GraphError

GATES = ("gelu", "relu", "sigmoid", "silu")
"""Activations that a gated MLP can have."""

SEGMENTS = 2
"""Kinds of segments that a table tells apart unless it says otherwise: a sentence and the one behind it."""


def _attention(said: Size, shape: Shape) -> Laid | None:
    """Query, key and value projections, softmax of the products, the output projection."""
    return _attended(said, shape, is_causal=False)


def _causal_attention(said: Size, shape: Shape) -> Laid | None:
    """The same of tokens that see only those before them; all products count, as the usual kernels compute them."""
    return _attended(said, shape, is_causal=True)


def _attended(said: Size, shape: Shape, *, is_causal: bool) -> Laid | None:
    if said.heads is None:
        return None
    inner, bias = _inner(said, shape), said.bias is not False
    made = Chain(shape)
    mapped(made, 3 * inner, bias=bias)
    _mix(made, inner, said.heads, is_causal=is_causal)
    mapped(made, channels_given(said, channels_of(shape)), bias=bias)
    return made.done()


def _weighted_attention(said: Size, shape: Shape) -> Laid | None:
    """Weighted multiplicative attention: the queries pass one more linear map, without bias (Luong et al. 2015)."""
    if said.heads is None:
        return None
    inner, bias = _inner(said, shape), said.bias is not False
    made = Chain(shape)
    start = made.add(layers.plain(shape, "identity"))
    mapped(made, inner, bias=bias)
    mapped(made, inner, bias=False)
    queries = len(made.layers) - 1
    both = _mapped_from(made, start, shape, 2 * inner, bias=bias)
    _join(made, queries, both)
    _mix(made, inner, said.heads)
    mapped(made, channels_given(said, channels_of(shape)), bias=bias)
    return made.done()


def _span_attention(said: Size, shape: Shape) -> Laid | None:
    """Half the heads attend, half convolve with kernels that each place makes of its span.

    The mixed attention of ConvBERT (Jiang et al. 2020, arXiv 2008.02496).
    """
    if said.heads is None or said.kernel is None:
        return None
    _need_tokens(shape)
    kernel, half = said.kernel, said.heads // 2
    if not isinstance(kernel, int) or kernel % 2 == 0:
        raise GraphError(f"kernel is {kernel}; an odd number of tokens is needed.")
    if said.heads % 2:
        raise GraphError(f"heads is {said.heads}; an even number is needed, half of which attend.")
    width, inner, bias = channels_of(shape), _inner(said, shape) // 2, said.bias is not False
    made = Chain(shape)
    start = made.add(layers.plain(shape, "identity"))
    mapped(made, inner, bias=bias)
    queries = len(made.layers) - 1
    _join(made, queries, _mapped_from(made, start, shape, 2 * inner, bias=bias))
    _mix(made, inner, half)
    attended = len(made.layers) - 1
    window = primitives.convolution((kernel,), (1,), (1,), width, width, width, shape, shape)
    made.add(Layer(window, shape, width * kernel), start)
    mapped(made, inner, bias=bias)
    made.add(layers.plain(made.shape, "multiply"), len(made.layers) - 1, queries)
    mapped(made, half * kernel, bias=bias)
    kernels = len(made.layers) - 1
    values = _mapped_from(made, start, shape, inner, bias=bias)
    convolved = primitives.mixing("span_convolution", math.prod(made.shape) * kernel)
    spans = made.add(Layer(convolved, made.shape, parts=half), values, kernels)
    _join(made, attended, spans)
    mapped(made, channels_given(said, width), bias=bias)
    return made.done()


def _transform(word: str, products: int) -> Callable[[Size, Shape], Laid | None]:
    """A fixed transform over the tokens and the channels of each head: so many products with a matrix for each axis."""

    def transformed(said: Size, shape: Shape) -> Laid | None:
        if said.heads is None:
            return None
        _need_tokens(shape)
        width = _inner(said, shape)
        cost = products * math.prod(shape) * (shape[1] + width // said.heads)
        made = Chain(shape)
        made.add(Layer(primitives.mixing(word, cost), shape, parts=said.heads))
        return made.done()

    return transformed


def _mlp(said: Size, shape: Shape) -> Laid | None:
    if said.mlp_ratio is None:
        return None
    made = Chain(shape)
    width, bias = channels_of(shape), said.bias is not False
    mapped(made, scaled(said.mlp_ratio, width), bias=bias)
    made.activation(said, default="gelu" if len(shape) != IMAGE else "relu")
    mapped(made, channels_given(said, width), bias=bias)
    return made.done()


def _gated_mlp(said: Size, shape: Shape) -> Laid | None:
    """One linear map gives gates and values, a second one takes their products (Shazeer 2020, arXiv 2002.05202)."""
    if said.mlp_ratio is None:
        return None
    word = said.activation if isinstance(said.activation, str) else "silu"
    if said.activation is False or word not in GATES:
        raise GraphError(f"activation is {said.activation}; a gate has one of {', '.join(GATES)}.")
    width, bias = channels_of(shape), said.bias is not False
    inner = scaled(said.mlp_ratio, width)
    made = Chain(shape)
    mapped(made, 2 * inner, bias=bias)
    made.add(layers.plain(with_channels(shape, inner), f"gated_{word}"))
    mapped(made, channels_given(said, width), bias=bias)
    return made.done()


def _classifier(said: Size, shape: Shape) -> Laid | None:
    """Scores of classes for each token or pixel."""
    made = Chain(shape)
    mapped(made, channels_given(said, channels_of(shape)), bias=said.bias is not False)
    return made.done()


def _class_token(_: Size, shape: Shape) -> Laid:
    """One learned vector before the tokens."""
    made = _tokens(shape)
    count, width = made.shape[1:]
    made.add(Layer(primitives.plain("class_token"), (shape[0], count + 1, width), width))
    return made.done()


def _position_table(said: Size, shape: Shape) -> Laid:
    """A learned vector for each place, added."""
    made = _tokens(shape)
    count, width = made.shape[1:]
    rows = _rows(said, count)
    if rows < count:
        raise GraphError(f"kernel is {rows}: the table has fewer places than the {count} tokens that it takes.")
    made.add(Layer(primitives.plain("positions"), made.shape, rows * width, parts=rows))
    return made.done()


def _segment_table(said: Size, shape: Shape) -> Laid:
    """A learned vector for each kind of segment, that of the first one added."""
    _need_tokens(shape)
    made = Chain(shape)
    rows = _rows(said, SEGMENTS)
    made.add(Layer(primitives.plain("segments"), shape, rows * shape[-1], parts=rows))
    return made.done()


def _first_token(_: Size, shape: Shape) -> Laid:
    """The first token alone."""
    _need_tokens(shape)
    made = Chain(shape)
    made.add(layers.plain((shape[0], 1, shape[-1]), "slice"))
    return made.done()


RULES: Mapping[str, Callable[[Size, Shape], Laid | None]] = MappingProxyType(
    {
        "attention": _attention,
        "causal_attention": _causal_attention,
        "weighted_attention": _weighted_attention,
        "mlp": _mlp,
        "gated_mlp": _gated_mlp,
        "classifier": _classifier,
        "class_token": _class_token,
        "position_table": _position_table,
        "span_attention": _span_attention,
        "fourier_transform": _transform("fourier_transform", 2),
        "cosine_transform": _transform("cosine_transform", 1),
        "segment_table": _segment_table,
        "first_token": _first_token,
    }
)
"""Generic operator to what lays its layers."""

_OF_ATTENTION = frozenset({"heads", "expansion", "bias"})
_OF_MLP = frozenset({"mlp_ratio", "activation", "bias"})

READ: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "attention": _OF_ATTENTION,
        "causal_attention": _OF_ATTENTION,
        "weighted_attention": _OF_ATTENTION,
        "mlp": _OF_MLP,
        "gated_mlp": _OF_MLP,
        "classifier": frozenset({"bias"}),
        "class_token": frozenset(),
        "position_table": frozenset({"kernel"}),
        "span_attention": frozenset({"heads", "kernel", "bias"}),
        "fourier_transform": frozenset({"heads"}),
        "cosine_transform": frozenset({"heads"}),
        "segment_table": frozenset({"kernel"}),
        "first_token": frozenset(),
    }
)
"""Fields that decide the layers of each."""


def _inner(said: Size, shape: Shape) -> int:
    """The width inside an attention, which its heads divide.

    Raises
    ------
    GraphError
        They do not.
    """
    width = channels_of(shape)
    inner = width if said.expansion is None else scaled(said.expansion, width)
    if inner % (said.heads or 1):
        raise GraphError(f"heads is {said.heads}, which does not divide the width {inner}.")
    return inner


def _mix(made: Chain, inner: int, heads: int, *, is_causal: bool = False) -> None:
    """Attention over queries, keys and values that stand side by side."""
    shape = made.shape
    tokens = math.prod(shape[2:]) if len(shape) == IMAGE else shape[1]
    one = (shape[0], tokens, inner)
    attended = layers.attention(one, one, one, is_causal=is_causal)
    made.add(replace(attended, shape=with_channels(shape, inner), parts=heads))


def _mapped_from(made: Chain, start: int, shape: Shape, outputs: int, *, bias: bool) -> int:
    """A linear map of what the layer at `start` gives, and its place."""
    if len(shape) == IMAGE:
        return made.add(layers.convolution(shape, outputs, 1, bias=bias), start)
    return made.add(layers.linear(shape, outputs, bias=bias), start)


def _join(made: Chain, *places: int) -> None:
    """Put what some layers give side by side."""
    made.add(layers.concat([made.layers[place].shape for place in places]), *places)


def _tokens(shape: Shape) -> Chain:
    """A chain that begins with tokens: an image's pixels one after the other."""
    made = Chain(shape)
    if len(shape) == IMAGE:
        made.add(layers.plain((shape[0], math.prod(shape[2:]), shape[1]), "reshape"))
    return made


def _need_tokens(shape: Shape) -> None:
    if len(shape) == IMAGE:
        raise GraphError("it takes tokens, and it is fed with an image.")


def _rows(said: Size, usual: int) -> int:
    """The length of a table."""
    if isinstance(said.kernel, tuple):
        raise GraphError(f"kernel is {list(said.kernel)}; a table has one length.")
    return said.kernel or usual
