"""A connection that must say what it wants: one that only stays open is closed, and makes room for others first."""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

PATIENCE = 10.0
"""Seconds for a whole request, from its first byte, or from the beginning of the connection."""

MOST = 128
"""Connections that may be open; the next one closes the one that has been without a request for the longest."""


class Connection(H11Protocol):
    """uvicorn's connection, with a limit on the time in which a request arrives."""

    _deadline: asyncio.TimerHandle | None = None
    idle_since = 0.0
    """When it began to wait for a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.idle_since = self.loop.time()
        self._expect_request()
        if len(self.connections) > MOST:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._expect_request()
        else:
            self._expect_nothing()

    def on_response_complete(self) -> None:
        """Wait for the next request from now on."""
        self.idle_since = self.loop.time()
        super().on_response_complete()

    @property
    def is_answering(self) -> bool:
        """Whether a request is under way here."""
        return bool(self.cycle) and not self.cycle.response_complete

    def _expect_request(self) -> None:
        """Wait for the whole of it; bytes that drip in do not begin the time anew."""
        if self._deadline is None:
            self._deadline = self.loop.call_later(PATIENCE, self.transport.abort)

    def _expect_nothing(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _make_room(self) -> None:
        idle = [one for one in self.connections if isinstance(one, Connection) and not one.is_answering]
        oldest = min(idle, key=lambda one: one.idle_since)  # this one is idle, so there is one
        self.connections.discard(oldest)
        oldest.transport.abort()
