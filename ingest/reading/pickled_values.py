"""The names that a benchmark's pickle may mention, and the harmless values that stand for them here.

Nothing is imported by a name from a file: a name is looked up in `ALLOWED`, and what it builds is made by the
functions below from arguments that they check.
"""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMBER_TYPES = ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8")


class UnbuildableError(Exception):
    """Arguments from which an allowed name makes no value."""


@dataclass(frozen=True)
class Global:
    """An allowed name; calling it from a pickle runs `build` with the pickle's arguments.

    Parameters
    ----------
    name
        ``module.attribute`` as the pickle says it.
    build
        Makes the value; None for a name that may only be mentioned.
    """

    name: str
    build: Callable[[tuple[Any, ...]], Any] | None = None


class Buildable:
    """A value that a pickle completes with a state after making it."""

    def restore(self, state: Any) -> None:
        """Take the state, or raise `UnbuildableError`."""
        raise NotImplementedError


class Fields(dict[Any, Any], Buildable):
    """An instance of one of the benchmarks' own classes: its attributes, and none of its code."""

    def restore(self, state: Any) -> None:
        if type(state) is not dict or not all(type(name) is str for name in state):
            raise UnbuildableError(f"attributes are {described(state)} instead of a dictionary")
        self.update(state)


class NumpyType(Buildable):
    """A numpy number type, by its two-character code and byte order."""

    def __init__(self, code: str) -> None:
        self.type: np.dtype[Any] = np.dtype(code)

    def restore(self, state: Any) -> None:
        order = state[1] if type(state) is tuple and len(state) > 1 else None
        if order not in ("<", ">", "|", "="):
            raise UnbuildableError(f"a number type has the state {described(state)}")
        self.type = self.type.newbyteorder(order)


class NumpyArray(Buildable):
    """A numpy array of numbers; `values` holds it once it is restored."""

    def __init__(self) -> None:
        self.values: NDArray[Any] = np.zeros(0)

    def restore(self, state: Any) -> None:
        match state:
            case (int(), tuple() as shape, NumpyType(type=kind), fortran, bytes() as raw):
                pass
            case _:
                raise UnbuildableError(f"an array has the state {described(state)}")
        if not all(type(size) is int and 0 <= size <= len(raw) for size in shape) or len(shape) > 32:
            raise UnbuildableError(f"an array has the shape {described(shape)}")
        count = len(raw) // kind.itemsize
        if count * kind.itemsize != len(raw) or _product(shape) != count:
            raise UnbuildableError(f"an array of shape {described(shape)} has {len(raw)} bytes")
        self.values = np.frombuffer(raw, dtype=kind).reshape(shape, order="F" if fortran else "C")


def _product(sizes: tuple[int, ...]) -> int:
    product = 1
    for size in sizes:
        product *= size
    return product


def described(value: Any) -> str:
    """A value for a message: short, whatever it holds."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"an integer of {value.bit_length()} bits"
    if isinstance(value, Fields):
        return f"a record of {len(value)} attributes"
    return _SHORT.repr(value)


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60
_SHORT.maxlevel = 2


def _dictionary(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if arguments:
        raise UnbuildableError(f"a dictionary is made from {described(arguments)}")
    return {}


def _list(arguments: tuple[Any, ...]) -> list[Any]:
    match arguments:
        case ():
            return []
        case (list() | tuple() as values,):
            return list(values)
    raise UnbuildableError(f"a list is made from {described(arguments)}")


def _hashable(arguments: tuple[Any, ...]) -> list[Any]:
    values = _list(arguments)
    if not all(isinstance(value, str | int | float | None) for value in values):
        raise UnbuildableError("a set holds something else than numbers and texts")
    return values


def _bytes(arguments: tuple[Any, ...]) -> bytes:
    """Bytes as protocol 2 writes them: text in Latin-1."""
    match arguments:
        case () | ("",):
            return b""
        case (str() as text, "latin1" | "latin-1"):
            try:
                return text.encode("latin1")
            except UnicodeEncodeError:
                raise UnbuildableError("bytes are written as a text that is no Latin-1") from None
    raise UnbuildableError(f"bytes are made from {described(arguments)}")


def _number_type(arguments: tuple[Any, ...]) -> NumpyType:
    if not arguments or arguments[0] not in _NUMBER_TYPES:
        raise UnbuildableError(f"the number type {described(arguments)} is none of {', '.join(_NUMBER_TYPES)}")
    return NumpyType(arguments[0])


def _scalar(arguments: tuple[Any, ...]) -> float | int | bool:
    match arguments:
        case (NumpyType(type=kind), bytes() as raw) if len(raw) == kind.itemsize:
            value: float | int | bool = np.frombuffer(raw, dtype=kind)[0].item()
            return value
    raise UnbuildableError(f"a numpy number is made from {described(arguments)}")


def _array(_: tuple[Any, ...]) -> NumpyArray:
    return NumpyArray()


def _fields(_: tuple[Any, ...]) -> Fields:
    return Fields()


def _defaulting(arguments: tuple[Any, ...]) -> dict[Any, Any]:
    if len(arguments) > 1 or not all(isinstance(factory, Global) for factory in arguments):
        raise UnbuildableError(f"a dictionary with a default is made from {described(arguments)}")
    return {}


_BUILDERS: dict[tuple[str, ...], Callable[[tuple[Any, ...]], Any] | None] = {
    ("collections.OrderedDict", "builtins.dict", "__builtin__.dict"): _dictionary,
    ("collections.defaultdict",): _defaulting,
    ("builtins.list", "__builtin__.list"): _list,
    ("builtins.tuple", "__builtin__.tuple"): lambda arguments: tuple(_list(arguments)),
    ("builtins.set", "__builtin__.set"): lambda arguments: set(_hashable(arguments)),
    ("builtins.frozenset", "__builtin__.frozenset"): lambda arguments: frozenset(_hashable(arguments)),
    ("builtins.bytes", "__builtin__.bytes", "_codecs.encode"): _bytes,
    ("builtins.int", "__builtin__.int", "builtins.float", "__builtin__.float"): None,
    ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar"): _scalar,
    ("numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"): _array,
    ("numpy.dtype",): _number_type,
    ("numpy.ndarray",): None,
    (
        "nas_201_api.api_utils.ArchResults",
        "nas_201_api.api_utils.ResultsCount",
        "nats_bench.api_utils.ArchResults",
        "nats_bench.api_utils.ResultsCount",
    ): _fields,
}

ALLOWED: Mapping[str, Global] = {name: Global(name, build) for names, build in _BUILDERS.items() for name in names}
"""Names by ``module.attribute``: plain containers, numpy's numbers and arrays, NAS-Bench-201's two record classes."""
