"""PyTorch's functions, tensor methods and ATen operators as primitive operators."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from catalog.architecture.computation import primitives
from catalog.architecture.computation.primitives import Primitive, Shape
from catalog.architecture.computation.vocabulary import RECURRENT, bare_word, word_of
from ingest.model.operands import Operand, operands_in
from ingest.model.torch_modules import repeated

_CONVOLUTION = re.compile(r"conv([123])d")
_TRANSPOSED = re.compile(r"conv_transpose([123])d")
_POOLING = re.compile(r"(max|avg)_pool([123])d(?:_with_indices)?")
_ATTENTION = re.compile(r"scaled_dot_product(?:_\w+)?_attention(?:_\w+)?")  # also by the name of one of its kernels
_ADAPTIVE = re.compile(r"adaptive_(max|avg)_pool([123])d(?:_with_indices)?")

_ADDED_PRODUCTS = {"addmm": "mat1", "addmv": "mat", "baddbmm": "batch1", "addbmm": "batch1"}
"""Products to which their first argument is added, and the name of the second."""

_ROUNDING = {torch.bool: "bool", torch.uint8: "byte", torch.int64: "long"}  # PyTorch's word for a cast to it

_VECTOR_PRODUCTS = ("mv", "dot", "vdot", "inner")

_WINDOW = ("input", "weight", "bias", "stride", "padding")
_SIGNATURES: Mapping[str, tuple[str, ...]] = {
    "conv": (*_WINDOW, "dilation", "groups"),
    "conv_transpose": (*_WINDOW, "output_padding", "groups", "dilation"),
    "convolution": (*_WINDOW, "dilation", "transposed", "output_padding", "groups"),
    "max_pool": ("input", "kernel_size", "stride", "padding", "dilation"),
    "avg_pool": ("input", "kernel_size", "stride", "padding"),
    "adaptive": ("input", "output_size"),
    "linear": ("input", "weight", "bias"),
    "matmul": ("input", "other"),
    "attention": ("query", "key", "value"),
    "recurrent": ("input", "state"),
}
"""Names of the arguments that decide an operator's facts and cost, in their order."""


_FIRST_OF_SEVERAL = frozenset(
    "batchnorm layernorm groupnorm instancenorm rmsnorm dropout attention multihead_attention lstm gru rnn lstm_cell "
    "gru_cell rnn_cell reduce_max min max median nanmedian mode sort msort topk kthvalue cummax cummin unique".split()
)
"""Words whose main result comes first; of any other operator of several results each is a part."""


def gives_more(name: str) -> bool:
    """Whether a function gives further results beside its main one, as the places of maxima beside the maxima."""
    bare = bare_word(name)
    known = _ATTENTION.fullmatch(bare) or bare.endswith("_with_indices")
    return bool(known) or word_of(bare) in _FIRST_OF_SEVERAL


def changing_word(name: str, positional: Sequence[Any], named: Mapping[str, Any]) -> str | None:
    """The word for a call that changes numbers although others of its word do not: active dropout, a rounding cast."""
    word = word_of(name)
    if word == "dropout":
        is_active = named.get("training", named.get("train", positional[2] if len(positional) > 2 else True))
        return "active_dropout" if is_active else None
    if word == "identity":
        kinds = {value for value in (*positional, *named.values()) if isinstance(value, torch.dtype)}
        whole = [kind for kind in kinds if not (kind.is_floating_point or kind.is_complex)]
        return _ROUNDING.get(whole[0], "int") if whole else None
    return None


