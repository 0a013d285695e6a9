"""One architecture is one row, whatever a source calls it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.catalog.cli.commands import call_catalog

BEST = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"


@pytest.fixture(scope="module")
def joined(measured_database: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAS-Bench-201 as six sources know it: strings, indices, NASLib's tuples, and pickles."""
    database = tmp_path_factory.mktemp("joined") / "catalog.duckdb"
    database.write_bytes(measured_database.read_bytes())
    for command in (
        (
            "nasbench201",
            "nb201/published_proxies_cifar10.csv.gz",
            "formats/nats_bench_samples/NATS-tss-v1_0-3ffb9-simple",
        ),
        ("hw-nas-bench", "nb201/hw_nas_bench_cifar10.csv.gz"),
        ("nasbench301", "nb301/zc_nasbench301@6639fd15.json", "nb301/zc_nasbench301@e5a821c2.json"),
        ("darts", "darts/darts_214_trained_cifar10.csv"),
    ):
        files = [str(data_dir / file) for file in command[1:]]
        answer = call_catalog("ingest", command[0], *files, database=database)
        assert answer.returncode == 0, answer.stderr
    return database


def rows(database: Path, sql: str) -> pl.DataFrame:
    answer = call_catalog("query", sql, database=database)
    assert answer.returncode == 0, answer.stderr
    return pl.read_csv(answer.stdout.encode())


def test_no_source_makes_a_second_row_of_a_cell(joined: Path) -> None:
    counts = rows(
        joined, "SELECT count(*) AS cells, count(DISTINCT native_id) AS names FROM architecture WHERE space = 'nb201'"
    )
    assert counts.row(0) == (15_625, 15_625)


def test_four_sources_join_on_the_architecture(joined: Path) -> None:
    """Index (NATS table), string (v1.1 table), tuple (HW-NAS-Bench, Suite-Zero) and pickle (NATS samples) meet."""
    found = rows(
        joined,
        """
        WITH knows AS (
            SELECT DISTINCT architecture_id, source.kind || ' ' || source.name AS source
            FROM (SELECT architecture_id, source_id FROM metric UNION ALL SELECT architecture_id, source_id FROM score)
            JOIN source ON source.id = source_id
        )
        SELECT native_index, count(DISTINCT source) AS sources FROM knows JOIN architecture ON id = architecture_id
        WHERE space = 'nb201' AND native_index IN (0, 11, 284) GROUP BY 1 ORDER BY 1
        """,
    )
    assert found["native_index"].to_list() == [0, 11, 284]
    assert found["sources"].min() >= 4


def test_numbers_of_different_sources_stand_in_one_row(joined: Path) -> None:
    row = rows(
        joined,
        "SELECT cifar10_test_accuracy, cifar10_test_accuracy_nats, cifar10_latency_edgegpu, nwot_published, params, "
        "params_published FROM nb201 WHERE index = 6111",
    ).row(0, named=True)
    assert row["cifar10_test_accuracy"] == pytest.approx(94.3733, abs=1e-4)  # published optimum of v1.1
    assert row["params"] == row["params_published"] == 1_073_466
    assert all(value is not None for value in row.values())


def test_show_lists_every_source_that_knows_the_cell(joined: Path) -> None:
    shown = call_catalog("show", "nb201", BEST, database=joined).stdout
    for source in ("nb201", "nats", "hw_nas_bench", "suite_zero_nasbench201"):
        assert f"\n{source} " in shown or f" {source} " in shown


def test_a_darts_cell_that_two_files_hold_is_one_architecture(joined: Path) -> None:
    """Two files of NAS-Bench-Suite-Zero hold the same 725 cells; the trained list adds 214 others."""
    held = rows(joined, "SELECT count(*) AS cells FROM architecture WHERE space = 'darts'").item()
    assert held == 725 + 214
    shared = rows(
        joined,
        "SELECT count(*) FROM (SELECT architecture_id FROM metric JOIN source ON source.id = source_id "
        "WHERE source.name LIKE 'suite_zero_nasbench301%' GROUP BY 1 HAVING count(DISTINCT source_id) = 2)",
    ).item()
    assert shared == 725
