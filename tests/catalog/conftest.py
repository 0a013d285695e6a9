"""The catalogs that the tests ask, built once a session."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.enumeration import enumerate_space
from tests.catalog.cli.commands import TABLES, call_catalog, run_catalog
from tests.catalog.small_catalog import fill


@pytest.fixture
def small_catalog(catalog_path: Path) -> Iterator[Store]:
    """A small catalog open for writing."""
    with Store.open(catalog_path, mode="write") as catalog:
        fill(catalog)
        yield catalog


@pytest.fixture(scope="session")
def nb201_path(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Path:
    """All NAS-Bench-201 cells with their structural proxies and no metrics; never write it."""
    path = Path(shutil.copy(empty_catalog, tmp_path_factory.mktemp("nb201") / "catalog.duckdb"))
    with Store.open(path, mode="write") as catalog:
        enumerate_space(catalog, space_named("nb201"))
    return path


@pytest.fixture
def nb201(nb201_path: Path) -> Iterator[Store]:
    """`nb201_path`, open for reading."""
    with Store.open(nb201_path) as catalog:
        yield catalog


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `catalog demo` leaves behind on a machine without benchmark files."""
    folder = tmp_path_factory.mktemp("demo")
    answer = run_catalog("demo", "--out", str(folder))
    assert answer.returncode == 0, answer.stderr
    (folder / "stdout.txt").write_text(answer.stdout)
    return folder


@pytest.fixture(scope="session")
def measured_database(demo_folder: Path, data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAS-Bench-201 with its published accuracies."""
    database = tmp_path_factory.mktemp("measured") / "catalog.duckdb"
    database.write_bytes((demo_folder / "catalog.duckdb").read_bytes())
    answer = call_catalog("ingest", "nasbench201", *(str(data_dir / name) for name in TABLES), database=database)
    assert answer.returncode == 0, answer.stderr
    return database
