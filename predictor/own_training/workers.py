"""Training many architectures: in this process, or in several that answer in the order in which they were asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from catalog.architecture.graph import ArchitectureGraph
from catalog.errors import CatalogError, WorkerError
from predictor.networks.datasets import dataset_named
from predictor.own_training.trainer import TrainConfig, Training, train
from predictor.zero_cost.engine import one_thread
from predictor.zero_cost.worker_pool import without_the_program, worker_pool

_AHEAD = 3  # tasks a worker: none waits for work while the slowest of them is being trained


@dataclass(frozen=True)
class Recipe:
    """What all trainings of a job have in common; `dataset` as in `predictor.networks.datasets.dataset_named`."""

    dataset: str
    epochs: int
    config: TrainConfig


@dataclass(frozen=True)
class Task:
    """One architecture to train, all its seeds in one go; `accompanied` is what `trainer.train` takes."""

    architecture_id: int
    graph: ArchitectureGraph
    seeds: tuple[int, ...]
    accompanied: bool = False


@dataclass(frozen=True)
class Outcome:
    """The trainings of a task, or why there are none."""

    architecture_id: int
    trainings: tuple[Training, ...] = ()
    failure: str | None = None


def run_task(task: Task, recipe: Recipe) -> Outcome:
    """Train one architecture; what cannot be built or trained fails alone."""
    try:
        dataset = dataset_named(recipe.dataset)
        found = train(
            task.graph,
            dataset,
            epochs=recipe.epochs,
            seeds=task.seeds,
            config=recipe.config,
            accompanied=task.accompanied,
        )
    except (CatalogError, ArithmeticError, RuntimeError) as error:  # RuntimeError: PyTorch, from a shape to memory
        return Outcome(task.architecture_id, failure=f"{type(error).__name__}: {error}".splitlines()[0])
    return Outcome(task.architecture_id, tuple(found))


def run_tasks(tasks: Iterable[Task], recipe: Recipe, workers: int = 1) -> Iterator[Outcome]:
    """The outcomes in the order of the tasks, each as soon as it and all before it are there.

    PyTorch computes with one thread a process, so that numbers do not depend on the number of workers.

    Raises
    ------
    WorkerError
        A worker died.
    """
    if workers == 1:
        with one_thread():
            for task in tasks:
                yield run_task(task, recipe)
        return
    try:
        with worker_pool(workers) as pool:
            yield from _pooled(pool, iter(tasks), recipe, workers * _AHEAD)
    except BrokenProcessPool:
        raise WorkerError(
            "a worker process died, as it does when the machine runs out of memory; what was finished is stored. Give "
            "the command again, with fewer --workers or smaller networks."
        ) from None


# TODO: `Executor.map` with a `buffersize` when Python 3.14 is the lowest.
def _pooled(pool: ProcessPoolExecutor, tasks: Iterator[Task], recipe: Recipe, ahead: int) -> Iterator[Outcome]:
    waiting: deque[Future[Outcome]] = deque()
    for task in tasks:
        with without_the_program():
            waiting.append(pool.submit(run_task, task, recipe))
        if len(waiting) >= ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()
