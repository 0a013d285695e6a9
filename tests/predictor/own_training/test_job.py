"""The job behind ``catalog evaluate``: trains what is missing, stores what is finished, survives its end."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.members import Members
from catalog.architecture.operators import Operator
from catalog.errors import DatasetError, QueryError, UsageError, WorkerError
from catalog.spaces import space_named
from catalog.spaces.nb201 import NASBench201
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import registration, views
from catalog.tables.space_view import SpaceView
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest
from predictor.networks.datasets import digits
from predictor.own_training.generation import distinct_functions
from predictor.own_training.job import EvaluationRequest, evaluate_space
from predictor.own_training.recipes import recipe
from predictor.own_training.trainer import TrainConfig, train, with_subset
from predictor.own_training.workers import Outcome, Recipe, Task, run_tasks
from tests.catalog.processes import running_python

TINY = Recipe("digits", 1, TrainConfig(channels=2, batch_size=100))


class SmallSpace(NASBench201):
    """Two hundred cells, among them some without a path and many that compute the same."""

    def enumerate(self) -> Iterator[ArchitectureGraph]:
        return (self.graph(str(index)) for index in range(1400, 1600))


SPACE = SmallSpace()


@pytest.fixture(scope="module")
def entered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nb201") / "catalog.duckdb"
    with (
        Store.open(path, mode="write", create=True) as catalog,
        Run.start(catalog, "ingest", {}) as run,
        catalog.transaction(),
    ):
        registration.ensure_space(catalog, SPACE)
        names = [SPACE.native_id(graph) for graph in SPACE.enumerate()]
        registration.enter(catalog, SPACE, Members(names), run.id)
        registration.link_twins(catalog, SPACE.name)
        views.rebuild(catalog, SPACE.name)
    return path


@pytest.fixture
def catalog(entered: Path, tmp_path: Path) -> Iterator[Store]:
    path = Path(shutil.copy(entered, tmp_path / "catalog.duckdb"))
    with Store.open(path, mode="write") as opened:
        yield opened


def trainings(catalog: Store) -> dict[tuple[int, int], float]:
    rows = catalog.query(
        "SELECT native_index, seed, value FROM metric JOIN architecture ON id = architecture_id WHERE split = 'test'"
    )
    found = {(index, seed): value for index, seed, value in rows.iter_rows()}
    assert len(found) == len(rows)  # nothing twice
    return found


def test_what_is_stored_is_what_the_library_gives(catalog: Store) -> None:
    seeds = (0, 1)
    seen: list[tuple[int, int]] = []
    report = evaluate_space(
        catalog,
        EvaluationRequest("nb201", TINY, seeds, where='"index" = 1462'),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (report.trained, report.failed, seen) == (2, 0, [(2, 2)])
    own = train(SPACE.graph("1462"), digits(), epochs=1, seeds=seeds, config=TINY.config)
    rows = catalog.query(
        "SELECT seed, metric.name, split, value, stage, dataset, epochs, kind FROM metric ORDER BY ALL"
    ).rows()
    for one in own:
        mine = {(name, split): value for seed, name, split, value, *_ in rows if seed == one.seed}
        assert mine.pop(("training_time", None)) > 0
        assert mine == {
            ("accuracy", "valid"): one.valid,
            ("accuracy", "test"): one.test,
        }
    assert {row[4:] for row in rows} == {("final", "digits", 1, "trained")}
    curve = catalog.query("SELECT seed, epoch, split, value FROM training_curve ORDER BY seed").rows()
    assert curve == [(one.seed, 1, "train", one.curve[0]) for one in own]


def test_the_wide_view_names_the_usual_trainings_plainly(catalog: Store) -> None:
    usual = Recipe("digits", 2, recipe("nb201", "digits"))
    for one in (usual, Recipe("digits", 1, usual.config), TINY):
        evaluate_space(catalog, EvaluationRequest("nb201", one, (0,), where='"index" = 1462'))
    columns = [name for name in SpaceView.of(catalog, "nb201").columns if name.startswith("digits")]
    assert {"digits_test_accuracy", "digits_valid_accuracy", "digits_training_time"} <= set(columns)
    assert "digits_test_accuracy_1ep" in columns
    (other,) = (name for name in columns if name.startswith("digits_test_accuracy_1ep_own_training_"))
    wide = SpaceView.of(catalog, "nb201").frame(["digits_test_accuracy", "digits_test_accuracy_1ep", other])
    assert wide.drop_nulls().height == 1  # its functional twins were not measured
    sources = catalog.query("SELECT name, kind, row_count FROM source ORDER BY id").rows()
    assert [(kind, count) for _, kind, count in sources] == [("own-training", 2), ("own-training", 1)]


def test_only_what_is_missing_is_trained(catalog: Store) -> None:
    first = evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0,), sample=2))
    before = trainings(catalog)
    more = evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0, 1), sample=3))
    again = evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0, 1), sample=3))
    assert (first.trained, more.trained, again.trained) == (2, 4, 0)
    assert before.items() <= trainings(catalog).items()
    (count,) = catalog.query("SELECT row_count FROM source").row(0)
    assert count == len(trainings(catalog)) == 6


def test_seeds_that_are_added_later_have_the_numbers_of_a_run_from_scratch(entered: Path, tmp_path: Path) -> None:
    """To the last digit, where all channel counts fill the processor's vectors.

    The third seed of these cells differs by up to five points if it is trained alone: a convolution without groups adds
    up in another order.
    """
    usual = Recipe("digits", 2, recipe("nb201", "digits"))
    found = []
    for number, counts in enumerate([(5,), (2, 3, 5)]):
        path = Path(shutil.copy(entered, tmp_path / f"{number}.duckdb"))
        with Store.open(path, mode="write") as catalog:
            for count in counts:
                asked = EvaluationRequest("nb201", usual, tuple(range(count)), where='"index" IN (1463, 1491)')
                evaluate_space(catalog, asked)
            curves = catalog.query(
                "SELECT architecture_id, seed, epoch, value FROM training_curve ORDER BY architecture_id, seed, epoch"
            )
            found.append((trainings(catalog), curves.rows()))
    assert len(found[0][0]) == 2 * 5
    assert found[0] == found[1]


def test_a_function_is_trained_once_whichever_of_its_cells_is_asked_for(catalog: Store) -> None:
    digest, twins = catalog.query(
        "SELECT canonical_digest, list(native_index ORDER BY native_index) FROM architecture WHERE is_connected "
        "GROUP BY ALL HAVING count(*) = 3 ORDER BY ALL LIMIT 1"
    ).row(0)
    one = evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0,), where=f'"index" = {twins[2]}'))
    all_of_them = evaluate_space(
        catalog, EvaluationRequest("nb201", TINY, (0,), where=f"canonical_digest = '{digest}'")
    )
    assert (one.trained, all_of_them.trained, all_of_them.selection.functions) == (1, 0, 1)
    assert list(trainings(catalog)) == [(twins[2], 0)]


def test_the_draw_is_that_of_the_shipped_table(catalog: Store) -> None:
    """`generate` draws the table's cells, so ``catalog evaluate nb201 --sample N`` trains the same."""
    evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0,), sample=3))
    graphs = distinct_functions(SPACE)
    drawn = [SPACE.native_index(graphs[place]) for place in np.random.default_rng(0).permutation(len(graphs))[:3]]
    assert sorted(index for index, _ in trainings(catalog)) == sorted(drawn)


