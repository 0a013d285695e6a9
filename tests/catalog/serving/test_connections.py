"""Clients that say nothing, say it slowly, or leave: others are answered all the same."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from catalog.serving import connections
from tests.catalog.processes import PATIENCE, wait_until
from tests.catalog.serving.conftest import server
from tests.catalog.serving.test_server import children_of

SLOW = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 11"


@contextmanager
def connected(address: str, text: str = "") -> Iterator[socket.socket]:
    host, port = httpx.URL(address).host, httpx.URL(address).port
    with socket.create_connection((host, port), timeout=PATIENCE) as connection:
        connection.sendall(text.encode())
        yield connection


def request(address: str, sql: str) -> str:
    return f"GET /query?sql={quote(sql)} HTTP/1.1\r\nHost: {httpx.URL(address).netloc.decode()}\r\n\r\n"


def answer(address: str, sql: str = "SELECT 6 * 7 AS a") -> httpx.Response:
    return httpx.get(address + "query", params={"sql": sql}, timeout=PATIENCE)


@pytest.mark.parametrize("text", ["", "GET / HTTP/1.1\r\nHost:"])
def test_half_open_connections_shut_nobody_out(empty_catalog: Path, text: str) -> None:
    with server(empty_catalog) as (_, address), ExitStack() as held:
        for _ in range(2 * connections.MOST):
            held.enter_context(connected(address, text))
        started = time.monotonic()
        assert httpx.get(address, timeout=PATIENCE).status_code == 200
        assert answer(address).status_code == 200
        assert time.monotonic() - started < connections.PATIENCE / 2


@pytest.mark.parametrize("text", ["GET / HT", "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\nabc"])
def test_a_request_that_drips_in_is_given_up(empty_catalog: Path, text: str) -> None:
    with server(empty_catalog) as (_, address), connected(address, text) as slow:
        slow.settimeout(1.0)
        started = time.monotonic()
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            while time.monotonic() - started < 2 * connections.PATIENCE:
                time.sleep(0.5)
                slow.sendall(b"x")
        assert time.monotonic() - started > connections.PATIENCE / 2


def test_queries_of_clients_that_left_are_ended(empty_catalog: Path) -> None:
    with server(empty_catalog, "--timeout", "600") as (process, address):
        with ExitStack() as held:
            for _ in range(12):
                held.enter_context(connected(address, request(address, SLOW)))
            wait_until(lambda: len(children_of(process.pid).split()) >= 4, process)
            assert httpx.get(address, timeout=PATIENCE).status_code == 200
        started = time.monotonic()
        assert answer(address).status_code == 200
        assert time.monotonic() - started < 8


def test_the_first_page_has_a_place_whatever_is_asked(empty_catalog: Path) -> None:
    with server(empty_catalog, "--timeout", "600") as (process, address), ExitStack() as held:
        for _ in range(60):
            held.enter_context(connected(address, request(address, SLOW)))
        wait_until(lambda: len(children_of(process.pid).split()) >= 4, process)
        started = time.monotonic()
        assert httpx.get(address, timeout=PATIENCE).status_code == 200
        refused = answer(address)
        assert (refused.status_code, "are being made already" in refused.text) == (503, True)
        assert time.monotonic() - started < 8


def test_the_memory_of_a_query_is_its_process_s(empty_catalog: Path) -> None:
    with server(empty_catalog, "--memory-limit", "200MB") as (_, address):
        for sql in ("SELECT len(range(300000000))", "SELECT length(repeat('x', 3000000000))"):
            refused = answer(address, sql)
            assert (refused.status_code, "--memory-limit" in refused.text) == (400, True)
