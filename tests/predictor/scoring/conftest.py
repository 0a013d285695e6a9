"""Catalogs of a few cells, to be scored."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import pytest

from catalog.storage.store import Store
from tests.predictor.scored_cells import database_of_cells


@pytest.fixture(scope="module")
def cells_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database_of_cells(tmp_path_factory.mktemp("cells") / "catalog.duckdb")


@pytest.fixture
def catalog(cells_database: Path, tmp_path: Path) -> Generator[Store, None, None]:
    with Store.open(shutil.copy(cells_database, tmp_path / "catalog.duckdb"), mode="write") as opened:
        yield opened
