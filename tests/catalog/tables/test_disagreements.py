"""Sources that disagree are told at ingest and by the doctor, and are no failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.storage.store import Store
from catalog.tables.disagreements import disagreements
from catalog.tables.doctor import examine
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nb201_table import NB201Table
from ingest.formats.suite_zero import SuiteZero
from ingest.reading.job import IngestReport, ingest

HEADER = "nb201_index,cifar10_test_acc,cifar10_test_acc_seeds"


@pytest.fixture
def catalog(catalog_path: Path) -> Iterator[Store]:
    with Store.open(catalog_path, mode="write") as opened:
        yield opened


def taken(catalog: Store, path: Path, *rows: str, epochs: int = 200) -> IngestReport:
    path.write_text("\n".join([HEADER, *rows]))
    return ingest(catalog, NB201Table(epochs), path)


def test_a_difference_is_told_with_its_size_and_place(catalog: Store, tmp_path: Path) -> None:
    """Means over seeds are compared: 90 and 92 agree with 91."""
    assert taken(catalog, tmp_path / "first.csv", "0,91,90;92", "1,80,80", "2,70,70").notes == ()
    (note,) = taken(catalog, tmp_path / "second.csv", "0,91,91", "1,80.5,80.5", "2,72,71;73", "3,10,10").notes
    assert note.startswith(
        "accuracy (cifar10, test, 200 epochs): 2 of 3 architectures differ from first (first.csv), by 2"
    )
    assert note.endswith("has 72 in second, 70 there")
    (found,) = disagreements(catalog)
    assert (found.space, found.shared, found.differing, found.largest) == ("nb201", 3, 2, 2.0)
    assert (found.source, found.value, found.other_source, found.other_value) == ("second", 72.0, "first", 70.0)


def test_other_epochs_and_float_noise_are_no_difference(catalog: Store, tmp_path: Path) -> None:
    taken(catalog, tmp_path / "first.csv", "0,91,91", "1,80,80")
    assert taken(catalog, tmp_path / "short.csv", "0,55,55", epochs=12).notes == ()
    assert taken(catalog, tmp_path / "noise.csv", "0,91.00000001,91").notes == ()


def test_each_of_several_sources_is_named(catalog: Store, tmp_path: Path) -> None:
    taken(catalog, tmp_path / "first.csv", "0,91,91")
    taken(catalog, tmp_path / "second.csv", "0,92,92")
    notes = taken(catalog, tmp_path / "third.csv", "0,93,93").notes
    assert [" first " in note for note in notes] == [True, False]
    assert len(disagreements(catalog)) == 3


def test_the_doctor_notes_a_disagreement(catalog: Store, tmp_path: Path) -> None:
    taken(catalog, tmp_path / "first.csv", "0,91,91")
    taken(catalog, tmp_path / "second.csv", "0,92,92")
    findings = [finding for finding in examine(catalog) if finding.check == "nb201: second and first"]
    assert [(finding.result, "1 of 1 architectures differ" in finding.detail) for finding in findings] == [
        ("note", True)
    ]


def test_the_two_releases_of_one_benchmark_differ(catalog: Store, data_dir: Path) -> None:
    ingest(catalog, NB201Table(), data_dir / "nb201/nb201_v1.1_200ep.csv.gz")
    notes = ingest(catalog, NB201Table(), data_dir / "nb201/nats_v1.0_200ep_test.csv.gz").notes
    # NATS-Bench v1.0 has fewer seeds for about 2,450 architectures a data set
    assert [note.partition("architectures")[0].rpartition(": ")[2] for note in notes] == [
        "2,416 of 15,625 ", "2,486 of 15,625 ", "2,458 of 15,625 ",
    ]  # fmt: skip


def own(catalog: Store, path: Path, value: float, **further: object) -> IngestReport:
    """A network of a user's own with one metric."""
    metric = {"name": "latency", "value": value, "kind": "reported", "device": "gpu", **further}
    chain = {"ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"id": "a", **chain, "metrics": [metric], "proxies": {"nwot": value}}))
    return ingest(catalog, GraphsJSONL("mine"), path)


@pytest.mark.parametrize(
    ("kind", "seeds", "shown"),
    [
        ("reported", (None, None), "earlier"),
        ("surrogate", (1, 1), "earlier"),
        ("reported", (None, 1), "later"),
        ("trained", (None, None), "earlier"),
    ],
)
def test_two_copies_in_one_column_say_which_one_is_shown(
    kind: str, seeds: tuple[int | None, int | None], shown: str, catalog: Store, tmp_path: Path
) -> None:
    """Also of a user's own source of one name, whose trainings share a column."""
    assert own(catalog, tmp_path / "one" / "mine.jsonl", 1.5, kind=kind, seed=seeds[0]).notes == ()
    notes = own(catalog, tmp_path / "two" / "mine.jsonl", 2.5, kind=kind, seed=seeds[1]).notes
    (note,) = (note for note in notes if note.startswith("latency"))
    assert note.endswith(f"; the wide view shows the {shown} source")
    row = catalog.query("SELECT * FROM mine").to_dicts()[0]
    assert next(row[name] for name in row if "latency" in name) == (1.5 if shown == "earlier" else 2.5)


def test_scores_that_differ_are_told_at_ingest_and_by_the_doctor(catalog: Store, tmp_path: Path) -> None:
    own(catalog, tmp_path / "first.jsonl", 1.5, device="one")
    (note,) = own(catalog, tmp_path / "second.jsonl", 2.5, device="two").notes
    assert note.startswith("nwot (score): 1 of 1 architectures differ from first (first.jsonl), by 1 at most")
    assert [finding.detail for finding in examine(catalog) if finding.check == "mine: second and first"] == [note]


def test_scores_of_two_files_are_compared_and_never_averaged(catalog: Store, tmp_path: Path) -> None:
    chain = {"ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}
    reports = []
    for name, ids, value in (("one", "ab", 1.0), ("two", "bc", 101.0)):
        metric = {"name": "accuracy", "value": 50 + value / 10}
        lines = [{"id": id_, **chain, "metrics": [metric], "proxies": {"snip": value}} for id_ in ids]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, lines)))
        reports.append(ingest(catalog, GraphsJSONL("mine"), tmp_path / f"{name}.jsonl"))
    assert reports[0].notes == ()
    assert [note.partition(" differ")[0] for note in reports[1].notes] == [
        "accuracy: 1 of 1 architectures",
        "snip (score): 1 of 1 architectures",
    ]
    # The files of an own space are parts of one, and the first that has a value gives it.
    assert catalog.rows("SELECT id, accuracy, snip_published FROM mine ORDER BY id") == [
        ("a", 50.1, 1.0),
        ("b", 50.1, 1.0),
        ("c", 60.1, 101.0),
    ]


def test_a_users_table_of_proxies_has_columns_of_its_own(catalog: Store, tmp_path: Path) -> None:
    for name, values in (("zc_nasbench201.json", (1, 2)), ("proxies_cifar10.csv", (3, 4))):
        nets = ["(0, 0, 0, 0, 0, 0)", "(1, 1, 1, 1, 1, 1)"]
        if name.endswith("json"):
            cells = {net: {"nwot": value} for net, value in zip(nets, values, strict=True)}
            (tmp_path / name).write_text(json.dumps({"nasbench201": {"cifar10": cells}}))
        else:
            rows = [f'"{net}",{value},1' for net, value in zip(nets, values, strict=True)]
            (tmp_path / name).write_text("\n".join(["net,nwot,grad_norm", *rows]))
        ingest(catalog, SuiteZero("nb201"), tmp_path / name)
    assert catalog.rows("SELECT nwot_published, nwot_proxies_cifar10 FROM nb201 ORDER BY 1") == [(1, 3), (2, 4)]
