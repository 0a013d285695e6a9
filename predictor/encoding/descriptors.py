"""What an operator costs and does, in numbers, from its fields alone.

A field that nobody gave counts as 1: a kernel, dilation or repeat of 1, one group, the width of the stage, an inner
width that is the outer one. So an operator with weights of which no more is known weighs as much as a 1x1 convolution.
Sentences are for the encoder; no number is read from them, nor from a name.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.operators import Operator
from catalog.architecture.sizes import Size

REFERENCE_WIDTH = 32
"""Channels at which a depthwise window is weighed against a dense one: its share is kernel^2 / channels."""

_ATTENTION_MATRICES = 4.0  # query, key, value, output: each width x width, as everywhere without biases and norms
_FREE = frozenset({"input", "output", "none", "merge", "pool"})
_WITHOUT_WINDOW = frozenset({"input", "output", "none", "merge", "skip"})


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
    def of(cls, operator: Operator, size: Size | None = None, *, width: float = 1.0) -> Descriptor:
        """Describe an operator, or one node with it.

        Parameters
        ----------
        size
            What the node says itself; it goes before what its operator says.
        width
            How many of the size's channels are one width: 1 in a cell, where they are multiples of the stage's width.
        """
        said = operator.sized(size)
        family, generic = operator.family, operator.counts_as
        height, breadth = _window(said) if family not in _WITHOUT_WINDOW else (1, 1)
        dilation = said.dilation or 1
        depthwise = operator.depthwise or generic == "depthwise_conv"
        parameters, layers = 0.0, 0.0
        if operator.has_weights and family not in _FREE:
            one, layers = _weights(generic, said, height * breadth, depthwise=depthwise)
            repeats, scale = said.repeats or 1, (said.channels or width) / width
            parameters, layers = one * repeats * scale**2, layers * repeats
        return cls(
            parameters=parameters,
            layers=layers,
            window=1.0 + dilation * (max(height, breadth) - 1),
            is_pool=family == "pool",
            is_mean=generic == "avg_pool",
            is_merge=family == "merge",
            is_join=generic == "concat",
            is_end=family in ("input", "output"),
            is_skip=family == "skip",
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


def _window(said: Size) -> tuple[int, int]:
    """Height and width of the window."""
    kernel = said.kernel or 1
    return kernel if isinstance(kernel, tuple) else (kernel, kernel)


def _weights(generic: str | None, said: Size, area: int, *, depthwise: bool) -> tuple[float, float]:
    """Relative parameters and weighted layers of one application at the stage's width.

    A depthwise convolution with its pointwise one counts as one layer, an inverted residual as three.
    """
    expansion = said.expansion
    inner = 1.0 if expansion is None else float(expansion)
    squeezing = 2.0 * inner * (said.squeeze or 0.0)
    if generic == "attention":
        return _ATTENTION_MATRICES * inner, 2.0
    if generic == "mlp":
        return 2.0 * (said.mlp_ratio or 1.0), 2.0
    if depthwise:
        window = area / REFERENCE_WIDTH
        if expansion is None:
            return window + squeezing, 1.0
        if expansion == 1:
            return 1.0 + window + squeezing, 1.0
        return inner * (2.0 + window) + squeezing, 3.0
    dense = area / (said.groups or 1)
    if expansion is None:
        return dense + squeezing, 1.0
    return inner * (dense + 1.0) + squeezing, 2.0


def describe(operators: Iterable[Operator]) -> tuple[Descriptor, ...]:
    """The descriptors of operators, in order."""
    return tuple(Descriptor.of(operator) for operator in operators)


def descriptor_table(descriptors: Iterable[Descriptor]) -> NDArray[np.float32]:
    """(operators, DESCRIPTOR_SIZE) feature table."""
    return np.array([descriptor.numbers() for descriptor in descriptors], dtype=np.float32).reshape(-1, DESCRIPTOR_SIZE)