def test_disconnected_cells_are_left_out_and_counted(catalog: Store) -> None:
    disconnected = catalog.query("SELECT count(*) FROM architecture WHERE NOT is_connected").item()
    assert disconnected > 0
    report = evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0,), where="NOT is_connected"))
    assert (report.selection.functions, report.selection.disconnected, report.trained) == (0, disconnected, 0)
    assert catalog.query("SELECT count(*) FROM source").item() == 0


def test_workers_give_the_numbers_of_one_process_in_the_order_of_the_tasks() -> None:
    tasks = [Task(index, SPACE.graph(str(index)), (0, 1)) for index in (1462, 1405, 1511)]
    alone, together = (
        [
            (one.architecture_id, [(training.seed, training.valid, training.test) for training in one.trainings])
            for one in run_tasks(tasks, TINY, workers)
        ]
        for workers in (1, 2)
    )
    assert together == alone
    assert [architecture_id for architecture_id, _ in together] == [1462, 1405, 1511]


def test_mistakes_are_told_before_anything_is_trained(catalog: Store) -> None:
    with pytest.raises(DatasetError, match="digits and cifar10:DIR"):
        evaluate_space(catalog, EvaluationRequest("nb201", Recipe("mnist", 1, TINY.config), (0,)))
    with pytest.raises(UsageError, match="channels of their stages"):
        evaluate_space(catalog, EvaluationRequest("nats-sss", TINY, (0,)))
    with pytest.raises(QueryError):
        evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0,), where="no_such_column > 1"))
    assert catalog.query("SELECT count(*) FROM run WHERE kind = 'evaluate'").item() == 0


