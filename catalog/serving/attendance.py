"""How many requests are answered at once, and until when: as long as their clients wait."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from catalog.serving.caller import CALLER, Caller

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from catalog.serving.request_guard import Refuse

_AT_ONCE = 24
"""Requests under way; fewer than the threads that answer them (40), so that some are left for the first page."""

_KEPT = ("/", "/static/")
"""The first page and what pages load have a place whatever goes on: they ask little."""


class Attendance:
    """Middleware that watches whether the client is still there, and refuses what is too much.

    Parameters
    ----------
    inner
        The application behind, which reads no body.
    refuse
        Makes the page of a refusal.
    """

    def __init__(self, inner: ASGIApp, *, refuse: Refuse) -> None:
        self.inner = inner
        self.refuse = refuse
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] == _KEPT[0] or scope["path"].startswith(_KEPT[1]):
            await self.inner(scope, receive, send)
            return
        if self._under_way >= _AT_ONCE:
            words = f"{_AT_ONCE} pages are being made already; ask again when one is done."
            await self.refuse(HTTPStatus.SERVICE_UNAVAILABLE, words)(scope, receive, send)
            return
        self._under_way += 1
        caller = Caller()
        CALLER.set(caller)  # of this request alone: each has a context of its own
        watching = asyncio.create_task(_watch(caller, receive))
        try:
            await self.inner(scope, _nothing_to_read, send)
        finally:
            self._under_way -= 1
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching


async def _watch(caller: Caller, receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    caller.leave()


async def _nothing_to_read() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}
