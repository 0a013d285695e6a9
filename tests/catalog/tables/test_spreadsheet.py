"""Texts that a spreadsheet would run: exact in CSV and said; harmless and reversible in the format for spreadsheets."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.storage.store import Store
from catalog.tables.exporting import export_space
from catalog.tables.spreadsheet import as_cell, as_text, runs
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest

FORMULAS = ["=cmd|'/c calc'!A1", "+1", "-1+2", "@SUM(A1)", "'=1", "''@x"]
PLAIN = ["a", "a=b", "'quoted'", "|nor_conv_3x3~0|", "größe"]


@given(st.text(alphabet="'=+-@\t\r\nab", max_size=6))
def test_every_text_comes_back_and_none_runs(text: str) -> None:
    cell = as_cell(text)
    assert as_text(cell) == text
    assert cell[:1] not in tuple("=+-@\t\r\n") or not cell
    assert runs(text) == (cell != text)


def test_numbers_are_no_texts() -> None:
    assert [as_cell(value) for value in (-1.5, -3, None)] == [-1.5, -3, None]


@pytest.fixture
def database(catalog_path: Path, tmp_path: Path) -> Path:
    path = tmp_path / "mine.jsonl"
    chain = {"ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}
    metric = {"name": "loss", "value": -1.5}
    lines = [{"id": name, **chain, "metrics": [metric]} for name in FORMULAS + PLAIN]
    path.write_text("\n".join(map(json.dumps, lines)))
    with Store.open(catalog_path, mode="write") as catalog:
        ingest(catalog, GraphsJSONL("mine"), path)
    return catalog_path


def ids(path: Path) -> list[str]:
    with path.open(newline="") as stream:
        return [row["id"] for row in csv.DictReader(stream)]


def test_an_export_is_exact_and_says_what_a_spreadsheet_would_run(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with Store.open(database) as catalog:
        said = str(export_space(catalog, "mine", path, "csv"))
    assert ids(path) == FORMULAS + PLAIN
    assert "texts in id begin like formulas" in said
    assert "--format spreadsheet" in said


def test_an_export_for_spreadsheets_is_harmless_and_reversible(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with Store.open(database) as catalog:
        said = str(export_space(catalog, "mine", path, "spreadsheet"))
    assert "formulas" not in said
    assert ids(path) == [f"'{name}" for name in FORMULAS] + PLAIN
    assert [as_text(cell) for cell in ids(path)] == FORMULAS + PLAIN
    assert ",-1.5" in path.read_text()
