"""The published accuracies through the command line: golden numbers of NAS-Bench-201."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.catalog.cli.commands import TABLES, call_catalog


def test_correlations_are_the_known_ones(measured_database: Path) -> None:
    words = ("correlate", "nb201", "--target", "cifar10_test_accuracy", "--pool", "own")  # a predictor saw some labels
    answer = call_catalog(*words, database=measured_database)
    rows = {row["proxy"]: row for row in pl.read_csv(answer.stdout.encode()).iter_rows(named=True)}
    assert (rows["params"]["n"], rows["live_params"]["n"]) == (15_625, 15_625)
    assert rows["params"]["kendall_tau"] == pytest.approx(0.577, abs=5e-4)
    assert rows["params"]["spearman_rho"] == pytest.approx(0.752, abs=5e-4)
    assert rows["live_params"]["kendall_tau"] == pytest.approx(0.653, abs=7e-4)
    assert rows["live_params"]["spearman_rho"] == pytest.approx(0.821, abs=7e-4)
    assert rows["conv_depth"]["disconnected"] == 341  # a cell without a path has no depth, and ranks last


def test_the_doctor_knows_the_published_optima(measured_database: Path) -> None:
    answer = call_catalog("doctor", database=measured_database)
    checks = pl.read_csv(answer.stdout.encode())
    optima = checks.filter(pl.col("check").str.starts_with("nb201 best"))
    assert optima["result"].to_list() == ["ok"] * 6


def test_structural_counts_are_scores_like_any_other(measured_database: Path) -> None:
    sql = "SELECT depth, n_conv, n_skip FROM nb201 WHERE index = 6111"  # 5 convolutions and a skip
    assert call_catalog("query", sql, database=measured_database).stdout == "depth,n_conv,n_skip\n4.0,5.0,1.0\n"


def test_the_versions_of_the_benchmark_are_never_mixed(measured_database: Path) -> None:
    sql = (
        "SELECT count(*) FILTER (abs(cifar10_test_accuracy - cifar10_test_accuracy_nats) > 1e-3) AS differing, "
        "count(cifar10_test_accuracy_12ep) AS short FROM nb201"
    )
    rows = pl.read_csv(call_catalog("query", sql, database=measured_database).stdout.encode()).row(0)
    assert 2_300 < rows[0] < 2_600  # v1.0 has fewer seeds for about 2,450 architectures
    assert rows[1] == 15_625


def test_ingesting_a_file_again_changes_nothing(measured_database: Path, data_dir: Path) -> None:
    sql = "SELECT name, sha256 FROM source ORDER BY id"
    before = call_catalog("query", sql, database=measured_database).stdout
    answer = call_catalog("ingest", "nasbench201", str(data_dir / TABLES[0]), database=measured_database)
    assert answer.returncode == 0
    assert "already in the catalog" in answer.stderr
    assert len(before.splitlines()) == 1 + len(TABLES) + 1  # the header, the tables, and NB201-digits of the demo
    assert call_catalog("query", sql, database=measured_database).stdout == before


def test_a_bad_line_stores_nothing(measured_database: Path, tmp_path: Path) -> None:
    bad = tmp_path / "nb201_v9.9_200ep.csv"
    bad.write_text("nb201_index,cifar10_test_acc\n0,85.1\n1,943.7\n")
    answer = call_catalog(
        "ingest", "nasbench201", str(bad), "--source", "mine", "--epochs", "200", database=measured_database
    )
    assert answer.returncode == 1
    assert "line 3: cifar10_test_acc is 943.7; accuracies are percent, 0 to 100" in answer.stderr
    sql = "SELECT (SELECT count(*) FROM source) AS sources, (SELECT arg_max(outcome, id) FROM run) AS last"
    assert call_catalog("query", sql, database=measured_database).stdout == f"sources,last\n{len(TABLES) + 1},failed\n"
