"""The files of a paper about the spaces whose every name tries to break out."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.report.paper.files import paper_files
from catalog.report.report import Report, build_report
from catalog.storage.store import Store
from tests.catalog.report.conftest import HOSTILE, SPACES, TARGETS, hostile_database

__all__ = ["hostile_database"]

NAMES = {
    "good_published": r"50 % & \input{/etc/passwd} $x$ _^~#{} 中é [1]*--",
    TARGETS[0]: "C-10_\u03b1",
    "kendall_tau": "τ",
}


@pytest.fixture(scope="session")
def several(hostile_database: Path) -> Report:
    with Store.open(hostile_database) as catalog:
        return build_report(catalog, SPACES, TARGETS, names=NAMES, command=f"catalog report '{HOSTILE}'")


@pytest.fixture(scope="session")
def single(hostile_database: Path) -> Report:
    with Store.open(hostile_database) as catalog:
        return build_report(catalog, ["few"], TARGETS[:1], names=NAMES)


@pytest.fixture(scope="session")
def files(single: Report) -> dict[str, bytes]:
    return paper_files(single)
