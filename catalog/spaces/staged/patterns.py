"""How native ids are written: fixed text, and in braces what stands for a choice, or for all stages or blocks."""

from __future__ import annotations

import string
from dataclasses import dataclass

from catalog.errors import SpaceFileError


@dataclass(frozen=True)
class Slot:
    """A choice, or with a separator between them the stages or blocks; without a name fixed text."""

    name: str | None
    text: str


@dataclass(frozen=True)
class Pattern:
    """One id, or one part of an id."""

    slots: tuple[Slot, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What stands in braces."""
        return tuple(slot.name for slot in self.slots if slot.name is not None)

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read ``r{resolution}:{stages:_}``: the choice ``resolution``, and the stages with ``_`` between them.

        Raises
        ------
        SpaceFileError
            The braces do not fit together.
        """
        try:
            parsed = list(string.Formatter().parse(text))
        except ValueError as error:
            raise SpaceFileError(f"{text!r:.80} is no pattern of an id: {error}") from None
        slots = []
        for fixed, name, separator, converted in parsed:
            if converted is not None or "{" in (separator or ""):
                raise SpaceFileError(f"{text!r:.80} is no pattern of an id: braces hold a name, and what separates")
            if fixed:
                slots.append(Slot(None, fixed))
            if name is not None:
                slots.append(Slot(name, separator or ""))
        return cls(tuple(slots))
