"""The server's life: it listens on this machine alone, says where, and ends at Ctrl-C or after a given time."""

from __future__ import annotations

import errno
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn

from catalog.errors import CatalogError
from catalog.serving.application import application
from catalog.serving.connections import Connection
from catalog.serving.request_guard import ADDRESS

if TYPE_CHECKING:
    from catalog.serving.catalog_reader import CatalogReader

_LONGEST_ADDRESS = 64 * 1024  # bytes of a request's first line and headers
_TIME_TO_END = 3  # seconds for answers that are under way when the server ends


def serve(
    reader: CatalogReader, port: int, *, seconds: float | None = None, on_start: Callable[[str], None] = lambda _: None
) -> None:
    """Serve a catalog on this machine until Ctrl-C, or for some seconds.

    Parameters
    ----------
    reader
        Answers the questions about the catalog.
    port
        The port; 0 for a free one.
    seconds
        How long; None for as long as nobody stops it.
    on_start
        Called with the server's address once it answers.

    Raises
    ------
    CatalogError
        The port is taken or forbidden.
    """
    with _listening(port) as listener:
        number = int(listener.getsockname()[1])
        server = _Server(
            uvicorn.Config(
                application(reader, number),
                log_level="warning",
                access_log=False,
                server_header=False,
                ws="none",
                http=Connection,
                loop="asyncio",
                h11_max_incomplete_event_size=_LONGEST_ADDRESS,
                timeout_graceful_shutdown=_TIME_TO_END,
            ),
            lambda: on_start(f"http://{ADDRESS}:{number}/"),
            reader.close,
        )
        # At Ctrl-C uvicorn finishes what is under way, and then passes the signal on: the end that was asked for.
        with _stopped_after(server, seconds), suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


class _Server(uvicorn.Server):
    """Says when it answers, and when it is about to end."""

    def __init__(self, config: uvicorn.Config, on_start: Callable[[], None], on_end: Callable[[], None]) -> None:
        super().__init__(config)
        self.on_start = on_start
        self.on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_start()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.on_end()
        await super().shutdown(sockets)


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, port))
        except OSError as error:
            taken = (
                "another program listens there" if error.errno == errno.EADDRINUSE else os.strerror(error.errno or 0)
            )
            raise CatalogError(
                f"cannot listen on port {port} of {ADDRESS}: {taken}. Give another with --port, or 0 for a free one."
            ) from error
        yield listener
    finally:
        listener.close()


@contextmanager
def _stopped_after(server: uvicorn.Server, seconds: float | None) -> Iterator[None]:
    if seconds is None:
        yield
        return

    def stop() -> None:
        server.should_exit = True

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
