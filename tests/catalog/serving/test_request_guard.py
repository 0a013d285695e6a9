"""Who may ask: only this machine's own pages, under this server's own address, reading."""

from __future__ import annotations

import html

import pytest
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

OWN = ("127.0.0.1:8642", "localhost:8642", "LOCALHOST:8642")
FOREIGN = (
    "evil.example", "evil.example:8642", "127.0.0.1", "127.0.0.1:80", "localhost", "0.0.0.0:8642", "[::1]:8642",
    "127.0.0.1:8642.evil.example", "evil.example@127.0.0.1:8642", "127.0.0.1:8642 evil.example", "127.0.0.2:8642", "",
)  # fmt: skip


@pytest.mark.parametrize("host", OWN)
def test_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", FOREIGN)
def test_a_request_for_another_host_is_refused(client: TestClient, host: str) -> None:
    answer = client.get("/query?sql=SELECT%20424242", headers={"host": host})
    assert answer.status_code == 421
    assert "424242" not in answer.text
    assert "127.0.0.1:8642 or localhost:8642 only" in answer.text


def test_two_host_headers_are_refused(client: TestClient) -> None:
    headers = [("host", "127.0.0.1:8642"), ("host", "evil.example")]
    assert client.get("/", headers=headers).status_code == 400


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8642", "http://localhost:8642"])
def test_own_pages_may_ask(client: TestClient, origin: str) -> None:
    answer = client.get("/", headers={"origin": origin, "sec-fetch-site": "same-origin"})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://127.0.0.1:8642",
        "http://localhost:3000",
        "http://127.0.0.1",
        "file://",
        "",
    ],
)
def test_pages_of_other_origins_may_not(client: TestClient, origin: str) -> None:
    answer = client.get("/query?sql=SELECT%20424242", headers={"origin": origin})
    assert answer.status_code == 403
    assert "424242" not in answer.text
    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "anything"])
def test_links_from_other_sites_are_refused(client: TestClient, site: str) -> None:
    assert client.get("/", headers={"sec-fetch-site": site}).status_code == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_everything_is_read_with_get(client: TestClient, method: str) -> None:
    answer = client.request(method, "/query")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert client.head("/").status_code == 200


def test_a_web_socket_is_closed(client: TestClient) -> None:
    with pytest.raises((WebSocketDisconnect, WebSocketDenialResponse)), client.websocket_connect("/"):
        pass


@pytest.mark.parametrize("address", ["/", "/query", "/nowhere", "/spaces/nb201", "/static/plotly.js"])
def test_no_page_may_be_framed_guessed_or_kept(client: TestClient, address: str) -> None:
    headers = client.get(address).headers
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert address.startswith("/static") or headers["cache-control"] == "no-store"
    assert "server" not in headers


def test_a_page_allows_the_scripts_that_it_names_and_no_others(client: TestClient) -> None:
    page = client.get("/query").text
    policy = html.unescape(page.split('http-equiv="Content-Security-Policy" content="')[1].split('"')[0])
    assert "default-src 'none'" in policy
    scripts = next(part for part in policy.split(";") if "script-src" in part)
    assert "sha256-" in scripts
    assert "unsafe" not in scripts
