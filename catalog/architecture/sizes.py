"""How large a node is: what a source says of one node beyond its operator, and of the network's input and head."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

from catalog.errors import GraphError

Window = int | tuple[int, int]
"""One edge for both directions, or height and width."""

CELLS = "cells"
"""The field of a stored input that lists the network's cells in the order in which data passes them."""

REFERENCE_CHANNELS = 64
"""Channels of a whole network that count as the width of a cell."""

LARGEST = 2**31 - 1
"""Of what has a size: an edge, a number of channels, a window."""

LARGEST_COUNT = 2**60
"""Of parameters, and of multiply-accumulates."""

_LONGEST_WORD = 60


@dataclass(frozen=True)
class Size:
    """What a source says of the size of one node; None where it says nothing.

    Parameters
    ----------
    channels
        Of the output: a number of channels in a whole network, a multiple of the stage's width in a cell space.
    kernel, stride, dilation
        Of a window.
    padding
        Pixels added on each side; without it a window keeps the resolution, divided by the stride and rounded up.
    groups
        Of a convolution.
    expansion
        Inner channels of a block as a multiple of its input's.
    heads
        Of an attention.
    mlp_ratio
        Inner width of an MLP as a multiple of its input's.
    repeats
        How many times the operator is applied in a row, each time with the same size.
    squeeze
        Inner width of squeeze-and-excitation as a multiple of the block's input channels.
    norm, activation, bias
        Whether these belong to the operator; a word says which normalisation or activation it is.
    params, macs
        Trainable parameters and multiply-accumulates of one application, where the source counts them.
    """

    channels: int | float | None = None
    kernel: Window | None = None
    stride: Window | None = None
    dilation: int | None = None
    padding: Window | None = None
    groups: int | None = None
    expansion: int | float | None = None
    heads: int | None = None
    mlp_ratio: int | float | None = None
    repeats: int | None = None
    squeeze: int | float | None = None
    norm: bool | str | None = None
    activation: bool | str | None = None
    bias: bool | None = None
    params: int | None = None
    macs: int | None = None

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Worked out once: sizes are shared by many nodes, and what follows from them is looked up by them."""
        return hash(tuple(getattr(self, name) for name in FIELDS))

    @cached_property
    def text(self) -> str:
        """Canonical JSON of what is said."""
        said = {name: value for name in FIELDS if (value := getattr(self, name)) is not None}
        return json.dumps(said, separators=(",", ":"))

    @property
    def numbers(self) -> tuple[float, ...]:
        """What is said of each of `NUMBERS`, NaN where nothing is; of a window its longer edge."""
        said = (getattr(self, name) for name in NUMBERS)
        return tuple(
            math.nan if value is None else float(max(value)) if isinstance(value, tuple) else float(value)
            for value in said
        )

    @property
    def words(self) -> str:
        """For a drawing: ``64 channels, kernel 3, stride 2``."""
        told = []
        for name, value in json.loads(self.text).items():
            shown = "x".join(map(str, value)) if isinstance(value, list) else str(value)
            if isinstance(value, bool):
                told.append(name if value else f"no {name}")
            else:
                told.append(f"{shown} {name}" if name in _COUNTED else f"{name} {shown}")
        return ", ".join(told)

    def relative(self) -> Size:
        """The same with channels as a multiple of `REFERENCE_CHANNELS`, for whoever reads a whole network as a cell."""
        return self if self.channels is None else replace(self, channels=self.channels / REFERENCE_CHANNELS)

    @property
    def is_plain(self) -> bool:
        """Whether it says nothing but repeats and costs."""
        return all(getattr(self, name) in (None, False) for name in FIELDS if name not in ("repeats", *_COUNTS))

    @property
    def is_free(self) -> bool:
        """Whether it says nothing but repeats, and no costs."""
        return self.is_plain and not self.params and not self.macs

    @property
    def has_weights(self) -> bool:
        """Whether the size says that the node learns something, whatever its operator."""
        return bool(self.params or self.norm or self.bias or self.activation == "prelu")

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Size:
        """Check what a source says; null, and a stride, dilation, group or repeat of 1, count as not said.

        Raises
        ------
        GraphError
            An unknown field, or a value that no operator can have; the message names the field, the value and what is
            allowed.
        """
        return _checked(json.dumps(said, sort_keys=True)) if len(said) else cls()

    @classmethod
    def from_text(cls, text: str) -> Size:
        """The size that `text` is the canonical JSON of.

        Raises
        ------
        GraphError
            It is none.
        """
        return _checked(text)


FIELDS = tuple(field.name for field in fields(Size))
"""Names of the fields of a node, besides ``op``."""

NUMBERS = tuple(name for name in FIELDS if name not in ("norm", "activation", "bias"))
"""The fields that are numbers."""

_ONE_BY_DEFAULT = frozenset({"stride", "dilation", "groups", "repeats"})
_WINDOWS = {"kernel": 1, "stride": 1, "padding": 0}
_WHOLE = {"dilation": 1, "groups": 1, "heads": 1, "repeats": 1}
_RATIOS = ("channels", "expansion", "mlp_ratio", "squeeze")
_COUNTS = ("params", "macs")
_WORDS = ("norm", "activation")
_COUNTED = frozenset({"channels", "groups", "heads", "repeats", "params", "macs"})


@lru_cache(maxsize=65536)
def _checked(text: str) -> Size:
    """One object for each thing that can be said, however many nodes say it."""
    said: dict[str, Any] = {}
    for name, value in _object(text).items():
        if name not in FIELDS:
            raise GraphError(f"unknown field {name!r:.80} of a node; known are op, {', '.join(FIELDS)}.")
        if value is not None and not ((checked := _value(name, value)) == 1 and name in _ONE_BY_DEFAULT):
            said[name] = checked
    return Size(**said)


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise GraphError(f"{text!r:.120} is no JSON object.")
    return found


def _value(name: str, value: Any) -> Any:
    if name in _WINDOWS:
        return _window(name, value, _WINDOWS[name])
    if name in _WHOLE:
        if not _is_whole(value) or not _WHOLE[name] <= value <= LARGEST:
            raise _wrong(name, value, f"a whole number from {_WHOLE[name]} on")
        return value
    if name in _RATIOS:
        if not _is_number(value) or not 0 < value <= LARGEST:
            raise _wrong(name, value, "a positive number")
        return int(value) if value == int(value) else value
    if name in _COUNTS:
        if not _is_whole(value) or not 0 <= value <= LARGEST_COUNT:
            raise _wrong(name, value, "a whole number from 0 on")
        return value
    if isinstance(value, bool):
        return value
    if name in _WORDS and isinstance(value, str) and value.isidentifier() and len(value) <= _LONGEST_WORD:
        return value
    raise _wrong(name, value, "true, false" + (" or a word" if name in _WORDS else ""))


def _window(name: str, value: Any, least: int) -> Window:
    if _is_whole(value) and least <= value <= LARGEST:
        return int(value)
    if (
        isinstance(value, list)
        and len(value) == 2
        and all(_is_whole(edge) and least <= edge <= LARGEST for edge in value)
    ):
        height, width = value
        return height if height == width else (height, width)
    raise _wrong(name, value, f"a whole number from {least} on, or two of them, height and width,")


def _is_whole(value: Any) -> bool:
    return type(value) is int


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and math.isfinite(value))


def _wrong(name: str, value: Any, allowed: str) -> GraphError:
    return GraphError(f"{name} is {value!r:.80}; {allowed} is needed.")


def pair(window: Window) -> tuple[int, int]:
    """Height and width of a window."""
    return window if isinstance(window, tuple) else (window, window)


@dataclass(frozen=True)
class NetworkInput:
    """What a whole network takes: one image, or a sequence.

    Parameters
    ----------
    shape
        Channels, height and width of an image.
    tokens, channels
        Length of a sequence, and the width of each of its members.
    vocabulary
        Number of different tokens, where the look-up of their vectors counts among the parameters.
    """

    shape: tuple[int, int, int] | None = None
    tokens: int | None = None
    channels: int | None = None
    vocabulary: int | None = None

    @cached_property
    def text(self) -> str:
        """Canonical JSON of what is said."""
        said = {field.name: getattr(self, field.name) for field in fields(self)}
        return json.dumps({name: value for name, value in said.items() if value is not None}, separators=(",", ":"))

    @property
    def words(self) -> str:
        """For a drawing: ``images of 3x32x32``."""
        if self.shape is not None:
            return f"images of {'x'.join(map(str, self.shape))}"
        told = f"{self.tokens:,} tokens of {self.channels:,} channels"
        return told if self.vocabulary is None else f"{told} from {self.vocabulary:,} words"

    @classmethod
    def of(cls, said: Any) -> NetworkInput:
        """Check what a source says: ``{"shape": [3, 32, 32]}`` or ``{"tokens": 128, "channels": 256}``.

        Raises
        ------
        GraphError
            It is neither; the message names the field and what is allowed.
        """
        if isinstance(said, Mapping) and set(said) == {"shape"}:
            shape = said["shape"]
            if isinstance(shape, list) and len(shape) == 3 and all(_is_size(edge) for edge in shape):
                return _input(shape=(shape[0], shape[1], shape[2]))
            raise GraphError(f"shape of the input is {shape!r:.80}; channels, height and width are needed.")
        if isinstance(said, Mapping) and {"tokens", "channels"} <= set(said) <= {"tokens", "channels", "vocabulary"}:
            wrong = next((name for name, value in said.items() if not _is_size(value)), None)
            if wrong is None:
                return _input(**said)
            raise GraphError(f"{wrong} of the input is {said[wrong]!r:.80}; a whole number from 1 on is needed.")
        raise GraphError(
            f'input is {said!r:.120}; {{"shape": [channels, height, width]}} or {{"tokens": ..., "channels": ...}}, '
            'optionally with "vocabulary", is needed.'
        )

    @classmethod
    def from_text(cls, text: str) -> NetworkInput:
        """The input that `text` is the canonical JSON of; raises as `of`."""
        return cls.of(_object(text))

    @classmethod
    def with_cells(cls, text: str) -> tuple[list[str], NetworkInput]:
        """`ArchitectureGraph.input_text`: the order of the cells, empty where it is that of their names, and the input.

        Raises as `of`.
        """
        said = _object(text)
        order = said.pop(CELLS, [])
        return (order if isinstance(order, list) else []), cls.of(said)


@lru_cache(maxsize=1024)
def _input(**said: Any) -> NetworkInput:
    """One object for all networks that take the same."""
    return NetworkInput(**said)


def _is_size(value: Any) -> bool:
    return _is_whole(value) and 0 < value <= LARGEST


def classes_of(said: Any) -> int:
    """The number of classes that a head ``{"classes": 10}`` has.

    Raises
    ------
    GraphError
        It is no such object.
    """
    if isinstance(said, Mapping) and set(said) == {"classes"} and _is_size(said["classes"]):
        return int(said["classes"])
    raise GraphError(f'head is {said!r:.120}; {{"classes": 10}}, with a whole number from 1 on, is needed.')