def test_cifar10_has_columns_of_its_own(catalog: Store, tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    for name in (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"):
        rows = generator.integers(0, 256, size=(10, 1 + 3 * 32 * 32), dtype=np.uint8)
        rows[:, 0] = np.arange(10)
        rows.tofile(tmp_path / name)
    data = f"cifar10:{tmp_path}"
    assert (recipe("nb201", data).channels, recipe("nb201", data).cells) == (16, 5)  # the benchmark's own size
    small = Recipe(data, 3, TrainConfig(channels=2, batch_size=10))
    evaluate_space(catalog, EvaluationRequest("nb201", small, (0,), where='"index" = 1462'))
    (column,) = (name for name in SpaceView.of(catalog, "nb201").columns if name.startswith("cifar10_test"))
    assert column.startswith("cifar10_test_accuracy_3ep_own_training_")


@pytest.mark.parametrize("space", ["nb101", "darts"])
def test_the_usual_size_of_other_spaces_can_be_trained(space: str) -> None:
    drawn = space_named(space).sample(1, seed=0)
    config = recipe(space, "digits")
    (one,) = train(drawn[0], with_subset(digits(), 60), epochs=1, seeds=(0,), config=config)
    assert 0 <= one.test <= 100


def test_an_interrupted_job_keeps_what_is_done(catalog: Store) -> None:
    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    request = EvaluationRequest("nb201", TINY, (0,), sample=4)
    with pytest.raises(KeyboardInterrupt):
        evaluate_space(catalog, request, progress=stop)
    assert len(trainings(catalog)) == 2
    assert catalog.query("SELECT outcome FROM run WHERE kind = 'evaluate'").item() == "interrupted"
    assert SpaceView.of(catalog, "nb201").frame().select("^digits_test.*$").drop_nulls().height == 2
    assert evaluate_space(catalog, request).trained == 2


def test_what_cannot_be_built_fails_alone(catalog: Store, tmp_path: Path) -> None:
    graph = '{{"id": "{}", "ops": ["input", "{}", "output"], "edges": [[0, 1], [1, 2]]}}\n'
    file = tmp_path / "mine.jsonl"
    file.write_text(graph.format("known", "conv3x3") + graph.format("strange", "my_op"))
    strange = Operator("my_op", "other", "an operator", "an operator", "an operator", has_weights=True)
    ingest(catalog, GraphsJSONL("mine", [strange]), file)
    report = evaluate_space(catalog, EvaluationRequest("mine", TINY, (0,)))
    assert (report.trained, report.failed) == (1, 1)
    assert "my_op" in next(iter(report.failures))


def killing(task: Task, recipe: Recipe) -> Outcome:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_a_dead_worker_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictor.own_training.workers.run_task", killing)
    with pytest.raises(WorkerError, match="finished is stored"):
        list(run_tasks([Task(1, SPACE.graph("1462"), (0,))], TINY, workers=2))


def test_a_killed_job_loses_only_what_was_not_stored(entered: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(entered, tmp_path / "catalog.duckdb"))
    program = f"""
from catalog.storage.store import Store
from tests.predictor.own_training.test_job import TINY, EvaluationRequest, evaluate_space
with Store.open({str(path)!r}, mode="write") as catalog:
    evaluate_space(
        catalog,
        EvaluationRequest("nb201", TINY, (0,), sample=60),
        progress=lambda done, total: print(done, flush=True),
        commit_seconds=0,
    )
"""
    with running_python("-c", program) as job:
        assert job.stdout is not None
        while (done := int(job.stdout.readline())) < 3:
            pass
        job.kill()
    with Store.open(path, mode="write") as catalog:
        stored = trainings(catalog)
        assert done <= len(stored) < 60
        wide = SpaceView.of(catalog, "nb201").frame().select("^digits_test.*$").drop_nulls()
        assert wide.height == len(stored)
        report = evaluate_space(catalog, EvaluationRequest("nb201", TINY, (0,), sample=len(stored) + 2))
        assert report.trained == 2
        assert stored.items() <= trainings(catalog).items()
