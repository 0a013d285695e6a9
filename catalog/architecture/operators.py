"""The operator vocabulary: what every node of a graph can be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

from catalog.architecture import generic_operators
from catalog.architecture.generic_operators import NEEDED
from catalog.architecture.sizes import Size
from catalog.errors import UnknownOperatorError
from catalog.nearest import did_you_mean

KINDS = ("input", "output", "conv", "pool", "skip", "none", "merge", "other")
_PURE = ("pool", "merge", "activation", "reshape")

_WITHOUT_RULES = frozenset({"input", "output", "skip", "none"})


@dataclass(frozen=True)
class Operator:
    """One operator, with the facts that the graph rules and the predictors need.

    Parameters
    ----------
    name
        The benchmark's own word, for example ``nor_conv_3x3``.
    kind
        Family: one of `KINDS` for the built-in operators; a user's own may add families.
    kernel, dilation
        Kernel edge in pixels and dilation; None where the operator has no window, or where `size` has an oblong one.
    depthwise
        Whether each channel is convolved on its own.
    has_weights
        Whether the operator has trainable convolution weights.
    short, medium, long
        Descriptions in the three sentence styles of TG-NAS (Qiao et al. 2024, arXiv 2404.00271), for an encoder of
        sentences alone: no fact is read from them.
    generic
        Which operator of `RULES` it counts as and is built as; None where nobody said it.
    size
        What holds for each node with this operator, unless the node says otherwise: `channels` is a multiple of the
        stage's width.
    """

    name: str
    kind: str
    short: str
    medium: str
    long: str
    kernel: int | None = None
    dilation: int | None = None
    depthwise: bool = False
    has_weights: bool = False
    generic: str | None = None
    size: Size | None = None

    @property
    def counts_as(self) -> str | None:
        """The operator of `RULES` whose rules count and build this one; None where its fields leave it open."""
        if self.generic is not None:
            return self.generic
        found = "depthwise_conv" if self.kind == "conv" and self.depthwise else self.kind
        return found if found in RULES and self.has_weights == RULES[found].has_weights else None

    @cached_property
    def family(self) -> str:
        """The kind whose rules it follows: that of the generic operator, or its own."""
        return self.kind if self.generic is None else RULES[self.generic].kind

    def sized(self, node: Size | None = None) -> Size:
        """What is known of the size of a node: what the node says itself, then what its operator says.

        A node repeats the operator as that is: ``repeats`` of both are multiplied.
        """
        known: dict[str, Any] = {"kernel": self.kernel, "dilation": self.dilation}
        for size in (self.size, node):
            if size is not None:
                known |= {fact: value for fact in _SIZES if (value := getattr(size, fact)) is not None}
        if node is not None and node.repeats and self.size is not None and self.size.repeats:
            known["repeats"] = node.repeats * self.size.repeats
        return Size(**known)

    def at(self, node: Size | None) -> Operator:
        """The operator as one node has it: what the node says of its size is then said of the operator."""
        return self if node is None else replace(self, kernel=None, dilation=None, size=self.sized(node))

    def missing(self, node: Size | None = None) -> str | None:
        """The first field without which nobody can count or build a node; None where all are there."""
        if self.family in _WITHOUT_RULES:
            return None
        generic = self.counts_as
        if generic is None:
            return "weights" if self.kind in RULES else "generic"
        size = self.sized(node)
        return next((fact for fact in NEEDED.get(generic, ()) if getattr(size, fact) is None), None)

    @cached_property
    def is_zero(self) -> bool:
        """Whether the operator's output is zero whatever its input."""
        return self.kind == "none"

    @cached_property
    def is_identity(self) -> bool:
        """Whether the output is the sum of the inputs, unchanged."""
        return not self.has_weights and (self.kind == "skip" or "sum" in (self.name, self.generic))

    @cached_property
    def is_join(self) -> bool:
        """Whether the output is the inputs side by side, along the channels."""
        return "concat" in (self.name, self.generic)

    def changes_nothing(self, size: Size | None) -> bool:
        """Whether an identity, or a join of one input, is one with this size too; of a sum channels are a remark."""
        if size is None:
            return True
        return size.is_free if self.kind == "skip" else replace(size, channels=None).is_free

    @cached_property
    def is_pure(self) -> bool:
        """Whether two of them with equal inputs compute one thing: nothing in them is learned or random.

        Of a kind that is not known for it, ``other`` and any of a user's own, this is not claimed.
        """
        return not self.has_weights and self.family in _PURE


