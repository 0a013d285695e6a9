"""``catalog evaluate`` as a user types it, and the ground truth of the demo."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.catalog.cli.commands import call_catalog

TINY = ("--epochs", "1", "--seeds", "1", "--channels", "2", "--workers", "1")


@pytest.fixture
def database(demo_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(demo_folder / "catalog.duckdb", tmp_path / "catalog.duckdb"))


def test_it_says_what_was_trained_and_what_was_there(database: Path) -> None:
    first = call_catalog("evaluate", "nb201", "--sample", "2", *TINY, database=database)
    assert first.returncode == 0, first.stderr
    assert first.stdout == ""
    assert "2 functions of nb201: 2 trainings stored, 2 were missing, 341 disconnected" in first.stderr
    again = call_catalog("evaluate", "nb201", "--sample", "2", *TINY, database=database)
    assert "0 trainings stored, 0 were missing" in again.stderr
    sql = "SELECT count(*) AS n FROM metric JOIN source ON source.id = source_id WHERE source.kind = 'own-training'"
    assert call_catalog("query", sql, database=database).stdout == "n\n6\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nb201", "--dataset", "mnist", "--epochs", "1"), "allowed are digits and cifar10:DIR"),
        (("nb201", "--dataset", "cifar10:/nowhere"), "add --epochs N"),
        (("nb201", "--dataset", "cifar10:/nowhere", "--epochs", "1"), "CIFAR-10"),
        (("nb202",), "nb202"),
        (("nb201", "--where", "no_such_column > 1"), "no_such_column"),
    ],
)
def test_a_mistake_is_told_before_anything_is_trained(database: Path, arguments: tuple[str, ...], said: str) -> None:
    answer = call_catalog("evaluate", *arguments, "--workers", "1", database=database)
    assert answer.returncode == 2
    assert said in answer.stderr


def test_a_space_that_cannot_be_trained_fails_with_the_reason(database: Path, tmp_path: Path) -> None:
    graphs = tmp_path / "mine.jsonl"
    graphs.write_text('{"id": "a", "ops": ["input", "my_op", "output"], "edges": [[0, 1], [1, 2]]}\n')
    operators = tmp_path / "ops.json"
    operators.write_text('{"my_op": {"kind": "attention", "kernel": null, "weights": true, "description": "Self"}}')
    call_catalog(
        *("ingest", "graphs", str(graphs), "--space", "mine", "--operators", str(operators)), database=database
    )
    answer = call_catalog("evaluate", "mine", *TINY, database=database)
    assert answer.returncode == 1
    assert "1 architectures could not be trained: ProxyError" in answer.stderr
    assert "no architecture could be trained" in answer.stderr


def test_the_demo_ranks_by_the_table_that_comes_with_the_package(demo_folder: Path) -> None:
    shown = (demo_folder / "stdout.txt").read_text()
    assert "catalog correlate nb201 --target digits_test_accuracy" in shown
    assert "Two seeds agree with a Spearman correlation of" in shown
    assert "does not say how it ranks networks trained on CIFAR-10" in shown
