"""One run of the user's command: what it prints is read as it comes, and no more of it kept than a label needs."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from typing import IO

from catalog.search.labels.printed import MOST_PRINTED, Label, failure_of, label_of

_AT_ONCE = 65_536
_KEPT = 4_096  # bytes of standard error, the last ones


class Child:
    """A running command, with a group of its own so that all that it starts can be ended with it.

    Parameters
    ----------
    words
        The command.
    timeout
        Seconds after which it is ended; None for never.

    Raises
    ------
    OSError, ValueError
        It cannot be started.
    """

    def __init__(self, words: list[str], timeout: float | None) -> None:
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._began = time.monotonic()
        self._timeout = timeout
        self._printed = bytearray()
        self._errors = bytearray()
        for pipe in self.pipes:
            os.set_blocking(pipe.fileno(), False)

    @property
    def leader(self) -> int:
        """The id of its process, and of its group."""
        return self._process.pid

    @property
    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Its standard output and standard error."""
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        return self._process.stdout, self._process.stderr

    def read(self, pipe: IO[bytes]) -> bool:
        """Take what is waiting in a pipe; whether more may come."""
        part = self._part(pipe)
        while part and len(self._printed) <= MOST_PRINTED:
            if pipe is self._process.stdout:
                self._printed += part
            else:
                self._errors = (self._errors + part)[-_KEPT:]
            part = self._part(pipe) if pipe is self._process.stdout else None
        return part != b""

    @staticmethod
    def _part(pipe: IO[bytes]) -> bytes | None:
        """Some bytes; none at all at the end, None where nothing waits."""
        try:
            return os.read(pipe.fileno(), _AT_ONCE)
        except BlockingIOError:
            return None

    def label(self) -> Label | None:
        """What came of it; None while it runs. It is ended where it prints too much or takes too long."""
        seconds = time.monotonic() - self._began
        returncode = self._process.poll()
        if returncode is not None:
            for pipe in self.pipes:  # what it wrote last; what it left running may hold them open for ever
                self.read(pipe)
        if len(self._printed) > MOST_PRINTED:
            self._kill()
            return Label(None, f"it printed more than {MOST_PRINTED:,} bytes; a label is one number", seconds)
        if returncode is not None:
            if returncode == 0:
                return label_of(bytes(self._printed), seconds)
            return failure_of(returncode, bytes(self._errors), seconds)
        if self._timeout is not None and seconds >= self._timeout:
            self._kill()
            return Label(None, f"it had no answer after {self._timeout:g} seconds (--label-timeout)", seconds)
        return None

    def end(self) -> None:
        """Kill it and all that it started, if it still runs, and let go of it."""
        self._kill()
        for pipe in self.pipes:
            pipe.close()

    def _kill(self) -> None:
        if self._process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def __repr__(self) -> str:
        return f"Child({self._process.pid}, {len(self._printed)} bytes printed)"
