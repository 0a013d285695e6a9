"""What was reached on a space that was in sight is called a development number wherever it is quoted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from catalog.analysis.pool import read_pool
from catalog.analysis.space_correlation import correlate_space
from catalog.development import MARK, explanation, in_sight, marked, spaces_in_sight
from catalog.report.across_tasks import task_table
from catalog.report.paper.reproduction import Origins
from catalog.report.pool_analysis import PoolAnalysis, find
from catalog.report.pool_tables import named_tables
from catalog.report.report import Report
from catalog.report.sentences import summary
from catalog.storage.store import Store
from predictor.door.registry import names, predictor_named
from predictor.tg_nas.predictors import DEVELOPED_WITH
from tests.catalog.cli.commands import call_catalog

DEVELOPED = "good_published"


@pytest.fixture(scope="module")
def database(hostile_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The proxy that follows the accuracy says that the space `few` was in sight while it was made."""
    copy = tmp_path_factory.mktemp("developed") / "catalog.duckdb"
    copy.write_bytes(hostile_database.read_bytes())
    with Store.open(copy, mode="write") as store:
        description = f"a predictor{in_sight(['few', 'another'])}"
        assert store.execute("UPDATE proxy SET description = ? WHERE name = 'good'", [description]) == 1
    return copy


@pytest.fixture(scope="module")
def found(database: Path) -> PoolAnalysis:
    with Store.open(database) as store:
        return find(store, read_pool(store, "few", "cifar10_test_accuracy"))


def test_every_sentence_that_names_it_says_so(found: PoolAnalysis) -> None:
    assert found.developed == (DEVELOPED,)
    said = summary(found)
    naming = [sentence for sentence in said if DEVELOPED in sentence]
    assert len(naming) > 4
    assert all(MARK in sentence for sentence in naming)
    assert said[0].startswith(f"{DEVELOPED} has the highest tau-b, ")
    assert said[0].endswith(f" ({MARK} of {DEVELOPED}).")
    assert said[-1] == explanation("few", [DEVELOPED])
    assert not any(MARK in sentence for sentence in said if DEVELOPED not in sentence)


def test_tables_and_the_page_say_so(found: PoolAnalysis) -> None:
    for name, table in named_tables(found).items():
        quotes = any(DEVELOPED in column for column in table.frame.select(pl.col(pl.String)))
        assert (MARK in table.note) == quotes, name
    assert MARK in task_table([found, found]).note
    report = Report((found,), {}, {}, None, Origins("", ()), {})
    assert MARK in repr(report)
    assert MARK in report._repr_html_()


def test_another_space_of_the_same_proxy_has_blind_numbers(database: Path) -> None:
    with Store.open(database) as store:
        found = correlate_space(store, "many", "cifar10_test_accuracy")
    assert found.remarks == ()
    assert MARK not in repr(found)


def test_correlations_say_so_printed_and_in_a_notebook(database: Path) -> None:
    with Store.open(database) as store:
        found = correlate_space(store, "few", "cifar10_test_accuracy")
        others = correlate_space(store, "few", "cifar10_test_accuracy", ["noise_published"])
    assert repr(found).splitlines()[-1] == explanation("few", [DEVELOPED])
    assert MARK in found._repr_html_()
    assert MARK not in repr(others)
    answer = call_catalog("correlate", "few", "--target", "cifar10_test_accuracy", database=database)
    assert answer.returncode == 0, answer.stderr
    assert explanation("few", [DEVELOPED]) in answer.stderr
    assert MARK not in answer.stdout  # whoever reads it as data finds rows alone


def test_every_predictor_of_ours_says_what_was_in_sight() -> None:
    """Also those whose class inherits it, and the fusion."""
    told = {name: spaces_in_sight(predictor_named(name)().description()) for name in names()}
    assert {name for name, spaces in told.items() if spaces == DEVELOPED_WITH} == {
        "cg",
        "few_label",
        "tg_nas",
        "tg_nas_multi",
        "tg_nas_zc",
    }


def test_names_are_marked_whole_and_once() -> None:
    sentence = "tg_nas_zc is above tg_nas, and tg_nas_std says nothing; tg_nas is first."
    assert marked(sentence, ["tg_nas", "tg_nas_zc"]) == f"{sentence[:-1]} ({MARK} of tg_nas_zc and tg_nas)."
    assert marked("tg_nas_std is last.", ["tg_nas"]) == "tg_nas_std is last."
    assert marked("no name", ["tg_nas"]) == "no name"
    assert spaces_in_sight("a proxy") == spaces_in_sight(None) == spaces_in_sight(in_sight([])) == ()


def test_a_pool_without_scores_still_has_a_summary(found: PoolAnalysis) -> None:
    empty = found.table.with_columns(kendall_tau=pl.lit(None, dtype=pl.Float64))
    assert summary(replace(found, table=empty)) == [
        "No proxy has scores that can be compared with the target for these architectures."
    ]
