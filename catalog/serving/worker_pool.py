"""Work in processes of their own, so that whatever it does ends with them.

A query that exhausts its limits, or crashes DuckDB, takes no page down; one that does not stop in time is killed. And
the file is locked by processes: closing it after one query would unlock it under the feet of all others in the same
process, and let somebody write what they are reading.
"""

from __future__ import annotations

import multiprocessing
import signal
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from typing import ParamSpec, TypeVar

from catalog.errors import BusyError, CatalogError, QueryError

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
        self._running: set[BaseProcess] = set()
        self._running_lock = threading.Lock()
        self._is_closed = False
        self._context: ForkServerContext = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["__main__", "catalog.serving.worker_tasks", "pyarrow"])

    def prepare(self) -> None:
        """Start the process that all others split off from, so that the first question need not wait for it."""
        forkserver.ensure_running()

    def close(self) -> None:
        """End all that runs and start nothing more; whoever waits for an answer is told."""
        with self._running_lock:
            self._is_closed = True
            for child in self._running:
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
        CatalogError
            Whatever of the catalog's errors the function raised.
        """
        if not self._places.acquire(timeout=_PATIENCE):
            raise BusyError(
                f"as many questions are being answered already as can be, {self.at_once}; ask again when one is done."
            )
        work = partial(function, *arguments, **named)
        try:
            with tempfile.TemporaryDirectory(prefix="catalog-serve-", ignore_cleanup_errors=True) as folder:
                return self._run(seconds, work, folder)
        finally:
            self._places.release()

    def _run(self, seconds: float, work: Callable[[], Answer], folder: str) -> Answer:
        ours, theirs = self._context.Pipe(duplex=False)
        child = self._context.Process(target=_work, args=(theirs, work, folder), daemon=True)
        try:
            self._start(child)
            theirs.close()
            if not ours.poll(seconds + _GRACE):
                raise QueryError(f"the answer took more than {seconds:g} seconds and was given up. Ask for less.")
            error, answer = ours.recv()
        except EOFError:
            raise self._reason(child) from None
        finally:
            theirs.close()
            ours.close()
            self._end(child)
        if error is not None:
            raise error
        value: Answer = answer
        return value

    def _start(self, child: BaseProcess) -> None:
        with self._running_lock:
            if self._is_closed:
                raise BusyError(_ENDING)
            child.start()
            self._running.add(child)

    def _end(self, child: BaseProcess) -> None:
        with self._running_lock:
            if child in self._running:
                self._running.remove(child)
                child.kill()
                child.join()

    def _reason(self, child: BaseProcess) -> Exception:
        """Why a child ended without an answer."""
        if self._is_closed:
            return BusyError(_ENDING)
        child.join(_GRACE)
        if child.exitcode == 1:  # Python ended it, with a traceback in our log
            return RuntimeError("a worker failed")
        return QueryError("the process that looked for the answer died. Ask for less.")


def _work(sender: Connection, work: Callable[[], object], folder: str) -> None:
    """The life of a child: send the error and the answer, of which one is None.

    What it writes for the time of its work it writes into `folder`, which its parent removes, also after killing it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the server, and that ends this process
    tempfile.tempdir = folder
    try:
        answer = work()
    except CatalogError as error:
        sender.send((error, None))
    else:
        sender.send((None, answer))
