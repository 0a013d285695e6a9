"""Measuring on this machine: in the process itself, or in processes of one torch thread each.

Not joblib's pool: joblib 1.6 takes the next piece of work in a thread of its own, which waits forever for the catalog
while the driver stores in it, and its workers outlive a driver that was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing import connection

import torch

from catalog.errors import WorkerError
from predictor.zero_cost.measuring import MeasureConfig
from predictor.zero_cost.work import Finished, Work, measure_work


def available_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class LocalEngine:
    """Worker processes of this machine; a single worker is the process itself.

    Parameters
    ----------
    workers
        How many; each computes on one thread.
    """

    def __init__(self, workers: int) -> None:
        self.workers = workers

    def run(self, work: Iterable[Work], config: MeasureConfig) -> Generator[Finished, None, None]:
        """See `predictor.zero_cost.work.Engine`."""
        return self._in_processes(iter(work), config) if self.workers > 1 else _here(work, config)

    def _in_processes(self, work: Iterator[Work], config: MeasureConfig) -> Generator[Finished, None, None]:
        # Spawned, because a fork of a process that computes or holds the database copies locks that nobody opens again.
        pool = ProcessPoolExecutor(self.workers, multiprocessing.get_context("spawn"), begin_worker)
        try:
            # One piece more than there are workers, so that none idles while the driver stores.
            running = _submitted(pool, islice(work, self.workers + 1), config)
            while running:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    running |= _submitted(pool, islice(work, 1), config)
                    yield future.result()
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process died while it measured, perhaps because memory ran out. What was finished is "
                "stored; give the same command again, with fewer --workers or a smaller --batch-size."
            ) from error
        finally:
            pool.shutdown(cancel_futures=True)

    def __repr__(self) -> str:
        return f"LocalEngine({self.workers})"


def _submitted(pool: ProcessPoolExecutor, work: Iterable[Work], config: MeasureConfig) -> set[Future[Finished]]:
    submitted = set()
    for piece in work:
        with without_the_program():
            submitted.add(pool.submit(measure_work, piece, config))
    return submitted


@contextmanager
def without_the_program() -> Generator[None, None, None]:
    """A process that is started inside the block does not import the program's own script again.

    A script may do its work at the top, where it would open the catalog a second time, in every worker. What workers
    run lies in modules that they import.
    """
    main = vars(sys.modules["__main__"])
    hidden: dict[str, object] = {name: main[name] for name in ("__spec__", "__file__") if name in main}
    main.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        main.update(hidden)


def _here(work: Iterable[Work], config: MeasureConfig) -> Generator[Finished, None, None]:
    for piece in work:
        with one_thread():
            finished = measure_work(piece, config)
        yield finished


@contextmanager
def one_thread() -> Generator[None, None, None]:
    """One thread for PyTorch: small networks gain nothing from more, and sums come out the same everywhere."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def begin_worker() -> None:
    """Begin a worker: one thread, deaf to Ctrl-C, which is the driver's to handle, and gone when the driver is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_leave_with, args=(parent.sentinel,), daemon=True).start()


def _leave_with(driver: int) -> None:
    connection.wait([driver])
    os._exit(1)
