"""Catalogs that the command tests ask, built once a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.catalog.cli.commands import TABLES, Answer, Ask, call_catalog, run_catalog


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `catalog demo` leaves behind on a machine without benchmark files."""
    folder = tmp_path_factory.mktemp("demo")
    answer = run_catalog("demo", "--out", str(folder))
    assert answer.returncode == 0, answer.stderr
    (folder / "stdout.txt").write_text(answer.stdout)
    return folder


@pytest.fixture
def ask(demo_folder: Path) -> Ask:
    """Run a command on the demo's catalog."""

    def run(*arguments: str, stdin: str = "") -> Answer:
        return call_catalog(*arguments, database=demo_folder / "catalog.duckdb", stdin=stdin)

    return run


@pytest.fixture(scope="session")
def measured_database(demo_folder: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAS-Bench-201 with its published accuracies."""
    database = tmp_path_factory.mktemp("measured") / "catalog.duckdb"
    database.write_bytes((demo_folder / "catalog.duckdb").read_bytes())
    answer = call_catalog("ingest", "nasbench201", *(str(data_dir / name) for name in TABLES), database=database)
    assert answer.returncode == 0, answer.stderr
    return database


@pytest.fixture(scope="module")
def searched(measured_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAS-Bench-201 with accuracies, for all searches of one file."""
    return Path(shutil.copy(measured_database, tmp_path_factory.mktemp("searched") / "catalog.duckdb"))