_SIZES = tuple(field.name for field in fields(Size))


def _convolution(name: str, kernel: int) -> Operator:
    size = f"{kernel} by {kernel}"
    return Operator(
        name,
        "conv",
        short=f"Convolution {size}",
        medium=f"Convolution {size} kernel, Batchnorm, ReLU",
        long=(
            f"A two-dimensional convolutional operator with a kernel size of {size} is applied, succeeded by a "
            "batch normalization layer, and followed by a rectified linear layer"
        ),
        kernel=kernel,
        dilation=1,
        has_weights=True,
        generic="conv",
    )


def _pooling(name: str, generic: str) -> Operator:
    how = {"max_pool": "Max", "avg_pool": "Average"}[generic]
    return Operator(
        name,
        "pool",
        short=f"{how} pooling 3 by 3",
        medium=f"{how} pooling 3 by 3 kernel",
        long=f"A {how.lower()} pooling operator with a kernel size 3 by 3",
        kernel=3,
        dilation=1,
        generic=generic,
    )


def _separable(name: str, words: str, kernel: int, dilation: int, repeats: int | None = None) -> Operator:
    """A depthwise convolution and the pointwise one after it; DARTS applies the undilated ones twice."""
    sentence = f"{words} {kernel} by {kernel}"
    return Operator(
        name,
        "conv",
        short=sentence.capitalize(),
        medium=f"{sentence.capitalize()} kernel, Batchnorm, ReLU",
        long=(
            f"A two-dimensional {words} operator with a kernel size of {kernel} by {kernel} is applied, succeeded by "
            "a batch normalization layer, and preceded by a rectified linear layer"
        ),
        kernel=kernel,
        dilation=dilation,
        depthwise=True,
        has_weights=True,
        generic="depthwise_conv",
        size=Size(expansion=1, repeats=repeats),
    )


def _plain(name: str, kind: str, short: str, long: str | None = None, *, generic: str | None = None) -> Operator:
    return Operator(name, kind, short=short, medium=short, long=long or short, generic=generic)


_SKIP = "Residual connection"
_SKIP_MEDIUM = "Identity mapping to the next layer"
_SKIP_LONG = "A residual connection operator that adding identity mapping to the next layer"

BUILT_IN: tuple[Operator, ...] = (
    _plain("input", "input", "Input", "Input operator"),
    _plain("output", "output", "Output", "Output operator"),
    _convolution("conv3x3", 3),
    _convolution("conv1x1", 1),
    _pooling("maxpool3x3", "max_pool"),
    Operator("none", "none", short="None", medium="Doing nothing", long="A none operator that does nothing"),
    Operator("skip_connect", "skip", short=_SKIP, medium=_SKIP_MEDIUM, long=_SKIP_LONG),
    _convolution("nor_conv_1x1", 1),
    _convolution("nor_conv_3x3", 3),
    _pooling("avg_pool_3x3", "avg_pool"),
    _plain("input_0", "input", "Input", "Input operator"),
    _plain("input_1", "input", "Input", "Input operator"),
    _pooling("max_pool_3x3", "max_pool"),
    _separable("sep_conv_3x3", "depth-wise separable convolution", 3, 1, repeats=2),
    _separable("sep_conv_5x5", "depth-wise separable convolution", 5, 1, repeats=2),
    _separable("dil_conv_3x3", "dilated convolution", 3, 2),
    _separable("dil_conv_5x5", "dilated convolution", 5, 2),
    Operator(
        "factorized_reduce",
        "skip",
        short="Residual connection that halves the resolution",
        medium="Residual connection that halves the resolution",
        long="A residual connection operator that halves the resolution with two shifted convolutions 1 by 1",
        has_weights=True,
        size=Size(stride=2),
    ),
    _plain("sum", "merge", "Addition", "An addition operator that sums its inputs", generic="sum"),
    _plain(
        "concat",
        "merge",
        "Concatenation",
        "A concatenation operator that joins its inputs along the channels",
        generic="concat",
    ),
)
"""The operators of the built-in spaces, and how the canonical form calls what it makes of them."""


