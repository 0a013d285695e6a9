"""The cells of NDS's families besides DARTS: NASNet, AmoebaNet, PNAS and ENAS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import Operator
from catalog.architecture.sizes import Size
from catalog.errors import IdentifierError
from catalog.spaces.darts import genotype_cell
from catalog.spaces.genotype import Genotype, Rules, checked
from catalog.spaces.own import OwnSpace

NODES = 5
"""Intermediate nodes of a cell; their numbers are 2 to 6, after the two inputs 0 and 1."""

FAMILIES: Mapping[str, tuple[str, ...]] = {
    "nasnet": (
        "skip_connect", "conv_3x1_1x3", "conv_7x1_1x7", "dil_conv_3x3", "avg_pool_3x3", "max_pool_3x3", "max_pool_5x5",
        "max_pool_7x7", "conv_1x1", "conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7",
    ),
    "amoeba": (
        "skip_connect", "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "avg_pool_3x3", "max_pool_3x3",
        "dil_sep_conv_3x3", "conv_7x1_1x7",
    ),
    "pnas": (
        "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "conv_7x1_1x7", "skip_connect", "avg_pool_3x3", "max_pool_3x3",
        "dil_conv_3x3",
    ),
    "enas": ("skip_connect", "sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "max_pool_3x3"),
}  # fmt: skip
"""The operators of each family, after Radosavovic et al., "On network design spaces for visual recognition", 2019
(arXiv 1905.13214); a cell has five nodes of two inputs."""


def _convolution(name: str, words: str, kernel: int | None, **facts: Any) -> Operator:
    return Operator(
        name,
        "conv",
        short=words,
        medium=f"{words}, Batchnorm, ReLU",
        long=f"A {words[0].lower()}{words[1:]} is applied, succeeded by a batch normalization layer",
        kernel=kernel,
        has_weights=True,
        **facts,
    )


def _max_pool(kernel: int) -> Operator:
    words = f"Max pooling {kernel} by {kernel}"
    return Operator(
        f"max_pool_{kernel}x{kernel}",
        "pool",
        short=words,
        medium=f"{words} kernel",
        long=f"A max pooling operator with a kernel size {kernel} by {kernel}",
        kernel=kernel,
        dilation=1,
        generic="max_pool",
    )


_SEPARABLE: dict[str, Any] = {"depthwise": True, "generic": "depthwise_conv", "size": Size(expansion=1, repeats=2)}

OPERATORS = (
    _convolution("conv_1x1", "Convolution 1 by 1", 1, dilation=1, generic="conv"),
    _convolution("conv_3x3", "Convolution 3 by 3", 3, dilation=1, generic="conv"),
    _convolution("conv_3x1_1x3", "Convolution 1 by 3 and then 3 by 1", None),
    _convolution("conv_7x1_1x7", "Convolution 1 by 7 and then 7 by 1", None),
    _convolution("sep_conv_7x7", "Depth-wise separable convolution 7 by 7", 7, dilation=1, **_SEPARABLE),
    _convolution("dil_sep_conv_3x3", "Dilated depth-wise separable convolution 3 by 3", 3, dilation=2, **_SEPARABLE),
    _max_pool(5),
    _max_pool(7),
)
"""Those that no built-in space has. Two oblong convolutions have no single window: they cannot be counted or built."""

_RULES = {family: Rules(family, tuple(range(2, 2 + NODES)), (), operators) for family, operators in FAMILIES.items()}


def space_of(family: str) -> OwnSpace:
    """The space of a family's cells: a list of the architectures that were read, without a rule to draw from it."""
    own = tuple(operator for operator in OPERATORS if operator.name in FAMILIES[family])
    return OwnSpace(f"nds_{family}", own, f"NDS: normal and reduction cells of the family {family}, 5 nodes each")


def parse(identifier: object, family: str) -> Genotype:
    """The genotype that a record of NDS has.

    Raises
    ------
    IdentifierError
        It is none of the family.
    """
    if not isinstance(identifier, Mapping):
        raise IdentifierError(f"{identifier!r:.80} is no genotype of {family}: an object with four fields is needed.")
    return checked(identifier, _RULES[family])


def graph_of(genotype: Genotype, space: OwnSpace) -> ArchitectureGraph:
    """The native graph: a cell ``normal`` and a cell ``reduce``, as DARTS has them."""
    cells = (
        genotype_cell("normal", genotype.normal, genotype.normal_concat),
        genotype_cell("reduce", genotype.reduce, genotype.reduce_concat),
    )
    return ArchitectureGraph(space.name, cells, space.vocabulary)
