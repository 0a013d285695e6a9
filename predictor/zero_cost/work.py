"""Pieces of a measuring job that any process can do: what an engine hands out, and what comes back."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from catalog.architecture.graph import ArchitectureGraph
from catalog.user_code import UserCode
from predictor.zero_cost.inputs import Batch
from predictor.zero_cost.measuring import MeasureConfig, Measurement, batches_for, measure
from predictor.zero_cost.registry import proxies_named


@dataclass(frozen=True)
class Task:
    """One architecture to measure with one seed.

    Parameters
    ----------
    graph
        The native graph.
    proxies
        Their references; a worker finds plug-ins by their entry points, as the driver does.
    seed
        Takes the place of the seed in the job's `MeasureConfig`.
    """

    graph: ArchitectureGraph
    proxies: tuple[str, ...]
    seed: int


@dataclass(frozen=True)
class Work:
    """What one worker does in one go. The same work gives the same values, whoever does it and however often."""

    number: int
    tasks: tuple[Task, ...]
    code: tuple[UserCode, ...] = ()
    """Users' files that its proxies come from."""


@dataclass(frozen=True)
class Finished:
    """What came of the work of this number: for each task a measurement of each proxy, both in their order."""

    number: int
    measurements: tuple[tuple[Measurement, ...], ...]


class Engine(Protocol):
    """Where a job measures: processes of this machine, or a cluster.

    An engine computes and nothing else: the driver, which iterates over what comes back, alone plans and stores.

    Attributes
    ----------
    workers
        How many pieces of work are done at a time.
    """

    workers: int

    def run(self, work: Iterable[Work], config: MeasureConfig) -> Generator[Finished, None, None]:
        """Do all of the work and give it back as it is finished, in any order, each piece exactly once.

        The next piece is taken from `work` only when a worker is about to be free, because the driver sizes pieces by
        what the ones before cost. What a lost worker had is done again or ends the job with `WorkerError`. Leaving the
        generator early, by an interrupt or by ``close``, stops the workers.

        Raises
        ------
        WorkerError
            Workers died and the work cannot be done.
        """
        ...


def measure_work(work: Work, config: MeasureConfig) -> Finished:
    """Do one piece of work in this process; what an engine calls in its workers."""
    for code in work.code:
        code.install()
    return Finished(work.number, tuple(_measured(task, replace(config, seed=task.seed)) for task in work.tasks))


def _measured(task: Task, config: MeasureConfig) -> tuple[Measurement, ...]:
    batches = _batches(config, task.graph.space) if task.graph.input is None else None
    return tuple(measure(task.graph, proxies_named(task.proxies), config, batches=batches))


@lru_cache(maxsize=16)
def _batches(config: MeasureConfig, space: str) -> list[Batch]:
    """The minibatches of one seed, drawn once a process."""
    return batches_for(config, space)
