"""How a job tells what it does while it works; whoever wants to see it brings a listener."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Advance(Protocol):
    """Told how far a job is."""

    def __call__(self, done: int, total: int | None = None, /) -> None:
        """`done` of `total`, which is None where the end is not known."""


class Listener:
    """Hears what jobs tell; this one lets it pass, others show it."""

    def note(self, message: str) -> None:
        """Take a sentence for the person who waits."""

    @contextmanager
    def watch(self, what: str) -> Iterator[Advance]:
        """Follow a part of a job that is called `what`; the block gets a function to say how far it is."""
        yield ignore


def ignore(_done: int, _total: int | None = None, /) -> None:
    """Nobody wants to know."""
