"""The measuring job: plan, measure on an engine, store in batches; whatever stops it, the same call goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.tables import views
from catalog.tables.stored_graphs import read_graphs
from catalog.user_code import UserCode, is_target
from predictor.scoring.configuration import Column
from predictor.scoring.plan import Assignment, Plan, fill_without_measuring, plan, targets_of
from predictor.scoring.selection import Selection
from predictor.scoring.writer import ScoreWriter
from predictor.zero_cost import MeasureConfig
from predictor.zero_cost.work import Engine, Task, Work

if TYPE_CHECKING:
    from catalog.storage.store import Store

BATCH_SECONDS = 10.0
"""How much finished work a killed job loses at most, beside what its workers were at."""

_PIECE_SECONDS = 1.0
_LONGEST_PIECE = 64
_GRAPHS_AT_ONCE = 1_000


def ignore_progress(_done: int, _total: int) -> None:
    """Progress that nobody follows."""


@dataclass(frozen=True)
class JobOptions:
    """How a job measures.

    Parameters
    ----------
    seeds
        Seeds 0 to `seeds` - 1 are measured; the seed of `config` is not looked at.
    retry_failed
        Whether scores with the status ``failed`` are measured again.
    progress
        Gets the measurements done and their number.
    batch_seconds
        Time between two stored batches.
    """

    config: MeasureConfig
    engine: Engine
    seeds: int = 1
    retry_failed: bool = False
    progress: Callable[[int, int], None] = ignore_progress
    batch_seconds: float = BATCH_SECONDS


def measure_missing(
    catalog: Store, selection: Selection, columns: Sequence[Column], options: JobOptions, run_id: int
) -> None:
    """Measure and store every score of the columns that the chosen architectures do not have yet.

    No transaction is open while anything is measured. When the job is interrupted or fails, what was finished is stored
    before the error goes on.
    """
    targets = targets_of(columns, options.seeds)
    with catalog.transaction():
        if fill_without_measuring(catalog, selection, targets, run_id):
            views.rebuild(catalog, selection.space)
    layerwise = options.config.layerwise
    todo = plan(catalog, selection, targets, retry_failed=options.retry_failed, layerwise=layerwise)
    writer = ScoreWriter(
        catalog,
        selection.space,
        todo,
        run_id,
        batch_seconds=options.batch_seconds,
        replaces=options.retry_failed or layerwise,
    )
    try:
        _measure(catalog, selection.space, todo, options, writer)
    finally:
        writer.store()


def _measure(catalog: Store, space: str, todo: Plan, options: JobOptions, writer: ScoreWriter) -> None:
    pieces = _Pieces(catalog, space, todo)
    done = 0
    options.progress(0, len(todo))
    with closing(options.engine.run(pieces, options.config)) as all_finished:
        for finished in all_finished:
            assignments = pieces.open.pop(finished.number)
            for assignment, measurements in zip(assignments, finished.measurements, strict=True):
                writer.add(assignment, measurements)
                pieces.learn(sum(one.seconds or 0.0 for one in measurements))
            done += len(assignments)
            writer.store_if_due()
            options.progress(done, len(todo))


class _Pieces:
    """Pieces of work of about a second each, cut while the engine asks for them.

    Attributes
    ----------
    open
        By number, the assignments of the pieces that were given out and have not come back.
    """

    def __init__(self, catalog: Store, space: str, todo: Plan) -> None:
        self.open: dict[int, list[Assignment]] = {}
        self._catalog = catalog
        self._space = space
        self._todo = todo
        references = {target.column.proxy.reference for target in todo.targets}
        found = [UserCode.of(name, Path.cwd()) for name in sorted(references) if is_target(name)]
        self._code = tuple(code for code in found if code is not None)
        self._seconds = 0.0
        self._learned = 0

    def learn(self, seconds: float) -> None:
        """Note what one measurement cost."""
        self._seconds += seconds
        self._learned += 1

    def __iter__(self) -> Iterator[Work]:
        tasks = self._tasks()
        for number in count():
            piece = list(islice(tasks, self._size()))
            if not piece:
                return
            self.open[number] = [assignment for assignment, _ in piece]
            yield Work(number, tuple(task for _, task in piece), self._code)

    def _size(self) -> int:
        if not self._learned:
            return 1
        return max(1, min(_LONGEST_PIECE, int(_PIECE_SECONDS * self._learned / max(self._seconds, 1e-9))))

    def _tasks(self) -> Iterator[tuple[Assignment, Task]]:
        assignments = self._todo.assignments()
        while chunk := list(islice(assignments, _GRAPHS_AT_ONCE)):
            ids = [assignment.architecture_id for assignment in chunk]
            graphs = read_graphs(self._catalog, self._space, ids, "native")
            for assignment, graph in zip(chunk, graphs, strict=True):
                proxies = [self._todo.targets[place].column.proxy for place in assignment.targets]
                references = tuple(proxy.reference or proxy.name for proxy in proxies)
                yield assignment, Task(graph, references, assignment.run_seed)