@dataclass(frozen=True)
class Call:
    """One call of a function: its bare name, its arguments, and the shape of what it gives."""

    name: str
    positional: Sequence[Any]
    named: Mapping[str, Any]
    given: Shape | None

    def primitive(self) -> Primitive:
        """The operator that the call is."""
        name = bare_word(self.name)
        if match := _CONVOLUTION.fullmatch(name) or _TRANSPOSED.fullmatch(name):
            transposed = "transpose" in name
            found = self._arguments("conv_transpose" if transposed else "conv")
            return self._convolution(found, int(match[1]), transposed=transposed)
        if name == "convolution":
            found = self._arguments(name)
            return self._convolution(found, len(found["stride"]), transposed=bool(found["transposed"]))
        if match := _POOLING.fullmatch(name):
            return self._pooling(match[1], int(match[2]))
        if match := _ADAPTIVE.fullmatch(name):
            size = repeated(self._arguments("adaptive").get("output_size", 1), int(match[2]))
            return primitives.adaptive_pooling(match[1], size)
        if name == "linear":
            return primitives.linear(_width(self._arguments(name).get("input")), self.given)
        if name in _ADDED_PRODUCTS:
            return self._added_product(name)
        word = "attention" if _ATTENTION.fullmatch(name) else word_of(name)
        if word == "matmul" or name in _VECTOR_PRODUCTS:
            return self._product()
        if word in RECURRENT:
            return self._recurrent(word)
        if word == "attention":
            found = self._arguments(word)
            return primitives.attention(*(_shape(found.get(part)) for part in ("query", "key", "value")))
        return primitives.plain(word)

    def _arguments(self, signature: str) -> dict[str, Any]:
        return {**dict(zip(_SIGNATURES[signature], self.positional, strict=False)), **self.named}

    def _convolution(self, found: Mapping[str, Any], dimensions: int, *, transposed: bool) -> Primitive:
        weight = _shape(found["weight"]) or ()
        groups = found.get("groups", 1)
        width, kernel = weight[1] * groups, tuple(weight[2:])
        channels, outputs = (weight[0], width) if transposed else (width, weight[0])
        return primitives.convolution(
            kernel,
            repeated(found.get("stride", 1), dimensions),
            repeated(found.get("dilation", 1), dimensions),
            groups,
            channels,
            outputs,
            _shape(found["input"]),
            self.given,
            transposed=transposed,
        )

    def _pooling(self, how: str, dimensions: int) -> Primitive:
        found = self._arguments(f"{how}_pool")
        kernel = repeated(found["kernel_size"], dimensions)
        stride = found.get("stride") or kernel  # ATen leaves an empty list for "as the kernel"
        dilation = max(repeated(found.get("dilation", 1), dimensions))
        return primitives.pooling(how, kernel, repeated(stride, dimensions), dilation)

    def _added_product(self, name: str) -> Primitive:
        left = self.named.get(_ADDED_PRODUCTS[name], self.positional[1] if len(self.positional) > 1 else None)
        if name == "addmm":
            return primitives.linear(_width(left), self.given)
        product = primitives.product(_width(left), self.given)
        if name != "addbmm" or product.multiply_accumulates is None:
            return product
        matrices = (_shape(left) or (1,))[0]  # which are summed
        return replace(product, multiply_accumulates=matrices * product.multiply_accumulates)

    def _recurrent(self, word: str) -> Primitive:
        """What follows input and state are the matrices and biases of each layer and direction."""
        taken = _shape(self._arguments("recurrent").get("input"))
        shapes = [operand.shape for operand in operands_in([self.positional[2:], self.named])]
        matrices = sum(math.prod(shape) for shape in shapes if shape is not None and len(shape) == 2)
        known = taken is not None and matrices > 0
        return primitives.recurrent(word, math.prod(taken[:-1]) if taken else None, matrices if known else None)

    def _product(self) -> Primitive:
        found = self._arguments("matmul")
        inner, right = _width(found.get("input")), found.get("other", found.get("mat2", found.get("tensor2")))
        if isinstance(right, Operand) and right.node is None and right.weights:
            return primitives.linear(inner, self.given)
        return primitives.product(inner, self.given)


def _shape(value: Any) -> Shape | None:
    return value.shape if isinstance(value, Operand) else None


def _width(value: Any) -> int | None:
    """Size of a tensor's last axis."""
    shape = _shape(value)
    return shape[-1] if shape else None
