"""What an operator costs and does, read from its facts and, where they are missing, from its description."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.operators import Operator

REFERENCE_WIDTH = 32
"""Channels at which a depthwise window is weighed against a dense one: its share is kernel^2 / channels."""

# Weight matrices of width x width that one application holds (biases and norms left out).
_MATRICES = (
    (r"multi-?head|self-?attention|attention|transformer", 4.0),  # query, key, value, output
    (r"feed-?forward|\bmlp\b|perceptron", 8.0),  # two matrices of width x 4 width
    (r"\blstm\b|long short", 8.0),
    (r"\bgru\b|gated recurrent", 6.0),
    (r"squeeze", 0.125),
)
_EXPANSION = re.compile(
    r"(?:expan\w*|ratio|inverted)\D{0,24}?(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*(?:x|times|fold)?\s*expan"
)
_WINDOW = re.compile(r"(\d+)\s*(?:x|by|×)\s*(\d+)|kernel(?: size)?(?: of)?\s*(\d+)|\bk(\d+)\b")
_CHANNELS = re.compile(r"(\d+)\s*(?:output\s+)?(?:channels?|filters?|units?|dimensions?|features?|hidden|wide)\b")
_REPEATS = re.compile(r"(\d+)\s*(?:layers?|blocks?|repeats?|times in (?:a row|sequence))\b")
_GROUPS = re.compile(r"(\d+)\s*groups?\b")
_FREE_KINDS = frozenset({"input", "output", "none", "merge", "pool"})
_CHANNEL_REFERENCE = 64


@dataclass(frozen=True)
class Descriptor:
    """One operator in numbers; sizes are relative to a 1x1 convolution of the same width.

    Parameters
    ----------
    parameters
        Weights, in units of width^2: 1 for ``conv1x1``, 9 for ``conv3x3``.
    layers
        Weighted layers that the signal passes one after the other.
    window
        Edge of the receptive field of one application, dilation included; 1 for pointwise operators.
    is_pool, is_mean, is_merge, is_join, is_end, is_skip, is_zero
        Families that the structural rules tell apart; `is_join` is concatenation, `is_end` an input or the output.
    depthwise, dilation
        As in the operator table.
    """

    parameters: float
    layers: float
    window: float
    is_pool: bool
    is_mean: bool
    is_merge: bool
    is_join: bool
    is_end: bool
    is_skip: bool
    is_zero: bool
    depthwise: bool
    dilation: int

    @classmethod
    def of(cls, operator: Operator) -> Descriptor:
        """Describe an operator; what its table row leaves open is read from its name and sentences."""
        text = " ".join((operator.name.replace("_", " "), operator.short, operator.medium, operator.long)).lower()
        kernel = operator.kernel or _kernel(operator, text)
        depthwise = operator.depthwise or bool(re.search(r"depth-?\s?wise|separable|inverted|mbconv", text))
        dilation = operator.dilation or 1
        parameters, layers = _weights(operator, text, kernel, depthwise, dilation)
        pool = operator.kind == "pool"
        return cls(
            parameters=parameters,
            layers=layers,
            window=1.0 + dilation * (kernel - 1),
            is_pool=pool,
            is_mean=pool and bool(re.search(r"average|mean|avg", text)),
            is_merge=operator.kind == "merge",
            is_join=operator.name == "concat",
            is_end=operator.kind in ("input", "output"),
            is_skip=operator.kind == "skip",
            is_zero=operator.is_zero,
            depthwise=depthwise and parameters > 0,
            dilation=dilation,
        )

    def numbers(self) -> tuple[float, ...]:
        """The descriptor as a feature vector of about unit scale."""
        return (
            math.log2(1.0 + self.parameters) / 3.0,
            math.log2(1.0 + self.layers),
            math.log2(self.window) / 2.0,
            float(self.parameters > 0),
            float(self.is_pool),
            float(self.is_mean),
            float(self.is_merge),
            float(self.is_join),
            float(self.is_end),
            float(self.is_skip),
        )


DESCRIPTOR_SIZE = 10


def _kernel(operator: Operator, text: str) -> int:
    if operator.kind in ("input", "output", "none", "merge", "skip"):
        return 1
    found = _WINDOW.search(text)
    if found is None:
        return 1
    return max(1, min(31, max(int(group) for group in found.groups() if group)))


def _number(pattern: re.Pattern[str], text: str) -> float | None:
    found = pattern.search(text)
    if found is None:
        return None
    return float(next(group for group in found.groups() if group))


def _weights(operator: Operator, text: str, kernel: int, depthwise: bool, dilation: int) -> tuple[float, float]:
    """Relative parameters and weighted layers.

    A separable convolution without dilation is applied twice, a dilated one once (Zoph et al. 2018; Liu et al. 2019).
    """
    if not operator.has_weights or operator.kind in _FREE_KINDS:
        return 0.0, 0.0
    repeats = min(_number(_REPEATS, text) or 1.0, 64.0)
    width = (_number(_CHANNELS, text) or _CHANNEL_REFERENCE) / _CHANNEL_REFERENCE
    scale = repeats * min(max(width, 1 / 64), 64.0) ** 2
    expansion = _number(_EXPANSION, text)
    area = kernel if re.search(r"one-dimensional|\b1-?d\b|temporal", text) else kernel * kernel
    if depthwise and expansion is not None:
        expansion = min(max(expansion, 0.125), 16.0)
        return scale * expansion * (2.0 + area / REFERENCE_WIDTH), 3.0 * repeats
    if depthwise:
        applied = 2.0 if dilation == 1 and operator.kind == "conv" else 1.0
        return scale * applied * (1.0 + area / REFERENCE_WIDTH), applied * repeats
    for pattern, matrices in _MATRICES:
        if re.search(pattern, text):
            share = expansion / 4.0 if expansion is not None and matrices == 8.0 else 1.0
            return scale * matrices * share, (2.0 if matrices >= 4 else 1.0) * repeats
    groups = min(max(_number(_GROUPS, text) or 1.0, 1.0), 64.0)
    return scale * area / groups, repeats


def describe(operators: Iterable[Operator]) -> tuple[Descriptor, ...]:
    """The descriptors of operators, in order."""
    return tuple(Descriptor.of(operator) for operator in operators)


def descriptor_table(descriptors: Iterable[Descriptor]) -> NDArray[np.float32]:
    """(operators, DESCRIPTOR_SIZE) feature table."""
    return np.array([descriptor.numbers() for descriptor in descriptors], dtype=np.float32).reshape(-1, DESCRIPTOR_SIZE)
