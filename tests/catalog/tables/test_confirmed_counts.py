"""Published counts beside our own: equal in every row, they need no column; one that differs needs one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from catalog.storage.store import Store
from catalog.tables.doctor import examine
from catalog.tables.exporting import export_space
from catalog.tables.forgetting import forget_source
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest
from tests.catalog.cli.commands import call_catalog

WIDTHS = (4, 8, 12, 16)


def record(width: int, more: int = 0) -> dict[str, Any]:
    """A convolution of so many channels, and its parameters as a source says them."""
    node = {"op": "conv", "kernel": 3, "channels": width}
    told = 27 * width + 2 * width + 10 * width + 10 + more
    return {
        "id": f"w{width}",
        "input": {"shape": [3, 8, 8]},
        "head": {"classes": 10},
        "ops": ["input", node, "output"],
        "edges": [[0, 1], [1, 2]],
        "proxies": {"params": told},
        "metrics": [{"dataset": "cifar10", "split": "test", "name": "accuracy", "value": 80 + width / 4}],
    }


def fill(path: Path, folder: Path, records: Sequence[dict[str, Any]], name: str = "told") -> list[str]:
    file = folder / f"{name}.jsonl"
    file.write_text("\n".join(map(json.dumps, records)))
    with Store.open(path, mode="write") as store:
        return list(ingest(store, GraphsJSONL("mine"), file).notes)


def columns(path: Path) -> list[str]:
    with Store.open(path) as store:
        assert [finding for finding in examine(store, full=True) if finding.result == "failed"] == []
        return [str(name) for (name,) in store.rows("SELECT name FROM wide_column WHERE space = 'mine' ORDER BY 1")]


def test_counts_that_are_equal_in_every_row_share_a_column(catalog_path: Path, tmp_path: Path) -> None:
    notes = fill(catalog_path, tmp_path, [record(width) for width in WIDTHS])
    assert "params equals what is counted here in all 4 rows: one column shows both." in notes
    assert "params_published" not in columns(catalog_path)
    with Store.open(catalog_path) as store:
        assert store.rows("SELECT id, params FROM mine ORDER BY architecture_id")[0] == ("w4", 166)


def test_one_row_that_differs_gives_the_source_its_column(catalog_path: Path, tmp_path: Path) -> None:
    notes = fill(catalog_path, tmp_path, [record(width, more=width == 8) for width in WIDTHS])
    assert "params differs from what is counted here in 1 of 4 rows." in notes
    assert {"params", "params_published"} <= set(columns(catalog_path))
    with Store.open(catalog_path) as store:
        rows = store.rows("SELECT id FROM mine WHERE params != params_published")
    assert rows == [("w8",)]


def test_the_column_comes_and_goes_with_the_rows_that_differ(catalog_path: Path, tmp_path: Path) -> None:
    fill(catalog_path, tmp_path, [record(width) for width in WIDTHS[:2]])
    assert "params_published" not in columns(catalog_path)
    fill(catalog_path, tmp_path, [record(width, more=1) for width in WIDTHS[2:]], name="other")
    assert any(name.startswith("params_") for name in columns(catalog_path))
    with Store.open(catalog_path) as store:
        ((source,),) = store.rows("SELECT id FROM source WHERE name = 'other'")
    forget_source(catalog_path, source)
    assert "params" in columns(catalog_path)
    assert not any(name.startswith("params_") for name in columns(catalog_path))


def test_an_export_holds_the_column_that_shows_both(catalog_path: Path, tmp_path: Path) -> None:
    fill(catalog_path, tmp_path, [record(width) for width in WIDTHS])
    with Store.open(catalog_path) as store:
        export_space(store, "mine", tmp_path / "mine.csv", "csv")
    header, *rows = (tmp_path / "mine.csv").read_text().splitlines()
    assert "params" in header.split(",")
    assert "params_published" not in header
    assert len(rows) == len(WIDTHS)


@pytest.mark.parametrize("bound", [330, 1000])
def test_a_search_keeps_to_the_counts_of_sized_networks(catalog_path: Path, tmp_path: Path, bound: int) -> None:
    pytest.importorskip("torch", reason="a search asks which scores the predictors give; they are of the extra predict")
    fill(catalog_path, tmp_path, [record(width) for width in WIDTHS])
    given = ["--by", "cifar10_test_accuracy", "--max", f"params={bound}"]
    answer = call_catalog("search", "mine", *given, database=catalog_path)
    assert answer.returncode == 0, answer.stderr
    kept = [width for width in WIDTHS if 39 * width + 10 <= bound]
    assert answer.stdout.splitlines()[1].endswith(f"w{kept[-1]}")
    assert len(answer.stdout.splitlines()) == 1 + len(kept)
