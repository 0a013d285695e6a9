"""The figures of `catalog search --plot`."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog


@pytest.mark.parametrize("name", ["curve.png", "curve.svg", "curve.pdf", "curve.html"])
def test_the_curve_is_drawn(name: str, searched: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    answer = call_catalog(
        *(
            "search",
            "nb201",
            "--by",
            "cifar10_valid_accuracy",
            "--method",
            "random",
            "--budget",
            "20",
            "--plot",
            str(path),
        ),
        database=searched,
    )
    assert answer.returncode == 0, answer.stderr
    start = path.read_bytes()[:400]
    assert {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<html"}[path.suffix[1:]] in start


def test_a_front_is_drawn_with_hostile_names_escaped(searched: Path, tmp_path: Path) -> None:
    path = tmp_path / "front.html"
    with Store.open(searched, mode="write") as catalog:
        catalog.execute('ALTER TABLE nb201 ADD COLUMN IF NOT EXISTS "<img src=x onerror=alert(1)>" DOUBLE DEFAULT 1')
    answer = call_catalog(
        *("search", "nb201", "--by", "params", "--by", '"<img src=x onerror=alert(1)>"', "--plot", str(path)),
        database=searched,
    )
    assert answer.returncode == 0, answer.stderr
    assert "<img src=x" not in path.read_text(encoding="utf-8")
