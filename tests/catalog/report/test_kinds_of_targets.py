"""Errors, supernets and tiny tasks beside accuracies: turned, named apart, and kept out of the ranks."""

from __future__ import annotations

import json

import numpy as np
import pytest

from catalog.report.across_tasks import targets_told, task_table
from catalog.report.report import Report, build_report
from catalog.report.sentences import summary
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog

SIZE = 60


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    folder = tmp_path_factory.mktemp("kinds")
    random = np.random.default_rng(5)
    lines = []
    for number in range(SIZE):
        quality = float(random.uniform(0.0, 0.001))
        metrics = [{"split": "test", "name": "error", "value": 0.05 - quality}]
        for seed in (1, 2):
            supernet = {"dataset": "cifar10", "split": "test", "name": "accuracy", "kind": "supernet", "seed": seed}
            metrics.append({**supernet, "value": 60 + 1e4 * quality + seed / 100})
        if number < 7:
            metrics.append({"dataset": "digits", "split": "test", "name": "accuracy", "value": 50.0 + number})
        proxies = {
            "good": {"value": quality + float(random.normal(0, 1e-4)), "direction": "higher"},
            "bad": {"value": float(random.normal()), "direction": "higher"},
        }
        operators = ["input", *(["conv3x3"] * (1 + number)), "output"]
        edges = [[place, place + 1] for place in range(len(operators) - 1)]
        line = {"id": f"net{number}", "ops": operators, "edges": edges, "metrics": metrics, "proxies": proxies}
        lines.append(json.dumps(line))
    (folder / "mine.jsonl").write_text("\n".join(lines))
    database = folder / "catalog.duckdb"
    given = ("ingest", "graphs", str(folder / "mine.jsonl"), "--space", "mine", "--direction", "error=lower")
    answer = call_catalog(*given, database=database)
    assert answer.returncode == 0, answer.stderr
    with Store.open(database) as catalog:
        targets = [name for name in _columns(catalog) if name.endswith(("_error", "accuracy", "_supernet"))]
        return build_report(catalog, ["mine"], targets, ["good_published", "bad_published"])


def _columns(catalog: Store) -> list[str]:
    return list(catalog.query("SELECT * FROM mine LIMIT 0").columns)


def test_an_error_is_turned_and_a_supernet_is_named(report: Report) -> None:
    error, supernet, digits = (
        next(found for found in report.pools if word in found.pool.target) for word in ("error", "supernet", "digits")
    )
    assert error.table["kendall_tau"].max() > 0.6
    assert error.table["proxy"][0] == "good_published"
    said = summary(error)
    assert f"Of {error.pool.target} less is better." in said
    assert any("finds on average 0.04" in sentence and "0.04, " not in sentence for sentence in said)
    assert any(
        "measured with a supernet's weights: no network was trained" in sentence for sentence in summary(supernet)
    )
    assert any("no repeated trainings" in sentence for sentence in summary(supernet))
    assert not any("noise ceiling." in sentence for sentence in summary(supernet) if "agree" in sentence)
    assert (error.digits, supernet.digits, digits.digits) == (5, 2, 2)
    assert [found.is_of_supernet for found in (error, supernet, digits)] == [False, True, False]
    assert targets_told(report.pools) == [
        f"Less is better of {error.label}; tau-b is turned, so that a positive one means the same everywhere.",
        f"Measured with a supernet's weights, and not trained: {supernet.label}.",
        f"Fewer than 30 architectures, so that it has no part in ranks and means: {digits.label}.",
    ]


def test_a_tiny_task_has_no_part_in_the_ranks(report: Report) -> None:
    table = task_table(report.pools)
    assert table.frame["proxy"].to_list() == ["good_published", "bad_published"]
    assert table.frame["mean_rank"].to_list() == [1.0, 2.0]
    assert table.frame["tasks"].to_list() == [2, 2]
    assert sum(name.endswith(".kendall_tau") for name in table.frame.columns) == 3
    headings = [column.heading for column in table.columns]
    assert headings.index("remark") < headings.index(f"n, {report.pools[0].label}")
    page = report.page("none")
    assert "no part in ranks and means" in page
