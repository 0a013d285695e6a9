"""A user's own PyTorch module, by the name of what makes it. Importing it runs the user's code."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import MissingExtraError, UsageError
from catalog.user_code import load, reported

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

_INPUT = re.compile(r"(\d{1,9}(?:x\d{1,9})*)(?::(\w+))?")
_TYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "bool")
_MOST_ELEMENTS = 2**28


def load_module(target: str, arguments: Mapping[str, Any], folder: Path | None = None) -> Module:
    """Import a Python module and get a PyTorch module from it; this runs the user's code.

    Parameters
    ----------
    target
        ``MODULE:callable``: a class or function that makes the module, or the module itself.
    arguments
        What to call it with.
    folder
        Where to look for `MODULE` first.

    Raises
    ------
    UserCodeError
        The user's code fails.
    UsageError
        There is no such module or callable, or it makes something else.
    """
    nn = _torch().nn
    made = load(target, folder)
    if not isinstance(made, nn.Module) and callable(made):
        with reported(target):
            made = made(**arguments)
    if not isinstance(made, nn.Module):
        raise UsageError(f"{target} gives a {type(made).__name__}; a torch.nn.Module is needed.")
    module: Module = made
    return module


def parse_arguments(words: Sequence[str]) -> dict[str, Any]:
    """``NAME=VALUE`` words as arguments: values are Python literals, or else texts.

    Raises
    ------
    UsageError
        A word has another form.
    """
    arguments: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name.isidentifier():
            raise UsageError(f"the argument {word!r} has not the form NAME=VALUE, for example width=64.")
        try:
            arguments[name] = ast.literal_eval(value)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            arguments[name] = value
    return arguments


def parse_shape(word: str) -> tuple[tuple[int, ...], str]:
    """``1x3x32x32``, or ``1x16:int64`` for another number type: the shape and the type's name.

    Raises
    ------
    UsageError
        The text has another form, or names an unreasonable size.
    """
    match = _INPUT.fullmatch(word)
    if match is None or (match[2] or "float32") not in _TYPES:
        raise UsageError(
            f"the input {word!r} is no shape; give sizes, batch first, such as 1x3x32x32, or 1x16:int64 with one of "
            f"{', '.join(_TYPES)}."
        )
    shape = tuple(int(size) for size in match[1].split("x"))
    elements = 1
    for size in shape:
        elements *= size
    if not 0 < elements <= _MOST_ELEMENTS:
        raise UsageError(f"the input {word!r} has {elements:,} elements; 1 to {_MOST_ELEMENTS:,} are possible.")
    return shape, match[2] or "float32"


def example_inputs(words: Sequence[str]) -> list[Tensor]:
    """Zeros of the shapes that `parse_shape` reads."""
    torch = _torch()
    return [torch.zeros(shape, dtype=getattr(torch, kind)) for shape, kind in map(parse_shape, words)]


def _torch() -> Any:
    try:
        import torch
    except ImportError:
        raise MissingExtraError(
            "tracing a module needs PyTorch; install it with `pip install 'nas-catalog[predict]'`."
        ) from None
    return torch
