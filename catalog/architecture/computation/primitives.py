"""Primitive operators: what a node of a traced network is called, which facts follow from that, and what it costs.

Multiply-accumulates are counted for convolutions, linear maps, matrix products, attention and recurrent layers, as the
catalog's own ``flops`` counts them. They are 0 for the operators that `catalog.architecture.computation.free_operators`
lists, and None for every other one (``einsum``, an operator of somebody's own) and where a shape is not known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from catalog.architecture.computation.free_operators import FREE
from catalog.architecture.computation.vocabulary import PLAIN, WITH_WEIGHTS, bare_word, word_of
from catalog.architecture.operators import SIZED_VOCABULARY, VOCABULARY, Operator

Shape = tuple[int, ...]

_DIMENSIONS = {1: "one-dimensional", 2: "two-dimensional", 3: "three-dimensional"}


@dataclass(frozen=True)
class Primitive:
    """One operator as one node has it.

    Parameters
    ----------
    operator
        The operator; nodes that differ only in the other fields and in shapes share it.
    kernel, stride, groups
        Of a window; None where there is none.
    multiply_accumulates
        For the shapes of this node; None where one is not known.
    """

    operator: Operator
    kernel: Shape | None = None
    stride: Shape | None = None
    groups: int | None = None
    multiply_accumulates: int | None = 0


@lru_cache(maxsize=1024)
def plain(word: str) -> Primitive:
    """An operator without window, by the catalog's word for it: free where it is known to be.

    An unknown word is an operator of its own. Where multiply-accumulates are counted they are left open.
    """
    if word == "concat":
        return Primitive(VOCABULARY["concat"])
    kind, sentence = PLAIN.get(word, ("other", f"Function {word}"))
    name = f"function_{word}" if word not in PLAIN and word in VOCABULARY else word
    operator = _described(name, kind, sentence, sentence, has_weights=word in WITH_WEIGHTS)
    return Primitive(operator, multiply_accumulates=0 if word in FREE else None)


def foreign(name: str) -> Primitive:
    """An operator of neither PyTorch nor ONNX: whatever its name is, nothing is known of it."""
    bare = bare_word(name)
    taken = bare in PLAIN or bare in VOCABULARY or bare in FREE or word_of(bare) != bare
    operator = _described(f"function_{bare}" if taken else bare, "other", f"Function {bare}", f"Function {bare}")
    return Primitive(operator, multiply_accumulates=None)


def convolution(
    kernel: Shape,
    stride: Shape,
    dilation: Shape,
    groups: int,
    channels: int,
    outputs: int,
    taken: Shape | None,
    given: Shape | None,
    *,
    transposed: bool = False,
) -> Primitive:
    """A convolution of `channels` to `outputs` channels, from a tensor of shape `taken` to one of shape `given`."""
    depthwise = groups > 1 and groups == channels
    form = "depthwise" if depthwise else "grouped" if groups > 1 else ""
    spread = max(dilation)
    words = [form, f"dilated{spread}" if spread > 1 else "", "transposed" if transposed else ""]
    size = window(kernel)
    name = "_".join([*filter(None, words), f"conv{size}"])
    described = " ".join([*filter(None, [form, "dilated" if spread > 1 else "", words[2]]), "convolution"])
    by = " by ".join(map(str, kernel))
    short = f"{described.capitalize()} {by}"
    long = f"A {_DIMENSIONS.get(len(kernel), '')} {described} operator with a kernel size of {by}".replace("  ", " ")
    operator = _described(
        name, "conv", short, long, kernel=max(kernel), dilation=spread, depthwise=depthwise, has_weights=True
    )
    # A transposed convolution multiplies at each of its inputs what a plain one multiplies at each of its outputs.
    places, width = (taken, outputs) if transposed else (given, channels)
    cost = None if places is None else math.prod(places) * math.prod(kernel) * width // groups
    return Primitive(operator, kernel, stride, groups, cost)


def pooling(how: str, kernel: Shape, stride: Shape, dilation: int = 1) -> Primitive:
    """Pooling in a window: `how` is ``max``, ``avg`` or ``lp``."""
    name = f"{how}pool{window(kernel)}"
    if name in VOCABULARY and dilation == 1:
        return Primitive(VOCABULARY[name], kernel, stride)
    by = " by ".join(map(str, kernel))
    words = {"max": "Max", "avg": "Average"}.get(how, how.capitalize())
    prefix = f"dilated{dilation}_" if dilation > 1 else ""
    long = f"A {words.lower()} pooling operator with a kernel size {by}"
    operator = _described(prefix + name, "pool", f"{words} pooling {by}", long, kernel=max(kernel), dilation=dilation)
    return Primitive(operator, kernel, stride)


def adaptive_pooling(how: str, output: Sequence[int | None]) -> Primitive:
    """Pooling to a given size; to a single pixel it is global."""
    return plain(f"{'global' if all(size == 1 for size in output) else 'adaptive'}_{how}pool")


def linear(features: int | None, given: Shape | None) -> Primitive:
    """A linear map of the last axis, `features` wide before."""
    return Primitive(plain("linear").operator, multiply_accumulates=_product_cost(features, given))


def product(inner: int | None, given: Shape | None) -> Primitive:
    """A product of two computed matrices that share an axis `inner` wide."""
    return Primitive(plain("matmul").operator, multiply_accumulates=_product_cost(inner, given))


def _product_cost(inner: int | None, given: Shape | None) -> int | None:
    return None if given is None or inner is None else math.prod(given) * inner


def mixing(word: str, multiply_accumulates: int) -> Primitive:
    """An operator whose cost is no product of shapes alone, by the catalog's word for it."""
    return replace(plain(word), multiply_accumulates=multiply_accumulates)


def attention(query: Shape | None, key: Shape | None, value: Shape | None, *, word: str = "attention") -> Primitive:
    """Softmax of query-key products, times the values; without projections."""
    cost = None
    if query is not None and key is not None and value is not None:
        cost = math.prod(query[:-1]) * key[-2] * (query[-1] + value[-1])
    return Primitive(plain(word).operator, multiply_accumulates=cost)


def recurrent(word: str, steps: int | None, weights: int | None) -> Primitive:
    """A recurrent layer or cell: each of its matrices' `weights` is used at each of `steps`, times by sequences."""
    cost = None if steps is None or weights is None else steps * weights
    return Primitive(plain(word).operator, multiply_accumulates=cost)


def window(kernel: Shape) -> str:
    """The window as operator names have it: ``3x3``."""
    return "x".join(map(str, kernel))


@lru_cache(maxsize=1024)
def _described(
    name: str,
    kind: str,
    short: str,
    long: str,
    *,
    kernel: int | None = None,
    dilation: int | None = None,
    depthwise: bool = False,
    has_weights: bool = False,
) -> Operator:
    described = Operator(name, kind, short, short, long, kernel, dilation, depthwise, has_weights)
    if name in SIZED_VOCABULARY and _facts(described) == _facts(SIZED_VOCABULARY[name]):
        return replace(described, generic=SIZED_VOCABULARY[name].generic)
    return described


def _facts(operator: Operator) -> tuple[object, ...]:
    """What is said of an operator besides words; of one name they are one operator if it is equal."""
    return operator.kind, operator.kernel, operator.dilation, operator.depthwise, operator.has_weights
