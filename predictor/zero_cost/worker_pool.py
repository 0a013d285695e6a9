"""Processes of this machine that work for a job, and that end with it: at once if it does.

Not joblib's pool: joblib 1.6 takes the next piece of work in a thread of its own, which waits forever for the catalog
while the driver stores in it, and its workers outlive a driver that was killed.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.context import SpawnContext
from typing import Any

import torch


# TODO: `Executor.kill_workers` when Python 3.14 is the lowest.
class _Children(SpawnContext):
    """Starts processes and knows them, so that they can be ended while they work.

    They are spawned, because a fork of a process that computes or holds the database copies locks that nobody opens
    again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._started: list[Any] = []

    def Process(self, *arguments: Any, **named: Any) -> Any:  # type: ignore[override]  # noqa: N802 - its base's name
        child = super().Process(*arguments, **named)
        self._started.append(child)
        return child

    def kill(self) -> None:
        """End all that were started."""
        for child in self._started:
            if child.pid is not None:
                child.kill()


@contextmanager
def worker_pool(workers: int) -> Generator[ProcessPoolExecutor, None, None]:
    """A pool of so many processes of one torch thread each.

    At the end of the block what runs is finished. An interrupt, and whatever leaves a generator early, ends the workers
    where they are: a piece of work may take hours, and nobody waits for it.
    """
    children = _Children()
    pool = ProcessPoolExecutor(workers, children, begin_worker)
    try:
        yield pool
    except (KeyboardInterrupt, GeneratorExit, SystemExit):
        children.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


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
