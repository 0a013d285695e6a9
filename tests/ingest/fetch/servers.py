"""A loopback HTTP server that misbehaves as it is told."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Site:
    """What the server has and does.

    Parameters
    ----------
    content
        The one file, under every path.
    cuts
        Bytes after which each connection in turn is cut; connections beyond the list are not.
    """

    content: bytes
    cuts: list[int] = field(default_factory=list)
    status: int = 200
    failures: int = 0
    knows_ranges: bool = True
    etag: str | None = '"1"'
    content_type: str = "application/octet-stream"
    hides_length: bool = False
    requests: list[tuple[str, str | None]] = field(default_factory=list)
    sent: int = 0
    url: str = ""


@contextmanager
def serving(site: Site) -> Iterator[Site]:
    """Serve `site` on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            site.requests.append((self.path, wanted))
            if site.failures:
                site.failures -= 1
                self.send_error(503)
            elif site.status != 200:
                self.send_error(site.status)
            else:
                self._answer(wanted)

        def _answer(self, wanted: str | None) -> None:
            span = re.fullmatch(r"bytes=(\d+)-", wanted or "") if site.knows_ranges else None
            start = int(span[1]) if span and self.headers.get("If-Range") in (None, site.etag) else 0
            if start >= len(site.content) and start:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(site.content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = site.content[start:]
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", site.content_type)
            if site.etag:
                self.send_header("ETag", site.etag)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
            if not site.hides_length:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if site.cuts:
                body = body[: site.cuts.pop(0)]
            site.sent += len(body)
            self.wfile.write(body)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
