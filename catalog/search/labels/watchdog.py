"""A process that outlives this one by a moment, and ends what this one had running when it was killed.

Whoever is killed can tidy up nothing. A command of the user's that goes on for hours, for a search that is not there
any more, would be in the way of the same command when the search goes on.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from types import TracebackType

_PROGRAM = """
import os, signal, sys
running = set()
for line in sys.stdin:
    (running.add if line[0] == "+" else running.discard)(int(line[1:]))
for leader in running:
    try:
        os.killpg(leader, signal.SIGKILL)
    except OSError:
        pass
"""


class Watchdog:
    """Knows the leaders of the process groups that run; kills the groups when nobody talks to it any more."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )

    def started(self, leader: int) -> None:
        """A process with a group of its own has begun."""
        self._tell("+", leader)

    def ended(self, leader: int) -> None:
        """It has ended."""
        self._tell("-", leader)

    def _tell(self, sign: str, leader: int) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # somebody has ended it: then what runs is on its own
            self._process.stdin.write(f"{sign}{leader}\n")
            self._process.stdin.flush()

    def __enter__(self) -> Watchdog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()

    def __repr__(self) -> str:
        return f"Watchdog({self._process.pid})"
