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
    assert [note.rpartition("; ")[2] for note in notes] == [
        f"the wide view shows the {shown} source",
        "the wide view shows their mean",
    ]
    row = catalog.query("SELECT * FROM mine").to_dicts()[0]
    assert {name: value for name, value in row.items() if "latency" in name or "nwot" in name} == {
        next(name for name in row if "latency" in name): 1.5 if shown == "earlier" else 2.5,
        "nwot_published": 2.0,
    }


def test_scores_that_differ_are_told_at_ingest_and_by_the_doctor(catalog: Store, tmp_path: Path) -> None:
    own(catalog, tmp_path / "first.jsonl", 1.5, device="one")
    (note,) = own(catalog, tmp_path / "second.jsonl", 2.5, device="two").notes
    assert note.startswith("nwot: 1 of 1 architectures differ from first (first.jsonl), by 1 at most")
    assert [finding.detail for finding in examine(catalog) if finding.check == "mine: second and first"] == [note]
