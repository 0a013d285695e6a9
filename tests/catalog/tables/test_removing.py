"""What is taken out leaves nothing behind: everything else is as if it had never been there."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.errors import UnknownProxyError, UnknownSpaceError, UsageError
from catalog.spaces import space_named
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import views
from catalog.tables.enumeration import enter_drawn
from catalog.tables.proxies import ProxyFacts, ensure_proxies
from catalog.tables.removing import KINDS, removal_of, remove
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nb201_table import NB201Table
from ingest.formats.suite_zero import SuiteZero
from ingest.reading.job import ingest
from tests.catalog.tables.states import exported, failures, rows_of

CELL = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
HEAD = "nb201_index,cifar10_test_acc\n"


def graph(name: str, operator: str, **metrics: float) -> str:
    return json.dumps(
        {
            "id": name,
            "ops": ["input", operator, "output"],
            "edges": [[0, 1], [1, 2]],
            "metrics": [{"name": metric, "value": value} for metric, value in metrics.items()],
            "proxies": {"params": 5 + len(name)},
        }
    )


def read(store: Store, folder: Path, name: str, text: str) -> None:
    """Read a file as what its name says it is."""
    path = folder / name
    path.write_text(text)
    loader = {
        ".jsonl": lambda: GraphsJSONL("mine"),
        ".csv": lambda: NB201Table(200),
        ".json": lambda: SuiteZero("nb201"),
    }[path.suffix]()
    ingest(store, loader, path)


FIRST = {
    "first.jsonl": f"{graph('a', 'conv3x3', accuracy=91.5)}\n{graph('b', 'conv1x1', wer=3)}",
    "first.csv": f"{HEAD}3,91.5\n1,90.25\n",
    "zc_first.json": json.dumps({"cifar10": {CELL: {"val_accuracy": 91.0, "nwot": {"score": 7.5, "time": 0.5}}}}),
}
SECOND = {
    "new architectures": ("second.jsonl", f"{graph('c', 'conv3x3', accuracy=92)}\n{graph('d', 'max_pool_3x3', fid=3)}"),
    "known architectures": ("second.jsonl", graph("a", "conv3x3", accuracy=92, cer=2)),
    "a twin that represents": ("second.csv", f"{HEAD}0,91\n"),  # index 0 computes what others do
    "both": ("second.csv", f"{HEAD}3,12.5\n17,90.25\n"),
    "another proxy": (
        "zc_2.json",
        json.dumps({"cifar10": {CELL: {"val_accuracy": 90.0, "zen": {"score": 7.5, "time": 0}}}}),
    ),
}


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    path = Path(shutil.copy(empty_catalog, folder / "catalog.duckdb"))
    with Store.open(path, mode="write") as store:
        for name, text in FIRST.items():
            read(store, folder, name, text)
    return path


@pytest.fixture
def filled(filled_once: Path, tmp_path: Path) -> Path:
    """A catalog that holds `FIRST`."""
    return Path(shutil.copy(filled_once, tmp_path / "filled.duckdb"))


@pytest.mark.parametrize("what", ["source", "run"])
@pytest.mark.parametrize("case", SECOND)
def test_a_source_that_was_read_and_removed_was_never_there(case: str, what: str, filled: Path, tmp_path: Path) -> None:
    with Store.open(filled, mode="write") as store:
        before = exported(store, tmp_path / "out"), rows_of(store)
        read(store, tmp_path, *SECOND[case])
        ((source, run),) = store.rows("SELECT id, run_id FROM source ORDER BY id DESC LIMIT 1")
        assert (exported(store, tmp_path / "out"), rows_of(store)) != before
        planned = removal_of(store, what, str({"source": source, "run": run}[what]))
        removed = remove(store, what, str({"source": source, "run": run}[what]))
        assert removed == planned
        assert (exported(store, tmp_path / "out"), rows_of(store)) == before
        assert not failures(store)
        ((outcome, detail),) = store.rows("SELECT outcome, detail FROM run WHERE id = ?", [run])
        assert (outcome, "it was done" in detail) == ("removed", True)
        read(store, tmp_path, *SECOND[case])  # the right file, which may be the same
        assert store.rows("SELECT 1 FROM source WHERE id = ?", [source])


def test_a_space_goes_whole(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        read(store, tmp_path, "first.csv", FIRST["first.csv"])
        before = exported(store, tmp_path / "out")
        measures = store.rows("FROM measure ORDER BY name")
        read(store, tmp_path, "mine.jsonl", FIRST["first.jsonl"])
        store.append(
            "operator_embedding",
            pa.table(
                {
                    "encoder": ["e", "e"],
                    "style": ["short", "short"],
                    "sentence": [store.rows("SELECT short FROM operator ORDER BY ALL LIMIT 1")[0][0], "of nobody"],
                    "vector": pa.array([[1.0], [1.0]], pa.list_(pa.float32())),
                }
            ),
        )
        removed = remove(store, "space", "mine")
        assert removed.spaces == ("mine",)
        assert removed.rows["architecture"] == 2
        assert exported(store, tmp_path / "out") == before
        assert store.rows("FROM measure ORDER BY name") == measures
        assert not store.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'mine'")
        assert len(store.rows("FROM operator_embedding")) == 2  # a built-in operator's, and a stranger's
        assert not failures(store)
        with pytest.raises(UnknownSpaceError, match=r"no search space 'mine'.*Stored are nb201"):
            remove(store, "space", "mine")


def measured(store: Store, name: str, column: str | None = None, digest: str | None = None) -> int:
    """Scores of our own for all stored architectures of NAS-Bench-201, with layers; returns the run."""
    ids = store.arrow("SELECT id FROM architecture WHERE space = 'nb201' ORDER BY id")["id"]
    with Run.start(store, "score", {"space": "nb201", "proxy": name}) as run, store.transaction():
        facts = ProxyFacts(name, "1", 1, "a test", column, checkpoint_digest=digest)
        proxy = ensure_proxies(store, [facts])[name]
        common = {
            "architecture_id": ids,
            "proxy_id": pa.array([proxy] * len(ids), pa.int32()),
            "value": pa.array([1.0] * len(ids)),
            "run_id": pa.array([run.id] * len(ids), pa.int32()),
        }
        store.append("score", pa.table({**common, "status": ["ok"] * len(ids)}))
        store.append(
            "layer_score",
            pa.table({**common, "position": pa.array([0] * len(ids), pa.int16()), "layer": ["stem"] * len(ids)}),
        )
        store.append("training_member", pa.table({"proxy_id": common["proxy_id"], "architecture_id": ids}))
        views.rebuild(store, "nb201")
    return run.id


@pytest.mark.parametrize("by_run", [False, True])
def test_a_proxy_goes_with_its_layers_and_what_it_was_trained_on(by_run: bool, filled: Path, tmp_path: Path) -> None:
    with Store.open(filled, mode="write") as store:
        before = exported(store, tmp_path / "out"), rows_of(store)
        run = measured(store, "odd", "odd_12345678", "abc")
        removed = remove(store, "run", str(run)) if by_run else remove(store, "proxy", "odd_12345678")
        assert {name: removed.rows[name] for name in ("score", "layer_score", "training_member", "proxy")} == {
            "score": 3,
            "layer_score": 3,
            "training_member": 3,
            "proxy": 1,
        }
        assert removed.columns == {"nb201": ("odd_12345678",)}
        assert removed.runs == (run,)
        assert (exported(store, tmp_path / "out"), rows_of(store)) == before
        assert not store.rows("FROM training_member")
        assert not failures(store)


def test_what_was_measured_keeps_its_architectures(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        read(store, tmp_path, "first.csv", FIRST["first.csv"])
        measured(store, "odd")
        removed = remove(store, "source", "first")
        assert "architecture" not in removed.rows
        assert removed.columns == {"nb201": ("cifar10_test_accuracy_first",)}
        assert store.rows("SELECT count(*) FROM nb201 WHERE odd = 1")[0][0] == 2
        assert not failures(store)


def test_published_scores_are_a_proxy_of_their_own(filled: Path, tmp_path: Path) -> None:
    with Store.open(filled, mode="write") as store:
        measured(store, "nwot")
        removed = remove(store, "proxy", "nwot_published")
        assert removed.rows["score"] == 1
        assert removed.partly == ("zc_first",)
        assert store.rows("SELECT count(*) FROM nb201 WHERE nwot = 1")[0][0] == 3
        assert not failures(store)


def test_a_file_of_which_nothing_is_left_can_be_read_again(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        text = json.dumps({"cifar10": {CELL: {"nwot": {"score": 7.5, "time": 0.5}}}})
        read(store, tmp_path, "zc.json", text)
        removed = remove(store, "proxy", "nwot_published")
        assert removed.sources == ("zc",)
        read(store, tmp_path, "zc.json", text)
        assert store.rows("SELECT count(*) FROM score WHERE source_id IS NOT NULL") == [(1,)]


def test_a_draw_can_be_taken_back(catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        read(store, tmp_path, "first.csv", FIRST["first.csv"])
        before = exported(store, tmp_path / "out")
        enter_drawn(store, space_named("nb201"), 20, 0)
        ((run,),) = store.rows("SELECT max(id) FROM run")
        assert remove(store, "run", str(run)).rows["architecture"] >= 18
        assert exported(store, tmp_path / "out") == before
        with pytest.raises(UsageError, match="removed already"):
            remove(store, "run", str(run))


def test_a_failure_leaves_everything(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(filled, mode="write") as store:
        before = rows_of(store)
        monkeypatch.setattr(views, "rebuild", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            remove(store, "source", "zc_first")
        assert rows_of(store) == before
        assert store.rows("SELECT kind, outcome FROM run ORDER BY id DESC LIMIT 1") == [("remove", "failed")]


@pytest.mark.parametrize(
    ("what", "name", "error", "told"),
    [
        ("source", "frist", UsageError, "Did you mean first"),
        ("source", "first", UsageError, r"2 sources are called 'first'; name one by its id: 1 \(first.jsonl\), 2 \("),
        ("space", "nb2O1", UnknownSpaceError, "Did you mean nb201"),
        ("proxy", "params", UsageError, "follows from the graphs"),
        ("proxy", "nwott", UnknownProxyError, "Did you mean nwot"),
        ("proxy", "odd", UsageError, "several columns; name one of them: odd_1, odd_2"),
        ("run", "77", UsageError, "a run is named by its id"),
        ("run", "first", UsageError, "a run is named by its id"),
        ("sorce", "first", UsageError, "Did you mean source"),
    ],
)
def test_what_is_not_there_or_not_clear_is_refused(
    what: str, name: str, error: type[UsageError], told: str, filled: Path, tmp_path: Path
) -> None:
    with Store.open(filled, mode="write") as store:
        measured(store, "odd", "odd_1", "a")
        measured(store, "odd", "odd_2", "b")
        before = rows_of(store)
        with pytest.raises(error, match=told):
            remove(store, what, name)
        assert rows_of(store) == before
    assert KINDS == ("source", "space", "proxy", "run")
