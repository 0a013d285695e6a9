"""What the tests of the store and of its readers share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.enumeration import enumerate_space
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
