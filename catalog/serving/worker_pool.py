"""Work in processes of their own, so that whatever it does ends with them.

A query that exhausts its limits, or crashes DuckDB, takes no page down; one that does not stop in time is killed. And
the file is locked by processes: closing it after one query would unlock it under the feet of all others in the same
process, and let somebody write what they are reading.
"""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from typing import Any, ParamSpec, TypeVar

from pebble import ProcessExpired
from pebble.concurrent import process

from catalog.errors import BusyError, QueryError

Arguments = ParamSpec("Arguments")
Answer = TypeVar("Answer")

_GRACE = 5.0  # seconds beyond the time limit for starting, stopping and handing over
_PATIENCE = 10.0  # seconds to wait for a place
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
        self._name = f"catalog-serve-{id(self)}"
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
        # Cancelling pebble's future would answer before its process has ended, while it may still write.
        for child in multiprocessing.active_children():
            if child.name == self._name:
                child.kill()

    def run(
        self,
        seconds: float,
        function: Callable[Arguments, Answer],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Answer:
        """What a function of a module gives, within some seconds.

        Raises
        ------
        BusyError
            Too much is running already, or the workers were closed.
        QueryError
            It did not end in time, or its process was killed or crashed.
        Exception
            Whatever the function raised.
        """
        if not self._places.acquire(timeout=_PATIENCE):
            raise BusyError(
                f"as many questions are being answered already as can be, {self.at_once}; ask again when one is done."
            )
        # Pebble 5.2 declares `mp_context`, but reads `context`. Drop the comment when it reads what it declares.
        in_process = process(name=self._name, timeout=seconds + _GRACE, context=self._context)  # type: ignore[call-overload]
        start = in_process(_work)
        try:
            with tempfile.TemporaryDirectory(prefix="catalog-serve-", ignore_cleanup_errors=True) as folder:
                with self._starting:
                    if self._is_closed:
                        raise BusyError(_ENDING)
                    answer = start(folder, function, arguments, named)
                value: Answer = answer.result()
                return value
        except TimeoutError:
            raise QueryError(f"the answer took more than {seconds:g} seconds and was given up. Ask for less.") from None
        except (ProcessExpired, SystemExit):  # a child's exit must not be the server's
            if self._is_closed:
                raise BusyError(_ENDING) from None
            raise QueryError("the process that looked for the answer died. Ask for less.") from None
        finally:
            self._places.release()


def _work(folder: str, function: Callable[..., Answer], arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Answer:
    """What a child does; it writes into `folder`, which its parent removes, also after killing it."""
    tempfile.tempdir = folder
    return function(*arguments, **named)
