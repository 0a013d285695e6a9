"""``catalog compare --out``: the page, and what stops it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.cli.commands import Ask


def test_compare_writes_one_page(ask: Ask, tmp_path: Path) -> None:
    page = tmp_path / "compare.html"
    answer = ask("compare", "nb201", "6111", "9930", "--out", str(page))
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout == ""
    assert answer.stderr.startswith(f"wrote {page}: 2 architectures, ")
    text = page.read_text()
    assert text.count("<svg") == 4
    assert "one minus the cosine" in text.lower()
    assert f"catalog compare nb201 6111 9930 --out {page}" in text


def test_without_the_predictors_the_page_says_so(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalog.extras.find_spec", lambda name: None)
    page = tmp_path / "compare.html"
    assert ask("compare", "nb201", "6111", "9930", "--out", str(page)).returncode == 0
    assert "There are no vectors here: torch, safetensors is not installed" in page.read_text()


def test_what_cannot_be_compared_writes_nothing(ask: Ask, tmp_path: Path) -> None:
    page = tmp_path / "compare.html"
    assert ask("compare", "nb201", "6111", "(2, 2, 0, 2, 2, 3)", "--out", str(page)).returncode == 2
    assert ask("compare", "nb201", "6111", "99999", "--out", str(page)).returncode == 2
    assert not page.exists()
    refused = ask("compare", "nb201", "6111", "9930", "--out", str(tmp_path))
    assert (refused.returncode, "Is a directory; nothing was left behind" in refused.stderr) == (1, True)
