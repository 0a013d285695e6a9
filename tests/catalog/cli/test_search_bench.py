"""`catalog search-bench`, as a user meets it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.store import Catalog
from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.searches import rows_of


def test_methods_are_compared_with_random_search_and_the_oracle(searched: Path, tmp_path: Path) -> None:
    arguments = ("search-bench", "nb201", "--budget", "100", "--seeds", "3", "--methods", "local-search")
    answer = call_catalog(*arguments, "--plot", str(tmp_path / "bench.svg"), database=searched)
    rows = rows_of(answer)
    assert {row["method"] for row in rows} == {"random", "local-search", "best-by-score", "oracle"}
    assert "cifar10_valid_accuracy" in answer.stderr
    last = {row["method"]: row for row in rows}
    with Catalog.open(searched) as catalog:
        oracle = catalog.query("SELECT max(cifar10_test_accuracy) FROM nb201").item()
        chosen = catalog.query("SELECT arg_max(cifar10_test_accuracy, cifar10_valid_accuracy) FROM nb201").item()
    assert float(last["oracle"]["mean"]) == pytest.approx(oracle)
    assert float(last["best-by-score"]["mean"]) == pytest.approx(chosen)
    for method in ("random", "local-search"):
        assert last[method]["evaluations"] == "100"
        assert float(last[method]["regret"]) == pytest.approx(oracle - float(last[method]["mean"]), abs=1e-5)
        assert float(last[method]["sd"]) >= 0
    assert float(last["local-search"]["mean"]) > float(last["random"]["mean"])
    assert (tmp_path / "bench.svg").exists()
    assert "seconds a search: random" in answer.stderr
    assert call_catalog(*arguments, database=searched).stdout == answer.stdout


def test_a_bench_s_curve_is_the_truth_about_the_best_so_far(searched: Path) -> None:
    answer = call_catalog(
        *("search-bench", "nb201", "--budget", "50", "--seeds", "1", "--methods", "regularized-evolution"),
        *("--by", "live_params"),
        database=searched,
    )
    rows = [row for row in rows_of(answer) if row["method"] == "regularized-evolution"]
    search = call_catalog(
        *(
            "search",
            "nb201",
            "--by",
            "live_params",
            "--method",
            "regularized-evolution",
            "--budget",
            "50",
            "--top",
            "1",
        ),
        database=searched,
    )
    with Catalog.open(searched) as catalog:
        truth = catalog.lookup([rows_of(search)[0]["cell"]], space="nb201")["cifar10_test_accuracy"].item()
    assert [int(row["evaluations"]) for row in rows] == [1, 2, 5, 10, 20, 50]
    assert float(rows[-1]["mean"]) == pytest.approx(truth)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nb2",), "nb2"),
        (("nb201", "--by", "bogus"), "bogus"),
        (("nb201", "--truth", "bogus"), "bogus"),
        (("nb201", "--methods", "exhaustive"), "choose among random"),
        (("nb201", "--budget", "0"), "0 evaluations"),
    ],
)
def test_a_bench_that_cannot_be_is_refused(arguments: tuple[str, ...], said: str, searched: Path) -> None:
    answer = call_catalog("search-bench", *arguments, database=searched)
    assert answer.returncode == 2, answer.stderr
    assert said in answer.stderr


def test_a_bench_needs_the_whole_space(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    assert call_catalog("search", "nb201", "--by", "depth", "--budget", "10", database=path).returncode == 0
    answer = call_catalog("search-bench", "nb201", "--by", "depth", "--truth", "depth", database=path)
    assert answer.returncode == 2
    assert "catalog spaces --enumerate nb201" in answer.stderr


def test_the_bench_measures_no_network(measured_database: Path) -> None:
    answer = call_catalog("search-bench", "nb201", "--by", "meco", "--budget", "10", database=measured_database)
    assert answer.returncode == 2
    assert "catalog score nb201 --proxy meco" in answer.stderr
