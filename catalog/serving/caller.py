"""Who waits for an answer: when nobody does any more, what looks for it is ended."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Caller:
    """The client of one request; it may leave before it is answered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_gone = False
        self._ends: list[Callable[[], None]] = []

    @property
    def is_gone(self) -> bool:
        """Whether the client has left."""
        return self._is_gone

    def leave(self) -> None:
        """The client has left: end what is done for it."""
        with self._lock:
            self._is_gone = True
            ends = list(self._ends)
        for end in ends:
            end()

    @contextmanager
    def ending(self, end: Callable[[], None]) -> Iterator[None]:
        """A block that `end` ends, called from another thread when the client leaves; at once if it has left."""
        with self._lock:
            self._ends.append(end)
            is_gone = self._is_gone
        try:
            if is_gone:
                end()
            yield
        finally:
            with self._lock:
                self._ends.remove(end)


CALLER: ContextVar[Caller | None] = ContextVar("CALLER", default=None)
"""The client of the request that this thread answers; None outside a request."""
