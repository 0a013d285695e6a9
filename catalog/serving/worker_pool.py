"""Work in processes of their own, so that whatever it does ends with them.

A query that exhausts its limits, or crashes DuckDB, takes no page down; one that does not stop in time is killed. And
the file is locked by processes: closing it after one query would unlock it under the feet of all others in the same
process, and let somebody write what they are reading.
"""

from __future__ import annotations

import itertools
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from typing import Any, ParamSpec, TypeVar

from pebble import ProcessExpired
from pebble.concurrent import process

from catalog.errors import BusyError, QueryError
from catalog.serving.caller import CALLER, Caller

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

_GRACE = 5.0  # seconds beyond the time limit for starting, stopping and handing over
_PATIENCE = 10.0  # seconds to wait for a place
_LOOK = 0.1  # seconds between two looks whether anybody still waits for a place
_GONE = "nobody waits for the answer any more."
_ENDING = "the server is ending; ask again when it runs again."


class Workers:
    """Runs functions in processes of their own.

    Parameters
    ----------
    at_once
        How many run at the same time; further ones wait a little and are then refused.
    """

    def __init__(self, at_once: int) -> None:
        self.at_once = at_once
        self._places = threading.BoundedSemaphore(at_once)
        self._name = f"catalog-serve-{id(self)}-"
        self._numbers = itertools.count()
        self._starting = threading.Lock()
        self._is_closed = False
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["__main__", __name__, "catalog.serving.worker_tasks", "pyarrow"])

    def prepare(self) -> None:
        """Start the process that all others split off from, so that the first question need not wait for it."""
        forkserver.ensure_running()

    def close(self) -> None:
        """End all that runs and start nothing more; whoever waits for an answer is told."""
        with self._starting:
            self._is_closed = True
        _kill(self._name)

    def run(
        self,
        seconds: float,
        function: Callable[Arguments, Answer],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Answer:
        """What a function of a module gives, within some seconds, as long as the `CALLER` waits for it.

        Raises
        ------
        BusyError
            Too much is running already, the workers were closed, or the caller has left.
        QueryError
            It did not end in time, or its process was killed or crashed.
        Exception
            Whatever the function raised.
        """
        caller = CALLER.get() or Caller()
        self._take_place(caller)
        name = f"{self._name}{next(self._numbers)}-"
        # Pebble 5.2 declares `mp_context`, but reads `context`. Drop the comment when it reads what it declares.
        in_process = process(name=name, timeout=seconds + _GRACE, context=self._context)  # type: ignore[call-overload]
        start = in_process(_work)
        try:
            with tempfile.TemporaryDirectory(prefix="catalog-serve-", ignore_cleanup_errors=True) as folder:
                with self._starting:
                    if self._is_closed:
                        raise BusyError(_ENDING)
                    answer = start(folder, function, arguments, named)
                with caller.ending(lambda: _kill(name)):
                    value: Answer = answer.result()
                return value
        except TimeoutError:
            raise QueryError(f"the answer took more than {seconds:g} seconds and was given up. Ask for less.") from None
        except (ProcessExpired, SystemExit):  # a child's exit must not be the server's
            if self._is_closed or caller.is_gone:
                raise BusyError(_ENDING if self._is_closed else _GONE) from None
            raise QueryError("the process that looked for the answer died. Ask for less.") from None
        finally:
            self._places.release()

    def _take_place(self, caller: Caller) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not self._places.acquire(timeout=_LOOK):
            if caller.is_gone:
                raise BusyError(_GONE)
            if time.monotonic() > deadline:
                raise BusyError(
                    f"as many questions are being answered already as can be, {self.at_once}; "
                    "ask again when one is done."
                )


def _kill(name: str) -> None:
    """Kill the children whose names begin so.

    Cancelling pebble's future would answer before its process has ended, while it may still write.
    """
    for child in multiprocessing.active_children():
        if child.name.startswith(name):
            child.kill()


def _work(folder: str, function: Callable[..., Answer], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Answer:
    """What a child does; it writes into `folder`, which its parent removes, also after killing it."""
    tempfile.tempdir = folder
    return function(*arguments, **named)
