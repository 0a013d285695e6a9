"""The server as a process: it says where it is, hears this machine alone, and ends when it is told to."""

from __future__ import annotations

import re
import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.catalog.cli.commands import call_catalog
from tests.catalog.processes import PATIENCE, wait_until
from tests.catalog.serving.conftest import server


def test_it_says_where_it_is_and_ends_cleanly_at_ctrl_c(empty_catalog: Path) -> None:
    with server(empty_catalog) as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address)
        answer = httpx.get(address + "query", params={"sql": "SELECT 6 * 7 AS answer"}, timeout=PATIENCE)
        assert (answer.status_code, ">42<" in answer.text) == (200, True)
        assert "server" not in answer.headers
        assert httpx.get(address, headers={"host": "evil.example"}, timeout=PATIENCE).status_code == 421
        process.send_signal(signal.SIGINT)
        output, notes = process.communicate(timeout=PATIENCE)
        assert (process.returncode, output, notes) == (0, "", "serving until Ctrl-C.\n")


def test_ctrl_c_waits_for_no_query(empty_catalog: Path) -> None:
    endless = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b WHERE a.range % 7 = b.range % 11"
    with server(empty_catalog, "--timeout", "600") as (process, address):
        answers: list[int] = []
        asking = threading.Thread(
            target=lambda: answers.append(
                httpx.get(address + "query", params={"sql": endless}, timeout=600).status_code
            )
        )
        asking.start()
        wait_until(lambda: bool(answers or children_of(process.pid)), process)
        time.sleep(1.0)
        process.send_signal(signal.SIGINT)
        _, notes = process.communicate(timeout=PATIENCE)
        asking.join(PATIENCE)
    assert (process.returncode, notes, answers) == (0, "serving until Ctrl-C.\n", [503])


def children_of(process: int) -> str:
    """The processes that the server's fork server, its only lasting child beside a tracker, split off."""
    own = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return "".join(Path(f"/proc/{child}/task/{child}/children").read_text() for child in own)


def test_only_this_machine_reaches_it(empty_catalog: Path) -> None:
    with server(empty_catalog) as (process, address):
        port = int(address.rsplit(":", 1)[1].rstrip("/"))
        listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        own = [fields[1] for fields in listening if fields[3] == "0A" and fields[1].endswith(f":{port:04X}")]
        assert own == [f"0100007F:{port:04X}"]
        process.terminate()
        process.communicate(timeout=PATIENCE)


def test_it_stops_after_the_given_time(empty_catalog: Path) -> None:
    with server(empty_catalog, "--seconds", "0.5") as (process, _):
        _, notes = process.communicate(timeout=PATIENCE)
        assert (process.returncode, notes) == (0, "serving for 0.5 seconds.\n")


def test_a_taken_port_is_said(empty_catalog: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = call_catalog("serve", "--port", str(taken.getsockname()[1]), database=empty_catalog)
    assert answer.returncode == 1
    assert "another program listens there. Give another with --port" in answer.stderr


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [(("--memory-limit", "much"), 2, "is no amount of memory"), (("--db", "missing.duckdb"), 1, "there is no catalog")],
)
def test_what_is_wrong_is_said_before_it_serves(
    empty_catalog: Path, options: tuple[str, ...], status: int, words: str
) -> None:
    answer = call_catalog("serve", *options, database=empty_catalog)
    assert (answer.returncode, answer.stdout) == (status, "")
    assert words in answer.stderr


def test_a_missing_extra_is_named(empty_catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.extras.find_spec", lambda name: None)
    answer = call_catalog("serve", "--port", "0", "--seconds", "0", database=empty_catalog)
    assert answer.returncode == 1
    assert "pip install 'nas-catalog[serve]'" in answer.stderr


def test_the_browser_is_opened_on_request(empty_catalog: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    answer = call_catalog("serve", "--port", "0", "--seconds", "0.2", "--open", database=empty_catalog)
    assert answer.returncode == 0, answer.stderr
    assert opened == answer.stdout.split()
