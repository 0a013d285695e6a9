"""A download that goes on where it was cut off, which pooch's own (1.9) does not."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import DownloadError
from catalog.message import readable_bytes
from catalog.output_file import flush

if TYPE_CHECKING:
    from requests import Response

Progress = Callable[[int], None]
"""Called now and then with the number of bytes that are here."""

BLOCK = 2**15
"""Bytes that are written at a time; a cut connection loses less than this."""

_TIMEOUT = 60.0  # seconds without a byte
_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")
_MAY_PASS = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.REQUEST_TIMEOUT)


class _CutOffError(Exception):
    """The connection failed; another attempt may go on from here."""


@dataclass
class ResumingDownloader:
    """Downloads a file over HTTP for `pooch`, in as many connections as it takes.

    What came so far lies in `partial` until the file is complete, so a later call, even of another process, asks only
    for the missing bytes (HTTP ``Range``). The server's validator (``ETag`` or ``Last-Modified``), if it has one, lies
    beside it: if the file changed meanwhile, or the server cannot send parts, everything is fetched again.

    Parameters
    ----------
    partial
        Where the incomplete file lies.
    check
        Called with the complete file before it is handed over; it raises `DownloadError` for a wrong one.
    check_size
        Called with the file's announced size before the first byte is read; it raises `DownloadError` for a wrong one.
    attempts
        Connections in a row that may fail without bringing a byte.
    pause
        Seconds before the second attempt; doubled for each further one.
    """

    partial: Path
    check: Callable[[Path], None]
    check_size: Callable[[int], None]
    progress: Progress | None = None
    attempts: int = 3
    pause: float = 1.0

    def __call__(self, url: str, output_file: str, _pooch: Any) -> None:
        """Download `url` to the path `output_file`, as `pooch` asks for it."""
        self._bring(url)
        try:
            self.check(self.partial)
        except DownloadError:
            self._forget()
            raise
        flush(self.partial)
        shutil.move(self.partial, output_file)
        self._forget()

    @property
    def _validator(self) -> Path:
        return self.partial.with_name(self.partial.name + ".validator")

    def _bring(self, url: str) -> None:
        failures = 0
        while True:
            before = self._size()
            try:
                self._connect(url)
            except _CutOffError as error:
                failures = 1 if self._size() > before else failures + 1
                if failures >= self.attempts:
                    kept = f" {readable_bytes(self._size())} are kept for the next attempt." if self._size() else ""
                    raise DownloadError(f"{url} cannot be downloaded: {error}.{kept}") from None
                time.sleep(self.pause * 2 ** (failures - 1))
            else:
                return

    def _connect(self, url: str) -> None:
        """One connection, from where the partial file ends to the end of the file or of the connection."""
        import requests

        have = self._size()
        headers = {"Accept-Encoding": "identity"}
        if have:
            headers["Range"] = f"bytes={have}-"
            if self._validator.exists():
                headers["If-Range"] = self._validator.read_text(encoding="utf-8")
        try:
            with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
                self._receive(response, url, have)
        except requests.exceptions.InvalidURL as error:
            raise DownloadError(f"{url} is no address: {error}") from None
        except (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
            raise DownloadError(f"{url} is no address; give one that starts with http:// or https://.") from None
        except requests.exceptions.RequestException as error:
            raise _CutOffError(_reason(error)) from None

    def _receive(self, response: Response, url: str, have: int) -> None:
        status = response.status_code
        span = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and span and int(span[2]) == have:
            return
        if have and (status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE or _is_elsewhere(status, span, have)):
            self._forget()
            raise _CutOffError("the server's file does not go on where the partial one ends")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _MAY_PASS:
            raise _CutOffError(f"the server answered {status} {response.reason}")
        if status >= HTTPStatus.BAD_REQUEST:
            raise DownloadError(f"{url} cannot be downloaded: the server answered {status} {response.reason}.")
        if response.headers.get("Content-Type", "").startswith("text/html"):
            raise DownloadError(f"{url} cannot be downloaded: the server answered with a web page instead of the file.")
        start = have if status == HTTPStatus.PARTIAL_CONTENT else 0
        total = int(span[2]) if span else _number(response.headers.get("Content-Length"))
        if total is not None:
            self.check_size(total)
            self._require_room(total - start)
        self._write(response, start)
        if total is not None and self._size() != total:
            raise _CutOffError(f"the connection ended after {readable_bytes(self._size())} of {readable_bytes(total)}")

    def _write(self, response: Response, start: int) -> None:
        validator = response.headers.get("ETag") or response.headers.get("Last-Modified")
        if validator and not validator.startswith("W/"):
            self._validator.write_text(validator, encoding="utf-8")
        else:
            self._validator.unlink(missing_ok=True)
        done = start
        with self.partial.open("ab" if start else "wb") as stream:
            for block in response.iter_content(BLOCK):
                stream.write(block)
                done += len(block)
                if self.progress is not None:
                    self.progress(done)

    def _require_room(self, missing: int) -> None:
        free = shutil.disk_usage(self.partial.parent).free
        if free < missing:
            raise DownloadError(
                f"{readable_bytes(missing)} are missing, but {self.partial.parent} has only {readable_bytes(free)} "
                "free. Make room, or give another folder with --out."
            )

    def _size(self) -> int:
        return self.partial.stat().st_size if self.partial.exists() else 0

    def _forget(self) -> None:
        self.partial.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)


def _is_elsewhere(status: int, span: re.Match[str] | None, have: int) -> bool:
    """Whether a partial answer starts somewhere else than it was asked to."""
    return status == HTTPStatus.PARTIAL_CONTENT and (span is None or span[1] is None or int(span[1]) != have)


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _reason(error: BaseException) -> str:
    """The innermost cause: what requests raises repeats the address and the names of three libraries."""
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
