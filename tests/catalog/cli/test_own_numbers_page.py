"""The page on one's own numbers tells the truth: its examples run in order, on the file that comes with it."""

from __future__ import annotations

import csv
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.test_documentation import blocks, run_console, run_python

CHECKOUT = Path(__file__).resolve().parents[3]
PAGE = CHECKOUT / "docs/own_numbers.md"


def test_the_page_runs_in_order(demo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Path(shutil.copy(demo_folder / "catalog.duckdb", tmp_path / "catalog.duckdb"))
    (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
    monkeypatch.chdir(tmp_path)
    for block in blocks(PAGE, "sh", "console", "python", "toml"):
        if block.language == "toml":
            Path("my_map.toml").write_text(block.text)
        elif block.language == "python":
            run_python(block)
        elif block.language == "console":
            run_console(block, database)
        else:
            answer = call_catalog(*shlex.split(block.text)[1:], database=database)
            assert answer.returncode == 0, answer.stderr
    assert "nothing to do" in call_catalog(*shlex.split(FIRST)[1:], database=database).stderr


FIRST = next(blocks(PAGE, "sh")).text


def test_the_example_is_what_its_script_writes(tmp_path: Path) -> None:
    made = tmp_path / "my_scores.csv"
    subprocess.run([sys.executable, CHECKOUT / "examples/my_scores.py", made], check=True)
    assert made.read_text() == (CHECKOUT / "examples/my_scores.csv").read_text()


def test_the_examples_proxy_is_what_its_docstring_says() -> None:
    rows = list(csv.DictReader((CHECKOUT / "examples/my_scores.csv").read_text().splitlines()))
    assert len(rows) == 200
    for row in rows[::20]:
        assert int(row["conv_paths"]) == sum("nor_conv" in path for path in paths(row["arch"], 3))


def paths(cell: str, node: int) -> list[str]:
    """The operators of each path from the input to a node, spelt out."""
    if node == 0:
        return [""]
    edges = [edge.split("~") for edge in cell.split("+")[node - 1].strip("|").split("|")]
    return [
        f"{before} {operator}"
        for operator, source in edges
        if operator != "none"
        for before in paths(cell, int(source))
    ]
