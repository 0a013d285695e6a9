"""Measuring on a Ray cluster, or on a Ray of this machine alone."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any

from catalog.errors import MissingExtraError, UsageError, WorkerError
from predictor.zero_cost.engine import available_cores, one_thread
from predictor.zero_cost.measuring import MeasureConfig
from predictor.zero_cost.work import Finished, Work, measure_work

LOSSES = 3
"""How often the worker of one piece of work may die before the job gives up."""

_OBJECT_STORE = 100 * 2**20  # bytes; graphs and scores are small
_PATIENCE = 10.0  # seconds for a cluster to answer
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing about the job leaves the machine
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's coming default, without its warning
}


def require_ray() -> None:
    """Make sure that Ray is installed.

    Raises
    ------
    MissingExtraError
        It is not; the message says how to get it.
    """
    if find_spec("ray") is None:
        raise MissingExtraError(
            "ray is not installed, and --engine ray needs it. Install the extra: pip install 'nas-catalog[ray]'; or "
            "measure on this machine with --engine local."
        )


class RayEngine:
    """A Ray cluster does the work; this process, its driver, only hands it out and takes it back.

    What a lost worker had is measured again by another one. Ray's dashboard and usage reports stay off.

    Parameters
    ----------
    address
        Of a running cluster, for example ``10.0.0.1:6379`` or ``auto``; its machines need this package and Python.
        Without one, a Ray of this machine is started for the run and stopped after it.
    workers
        Pieces of work at a time; by default the cluster's, or this machine's, processors.

    Raises
    ------
    MissingExtraError
        Ray is not installed.
    """

    def __init__(self, address: str | None = None, workers: int | None = None) -> None:
        require_ray()
        self.address = address
        self.chosen = workers
        self.workers = workers or available_cores()

    def run(self, work: Iterable[Work], config: MeasureConfig) -> Generator[Finished, None, None]:
        """See `predictor.zero_cost.work.Engine`.

        Raises
        ------
        UsageError
            No cluster answers at the address.
        WorkerError
            A piece of work lost its worker more than `LOSSES` times.
        """
        with self._connected() as ray:
            measure = ray.remote(num_cpus=1, max_retries=LOSSES)(_measure)
            shared = ray.put(config)
            path = [] if self.address else sys.path  # a cluster's machines have paths of their own
            pieces = iter(work)
            # One piece more than there are workers, so that none idles while the driver stores.
            running = [measure.remote(piece, shared, path) for piece in islice(pieces, self.workers + 1)]
            while running:
                done, running = ray.wait(running, num_returns=1)
                running += [measure.remote(piece, shared, path) for piece in islice(pieces, 1)]
                yield _result(ray, done[0])

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """The module `ray`, connected; a Ray that the caller has connected already is used and left running."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        ray: Any = import_module("ray")
        if ray.is_initialized():
            yield ray
            return
        try:
            with _own_signals():
                self._connect(ray)
            if self.address and not self.chosen:
                self.workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
            yield ray
        finally:
            ray.shutdown()

    def _connect(self, ray: Any) -> None:
        if self.address:
            _require_answer(self.address)
        own = {} if self.address else {"num_cpus": self.workers, "object_store_memory": _OBJECT_STORE}
        try:
            ray.init(
                address=self.address or "local",
                include_dashboard=None if self.address else False,
                configure_logging=False,
                log_to_driver=False,
                **own,
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise _unusable(self.address, str(error).partition("\n")[0] or type(error).__name__) from error

    def __repr__(self) -> str:
        return f"RayEngine({self.address!r}, {self.workers})"


def _require_answer(address: str) -> None:
    """Ray itself would try for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return  # auto, and whatever else Ray looks up
    try:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise _unusable(address, str(error)) from error


def _unusable(address: str | None, reason: str) -> UsageError:
    where = f"the Ray cluster at {address!r} cannot be used" if address else "Ray does not start"
    return UsageError(
        f"{where}: {reason}. Start a cluster with `ray start --head` and give its address, or leave --address out for "
        "a Ray of this machine alone."
    )


def _measure(work: Work, config: MeasureConfig, path: list[str]) -> Finished:
    """What a worker does; `path` lets it find the driver's plug-ins."""
    sys.path += [entry for entry in path if entry not in sys.path]
    with one_thread():
        return measure_work(work, config)


def _result(ray: Any, piece: Any) -> Finished:
    try:
        finished: Finished = ray.get(piece)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise WorkerError(
            f"a piece of work lost its worker {LOSSES + 1} times ({type(error).__name__}), perhaps because memory ran "
            "out. What was finished is stored; give the same command again, with a smaller --batch-size."
        ) from error
    return finished


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself when it starts; the program's own way to end must stay."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    except SystemExit as ending:  # what Ray makes of the signal
        raise KeyboardInterrupt from ending
    finally:
        signal.signal(signal.SIGTERM, before)
