"""`catalog search-bench`, as a user meets it."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest

from catalog.asking.lookup import lookup
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables import views
from catalog.tables.proxies import ensure_proxies
from catalog.tables.space_view import SpaceView
from predictor.scoring.candidates import CandidateScorer
from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.searches import rows_of


def test_methods_are_compared_with_random_search_and_the_oracle(searched: Path, tmp_path: Path) -> None:
    arguments = ("search-bench", "nb201", "--budget", "100", "--seeds", "3", "--methods", "local-search")
    answer = call_catalog(*arguments, "--plot", str(tmp_path / "bench.svg"), database=searched)
    rows = rows_of(answer)
    assert {row["method"] for row in rows} == {"random", "local-search", "best-by-score", "oracle"}
    assert "cifar10_valid_accuracy" in answer.stderr
    last = {row["method"]: row for row in rows}
    with Store.open(searched) as catalog:
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


def truth_of_the_best(arguments: tuple[str, ...], database: Path) -> float:
    """True accuracy of what `catalog search` finds."""
    found = rows_of(call_catalog("search", "nb201", *arguments, "--top", "1", database=database))
    with Store.open(database) as catalog:
        return float(lookup(catalog, [found[0]["cell"]], space="nb201")["cifar10_test_accuracy"].item())


@pytest.mark.parametrize("method", ["random", "regularized-evolution"])
@pytest.mark.parametrize(
    "by",
    [
        "live_params",
        "cifar10_valid_accuracy - 2*log10(params)",
        "digits_test_accuracy",  # of one cell a function, and of few functions
        "tg_nas",
        "tg_nas_multi",  # stored nowhere: computed once, for all searches
        "tg_nas_paper",  # computed too, and different for functional twins
    ],
)
def test_a_bench_s_curve_is_the_truth_about_what_a_search_finds(
    by: str, method: str, measured_database: Path, tmp_path: Path
) -> None:
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    arguments = ("--by", by, "--budget", "50")
    answer = call_catalog("search-bench", "nb201", *arguments, "--seeds", "1", "--methods", method, database=database)
    rows = [row for row in rows_of(answer) if row["method"] == method]
    assert [int(row["evaluations"]) for row in rows] == [1, 2, 5, 10, 20, 50]
    found = truth_of_the_best((*arguments, "--method", method), database)
    assert float(rows[-1]["mean"]) == pytest.approx(found)


def enter_scores(catalog: Store, name: str, cells: pl.DataFrame) -> None:
    """Store a score of each cell, as a search that measured it would have."""
    how = CandidateScorer(space_named("nb201"), [name]).recorded[name]
    connected = cells["is_connected"].to_list()
    with catalog.transaction():
        scores = {
            "architecture_id": cells["architecture_id"].to_arrow(),
            "proxy_id": pa.array([ensure_proxies(catalog, [how.facts])[name]] * len(cells), pa.int32()),
            "seed": pa.array([how.seed] * len(cells), pa.int32()),
            "value": pa.array([float(place) if ok else None for place, ok in enumerate(connected)]),
            "status": ["ok" if ok else "disconnected" for ok in connected],
            "run_id": pa.array([1] * len(cells), pa.int32()),
        }
        catalog.append("score", pa.table(scores))
        views.rebuild(catalog, "nb201")


def test_a_bench_takes_what_a_search_measured_for_all_of_a_function(measured_database: Path, tmp_path: Path) -> None:
    """A search stores the score of one cell a function; nothing is left to measure when it has visited them all."""
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    bench = ("search-bench", "nb201", "--by", "l2_norm", "--budget", "20", "--seeds", "1", "--methods", "random")
    with Store.open(database, mode="write") as catalog:
        cells = (
            SpaceView.of(catalog, "nb201").frame().sort("index", descending=True).unique("canonical_id", keep="first")
        )
        cells = cells.sort("index")
        enter_scores(catalog, "l2_norm", cells[1:])
    refused = call_catalog(*bench, database=database)
    assert refused.returncode == 2
    assert "l2_norm is not measured for 1 functions of nb201" in refused.stderr
    with Store.open(database, mode="write") as catalog:
        enter_scores(catalog, "l2_norm", cells[:1])
    answer = call_catalog(*bench, database=database)
    assert answer.returncode == 0, answer.stderr


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


def test_a_bench_needs_the_truth_about_all(searched: Path) -> None:
    """Means over the seeds that happen to end where the truth is known would be no comparison."""
    arguments = ("search-bench", "nb201", "--by", "tg_nas", "--truth", "digits_test_accuracy", "--budget", "10")
    answer = call_catalog(*arguments, database=searched)
    assert answer.returncode == 2
    with Store.open(searched) as catalog:
        functions = catalog.query(
            "SELECT count(DISTINCT canonical_digest) FROM nb201 WHERE digits_test_accuracy IS NULL"
        ).item()
    assert f"digits_test_accuracy is not known for all architectures of {functions:,} functions" in answer.stderr


def test_a_choice_without_a_truth_is_left_out_and_not_drawn(searched: Path, tmp_path: Path) -> None:
    """A cell without a path has a score by `-depth`, and no proxy as its truth."""
    plot = tmp_path / "bench.svg"
    answer = call_catalog(
        *("search-bench", "nb201", "--by", "-depth", "--truth", "tg_nas", "--methods", "local-search"),
        *("--budget", "20", "--seeds", "1", "--plot", str(plot)),
        database=searched,
    )
    rows = rows_of(answer)
    assert "best-by-score" not in {row["method"] for row in rows}
    assert "nan" not in answer.stdout
    assert plot.exists()


def test_the_bench_measures_no_network(measured_database: Path) -> None:
    answer = call_catalog("search-bench", "nb201", "--by", "meco", "--budget", "10", database=measured_database)
    assert answer.returncode == 2
    assert "catalog score nb201 --proxy meco" in answer.stderr
