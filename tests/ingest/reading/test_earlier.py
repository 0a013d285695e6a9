"""With ``--replace`` a file is read in place of its earlier reading, in one step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.cli.ingesting import app
from catalog.errors import IngestError, UsageError
from catalog.progress import Listener
from catalog.storage.store import Store
from ingest.entry import prepared
from tests.catalog.tables.states import exported, failures, rows_of

HEAD = "nb201_index,cifar10_test_acc\n"


def graph(name: str, operator: str, accuracy: float) -> str:
    metrics = [{"name": "accuracy", "value": accuracy}]
    return json.dumps({"id": name, "ops": ["input", operator, "output"], "edges": [[0, 1], [1, 2]], "metrics": metrics})


def read(store: Store, path: Path, text: str, **options: object) -> tuple[str, ...]:
    path.write_text(text)
    name = "graphs" if path.suffix == ".jsonl" else "nasbench201"
    own = {"space": "mine"} if path.suffix == ".jsonl" else {"epochs": 200}
    (job,) = prepared(name, [path], {**own, **options}, Listener())
    return job(store).notes


CASES = {
    "graphs": ("g.jsonl", graph("a", "conv3x3", 91), f"{graph('a', 'conv1x1', 91)}\n{graph('c', 'conv3x3', 3)}"),
    "table": ("t.csv", f"{HEAD}0,91\n5,33\n", f"{HEAD}0,19\n7,33\n"),
    "the same bytes": ("t.csv", f"{HEAD}0,91\n5,33\n", f"{HEAD}0,91\n5,33\n"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_as_if_only_the_new_had_been_read(
    case: str, catalog_path: Path, empty_catalog: Path, tmp_path: Path
) -> None:
    name, wrong, right = CASES[case]
    fresh = tmp_path / "fresh.duckdb"
    fresh.write_bytes(empty_catalog.read_bytes())
    with Store.open(fresh, mode="write") as store:
        read(store, tmp_path / name, right)
        expected = exported(store, tmp_path / "out")
    with Store.open(catalog_path, mode="write") as store:
        read(store, tmp_path / name, wrong)
        notes = read(store, tmp_path / name, right, replace=True)
        assert "source 1, the earlier reading, was taken out in the same step." in notes
        assert exported(store, tmp_path / "out") == expected
        assert store.rows("SELECT name FROM source") == [(name.partition(".")[0],)]
        assert store.rows("SELECT outcome FROM run ORDER BY id") == [("removed",), ("done",)]
        assert not failures(store)


def test_a_wrong_file_leaves_the_earlier_reading(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        read(store, tmp_path / "t.csv", f"{HEAD}0,91\n")
        before = rows_of(store), exported(store, tmp_path / "out")
        with pytest.raises(IngestError, match="nothing was stored"):
            read(store, tmp_path / "t.csv", f"{HEAD}0,910\n", replace=True)
        assert (rows_of(store), exported(store, tmp_path / "out")) == before
        assert store.rows("SELECT outcome FROM run ORDER BY id") == [("done",), ("failed",)]
        assert not failures(store)


def test_a_table_of_the_same_name_is_replaced_under_another_file_name(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        read(store, tmp_path / "t.csv", f"{HEAD}0,91\n", source="lab")
        read(store, tmp_path / "t2.csv", f"{HEAD}0,19\n", source="lab", replace=True)
        assert store.rows("SELECT path FROM source") == [("t2.csv",)]
        assert store.rows("SELECT value FROM metric") == [(19.0,)]


def test_nothing_is_replaced_where_nothing_was_read(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        notes = read(store, tmp_path / "t.csv", f"{HEAD}0,91\n", replace=True)
        assert "no earlier reading of it was there to be replaced." in notes
        assert store.rows("SELECT count(*) FROM metric") == [(1,)]


def test_which_of_several_is_never_guessed(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        for number in (1, 2):
            read(store, tmp_path / f"t{number}.csv", f"{HEAD}0,9{number}\n", source="lab")
        with pytest.raises(UsageError, match=r"could replace each of the sources 1 \(t1.csv\), 2 \(t2.csv\)"):
            read(store, tmp_path / "t3.csv", f"{HEAD}0,3\n", source="lab", replace=True)
        read(store, tmp_path / "t2.csv", f"{HEAD}0,3\n", source="lab", replace=True)
        assert store.rows("SELECT value FROM metric ORDER BY 1") == [(3.0,), (91.0,)]


def test_an_enumeration_replaces_nothing() -> None:
    with pytest.raises(UsageError, match="name the file"):
        prepared("nasbench201", [], {"replace": True}, Listener())


@pytest.mark.parametrize("command", app.registered_commands, ids=lambda command: command.name)
def test_every_command_knows_it(command: object) -> None:
    assert "replace" in command.callback.__annotations__
