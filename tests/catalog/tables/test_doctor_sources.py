"""Sources that stored rows give away as something else than they are stored as, and the way out."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from catalog.errors import UsageError
from catalog.spaces import nb201
from catalog.storage.store import Store
from catalog.tables.doctor_sources import examine_sources
from catalog.tables.finding import Finding
from catalog.tables.forgetting import forget_source
from ingest.formats.suite_zero import SuiteZero
from ingest.reading.job import ingest
from tests.catalog.cli.commands import call_catalog

KEYS = ["(4, 0, 3, 1, 4, 3)", "(2, 4, 0, 0, 3, 2)"]
CELLS = [nb201.format_cell(nb201.parse(key)) for key in KEYS]


def filled(path: Path, folder: Path) -> Path:
    """A catalog with a right file of NAS-Bench-Suite-Zero, source 1; gives the file."""
    file = folder / "zc_nasbench201.json"
    value = {
        dataset: {
            key: {"val_accuracy": 60.0 + place, "nwot": 700.0, "params": int(nb201.parameters([cell], word)[0]) / 1e6}
            for place, (key, cell) in enumerate(zip(KEYS, CELLS, strict=True))
        }
        for dataset, word in (("cifar10", "cifar10"), ("ImageNet16-120", "imagenet16-120"))
    }
    file.write_text(json.dumps({"nasbench201": value}))
    with Store.open(path, mode="write") as store:
        ingest(store, SuiteZero("nb201"), file)
    return file


def found(path: Path) -> list[Finding]:
    with Store.open(path) as store:
        return list(examine_sources(store))


def test_right_sources_pass(catalog_path: Path, tmp_path: Path) -> None:
    filled(catalog_path, tmp_path)
    (finding,) = found(catalog_path)
    assert finding == Finding("sources", "ok", "1 sources are what they are stored as, as far as rows can tell")


def trained(stage: str, name: str, split: str, value: float, epochs: int) -> str:
    """A row of a record file, as SQL."""
    return (
        "INSERT INTO metric BY NAME SELECT 1 AS source_id, id AS architecture_id, 'trained' AS kind, 1 AS repeat, "
        f"'{stage}' AS stage, '{name}' AS name, {split} AS split, {value} AS value, {epochs} AS epochs "
        "FROM architecture"
    )


RECORDS = "UPDATE source SET kind = 'nb101-records'"


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            ["UPDATE metric SET dataset = 'cifar10', split = 'valid' WHERE dataset = 'cifar10-valid'"],
            "2 accuracies are stored as reported, cifar10, valid, which val_accuracy of NAS-Bench-Suite-Zero is not",
        ),
        (
            ["UPDATE score SET input = 'class_scene' WHERE input = 'cifar10'"],
            "4 scores on class_scene, which is no data",
        ),
        (
            ["UPDATE score SET value = 11218783 WHERE source_id = 1 AND input = 'imagenet16-120' AND value > 1000"],
            "2 parameter counts are not those of the networks, for example 11,218,783 instead of 136,456",
        ),
        (
            ["INSERT INTO score SELECT * FROM score WHERE source_id = 1 AND input = 'cifar10' AND value = 700"],
            "2 scores stand more than once under one key (2 rows too many)",
        ),
        (
            ["UPDATE metric SET repeat = NULL", "INSERT INTO metric SELECT * FROM metric WHERE value = 60"],
            "2 metrics stand more than once under one key (2 rows too many)",
        ),
        (
            [
                "UPDATE source SET kind = 'nb301-logs'",
                *[trained("final", "tuned_accuracy", "'test'", value, 100) for value in (90, 91)],
            ],
            "trainings with other hyper-parameters share a column, as a mean, for 2 architectures",
        ),
        (
            [RECORDS, trained("final", "accuracy", "'test'", 90, 200)],
            "2 rows after 200 epochs; NAS-Bench-101 trains 4, 12, 36, 108",
        ),
        (
            [RECORDS, *(trained(stage, "accuracy", "'test'", 90, 108) for stage in ("half", "final"))],
            "all 2 accuracies half-way equal those at the end",
        ),
        (
            [
                RECORDS,
                trained("half", "training_time", "NULL", 2, 108),
                trained("final", "training_time", "NULL", 90, 108),
            ],
            "2 of 2 half-way evaluations were not made half-way",
        ),
    ],
)
def test_a_source_that_is_something_else_is_found_and_can_be_taken_out(
    statements: list[str], words: str, catalog_path: Path, tmp_path: Path
) -> None:
    file = filled(catalog_path, tmp_path)
    with Store.open(catalog_path, mode="write") as store:
        for statement in statements:
            store.execute(statement)
    (finding,) = found(catalog_path)
    assert (finding.check, finding.result) == ("source 1 suite_zero_nasbench201", "failed")
    assert words in finding.detail
    assert finding.detail.startswith("zc_nasbench201.json: ")
    forget_source(catalog_path, 1)
    with Store.open(catalog_path, mode="write") as store:
        assert store.rows("SELECT count(*) FROM metric") == [(0,)]
        report = ingest(store, SuiteZero("nb201"), file)
        assert (report.was_known, report.metrics) == (False, 4)
    assert [one.result for one in found(catalog_path)] == ["ok"]


def test_a_users_file_says_no_split(catalog_path: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"cifar10": {KEYS[0]: {"val_accuracy": 60.0}}}))
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, SuiteZero("nb201"), file)
    assert [one.result for one in found(catalog_path)] == ["ok"]


def test_contradicting_keys_of_one_architecture_are_a_note(catalog_path: Path, tmp_path: Path) -> None:
    filled(catalog_path, tmp_path)
    with Store.open(catalog_path, mode="write") as store:
        store.execute("UPDATE score SET seed = 1 WHERE source_id = 1 AND value = 700 AND input = 'cifar10'")
    good, note = found(catalog_path)
    assert (good.result, note.result) == ("ok", "note")
    assert "zc_nasbench201.json names 2 architectures by several isomorphic keys" in note.detail


def test_a_record_file_of_the_benchmark_passes(catalog_path: Path, tmp_path: Path) -> None:
    filled(catalog_path, tmp_path)
    statements = [
        RECORDS,
        *(trained(stage, "accuracy", "'test'", value, 108) for stage, value in (("half", 80), ("final", 90))),
        *(trained(stage, "training_time", "NULL", value, 108) for stage, value in (("half", 50), ("final", 99))),
    ]
    with Store.open(catalog_path, mode="write") as store:
        for statement in statements:
            store.execute(statement)
    assert [one.result for one in found(catalog_path)] == ["ok"]


def test_the_advice_works_as_pasted(tmp_path: Path) -> None:
    path = tmp_path / "it's my $catalog.duckdb"
    with Store.open(path, mode="write", create=True):
        pass
    filled(path, tmp_path)
    with Store.open(path, mode="write") as store:
        store.execute("UPDATE score SET input = 'class_scene' WHERE input = 'cifar10'")
    (finding,) = found(path)
    command = shlex.split(finding.detail.partition("with: ")[2].partition(" -- ")[0])
    assert command[0] == "catalog"
    answer = call_catalog(*command[1:], database=tmp_path / "another.duckdb")
    assert answer.returncode == 0, answer.stderr
    with Store.open(path) as store:
        assert store.rows("SELECT count(*) FROM source") == [(0,)]
        view = store.query("SELECT * FROM nb201")
    assert len(view) == 2
    assert not [column for column in view.columns if "published" in column or "accuracy" in column]


def test_an_unknown_source_is_named(catalog_path: Path, tmp_path: Path) -> None:
    filled(catalog_path, tmp_path)
    with pytest.raises(UsageError, match="has no source 7; see: catalog query"):
        forget_source(catalog_path, 7)
