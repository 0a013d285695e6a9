"""Measuring on this machine: in the process itself, or in processes of one torch thread each."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice

import torch

from catalog.errors import WorkerError
from predictor.zero_cost.measuring import MeasureConfig
from predictor.zero_cost.work import Finished, Work, measure_work
from predictor.zero_cost.worker_pool import without_the_program, worker_pool


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
        try:
            with worker_pool(self.workers) as pool:
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

    def __repr__(self) -> str:
        return f"LocalEngine({self.workers})"


def _submitted(pool: ProcessPoolExecutor, work: Iterable[Work], config: MeasureConfig) -> set[Future[Finished]]:
    submitted = set()
    for piece in work:
        with without_the_program():
            submitted.add(pool.submit(measure_work, piece, config))
    return submitted


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
