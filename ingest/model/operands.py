"""What a call takes: tensors, and constants beside them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.architecture.computation.primitives import Shape

Arguments = Sequence[tuple[str, Any]]
"""The arguments of a call in their order: the name of each, or an empty one, and what it is."""

_COMPUTED = "_"


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
    said
        The numbers of a constant as text; None where nobody compares them, as those of a weight.
    """

    shape: Shape | None
    node: int | None = None
    weights: Mapping[object, int] = field(default_factory=dict)
    said: str | None = None

    @property
    def text(self) -> str:
        """What a call says of it: where a computed tensor stands, what a constant is."""
        if self.node is not None:
            return _COMPUTED
        return f"tensor{[*self.shape] if self.shape is not None else ''}" if self.said is None else self.said


def operands_in(value: Any) -> list[Operand]:
    """All tensors in the arguments of a call, in their order."""
    if isinstance(value, Operand):
        return [value]
    if isinstance(value, Mapping):
        return [operand for item in value.values() for operand in operands_in(item)]
    if isinstance(value, slice):
        return operands_in([value.start, value.stop, value.step])
    if isinstance(value, list | tuple):
        return [operand for item in value for operand in operands_in(item)]
    return []


def are_compared(operands: Sequence[Operand]) -> bool:
    """Whether the text of a call tells its constants whole: that none is a weight, or a tensor of unknown numbers."""
    return all(operand.node is not None or operand.said is not None for operand in operands)


def constants_in(arguments: Arguments, *, ordered: bool = True) -> str:
    """The arguments of a call but for the computed tensors that come first, as text.

    A computed tensor that comes later stands as ``_``, so that ``1 - x`` (``1, _``) is not ``x - 1`` (``1``).

    Parameters
    ----------
    ordered
        Whether the call tells its operands apart; where it does not, constants are sorted and stand alone.
    """
    words = [(f"{name}=" if name else "", _text(value)) for name, value in arguments]
    while words and words[0][1] == _COMPUTED:
        del words[0]
    while words and words[-1][1] == "None":
        del words[-1]
    if not ordered:
        return ", ".join(sorted(text for _, text in words if text != _COMPUTED))
    return ", ".join(name + text for name, text in words if not (name and text == "None"))


def _text(value: Any) -> str:
    if isinstance(value, Operand):
        return value.text
    if not operands_in(value):
        return re.sub(r" at 0x[0-9a-f]+", "", str(value))
    if isinstance(value, slice):
        return f"slice({_text(value.start)}, {_text(value.stop)}, {_text(value.step)})"
    words = [_text(item) for item in (value.values() if isinstance(value, Mapping) else value)]
    return _COMPUTED if set(words) == {_COMPUTED} else f"[{', '.join(words)}]"
