"""Who may ask: this machine's own pages under this server's own address, reading only.

Starlette's `TrustedHostMiddleware` looks at neither the port nor the page that asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

ADDRESS = "127.0.0.1"
"""The only address that the server listens on."""

POLICY = "default-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
"""What an answer may load that does not say so itself: nothing."""

PAGE_POLICY = "frame-ancestors 'none'; object-src 'none'; base-uri 'none'; form-action 'self'; connect-src 'self'"
"""The same for pages of `catalog.report.page.render`, which hold the rest, with the digests of their scripts."""

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_READING = ("GET", "HEAD")
_OWN_PAGES = ("same-origin", "none")  # "none" is an address that the user typed or a bookmark

Refuse = Callable[[HTTPStatus, str], "ASGIApp"]
"""Makes the page that says why a request was refused."""


class Guard:
    """Middleware that refuses foreign requests and forbids pages to load anything from elsewhere.

    A page of another site can make the user's browser ask this server, under the server's address or under a name that
    the site points to this machine (DNS rebinding). The first shows in ``Origin`` and ``Sec-Fetch-Site``, the second in
    ``Host``.

    Parameters
    ----------
    inner
        The application behind.
    port
        The port that the server listens on.
    refuse
        Makes the page of a refusal.
    """

    def __init__(self, inner: ASGIApp, *, port: int, refuse: Refuse) -> None:
        self.inner = inner
        self.hosts = tuple(f"{name}:{port}" for name in (ADDRESS, "localhost"))
        if port == 80:  # browsers leave out the port that is HTTP's own
            self.hosts += (ADDRESS, "localhost")
        self.refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "lifespan":
            await self.inner(scope, receive, send)
            return
        if scope["type"] != "http":  # a web socket: there is none, and closing is the refusal
            await send({"type": "websocket.close", "code": 1008})
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        answer = self.inner if refusal is None else self.refuse(*refusal)
        await answer(scope, receive, _with_headers(send, refusal))

    def _refusal(self, method: str, headers: Headers) -> tuple[HTTPStatus, str] | None:
        allowed = " or ".join(self.hosts)
        hosts = headers.getlist("host")
        if len(hosts) != 1:
            return HTTPStatus.BAD_REQUEST, f"the request has {len(hosts)} Host headers; exactly one is allowed."
        if hosts[0].lower() not in self.hosts:
            return (
                HTTPStatus.MISDIRECTED_REQUEST,
                f"the request is for the host {hosts[0]!r}; this server answers to {allowed} only.",
            )
        for origin in headers.getlist("origin"):
            if origin.lower() not in {f"http://{host}" for host in self.hosts}:
                return HTTPStatus.FORBIDDEN, f"a page of {origin!r} asked; only this server's own pages may."
        site = headers.get("sec-fetch-site", "none")
        if site not in _OWN_PAGES:
            return (
                HTTPStatus.FORBIDDEN,
                f"a page of another site led here ({site}); type the address of this server into the browser.",
            )
        if method not in _READING:
            return HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is refused: everything here is read with GET."
        return None


def _with_headers(
    send: Callable[[Message], Awaitable[None]], refusal: tuple[HTTPStatus, str] | None
) -> Callable[[Message], Awaitable[None]]:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if refusal is not None and refusal[0] is HTTPStatus.METHOD_NOT_ALLOWED:
                headers["Allow"] = ", ".join(_READING)
        await send(message)

    return sending
