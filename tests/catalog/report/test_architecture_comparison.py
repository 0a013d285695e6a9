"""Architectures side by side: the numbers are the catalog's, and the page is one file that asks for nothing."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path

import pytest

from catalog.errors import UsageError
from catalog.report.architecture_comparison import Comparison, comparison_page, read_comparison
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog

OPERATORS = (["conv3x3", "conv1x1"], ["conv3x3", "conv3x3"], ["maxpool3x3", "conv3x3"], ["conv1x1", "conv1x1"])
ACCURACIES = ((90.0, 92.0), (94.0,), (80.0, 81.0), (70.0,))
RARE = {"value": 0.5, "direction": "higher"}
PROXIES = ({"up": {"value": 1.0, "direction": "higher"}}, {"up": 3.0}, {"up": 2.0}, {"up": 3.0, "rare": RARE})


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four chains with accuracies of one or two seeds, one proxy for all and one for the last."""
    folder = tmp_path_factory.mktemp("comparison")
    metric = {"dataset": "cifar10", "split": "test", "name": "accuracy", "epochs": 200}
    rows = [
        {
            "id": f"chain{number}",
            "ops": ["input", *operators, "output"],
            "edges": [[0, 1], [1, 2], [2, 3]],
            "metrics": [{**metric, "seed": seed, "value": value} for seed, value in enumerate(ACCURACIES[number])],
            "proxies": PROXIES[number],
        }
        for number, operators in enumerate(OPERATORS)
    ]
    (folder / "mine.jsonl").write_text("\n".join(map(json.dumps, rows)))
    database = folder / "catalog.duckdb"
    answer = call_catalog("ingest", "graphs", str(folder / "mine.jsonl"), "--space", "mine", database=database)
    assert answer.returncode == 0, answer.stderr
    return database


@pytest.fixture(scope="module")
def comparison(measured: Path) -> Comparison:
    with Store.open(measured) as catalog:
        return read_comparison(catalog, "mine", [1, 2, 4], "torch is not installed & more")


def test_metrics_keep_their_sources_and_seeds(comparison: Comparison) -> None:
    (line,) = comparison.metrics
    assert line.words == ("mine", "trained", "accuracy", "cifar10", "test", "200", "", "")
    assert [shown.value for shown in line.values] == [91.0, 94.0, 70.0]
    assert [shown.aside for shown in line.values] == ["± 1.4, 2 runs", "1 run", "1 run"]


def test_a_published_mean_is_no_run(measured: Path) -> None:
    """Three trainings and their published mean are three runs; a mean alone says nothing of them."""
    metric = "(1, 'accuracy', 'trained', 'cifar10', 'test', 12, {0}, {1}, {2}, {3})"
    rows = [(1, "NULL", repeat, 80.0 + repeat) for repeat in (1, 2, 3)]
    rows += [(1, "NULL", "NULL", 90.0), (2, "NULL", "NULL", 85.0), (4, 7, "NULL", "NULL")]
    with Store.open(measured, mode="write") as catalog, catalog.transaction():
        catalog.execute(
            "INSERT INTO metric (source_id, name, kind, dataset, split, epochs, architecture_id, seed, repeat, value)"
            f" VALUES {', '.join(metric.format(*row) for row in rows)}"
        )
        found = read_comparison(catalog, "mine", [1, 2, 4], "").metrics
        catalog.execute("DELETE FROM metric WHERE epochs = 12")
    (line,) = (line for line in found if "12" in line.words)
    assert [shown.value for shown in line.values] == [82.0, 85.0, None]
    assert [shown.aside for shown in line.values] == ["± 1, 3 runs; published mean 90", "", ""]


def test_proxies_are_percentiles_of_the_space(comparison: Comparison) -> None:
    lines = {line.words[0]: line.values for line in comparison.scores}
    assert [shown.percentile for shown in lines["up"]] == [25.0, 100.0, 100.0]
    assert [(shown.value, shown.percentile) for shown in lines["rare"]] == [(None, None), (None, None), (0.5, 100.0)]


def test_neighbours_carry_the_first_test_accuracy(comparison: Comparison) -> None:
    assert comparison.headline == ("cifar10_test_accuracy", {1: 91.0, 2: 94.0, 3: 80.5, 4: 70.0})
    table = comparison.neighbours(comparison.by_edits[0], lambda number: f"/architectures/{number}")
    assert [column.name for column in table.columns] == ["native id", "distance", "cifar10_test_accuracy"]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ['<a href="/architectures/2">chain1</a>', "1", "94.00"],
        ['<a href="/architectures/4">chain3</a>', "1", "70.00"],
        ['<a href="/architectures/3">chain2</a>', "2", "80.50"],
    ]


def test_the_page_is_one_file_that_asks_for_nothing(comparison: Comparison) -> None:
    page = comparison_page(comparison, "catalog compare mine chain0 chain1 --out compare.html")
    assert page.count("<svg") == 3 + 3  # the architectures in two forms
    assert "default-src 'none'" in html.unescape(page)
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    assert "<title>mine: chain0, chain1, chain3</title>" in page
    assert "torch is not installed &amp; more" in page


def test_architectures_are_called_by_their_numbers_where_they_have_some(nb201: Store) -> None:
    comparison = read_comparison(nb201, "nb201", [6112, 9931], "no vectors")
    assert comparison.names == ("6111", "9930")
    assert comparison.headline == (None, {})
    assert comparison.neighbours(comparison.by_edits[0]).rows[0].cells[0].text == "1162"


def test_one_architecture_in_two_notations_is_refused(nb201: Store) -> None:
    with pytest.raises(UsageError, match="two of the given ids name one architecture"):
        read_comparison(nb201, "nb201", [5, 5], "")
    with pytest.raises(UsageError, match="26 is the most"):
        read_comparison(nb201, "nb201", list(range(1, 28)), "")
