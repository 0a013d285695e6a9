"""``catalog evaluate``: the architectures of a stored space trained for real, what is finished stored as it comes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.spaces.nats_sss import NATSSize
from catalog.storage.runs import Run
from catalog.tables.stored_graphs import read_graphs
from predictor.networks.datasets import dataset_named
from predictor.own_training.selection import Selection, select
from predictor.own_training.storage import TrainingStore
from predictor.own_training.workers import Outcome, Recipe, Task, run_tasks

if TYPE_CHECKING:
    from catalog.storage.store import Store

COMMIT_SECONDS = 20.0
"""How often finished trainings are stored: what a ``kill -9`` costs at most. The wide view is rebuilt each time."""

_GRAPHS_AT_ONCE = 500

Progress = Callable[[int, int], None]
"""Called with the trainings done by this call and the number that it has to do."""


@dataclass(frozen=True)
class EvaluationRequest:
    """What to train.

    Parameters
    ----------
    space
        A stored search space.
    recipe
        Data set, length and everything else that all trainings have in common.
    seeds
        Seeds to train each function with.
    where, sample, sample_seed
        The selection, as in `predictor.own_training.selection.select`.
    """

    space: str
    recipe: Recipe
    seeds: tuple[int, ...]
    where: str | None = None
    sample: int | None = None
    sample_seed: int = 0


@dataclass
class EvaluationReport:
    """What a job has done so far.

    Parameters
    ----------
    wanted, trained
        Trainings that were missing when it began, and those that it stored.
    failures
        Why architectures could not be trained, and how many each.
    """

    selection: Selection
    wanted: int
    trained: int = 0
    failures: dict[str, int] = field(default_factory=dict)

    @property
    def failed(self) -> int:
        """Architectures that could not be trained."""
        return sum(self.failures.values())

    def __str__(self) -> str:
        return f"{self.trained} trainings of {self.wanted} that were missing, {self.failed} architectures failed"


def evaluate_space(
    catalog: Store,
    request: EvaluationRequest,
    *,
    workers: int = 1,
    progress: Progress | None = None,
    commit_seconds: float = COMMIT_SECONDS,
) -> EvaluationReport:
    """Train what is missing of a selection and store accuracies, seconds and curves under the source `own-training`.

    Every `commit_seconds`, what is finished is stored in one transaction, and again at the end, however it comes: the
    same call goes on where an interrupted one stopped.

    Raises
    ------
    UsageError
        There is no such data set, or the space's networks cannot be built.
    QueryError
        The condition is wrong.
    WorkerError
        A worker died; what was finished before is stored.
    """
    if request.space == NATSSize.name:
        raise UsageError(
            f"the architectures of {request.space} differ in the channels of their stages, and none of our networks "
            "has those; train nb101, nb201, darts or a space of your own."
        )
    recipe = request.recipe
    dataset = dataset_named(recipe.dataset)
    store = TrainingStore(catalog, request.space, recipe.config, dataset.name, recipe.epochs)
    chosen = select(
        catalog,
        request.space,
        seeds=request.seeds,
        trained=store.trained(),
        where=request.where,
        sample=request.sample,
        sample_seed=request.sample_seed,
    )
    report = EvaluationReport(chosen, sum(len(seeds) for _, seeds in chosen.missing))
    with Run.start(catalog, "evaluate", asdict(request)) as run:
        batch = _Batch(store, run.id, report, commit_seconds)
        try:
            for outcome in run_tasks(_tasks(catalog, request.space, chosen), recipe, workers):
                batch.add(outcome)
                if progress is not None:
                    progress(report.trained + batch.waiting, report.wanted)
        finally:
            batch.commit()
            run.detail = str(report)
    return report


def _tasks(catalog: Store, space: str, chosen: Selection) -> Iterator[Task]:
    for start in range(0, len(chosen.missing), _GRAPHS_AT_ONCE):
        part = chosen.missing[start : start + _GRAPHS_AT_ONCE]
        graphs = read_graphs(catalog, space, [architecture_id for architecture_id, _ in part], "native")
        for (architecture_id, seeds), graph in zip(part, graphs, strict=True):
            yield Task(architecture_id, graph, seeds, accompanied=architecture_id in chosen.begun)


class _Batch:
    """Finished trainings on their way into the catalog."""

    def __init__(self, store: TrainingStore, run_id: int, report: EvaluationReport, commit_seconds: float) -> None:
        self.store = store
        self.run_id = run_id
        self.report = report
        self.commit_seconds = commit_seconds
        self.outcomes: list[Outcome] = []
        self.since = time.monotonic()

    @property
    def waiting(self) -> int:
        """Trainings that are finished and not stored."""
        return sum(len(outcome.trainings) for outcome in self.outcomes)

    def add(self, outcome: Outcome) -> None:
        """Take a finished architecture, and store the batch when it is time."""
        self.outcomes.append(outcome)
        if outcome.failure is not None:
            self.report.failures[outcome.failure] = self.report.failures.get(outcome.failure, 0) + 1
        if time.monotonic() - self.since >= self.commit_seconds:
            self.commit()

    def commit(self) -> None:
        """Store what is finished."""
        done = self.waiting
        self.store.store(self.outcomes, self.run_id)
        self.report.trained += done
        self.outcomes = []
        self.since = time.monotonic()
