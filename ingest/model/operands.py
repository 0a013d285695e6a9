"""What a traced call takes: tensors, and constants beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.architecture.computation.primitives import Shape


@dataclass(frozen=True)
class Operand:
    """A tensor that a call takes.

    Parameters
    ----------
    shape
        Its shape; None where it is not known.
    node
        The node that computes it; None for a weight or constant.
    weights
        Identity and size of the trainable weights in it.
    """

    shape: Shape | None
    node: int | None = None
    weights: Mapping[object, int] = field(default_factory=dict)


def operands_in(value: Any) -> list[Operand]:
    """All tensors in the arguments of a call, in their order."""
    if isinstance(value, Operand):
        return [value]
    if isinstance(value, Mapping):
        return [operand for item in value.values() for operand in operands_in(item)]
    if isinstance(value, list | tuple):
        return [operand for item in value for operand in operands_in(item)]
    return []


def constants_in(positional: Sequence[Any], named: Mapping[str, Any]) -> str:
    """The arguments of a call that are no tensors, as text."""
    words = [text for value in positional if (text := _constant(value))]
    words += [f"{name}={text}" for name, value in named.items() if (text := _constant(value))]
    return ", ".join(words)


def _constant(value: Any) -> str:
    if operands_in(value) or value is None:
        return ""
    return re.sub(r" at 0x[0-9a-f]+", "", str(value))
