"""Ctrl-C and SIGTERM: a command stores what is finished and ends, with all that it started, within seconds."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from types import FrameType

from catalog.cli.streams import tell

PATIENCE = 4.0
"""Seconds that a command has for storing what is finished."""

_PAUSE = 0.2  # seconds between two attempts to wake the main thread
_SAID = "interrupted; what was finished before is stored, nothing else is. The same command goes on from there."
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_TIDIES_UP = b"multiprocessing.resource_tracker"  # when its parent has ended, and then ends
_DONE = b"\0"  # beside the numbers of signals


class Interruption:
    """The first signal raises `KeyboardInterrupt` in the command; further ones change nothing.

    Attributes
    ----------
    signal
        The signal that came; None before one has.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._noticed: int | None = None
        self._is_told = False

    @property
    def exit_code(self) -> int:
        """What a shell expects of a command that a signal has ended."""
        return 128 + (self.signal or self._noticed or signal.SIGINT)

    def tell(self) -> None:
        """Say, once, what an interrupted command leaves behind."""
        if not self._is_told:
            self._is_told = True
            tell(_SAID)

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Listen while the block runs; after a signal the program ends in time, whatever it is at.

        Python notices a signal only between two of its own steps, and one step of a library may take minutes. So a
        thread, which the system wakes, looks at the clock.
        """
        _keep_from_forks()
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        heard = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
        handlers = {one: signal.signal(one, self._raise) for one in heard}
        woken = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        threading.Thread(target=self._watch, args=(reading,), daemon=True, name="interruption").start()
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken)
            for one, handler in handlers.items():
                signal.signal(one, handler)
            os.write(writing, _DONE)
            os.close(writing)

    def _raise(self, number: int, _frame: FrameType | None) -> None:
        if self.signal is None:
            self.signal = number
            raise KeyboardInterrupt

    def _watch(self, reading: int) -> None:
        """Wait for a signal and then for the end of the program, which the end of this thread does not hold up."""
        with open(reading, "rb", buffering=0) as signals:
            number = 0
            while number not in _SIGNALS:
                number = signals.read(1)[0]
                if number == _DONE[0]:
                    return
            self._noticed = number  # where a library has put its own handler in our place
            deadline = time.monotonic() + PATIENCE
            while (left := deadline - time.monotonic()) > 0:
                if self.signal is None and signal.getsignal(number) == self._raise:  # a server has a handler of its own
                    # The main thread alone handles signals. It may sleep on a lock while another thread got this one;
                    # and DuckDB puts Python's handler of Ctrl-C back in a way that lets sleepers sleep on.
                    signal.siginterrupt(number, True)
                    signal.pthread_kill(threading.main_thread().ident or 0, number)
                time.sleep(min(_PAUSE, left))
        self.tell()
        end_children()
        os._exit(128 + number)


def end_children() -> None:
    """Kill the processes that this one started, and theirs: they would wait for it, or work for nobody."""
    if (multiprocessing := sys.modules.get("multiprocessing")) is not None:
        for child in multiprocessing.active_children():
            child.kill()
    for process in _descendants(os.getpid()):
        with suppress(OSError):  # it has ended
            if _TIDIES_UP not in Path(f"/proc/{process}/cmdline").read_bytes():
                os.kill(process, signal.SIGKILL)


def _descendants(ancestor: int) -> list[int]:
    """The processes below one, as far as the system tells in ``/proc``; an engine such as Ray starts its own."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):  # it has ended
            parent = int(status.read_text(errors="replace").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(status.parent.name))
    found = [ancestor]
    for process in found:  # which grows meanwhile
        found += children.get(process, [])
    return found[1:]


@cache
def _keep_from_forks() -> None:
    """A signal to a process that splits off from this one must not count as one to this one."""
    os.register_at_fork(after_in_child=lambda: signal.set_wakeup_fd(-1))
