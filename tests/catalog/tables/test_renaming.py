"""Another name changes names and nothing else; what would be ambiguous, or somebody else's, is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.errors import UsageError
from catalog.spaces.staged.space import StagedSpace
from catalog.storage.store import Store
from catalog.tables.enumeration import enter_drawn
from catalog.tables.renaming import KINDS, rename
from catalog.tables.stored_spaces import add_space, space_of
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nb201_table import NB201Table
from ingest.formats.suite_zero import SuiteZero
from ingest.reading.job import ingest
from tests.catalog.tables.states import exported, failures
from tests.catalog.tables.test_removing import CELL, FIRST, measured


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Path:
    folder = tmp_path_factory.mktemp("renaming")
    path = Path(shutil.copy(empty_catalog, folder / "catalog.duckdb"))
    (folder / "lines.jsonl").write_text(FIRST["first.jsonl"])
    (folder / "table.csv").write_text(FIRST["first.csv"])
    (folder / "zc.json").write_text(json.dumps({"cifar10": {CELL: {"nwot": {"score": 7.5, "time": 0.5}}}}))
    with Store.open(path, mode="write") as store:
        ingest(store, GraphsJSONL("mine"), folder / "lines.jsonl")
        ingest(store, NB201Table(200), folder / "table.csv")
        ingest(store, SuiteZero("nb201"), folder / "zc.json")
        measured(store, "odd", "odd_12345678", "abc")
    return path


@pytest.fixture
def store(filled_once: Path, tmp_path: Path) -> Iterator[Store]:
    with Store.open(shutil.copy(filled_once, tmp_path / "catalog.duckdb"), mode="write") as opened:
        yield opened


def columns(store: Store, space: str) -> list[str]:
    return [name for (name,) in store.rows("SELECT column_name FROM (DESCRIBE " + space + ")")]


@pytest.mark.parametrize(
    ("what", "old", "new", "space", "column_before", "column_after"),
    [
        ("source", "table", "lab-2", "nb201", "cifar10_test_accuracy_table", "cifar10_test_accuracy_lab_2"),
        ("source", "2", "lab", "nb201", "cifar10_test_accuracy_table", "cifar10_test_accuracy_lab"),
        ("proxy", "odd_12345678", "mine", "nb201", "odd_12345678", "mine"),
        ("proxy", "odd", "mine", "nb201", "odd_12345678", "mine"),
        ("metric", "wer", "word errors", "mine", "wer", "word_errors"),
        ("metric", "wer", "wer_2", "mine", "wer", "wer_2"),
    ],
)
def test_the_column_follows_and_holds_the_same(
    what: str, old: str, new: str, space: str, column_before: str, column_after: str, store: Store
) -> None:
    (before,) = [name for name in columns(store, space) if column_before in name]
    values = store.rows(f"SELECT architecture_id, {before} FROM {space} ORDER BY 1")
    others = set(columns(store, space)) - {before}
    done = rename(store, what, old, new)
    assert done.spaces == (space,)
    (after,) = set(columns(store, space)) - others
    assert after == before.replace(column_before, column_after)
    assert store.rows(f"SELECT architecture_id, {after} FROM {space} ORDER BY 1") == values
    assert not failures(store)
    assert store.rows("SELECT kind, outcome FROM run ORDER BY id DESC LIMIT 1") == [("rename", "done")]


def test_there_and_back_again_is_where_it_was(store: Store, tmp_path: Path) -> None:
    before = exported(store, tmp_path / "out")
    for what, name in (("source", "table"), ("space", "mine"), ("metric", "wer"), ("proxy", "odd_12345678")):
        rename(store, what, name, "another")
        assert exported(store, tmp_path / "out") != before
        rename(store, what, "another", name)
        assert exported(store, tmp_path / "out") == before


def test_a_space_takes_everything_along(store: Store, tmp_path: Path) -> None:
    before = exported(store, tmp_path / "out")
    rename(store, "space", "mine", "yours")
    after = exported(store, tmp_path / "out")
    assert after["yours"] == before["mine"]
    assert sorted(after) == ["nb201", "yours"]
    assert not failures(store)
    path = tmp_path / "lines.jsonl"
    path.write_text(FIRST["first.jsonl"])
    assert ingest(store, GraphsJSONL("yours"), path).was_known


def test_a_described_space_is_described_under_its_name(store: Store) -> None:
    text = Path("docs/spaces.md").read_text().partition("```toml\n")[2].partition("```")[0]
    space = StagedSpace.from_text(text, "my_space.toml")
    add_space(store, space)
    enter_drawn(store, space, 3, 0)
    rename(store, "space", space.name, "stairs")
    found = space_of(store, "stairs")
    assert found.name == "stairs"
    assert enter_drawn(store, found, 3, 0) == 0
    assert not failures(store)


@pytest.mark.parametrize(
    ("what", "old", "new", "told"),
    [
        ("source", "tabel", "lab", "Did you mean table"),
        ("source", "table", "lines", "the source 'lines' is"),
        ("source", "table", "Lines", "the source 'lines' is"),
        ("source", "table", "nb201", "a benchmark's"),
        ("source", "table", "two words", "a word of letters"),
        ("source", "table", "table", "already"),
        ("space", "nb201", "mine2", "built in and keeps its name"),
        ("space", "mine", "nb201", "it is built in"),
        ("space", "mine", "darts", "it is built in"),
        ("space", "mine", "run", "has a table of that name"),
        ("space", "mine", "Mine", "a lower-case letter"),
        ("space", "mine", "select", "word of SQL"),
        ("space", "yours", "mine", "no search space 'yours'"),
        ("proxy", "odd", "params", "that the catalog knows is"),
        ("proxy", "odd", "nwot", "that the catalog knows is"),
        ("proxy", "odd", "is_connected", "a column of mine is"),
        ("proxy", "odd", "Odd one", "no plain name"),
        ("proxy", "odd", "odd_published", "no plain name"),
        ("proxy", "params", "mine", "follows from the graphs"),
        ("metric", "wer", "accuracy", "a unit of its own"),
        ("metric", "accuracy", "wer2", "keeps its name"),
        ("metric", "wre", "w", "Did you mean wer"),
        ("metric", "wer", "a\u202eb", "no name may have"),
        ("metric", "wer", "", "is empty"),
        ("table", "wer", "w", "nothing that can be renamed"),
    ],
)
def test_what_may_not_be_is_refused(what: str, old: str, new: str, told: str, store: Store, tmp_path: Path) -> None:
    before = exported(store, tmp_path / "out"), store.rows("FROM run")
    with pytest.raises(UsageError, match=told):
        rename(store, what, old, new)
    assert (exported(store, tmp_path / "out"), store.rows("FROM run")) == before
    assert KINDS == ("source", "space", "proxy", "metric")


def test_what_a_benchmark_brought_keeps_its_names(store: Store) -> None:
    store.execute("UPDATE source SET name = 'suite_zero_nasbench201' WHERE name = 'zc'")
    with pytest.raises(UsageError, match="whose names are a benchmark's"):
        rename(store, "proxy", "nwot_published", "mine")
    with pytest.raises(UsageError, match="whose names are a benchmark's"):
        rename(store, "source", "suite_zero_nasbench201", "mine2")
