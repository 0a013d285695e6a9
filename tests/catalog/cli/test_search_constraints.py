"""Constraints of every kind at once: what is stored, what is computed as the search goes, and an SQL condition."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import pytest

from catalog.store import Catalog
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
    with Catalog.open(database) as catalog:
        worst = catalog.query(
            "SELECT max(n_conv), max(params) FROM nb201 WHERE architecture_id IN "
            "(SELECT architecture_id FROM search_visit)"
        ).row(0)
    assert worst[0] <= 2
    assert worst[1] <= 1e6
