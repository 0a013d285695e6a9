"""Other processes for tests of what happens between processes: each hears Ctrl-C, and none outlives its test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 60  # seconds until one step of a child that is stuck fails its test
LIFETIME = 600  # seconds until a child is ended, whatever its test still waits for

# A program inherits which signals are ignored and blocked: a shell that puts tests into the background ignores SIGINT.
# The alarm ends a child whose test was killed itself; it stays when the program becomes another.
HEARING = f"""
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGALRM, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_SETMASK, [])
signal.alarm({LIFETIME})
os.execv(sys.argv[1], sys.argv[1:])
"""


def run_python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@contextmanager
def running_python(*arguments: object, environment: Mapping[str, str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """A Python with these arguments that hears Ctrl-C; at the end of the block it and all that it started are killed.

    It has a group of its own and its own signals, whatever this process ignores or blocks, and it is killed after
    `LIFETIME`, so that nobody who waits for a word of it waits forever.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", HEARING, sys.executable, *map(str, arguments)],
        cwd=CHECKOUT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    watchdog = threading.Timer(LIFETIME, kill_group, [process.pid])
    watchdog.daemon = True
    with process:  # its end reaps the child
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            watchdog.join()
            kill_group(process.pid)


@contextmanager
def python(code: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A running program that has printed its first line."""
    with running_python("-c", code, *arguments) as process:
        first_line(process)
        yield process


def kill_group(leader: int) -> None:
    """Kill a process and all that it started; a group of which nobody is left is fine."""
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


def first_line(process: subprocess.Popen[str]) -> str:
    """What a program says first; one that ends without a word fails the test with its errors."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"it ended without a word: {process.communicate(timeout=PATIENCE)[1]}"
    return line


def wait_until(
    condition: Callable[[], bool], process: subprocess.Popen[str], *, patience: float = PATIENCE, pause: float = 0.05
) -> None:
    """Wait until a condition holds that a running program brings about; its end or a long time fail the test."""
    deadline = time.monotonic() + patience
    while not condition():
        assert process.poll() is None, f"it ended too early: {process.communicate(timeout=PATIENCE)}"
        assert time.monotonic() < deadline, f"nothing happened within {patience:g} seconds"
        time.sleep(pause)


def is_running(process: int) -> bool:
    """Whether a process exists and has not ended."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
