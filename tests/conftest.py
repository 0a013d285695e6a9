"""What all tests share: the folder of real data, and the switch that lets CI refuse skipped tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# How long an example takes depends on what else the machine does: no law of the catalog, so no reason to fail.
settings.register_profile("catalog", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("catalog")

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder with the real benchmark tables: `$CATALOG_DATA`, else ``../shared/data`` beside the checkout."""
    folder = Path(os.environ.get("CATALOG_DATA") or CHECKOUT.parent / "shared" / "data")
    if not (folder / "nb201").is_dir():
        pytest.skip(f"real benchmark tables are not at {folder}; set CATALOG_DATA to their folder to run this test")
    return folder


@pytest.fixture(scope="session")
def empty_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One empty catalog file for the whole session; copy it, never write it."""
    from catalog.storage import migration

    path = tmp_path_factory.mktemp("empty") / "catalog.duckdb"
    migration.init(path)
    return path


@pytest.fixture
def catalog_path(tmp_path: Path, empty_catalog: Path) -> Path:
    """An empty catalog file of the test's own."""
    return Path(shutil.copy(empty_catalog, tmp_path / "catalog.duckdb"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium, for one file of tests only: while it is open, no other event loop runs in this process."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright, of the extra dev")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("needs Chromium on the PATH to look at pages")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With ``CI_NO_SKIP=1`` a skipped test fails: CI has everything that a test may ask for."""
    report = yield
    if not hasattr(report, "wasxfail"):
        _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module that skips itself."""
    report = yield
    _refuse_skip(report)
    return report


def _refuse_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and os.environ.get("CI_NO_SKIP") == "1":
        report.outcome = "failed"
        report.longrepr = f"CI_NO_SKIP=1 allows no skipped test, but this one was: {report.longrepr}"
