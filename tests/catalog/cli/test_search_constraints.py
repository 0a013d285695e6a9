"""Constraints of every kind at once, and an honest word about the truth beside them."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog


@pytest.fixture
def database(measured_database: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))


def test_a_condition_holds_beside_a_bound_that_nobody_has_stored(database: Path) -> None:
    """Whether a proxy can be bounded without its column must not change what --where means."""
    given = ["--by", "depth + n_conv", "--method", "local-search", "--where", "n_conv <= 2", "--max", "params=1e6"]
    limit = ["--max", "l2_norm=400", "--budget", "20"]
    answer = call_catalog("search", "nb201", *given, *limit, database=database)
    assert answer.returncode == 0, answer.stderr
    rows = list(csv.DictReader(io.StringIO(answer.stdout)))
    assert rows
    assert max(float(row["l2_norm"]) for row in rows) <= 400
    with Store.open(database) as catalog:
        worst = catalog.query(
            "SELECT max(n_conv), max(params) FROM nb201 WHERE architecture_id IN "
            "(SELECT architecture_id FROM search_visit)"
        ).row(0)
    assert worst[0] <= 2
    assert worst[1] <= 1e6


@pytest.mark.parametrize("given", [["--min", "cifar10_test_accuracy=93"], ["--where", "cifar10_test_accuracy > 93"]])
def test_a_truth_that_constrains_the_search_is_not_called_unused(database: Path, given: list[str]) -> None:
    answer = call_catalog("search", "nb201", "--by", "depth", *given, database=database)
    assert "USED by the search" in answer.stderr


def test_a_score_that_knows_the_spaces_labels_is_named_beside_the_truth(database: Path) -> None:
    given = ["--where", "n_conv = 1"]
    taught, blind = (
        call_catalog("search", "nb201", "--by", by, *given, database=database) for by in ("tg_nas_multi", "tg_nas")
    )
    assert "tg_nas_multi WAS TRAINED on labels" in taught.stderr
    assert "not used by the search" in blind.stderr
    assert "TRAINED" not in blind.stderr
