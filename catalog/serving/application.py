"""The web application: addresses to pages, errors to clear pages, and the guard in front."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from catalog.errors import (
    BusyError,
    CatalogError,
    IdentifierError,
    LockedError,
    MissingDatabaseError,
    MissingExtraError,
    QueryError,
    StoreError,
    UnknownSpaceError,
    UsageError,
)
from catalog.serving.attendance import Attendance
from catalog.serving.pages import Pages, html
from catalog.serving.request_guard import Guard

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from catalog.serving.catalog_reader import CatalogReader

_RETRY = 5  # seconds after which a browser or a program may ask again

_STATUS: tuple[tuple[type[CatalogError], HTTPStatus], ...] = (  # the first that fits
    (UnknownSpaceError, HTTPStatus.NOT_FOUND),
    (IdentifierError, HTTPStatus.NOT_FOUND),
    (UsageError, HTTPStatus.BAD_REQUEST),
    (QueryError, HTTPStatus.BAD_REQUEST),
    (LockedError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MissingDatabaseError, HTTPStatus.SERVICE_UNAVAILABLE),
    (BusyError, HTTPStatus.SERVICE_UNAVAILABLE),
    (MissingExtraError, HTTPStatus.NOT_IMPLEMENTED),
    (StoreError, HTTPStatus.INTERNAL_SERVER_ERROR),
)


def status_of(error: CatalogError) -> HTTPStatus:
    """The status code that tells a program what the message tells a person."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)


def application(reader: CatalogReader, port: int) -> ASGIApp:
    """The application for one catalog file, guarded for a server on `port`."""
    pages = Pages(reader, status_of)
    routes = [
        Route("/", pages.home, name="home"),
        Route("/query", pages.query),
        Route("/query/download", pages.download),
        Route("/architectures/{number:int}", pages.architecture),
        Route("/spaces/{space}", pages.space),
        Route("/spaces/{space}/architecture", pages.find),
        Route("/spaces/{space}/compare", pages.compare),
        Route("/spaces/{space}/match", pages.match),
        Route("/spaces/{space}/report", pages.report),
        Route("/static/plotly.js", pages.plotly),
    ]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        reader.workers.prepare()
        yield

    def refused(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            status = HTTPStatus(error.status_code)
            return _refusal(reader.path, status, f"{request.url.path}: {status.description or status.phrase}.")
        if isinstance(error, CatalogError):
            return _refusal(reader.path, status_of(error), str(error))
        return _refusal(
            reader.path, HTTPStatus.INTERNAL_SERVER_ERROR, "this is a fault of the catalog's server; its log says more."
        )

    inner = Starlette(
        routes=routes,
        lifespan=lifespan,
        exception_handlers={HTTPException: refused, CatalogError: refused, Exception: refused},
    )

    def refuse(status: HTTPStatus, message: str) -> ASGIApp:
        return _refusal(reader.path, status, message)

    return Guard(Attendance(inner, refuse=refuse), port=port, refuse=refuse)


def _refusal(path: Path, status: HTTPStatus, message: str) -> HTMLResponse:
    headers = {"Retry-After": str(_RETRY)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    page = html("refusal.html", title=f"{status.value} {status.phrase}", status=status, message=message, path=path)
    page.status_code = status.value
    page.headers.update(headers)
    return page
