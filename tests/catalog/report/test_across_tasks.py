"""Tasks are compared on one pool, and what has no part in it stands below without a rank."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from catalog.report.across_tasks import shared_pools, task_table
from catalog.report.report import Report, build_report
from catalog.report.table import APART
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog

SIZE = 120
TARGETS = ("cifar10_test_accuracy", "cifar100_test_accuracy", "digits_test_accuracy")
SCORED = {"whole": SIZE, "most": 90, "tiny": 12}
"""Of how many architectures each proxy has a score: of the first so many."""
TRAINED = {"cifar10": (0, SIZE), "cifar100": (10, SIZE), "digits": (0, 40)}
"""Which architectures each data set has an accuracy of."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tasks")
    random = np.random.default_rng(3)
    lines = []
    for number in range(SIZE):
        truth = float(random.uniform(20, 90))
        metric = {"split": "test", "name": "accuracy", "epochs": 200, "seed": 1}
        metrics = [
            {**metric, "dataset": dataset, "value": truth + float(random.normal())}
            for dataset, (start, end) in TRAINED.items()
            if start <= number < end
        ]
        noise = {"whole": 20, "most": 10, "tiny": 0}
        proxies = {
            name: {"value": truth + noise[name] * float(random.normal()), "direction": "higher"}
            for name, count in SCORED.items()
            if number < count
        }
        operators = ["input", *(["conv3x3"] * (1 + number % 40)), "output"]
        edges = [[place, place + 1] for place in range(len(operators) - 1)]
        lines.append(
            json.dumps({"id": f"net{number}", "ops": operators, "edges": edges, "metrics": metrics, "proxies": proxies})
        )
    (folder / "mine.jsonl").write_text("\n".join(lines))
    database = folder / "catalog.duckdb"
    answer = call_catalog("ingest", "graphs", str(folder / "mine.jsonl"), "--space", "mine", database=database)
    assert answer.returncode == 0, answer.stderr
    return database


def report(database: Path, pool: str = "common") -> Report:
    names = [f"{name}_published" for name in SCORED]
    with Store.open(database) as catalog:
        return build_report(catalog, ["mine"], TARGETS, names, pool=pool)


def test_the_tasks_of_a_space_are_compared_on_what_all_have(database: Path) -> None:
    built = report(database)
    table = task_table(built.pools)
    assert table.frame["proxy"].to_list() == ["most_published", "whole_published", "tiny_published"]
    assert table.frame["mean_rank"].to_list() == [1, 2, None]
    counts = [table.frame[f"mine.{target}.n"].to_list() for target in TARGETS]
    assert counts == [[80, 80, 12], [80, 80, 2], [40, 40, 12]]  # the digits have a pool of their own
    assert table.frame[f"mine.{TARGETS[0]}.coverage"].to_list() == [0.75, 1, 0.1]
    assert table.frame["remark"].to_list() == [None, None, "fewer than 30 values"]
    assert table.marks == {2: APART}
    assert table.frame.columns[:5] == ["proxy", "tasks", "mean_rank", "mean_tau", "worst_tau"]
    assert shared_pools(built.pools) == [
        "mine · cifar10_test_accuracy and mine · cifar100_test_accuracy: over 80 architectures, those that 2 proxies "
        "cover.",
        "mine · digits_test_accuracy: over 40 architectures, those that 2 proxies cover.",
    ]
    page = built.page()
    assert "over 80 architectures, those that 2 proxies cover." in page
    assert "Compared on 80 of the 120 architectures with cifar10_test_accuracy" in page
    assert built.command.endswith("--proxy tiny_published")


def test_a_line_that_proxies_are_held_against_is_of_the_same_architectures(database: Path) -> None:
    built = report(database)
    assert built.pools[0].references["n"].to_list() == [80]  # a random order; nobody counted parameters
    assert built.pools[0].any_time.filter(proxy="random")["k"].max() == 80


def test_each_proxy_may_be_judged_on_all_of_its_own(database: Path) -> None:
    built = report(database, pool="own")
    first = built.pools[0].table
    assert dict(first.select("proxy", "n").iter_rows()) == {f"{name}_published": n for name, n in SCORED.items()}
    assert first["proxy"].to_list()[-1] == "tiny_published"  # it ranks perfectly, by twelve values
    assert shared_pools(built.pools) == []
    assert built.command.endswith("--pool own")
    assert "rows of other n are not to be compared" in built.page()


def test_the_command_says_what_is_compared(database: Path) -> None:
    proxies = [word for name in SCORED for word in ("--proxy", f"{name}_published")]
    asked = ("correlate", "mine", "--target", TARGETS[0], *proxies)
    answer = call_catalog(*asked, database=database)
    assert "Compared on 90 of the 120 architectures" in answer.stderr
    assert "tiny_published (12) covers under half of the widest" in answer.stderr
    lines = answer.stdout.splitlines()
    assert lines[0].startswith("proxy,direction,n,missing,coverage,kendall_tau,spearman_rho,top_n,top_kendall_tau,")
    assert lines[0].endswith(",left_out,disconnected,pool,remark")
    assert [line.split(",")[2] for line in lines[1:]] == ["90", "90", "12"]
    own = call_catalog(*asked, "--pool", "own", database=database)
    assert sorted(line.split(",")[2] for line in own.stdout.splitlines()[1:]) == ["12", "120", "90"]
    wrong = call_catalog(*asked, "--pool", "both", database=database)
    assert wrong.returncode == 2
    assert "unknown pool 'both'; choose common" in wrong.stderr
