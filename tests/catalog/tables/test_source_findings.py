"""The doctor finds tables that stand under a benchmark's name, and fractions that were taken for percents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.storage.store import Store
from catalog.tables.finding import Finding
from catalog.tables.forgetting import command, forget_source
from catalog.tables.official_sources import is_reserved
from catalog.tables.source_findings import source_findings
from ingest.formats.nb201_table import NB201Table
from ingest.reading.job import ingest


@pytest.fixture
def catalog(catalog_path: Path, tmp_path: Path) -> Iterator[Store]:
    table = tmp_path / "mine.csv"
    table.write_text("nb201_index,cifar10_test_acc\n0,91\n1,80\n")
    with Store.open(catalog_path, mode="write") as opened:
        ingest(opened, NB201Table(200), table)
        yield opened


def bad(catalog: Store) -> list[Finding]:
    return [finding for finding in source_findings(catalog) if finding.result == "failed"]


def test_a_users_table_under_its_own_name_is_well(catalog: Store) -> None:
    assert bad(catalog) == []


def test_a_table_that_was_taken_for_a_benchmarks_is_found(catalog: Store, catalog_path: Path, tmp_path: Path) -> None:
    """As a catalog holds it that took the file when --source could name a benchmark; the remedy works as it is said."""
    catalog.execute("UPDATE source SET name = 'nb201', licence = 'MIT'")
    (finding,) = bad(catalog)
    assert finding.check == "name of source 1"
    assert "mine.csv is none of nb201's tables" in finding.detail
    assert command(catalog, 1) in finding.detail
    catalog.close()
    forget_source(catalog_path, 1)
    with Store.open(catalog_path, mode="write") as again:
        ingest(again, NB201Table(200, source="my_nb201"), tmp_path / "mine.csv")
        assert bad(again) == []
        assert again.query("SELECT cifar10_test_accuracy_my_nb201 FROM nb201").height == 2


def test_a_known_table_under_another_benchmarks_name_is_found(catalog: Store, data_dir: Path) -> None:
    ingest(catalog, NB201Table(), data_dir / "nb201/nats_v1.0_200ep_test.csv.gz")
    assert bad(catalog) == []
    catalog.execute("UPDATE source SET name = 'nb201' WHERE name = 'nats'")
    assert [finding.check for finding in bad(catalog)] == ["name of source 2"]


def test_stored_fractions_are_found(catalog: Store) -> None:
    catalog.execute("UPDATE metric SET value = value / 100")
    (finding,) = bad(catalog)
    assert (
        finding.check,
        "the largest of 2 accuracies of mine (mine.csv; cifar10 test) is 0.91" in finding.detail,
    ) == (
        "percents of source 1",
        True,
    )


@pytest.mark.parametrize(
    "name",
    [
        "nb201",
        "NB_201",
        "nats-sss",
        "hw_nas_bench",
        "nds_darts",
        "suite_zero_nasbench201_6639fd15",
        "own-training-1234abcd",
        "published",
        "12ep",
        "nats_tss",
        "nats_bench",
        "NATS-Bench-tss-v1_0",
        "nats-v1.0",
        "NAS-Bench-201-v1_1",
        "nasbench301_ours",
        "nb201_v1_1",
        "nb２０１",
        "darts_published",
        "darts-published",
    ],
)
def test_names_that_are_taken(name: str) -> None:
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["mine", "my_nb201", "nds2", "darts", "suite", "nb2011", "ep12", "mine_v2", "darts_v2", "nb201_x"]
)
def test_names_that_are_free(name: str) -> None:
    assert not is_reserved(name)
