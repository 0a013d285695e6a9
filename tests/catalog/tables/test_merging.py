"""Two catalogs become one that holds what both held; where they contradict each other, nothing happens."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

import catalog
from catalog.errors import SchemaVersionError, StoreError, UsageError
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import views
from catalog.tables.merging import Merged, merge
from catalog.tables.removing import remove
from catalog.tables.renaming import rename
from tests.catalog.tables.states import exported, failures, rows_of
from tests.catalog.tables.test_removing import CELL, FIRST, HEAD, graph, measured, read

Fill = Callable[[Store, Path], None]


def files(**texts: str) -> Fill:
    """Reads files, by their names with ``_`` for the dot."""

    def fill(store: Store, folder: Path) -> None:
        for name, text in texts.items():
            read(store, folder, ".".join(name.rsplit("_", 1)), text)

    return fill


def two(path: Path, first: Fill, second: Fill, folder: Path) -> tuple[Path, Path]:
    paths = Path(shutil.copy(path, folder / "here.duckdb")), Path(shutil.copy(path, folder / "there.duckdb"))
    for one, fill in zip(paths, (first, second), strict=True):
        with Store.open(one, mode="write") as store:
            fill(store, folder)
    return paths


def merged(here: Path, there: Path) -> Merged:
    with Store.open(here, mode="write") as store, Store.open(there) as other:
        return merge(store, other)


def values_of(store: Store) -> list[tuple[object, ...]]:
    """Everything that is said of architectures, without ids."""
    return sorted(
        store.rows(
            """
            SELECT space, native_id, 'metric', source.name, metric.name, dataset, split, epochs::VARCHAR, seed, value
            FROM metric JOIN source ON source.id = source_id JOIN architecture ON architecture.id = architecture_id
            UNION ALL SELECT space, native_id, 'score', source.name, proxy.name, input, status, "column", seed, value
            FROM score JOIN proxy ON proxy.id = proxy_id JOIN architecture ON architecture.id = architecture_id
            LEFT JOIN source ON source.id = source_id
            UNION ALL SELECT space, native_id, 'layer', NULL, name, input, layer, "column", seed, value
            FROM layer_score JOIN proxy ON proxy.id = proxy_id JOIN architecture ON architecture.id = architecture_id
            UNION ALL SELECT space, native_id, 'node', form, cell, operator, NULL, NULL, position, NULL
            FROM node JOIN architecture ON architecture.id = architecture_id
            UNION ALL SELECT space, native_id, 'edge', form, cell, NULL, NULL, source::VARCHAR, target, multiplicity
            FROM edge JOIN architecture ON architecture.id = architecture_id
            UNION ALL SELECT architecture.space, architecture.native_id, 'twin', of.native_id, NULL, NULL, NULL, NULL,
                NULL, NULL
            FROM architecture JOIN architecture AS of ON of.id = architecture.canonical_id
                WHERE architecture.native_index IS NOT NULL
            """
        ),
        key=repr,
    )


SUITE = json.dumps({"cifar10": {CELL: {"val_accuracy": 91.0, "nwot": {"score": 7.5, "time": 0.5}}}})
LINES = f"{graph('c', 'conv3x3', accuracy=92)}\n{graph('a', 'conv3x3', cer=3)}"
PAIRS: dict[str, tuple[Fill, Fill]] = {
    "an empty one into a full one": (files(mine_csv=FIRST["first.csv"]), files()),
    "a full one into an empty one": (files(), files(mine_csv=FIRST["first.csv"], lines_jsonl=LINES)),
    "twins and new architectures": (files(one_csv=f"{HEAD}3,91.5\n9,90\n"), files(two_csv=f"{HEAD}0,12\n3,13\n7,80\n")),
    "one space of both": (files(one_jsonl=FIRST["first.jsonl"]), files(two_jsonl=LINES)),
    "the same file and another": (files(zc_json=SUITE), files(zc_json=SUITE, mine_csv=FIRST["first.csv"])),
}


@pytest.mark.parametrize("pair", PAIRS)
def test_it_holds_what_both_hold(pair: str, empty_catalog: Path, tmp_path: Path) -> None:
    first, second = PAIRS[pair]
    here, there = two(empty_catalog, first, second, tmp_path)
    both = Path(shutil.copy(empty_catalog, tmp_path / "both.duckdb"))
    with Store.open(both, mode="write") as store:
        first(store, tmp_path)
        second(store, tmp_path)
        expected = values_of(store)
    assert not merged(here, there).conflicts
    with Store.open(here) as store:
        assert values_of(store) == expected
        assert not failures(store)
        before = rows_of(store), exported(store, tmp_path / "out"), store.rows("FROM run")
    again = merged(here, there)
    assert not again.rows
    with Store.open(here) as store:
        assert (rows_of(store), exported(store, tmp_path / "out"), store.rows("FROM run")) == before
    first_bytes = there.read_bytes()
    assert merged(there, here).conflicts == ()
    with Store.open(there) as store:
        assert values_of(store) == expected
        assert not failures(store)
    assert first_bytes


def own_scores(value: float, seed: int | None = None, digest: str = "abc") -> Fill:
    def fill(store: Store, folder: Path) -> None:
        read(store, folder, "mine.csv", FIRST["first.csv"])
        measured(store, "odd", "odd_1", digest)
        store.execute("UPDATE score SET value = ? WHERE value = 1 AND proxy_id = (SELECT max(id) FROM proxy)", [value])
        if seed is not None:
            store.execute("UPDATE score SET seed = ? WHERE proxy_id = (SELECT max(id) FROM proxy)", [seed])
            store.execute("UPDATE layer_score SET seed = ?", [seed])
        with store.transaction():
            views.rebuild(store, "nb201")

    return fill


def test_scores_of_both_stand_beside_each_other(empty_catalog: Path, tmp_path: Path) -> None:
    here, there = two(empty_catalog, own_scores(2.0, seed=0), own_scores(4.0, seed=1), tmp_path)
    done = merged(here, there)
    assert {name: done.rows[name] for name in ("score", "layer_score")} == {"score": 2, "layer_score": 2}
    assert "training_member" not in done.rows
    with Store.open(here) as store:
        assert store.rows("SELECT DISTINCT odd_1 FROM nb201") == [(3.0,)]
        assert store.rows("SELECT count(DISTINCT run_id) FROM layer_score") == [(2,)]
        assert not failures(store)


def test_rounding_is_no_conflict(empty_catalog: Path, tmp_path: Path) -> None:
    here, there = two(empty_catalog, own_scores(2.0), own_scores(2.0 + 1e-9), tmp_path)
    assert "score" not in merged(here, there).rows
    with Store.open(here) as store:
        assert store.rows("SELECT DISTINCT odd_1 FROM nb201") == [(2.0,)]


def renamed(fill: Fill, what: str, old: str, new: str) -> Fill:
    def both(store: Store, folder: Path) -> None:
        fill(store, folder)
        rename(store, what, old, new)

    return both


def changed(fill: Fill, sql: str) -> Fill:
    def both(store: Store, folder: Path) -> None:
        fill(store, folder)
        store.execute(sql)

    return both


LAB = files(lab_csv=f"{HEAD}0,91\n")
CONFLICTS: dict[str, tuple[Fill, Fill, str, str]] = {
    "other bytes": (LAB, files(lab_csv=f"{HEAD}0,19\n"), "source", "lab"),
    "other graphs": (
        files(g_jsonl=graph("a", "conv3x3")),
        files(h_jsonl=graph("a", "conv1x1")),
        "architecture",
        "mine a",
    ),
    "other scores": (own_scores(2.0), own_scores(4.0), "score", "odd_1"),
    "no score there": (
        own_scores(2.0),
        changed(own_scores(2.0), "UPDATE score SET value = NULL, status = 'failed' WHERE value = 2"),
        "score",
        "odd_1",
    ),
    "other weights": (own_scores(2.0), own_scores(2.0, digest="def"), "proxy", "odd_1"),
    "another name": (LAB, renamed(LAB, "source", "lab", "other_lab"), "source", "lab.csv"),
    "another column": (own_scores(2.0), renamed(own_scores(2.0), "proxy", "odd", "even"), "proxy", "odd"),
    "another direction": (
        files(g_jsonl=graph("a", "conv3x3", wer=3)),
        changed(files(h_jsonl=graph("b", "conv1x1", wer=3)), "UPDATE measure SET direction = 1 WHERE name = 'wer'"),
        "metric",
        "wer",
    ),
    "another value": (LAB, changed(LAB, "UPDATE metric SET value = 90"), "metric", "cifar10"),
    "more rows": (changed(LAB, "DELETE FROM metric"), LAB, "metric", "of the source lab"),
    "other operators": (
        files(g_jsonl=graph("a", "conv3x3")),
        changed(files(g_jsonl=graph("a", "conv3x3")), "UPDATE operator SET kernel = 9 WHERE name = 'conv3x3'"),
        "operator",
        "conv3x3",
    ),
}


@pytest.mark.parametrize("case", CONFLICTS)
def test_a_contradiction_is_listed_and_nothing_stored(case: str, empty_catalog: Path, tmp_path: Path) -> None:
    first, second, what, name = CONFLICTS[case]
    here, there = two(empty_catalog, first, second, tmp_path)
    with Store.open(here) as store:
        before = rows_of(store), store.rows("FROM run")
    found = merged(here, there)
    assert found.conflicts
    assert any(one.what == what and name in one.name for one in found.conflicts), found.conflicts
    assert all(one.here != one.there for one in found.conflicts)
    assert not found.rows
    with Store.open(here) as store:
        assert (rows_of(store), store.rows("FROM run")) == before
        assert not failures(store) or "operators" in case or case == "more rows"


def test_files_of_one_benchmark_share_its_name(empty_catalog: Path, tmp_path: Path) -> None:
    def official(value: int) -> Fill:
        return changed(files(**{f"t{value}_csv": f"{HEAD}0,{value}\n"}), "UPDATE source SET name = 'nb201'")

    here, there = two(empty_catalog, official(91), official(92), tmp_path)
    assert not merged(here, there).conflicts
    with Store.open(here) as store:
        assert store.rows("SELECT name FROM source") == [("nb201",), ("nb201",)]


def trained(seed: int) -> Fill:
    """One training of our own, which has no file."""

    def fill(store: Store, folder: Path) -> None:
        read(store, folder, "mine.csv", f"{HEAD}0,91\n")
        with Run.start(store, "evaluate", {"space": "nb201"}) as run, store.transaction():
            shared = {"architecture_id": [1], "source_id": pa.array([2], pa.int32()), "dataset": ["digits"]}
            shared |= {"split": ["test"], "epochs": pa.array([1], pa.int32()), "seed": pa.array([seed], pa.int32())}
            store.append(
                "metric", pa.table({**shared, "name": ["accuracy"], "kind": ["trained"], "value": [50.0 + seed]})
            )
            store.append(
                "training_curve", pa.table({**shared, "epoch": pa.array([1], pa.int32()), "value": [50.0 + seed]})
            )
            store.append(
                "source",
                pa.table(
                    {
                        "id": pa.array([2], pa.int32()),
                        "name": ["own-training"],
                        "kind": ["own-training"],
                        "version": ["{}"],
                        "row_count": [1],
                        "ingested_at": [store.now()],
                        "run_id": pa.array([run.id], pa.int32()),
                    }
                ),
            )
            views.rebuild(store, "nb201")

    return fill


def test_trainings_of_both_are_one_source(empty_catalog: Path, tmp_path: Path) -> None:
    here, there = two(empty_catalog, trained(0), trained(1), tmp_path)
    done = merged(here, there)
    assert (done.conflicts, done.rows["metric"], done.rows["training_curve"]) == ((), 1, 1)
    with Store.open(here) as store:
        assert store.rows("SELECT row_count FROM source WHERE id = 2") == [(2,)]
        assert not failures(store)


def test_what_was_taken_out_here_comes_back_with_the_other(empty_catalog: Path, tmp_path: Path) -> None:
    here, there = two(empty_catalog, LAB, LAB, tmp_path)
    with Store.open(here, mode="write") as store:
        remove(store, "source", "lab")
    assert merged(here, there).rows["metric"] == 1
    with Store.open(here) as store:
        assert store.rows("SELECT outcome FROM run WHERE id = (SELECT run_id FROM source)") == [("done",)]
        assert not failures(store)


def test_what_a_search_visited_comes_with_its_run(empty_catalog: Path, tmp_path: Path) -> None:
    def searched(store: Store, folder: Path) -> None:
        read(store, folder, "lab.csv", f"{HEAD}5,91\n")
        with Run.start(store, "search", {"space": "nb201"}) as run:
            store.execute("INSERT INTO search_visit VALUES (?, 1, 1, [0.5], true, 0.1)", [run.id])

    here, there = two(empty_catalog, files(mine_csv=FIRST["first.csv"]), searched, tmp_path)
    assert merged(here, there).rows["search_visit"] == 1
    with Store.open(here) as store:
        sql = (
            "SELECT native_index, kind FROM search_visit JOIN run ON run.id = run_id "
            "JOIN architecture ON architecture.id = architecture_id"
        )
        assert store.rows(sql) == [(5, "search")]
        assert not failures(store)
    assert not merged(here, there).rows


def test_what_cannot_be_trusted_is_not_merged(empty_catalog: Path, tmp_path: Path) -> None:
    import duckdb

    here, there = two(empty_catalog, LAB, LAB, tmp_path)
    with duckdb.connect(str(there)) as database:
        database.execute("UPDATE metric SET value = 3")
    with pytest.raises(StoreError, match=r"rows of metric are not those that were stored; .*catalog doctor --db"):
        merged(here, there)
    with duckdb.connect(str(there)) as database:
        database.execute("UPDATE seal SET value = '0' WHERE subject = 'version'")
    with pytest.raises(StoreError, match="catalog db upgrade --db"):
        merged(here, there)
    with duckdb.connect(str(there)) as database:
        database.execute("UPDATE alembic_version SET version_num = '0009'")
    with catalog.open(here, mode="write") as c:
        with pytest.raises(SchemaVersionError, match="catalog db upgrade --db"):
            c.merge(there)
        with pytest.raises(UsageError, match="is this catalog itself"):
            c.merge(here)
