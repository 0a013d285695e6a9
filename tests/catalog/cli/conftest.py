"""How the command tests ask the catalogs of `tests/catalog/conftest.py`."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.catalog.cli.commands import Answer, Ask, call_catalog


@pytest.fixture
def ask(demo_folder: Path) -> Ask:
    """Run a command on the demo's catalog."""

    def run(*arguments: str, stdin: str = "") -> Answer:
        return call_catalog(*arguments, database=demo_folder / "catalog.duckdb", stdin=stdin)

    return run


@pytest.fixture(scope="module")
def searched(measured_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAS-Bench-201 with accuracies, for all searches of one file."""
    return Path(shutil.copy(measured_database, tmp_path_factory.mktemp("searched") / "catalog.duckdb"))
