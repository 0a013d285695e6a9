"""``catalog report`` from the command line: the page, the tables, and what is said of a wrong question."""

from __future__ import annotations

import json
import re
from pathlib import Path

import polars as pl
import pytest

from tests.catalog.cli.commands import call_catalog

TARGET = ("--target", "cifar10_test_accuracy")
PROXIES = ("--proxy", "tg_nas", "--proxy", "live_params")
SMALL = ("--where", "index < 2000")


@pytest.fixture(scope="module")
def folder(measured_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one report leaves behind."""
    folder = tmp_path_factory.mktemp("report")
    places = ("--out", str(folder / "report.html"), "--tables", str(folder / "tables"))
    answer = call_catalog("report", "nb201", *TARGET, *PROXIES, *places, database=measured_database)
    assert answer.returncode == 0, answer.stderr
    (folder / "stdout.txt").write_text(answer.stdout)
    (folder / "stderr.txt").write_text(answer.stderr)
    return folder


def test_the_summary_is_printed_and_the_files_are_named(folder: Path) -> None:
    lines = (folder / "stdout.txt").read_text().splitlines()
    assert lines[0] == "nb201 · cifar10_test_accuracy"
    assert re.match(r"  tg_nas has the highest tau-b, 0\.7\d\d \[0\.\d{3}, 0\.\d{3}\], over 15,625 archi", lines[1])
    assert any("the noise ceiling" in line for line in lines)
    assert (folder / "stderr.txt").read_text() == (
        f"wrote {folder / 'report.html'}\n"
        f"wrote {len(list((folder / 'tables').iterdir()))} files to {folder / 'tables'}\n"
    )


def test_the_page_is_small_and_asks_nothing_of_the_network(folder: Path) -> None:
    page = (folder / "report.html").read_text()
    assert len(page.encode()) < 8e6
    assert page.count("plotly.js v") == 1
    assert "default-src &#39;none&#39;" in page
    assert "catalog report nb201 --target cifar10_test_accuracy --proxy tg_nas --proxy live_params" in page
    assert "nb201_v1.1_200ep.csv.gz" in page


def test_page_files_and_correlate_give_the_same_numbers(folder: Path, measured_database: Path) -> None:
    tables = json.loads((folder / "tables" / "tables.json").read_text())
    rows = pl.DataFrame(tables["correlation-nb201-cifar10_test_accuracy"]["rows"], infer_schema_length=None)
    asked = call_catalog("correlate", "nb201", *TARGET, *PROXIES, "--format", "csv", database=measured_database)
    known = pl.read_csv(asked.stdout.encode())
    mine = rows.head(2).select("proxy", "n", "kendall_tau", "spearman_rho", "top_kendall_tau")
    for name in ("kendall_tau", "spearman_rho", "top_kendall_tau"):
        assert mine[name].to_list() == pytest.approx(known[name].to_list(), abs=1e-9)
    assert rows["proxy"][2:].to_list() == [
        f"{name} (reference)" for name in ("random", "params", "flops", "12-epoch accuracy", "noise ceiling")
    ]
    short = rows.filter(pl.col("proxy") == "12-epoch accuracy (reference)")
    assert short["kendall_tau"][0] == pytest.approx(0.594, abs=1e-3)  # the published value
    written = pl.read_csv(folder / "tables" / "table.csv")
    assert written["tau-b"].to_list() == pytest.approx(rows["kendall_tau"].to_list(), abs=1e-12)
    assert f"{known['kendall_tau'][0]:.3f}" in (folder / "tables" / "table.tex").read_text()


def test_the_proxies_are_named_down_to_their_weights(folder: Path) -> None:
    tables = json.loads((folder / "tables" / "tables.json").read_text())
    rows = pl.DataFrame(tables["proxies-nb201-cifar10_test_accuracy"]["rows"], infer_schema_length=None)
    assert rows["column"].to_list() == ["live_params", "tg_nas"]
    assert len(rows["checkpoint_digest"][1]) == 64
    assert rows["failed"].to_list() == [0, 0]


def test_several_targets_give_one_matrix(measured_database: Path, tmp_path: Path) -> None:
    answer = call_catalog(
        *("report", "nb201", *TARGET, "--target", "cifar100_test_accuracy", *PROXIES, *SMALL),
        *("--out", str(tmp_path / "page.html"), "--tables", str(tmp_path)),
        database=measured_database,
    )
    assert answer.returncode == 0, answer.stderr
    tasks = pl.DataFrame(json.loads((tmp_path / "tables.json").read_text())["tasks"]["rows"])
    assert tasks["mean_rank"].to_list() == sorted(tasks["mean_rank"])
    assert tasks["tasks"].to_list() == [2, 2]
    assert "nb201.cifar100_test_accuracy.kendall_tau_low" in tasks.columns
    assert "index &lt; 2000" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("nb999", *TARGET), 2, "holds no search space 'nb999'"),
        (("nb201", "--target", "cifar10_test_acuracy"), 2, "Did you mean cifar10_test_accuracy"),
        (("nb201", *TARGET, "--proxy", "tg_nass"), 2, "Did you mean tg_nas"),
        (("nb201", "--target", "cell"), 2, "holds no numbers"),
        (("nb201", *TARGET, "--proxy", "tg_nas", "--where", "index < 0"), 2, "no architecture with a value"),
        (("nb201", *TARGET, "--where", "index <"), 2, "is not one condition"),
        (("nb201", *TARGET, "--where", "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0"), 2, "is refused"),
    ],
)
def test_a_wrong_question_is_answered_in_one_message(
    measured_database: Path, tmp_path: Path, arguments: tuple[str, ...], status: int, words: str
) -> None:
    page = tmp_path / "page.html"
    answer = call_catalog("report", *arguments, "--out", str(page), database=measured_database)
    assert (answer.returncode, answer.stdout) == (status, ""), answer.stderr
    assert answer.stderr.startswith("error: ")
    assert words in answer.stderr
    assert not page.exists()


@pytest.mark.parametrize(
    ("option", "place", "words"),
    [
        ("--out", "missing/page.html", "there is no folder"),
        ("--out", ".", "is a folder; name a file"),
        ("--tables", "taken", "is a file; name a folder"),
    ],
)
def test_places_that_cannot_be_written_are_told_before_the_work(
    measured_database: Path, tmp_path: Path, option: str, place: str, words: str
) -> None:
    (tmp_path / "taken").write_text("")
    places = {"--out": str(tmp_path / "page.html"), option: str(tmp_path / place)}
    options = [word for pair in places.items() for word in pair]
    answer = call_catalog("report", "nb201", *TARGET, *PROXIES, *options, database=measured_database)
    assert answer.returncode == 2
    assert words in answer.stderr
    assert not (tmp_path / "page.html").exists()