GENERIC: tuple[Operator, ...] = tuple(
    Operator(
        one.name,
        one.kind,
        short=one.short,
        medium=one.short,
        long=one.long,
        depthwise=one.depthwise,
        has_weights=one.has_weights,
        generic=one.name,
    )
    for one in generic_operators.EVERY
)
"""Operators that say nothing of their size: each node that carries one says it."""

RULES: Mapping[str, Operator] = MappingProxyType(
    {operator.name: operator for operator in (*GENERIC, *BUILT_IN) if operator.generic == operator.name}
)
"""The operators by whose rules others are counted and built: the generic ones, ``sum`` and ``concat``."""

SHARED: tuple[Operator, ...] = (*BUILT_IN, *GENERIC)
"""The operators that need no description: those of the built-in spaces, and those that all other spaces have too."""


_SIZE_FOLLOWS = "\0"


def label(operator: str, size: Size | None) -> str:
    """An operator's name, with the size of the node that carries it where one is given."""
    return operator if size is None else f"{operator}{_SIZE_FOLLOWS}{size.text}"


class Vocabulary:
    """An immutable set of operators by name; iteration gives the operators in insertion order."""

    def __init__(self, operators: Iterable[Operator] = BUILT_IN) -> None:
        self._operators = MappingProxyType({operator.name: operator for operator in operators})

    def __getitem__(self, name: str) -> Operator:
        """The operator of a name, or of a `label` that says a size too."""
        if (found := self._operators.get(name)) is not None:
            return found
        bare, _, size = name.partition(_SIZE_FOLLOWS)
        try:
            operator = self._operators[bare]
            return operator.at(Size.from_text(size)) if size else operator
        except KeyError:
            raise UnknownOperatorError(
                f"unknown operator {name!r}; known operators: {', '.join(self._operators)}. "
                f"{did_you_mean(name, self._operators)}".rstrip()
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._operators

    def __iter__(self) -> Iterator[Operator]:
        return iter(self._operators.values())

    def __len__(self) -> int:
        return len(self._operators)

    def __repr__(self) -> str:
        return f"Vocabulary({len(self)} operators)"

    def __reduce__(self) -> tuple[type[Vocabulary], tuple[tuple[Operator, ...]]]:
        return Vocabulary, (tuple(self),)  # so that a graph can be handed to another process

    def extended(self, operators: Iterable[Operator]) -> Vocabulary:
        """A vocabulary with `operators` added; a name that exists is replaced."""
        return Vocabulary([*self._operators.values(), *operators])

    def named(self, word: str) -> tuple[str, ...]:
        """The operators that a user means by `word`: an exact name, or the same operator under another name.

        ``conv3x3`` also means NAS-Bench-201's ``nor_conv_3x3``, and ``input`` means both inputs of a DARTS cell:
        operators of the same kind, window and description are one operator to the reader of a graph.
        """
        meant = self[word]
        return tuple(
            name
            for name, other in self._operators.items()
            if name == word
            or (other.kind, other.kernel, other.dilation, other.depthwise, other.short)
            == (meant.kind, meant.kernel, meant.dilation, meant.depthwise, meant.short)
        )

    def of_kind(self, kind: str) -> tuple[str, ...]:
        """The names of the operators of one kind, in insertion order."""
        return tuple(name for name, operator in self._operators.items() if operator.kind == kind)


VOCABULARY = Vocabulary()
"""What the operator names of the built-in cell spaces mean."""

SIZED_VOCABULARY = Vocabulary(SHARED)
"""What operator names mean in a space whose nodes can have sizes, before it brings operators of its own."""
