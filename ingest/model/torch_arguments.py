"""The arguments of a PyTorch call by their names, and what PyTorch's modules leave out of their own description."""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from catalog.architecture.computation.vocabulary import bare_word, word_of
from ingest.model.operands import Arguments

_WHERE = ("inplace", "out")  # arguments that say where a result lies, not what it is
_INPLACE = re.compile(r"(?:, )?\binplace=(?:True|False)")
_SEVERAL = {
    "permute": ("permute",),
    "slice": ("getitem", "slice"),
    "split": ("split",),
    "pad": ("pad", "constantpad1d", "constantpad2d", "constantpad3d"),
    "expand": ("expand",),
    "resize": ("interpolate", "upsample"),
    "rnn": ("rnn",),
    "rnn_cell": ("rnncell",),
}
"""Words that stand for functions of several meanings, and the names that mean what the word says."""

_MOST_LOOKED_AT = 2**20  # elements of a constant tensor
_PLAIN = (bool, int, float, str, type(None))
_UNSAID = {"nonlinearity": "tanh"}  # what no signature shows, and its default


def arguments_of(target: Any, positional: Sequence[Any], named: Mapping[str, Any]) -> Arguments:
    """The arguments in the order of the function's signature, without those that are as they are by default.

    Where no signature is known (a module is called: the target None) they come as they are given. ``rsub`` takes what
    it subtracts first: its first two arguments change places.
    """
    given = {name: value for name, value in named.items() if name not in _WHERE}
    found = _bound(target, positional, given)
    if found is None:
        found = [*(("", value) for value in positional), *sorted(given.items())]
    if bare_word(_name(target)) == "rsub" and len(found) > 1:
        (_, subtracted), (_, other), *rest = found
        found = [("", other), ("", subtracted), *rest]
    return found


def _name(target: Any) -> str:
    target = getattr(target, "overloadpacket", target)
    return target if isinstance(target, str) else str(getattr(target, "__name__", ""))


def _bound(target: Any, positional: Sequence[Any], named: Mapping[str, Any]) -> list[tuple[str, Any]] | None:
    try:
        signature, exact = _signature(target)
        if signature is None:
            return None
        bound = signature.bind(*positional, **named)
    except (TypeError, ValueError):  # the arguments fit another overload, or one of them is called `from`
        return None
    found = []
    for name, value in bound.arguments.items():
        parameter = signature.parameters[name]
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            return None
        default = parameter.default if exact else None
        if name not in _WHERE and not _equal(value, default):
            found.append((name, value))
    return found


def _signature(target: Any) -> tuple[inspect.Signature | None, bool]:
    """The signature of a function or of a tensor's method, and whether its defaults are to be believed."""
    schema = getattr(target, "_schema", None)
    if schema is not None:
        kinds = inspect.Parameter
        parameters = [
            kinds(
                "input" if argument.name == "self" else argument.name,
                kinds.KEYWORD_ONLY if argument.kwarg_only else kinds.POSITIONAL_OR_KEYWORD,
                default=argument.default_value if argument.has_default_value() else kinds.empty,
            )
            for argument in schema.arguments
        ]
        return inspect.Signature(parameters), True
    if inspect.isfunction(target):
        return inspect.signature(target), True
    method: Any = getattr(torch.Tensor, target, None) if isinstance(target, str) else target
    known = torch.overrides.get_testing_overrides()
    return (inspect.signature(known[method]), False) if _is_among(method, known) else (None, False)


def _is_among(value: Any, known: Mapping[Any, Any]) -> bool:
    try:
        return value in known
    except TypeError:
        return False


def _equal(value: Any, default: Any) -> bool:
    """Whether an argument is its default: of one type and value, so that True is not 1."""
    return type(value) is type(default) and isinstance(value, (*_PLAIN, torch.dtype)) and value == default


def told_apart(name: str, settings: str) -> str:
    """Settings with the function's own name, where the catalog's word for it stands for several."""
    bare = bare_word(name)
    word = word_of(bare)
    return settings if bare in _SEVERAL.get(word, (bare,)) else f"{bare}({settings})"


def settings_of(module: nn.Module) -> str:
    """What a module says of itself, and what it leaves out of that and is not as by default."""
    said = _INPLACE.sub("", module.extra_repr())
    words = [said] if said else []
    for name, default in {**_defaults(type(module)), **_UNSAID}.items():
        value = getattr(module, name, default)
        required = default is inspect.Parameter.empty
        plain = value[0] if isinstance(value, tuple) and value and len({*value}) == 1 else value
        if f"{name}=" in said or not isinstance(plain, (*_PLAIN, tuple)) or (required and said) or name in _WHERE:
            continue
        if required or plain != default:
            words.append(f"{name}={value}")
    return told_apart(type(module).__name__, ", ".join(words))


def _defaults(kind: type[nn.Module]) -> dict[str, Any]:
    """The parameters with which a kind of module is made, and their defaults."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = [*inspect.signature(kind.__init__).parameters.values()][1:]
    return {parameter.name: parameter.default for parameter in found if parameter.kind in kinds}


def numbers_of(module: nn.Module, tensors: Mapping[str, Any]) -> dict[str, str]:
    """What the numbers of a module's constants are, by the constants' names.

    A tensor that stands in the code is one. A registered buffer is one where it is a single number; else it is what
    training changes too, such as running statistics, and like a weight nobody compares its numbers.
    """
    buffers = {name for name, _ in module.named_buffers(remove_duplicate=False)}
    found = {}
    for name, value in tensors.items():
        is_constant = isinstance(value, torch.Tensor) and not isinstance(value, nn.Parameter)
        if is_constant and (value.ndim == 0 or name not in buffers) and (said := _numbers(value)) is not None:
            found[name] = said
    return found


def _numbers(tensor: torch.Tensor) -> str | None:
    if tensor.is_meta or tensor.layout is not torch.strided or tensor.numel() > _MOST_LOOKED_AT:
        return None
    if tensor.ndim == 0:
        return f"tensor[] {tensor.item()}"
    numbers = repr(tensor.detach().cpu().flatten().tolist())
    return f"tensor{[*tensor.shape]} {hashlib.sha256(f'{tensor.dtype} {numbers}'.encode()).hexdigest()[:12]}"
