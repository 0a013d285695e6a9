"""What a search leaves in the catalog."""

from __future__ import annotations

import shutil
from pathlib import Path

from catalog.store import Catalog
from tests.catalog.cli.commands import call_catalog


def test_a_cell_that_computes_nothing_is_disconnected_and_not_failed(tmp_path: Path) -> None:
    database = tmp_path / "catalog.duckdb"
    answer = call_catalog(
        "search", "nb201", "--by", "tg_nas", "--method", "random", "--budget", "400", database=database
    )
    assert answer.returncode == 0, answer.stderr
    with Catalog.open(database) as catalog:
        found = catalog.query(
            """
            SELECT DISTINCT is_connected, status, reason IS NULL AS has_no_reason FROM score
            JOIN proxy ON proxy.id = proxy_id JOIN architecture ON architecture.id = architecture_id
            WHERE name = 'tg_nas' ORDER BY is_connected
            """
        ).rows()
    assert found == [(False, "disconnected", False), (True, "ok", True)]


def test_what_has_to_be_measured_is_scored_a_few_at_a_time(measured_database: Path, tmp_path: Path) -> None:
    """Ctrl-C and --seconds wait for what is being scored: a thousand networks would be minutes."""
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    by = ["--by", "l2_norm", "--method", "random", "--where", "n_conv = 1", "--budget", "24"]
    answer = call_catalog("search", "nb201", *by, database=database)
    assert answer.returncode == 0, answer.stderr
    with Catalog.open(database) as catalog:
        together = catalog.query("SELECT max(n) FROM (SELECT count(*) AS n FROM search_visit GROUP BY seconds)").item()
    assert together <= 8
