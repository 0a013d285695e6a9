"""An older file gets the newest schema, and views that say what their columns show."""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pytest

from catalog.asking.top import top
from catalog.derivation import VERSIONS
from catalog.errors import StoreError
from catalog.spaces import space_named
from catalog.storage import migration
from catalog.storage.revisions import NEWEST
from catalog.storage.store import Store
from catalog.tables.doctor import examine
from catalog.tables.regrouping import as_detail, digests_of, listing, regrouped
from catalog.tables.upgrading import Upgraded, upgrade
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nb201_digits import TABLE, NB201Digits
from ingest.reading.job import ingest


def test_an_upgraded_file_knows_its_directions(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, NB201Digits(), TABLE)
        store.execute("UPDATE metric SET name = 'error' WHERE name = 'accuracy'")  # as an older version took any name
        store.execute("INSERT INTO proxy SELECT 99, 'ntk_cond', 'ntk_cond', 'published', 1, '{}', NULL, ''")
        store.execute("INSERT INTO proxy SELECT 98, 'odd', 'odd', 'published', 1, '{}', NULL, ''")
    migration.downgrade(catalog_path, "0005")
    assert upgrade(catalog_path) == Upgraded("0005", NEWEST)
    with Store.open(catalog_path) as store:
        assert top(store, "nb201", "digits_test_error", k=1).sql.endswith("ASC, architecture_id LIMIT 1")
        assert store.rows("SELECT name, direction FROM proxy WHERE version = 'published' ORDER BY 1") == [
            ("ntk_cond", -1),
            ("odd", None),  # nobody had said it
        ]
        before = store.rows("SELECT * FROM wide_column ORDER BY ALL")
    assert upgrade(catalog_path) == Upgraded(NEWEST, NEWEST)
    with Store.open(catalog_path) as store:
        assert store.rows("SELECT * FROM wide_column ORDER BY ALL") == before


def test_an_upgrade_that_was_cut_short_is_finished(nb201_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.duckdb"
    path.write_bytes(nb201_path.read_bytes())
    with Store.open(path, mode="write") as store:
        expected = store.rows("SELECT name FROM wide_column ORDER BY 1")
        store.execute("DELETE FROM wide_column")
    upgrade(path)
    with Store.open(path) as store:
        assert store.rows("SELECT name FROM wide_column ORDER BY 1") == expected
        assert space_named("nb201").size == store.rows("SELECT count(*) FROM nb201")[0][0]


def test_a_file_of_older_rules_is_refused_then_derived_anew(catalog_path: Path, tmp_path: Path) -> None:
    """A version that kept a concat of one input took `plain` and `joined`, which compute the same, for two."""
    graphs = tmp_path / "concat.jsonl"
    plain = {"id": "plain", "ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}
    joined = {"id": "joined", "ops": ["input", "conv3x3", "concat", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}
    other = {"id": "other", "ops": ["input", "conv1x1", "output"], "edges": [[0, 1], [1, 2]]}
    graphs.write_text("".join(json.dumps(one) + "\n" for one in (plain, joined, other)))
    with Store.open(catalog_path, mode="write") as store:
        ingest(store, GraphsJSONL("mine"), graphs)
        right = {table: store.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in ("architecture", "node", "edge")}
        structural = store.rows("SELECT * FROM score ORDER BY ALL")
        store.execute("INSERT INTO proxy SELECT 90, 'ours', 'ours', '1', 1, '{}', 'c0ffee', ''")
        store.execute("INSERT INTO score SELECT id, 90, NULL, NULL, NULL, id, 'ok', NULL, 1, 1, NULL FROM architecture")
    with duckdb.connect(str(catalog_path)) as older:
        older.execute("UPDATE architecture SET canonical_digest = 'old', canonical_id = id WHERE native_id = 'joined'")
        older.execute("UPDATE architecture SET nodes = 4, edges = 3, depth = 3 WHERE native_id = 'joined'")
        older.execute(
            "INSERT INTO node SELECT architecture_id, form, cell, 3, 'output' FROM node WHERE form = 'canonical' "
            "AND position = 2 AND architecture_id = (SELECT id FROM architecture WHERE native_id = 'joined')"
        )
        older.execute("UPDATE score SET value = value + 1 WHERE proxy_id = (SELECT id FROM proxy WHERE name = 'depth')")
        older.execute("UPDATE seal SET value = '0' WHERE subject = 'version' AND part = 'canonical form'")
    with pytest.raises(StoreError, match=r"another version's rules \(canonical form\).*catalog db upgrade"):
        Store.open(catalog_path, mode="write")
    with Store.open(catalog_path) as store:
        assert "derivation" in {finding.check for finding in examine(store) if finding.result == "failed"}
    notes = upgrade(catalog_path).notes
    assert notes == (
        "mine: derived 3 architectures anew; 1 digests changed.",
        "mine: dropped 1 scores of architectures whose form changed, of ours; score these again.",
        "mine: 2 functions became 1, of architectures that were told apart and compute the same: ids 1 and 2.",
        f'all of these functions: catalog query "{listing(2)}"',
    )
    with Store.open(catalog_path, mode="write") as store:
        for table, rows in right.items():
            assert store.rows(f"SELECT * FROM {table} ORDER BY ALL") == rows
        assert store.rows("SELECT * FROM score WHERE proxy_id != 90 ORDER BY ALL") == structural
        assert store.rows("SELECT id FROM mine ORDER BY id") == [("joined",), ("other",), ("plain",)]
        assert store.rows("SELECT id FROM mine WHERE ours IS NULL") == [("joined",)]
        assert [finding for finding in examine(store, full=True) if finding.result == "failed"] == []


@pytest.fixture
def older(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trained NAS-Bench-201 cells in a file of version 1, which took two poolings of one state for two."""
    path = tmp_path / "older.duckdb"
    with monkeypatch.context() as version:
        version.setattr("catalog.architecture.graph.EDGES_DECIDE", {"nb101", "nb201"})
        version.setitem(VERSIONS, "canonical form", 1)
        migration.init(path)
        with Store.open(path, mode="write") as store:
            ingest(store, NB201Digits(), TABLE)
    return path


def test_twins_that_join_are_listed_and_keep_their_results(older: Path) -> None:
    """Own-training results of both stay, under both architectures."""
    with Store.open(older) as store:
        metrics = store.rows("SELECT * FROM metric ORDER BY ALL")
        digests = digests_of(store, "nb201")
    notes = upgrade(older).notes
    with Store.open(older) as store:
        assert store.rows("SELECT * FROM metric ORDER BY ALL") == metrics
        change = regrouped("nb201", digests, digests_of(store, "nb201"))
        assert len(change.joined) == 30  # of the 2,000 cells of the table
        assert not change.parted
        changed = sum(digests[number] != digest for number, digest in digests_of(store, "nb201").items())
        first = "; ".join(f"ids {one} and {other}" for (one, *_), (other, *_) in change.joined[:3])
        assert notes == (
            f"nb201: derived {changed} architectures anew; {changed} digests changed.",
            f"nb201: {2 * len(change.joined)} functions became {len(change.joined)}, of architectures that were told "
            f"apart and compute the same: {first}; ...",
            f'all of these functions: catalog query "{listing(2)}"',
        )
        rows = store.query(listing(2)).rows()
        assert rows == [("nb201", "joined", [list(part) for part in parts]) for parts in change.joined]
        assert store.rows("SELECT kind, outcome FROM run ORDER BY id") == [("ingest", "done"), ("upgrade", "done")]
        (one, *_), (other, *_) = change.joined[0]
        twins = store.rows("SELECT canonical_id FROM architecture WHERE id IN (?, ?)", [one, other])
        assert twins[0] == twins[1]
        assert [finding for finding in examine(store, full=True) if finding.result == "failed"] == []
    assert upgrade(older).notes == ()


def test_architectures_that_part_are_told_too() -> None:
    change = regrouped("mine", {1: "a", 2: "a", 3: "b", 4: "c"}, {1: "d", 2: "e", 3: "f", 4: "f"})
    assert (change.joined, change.parted) == ((((3,), (4,)),), (((1,), (2,)),))
    assert change.notes()[1] == (
        "mine: 1 functions became 2, of architectures that were taken for one and differ: ids 1 and 2."
    )
    assert json.loads(as_detail([change])) == [
        {"space": "mine", "change": "joined", "architectures": [[3], [4]]},
        {"space": "mine", "change": "parted", "architectures": [[1], [2]]},
    ]
    assert not regrouped("mine", {1: "a", 2: "b"}, {1: "c", 2: "d"})  # other digests, the same functions


def test_a_file_from_before_there_were_seals_is_sealed(nb201_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "older.duckdb"
    path.write_bytes(nb201_path.read_bytes())
    migration.downgrade(path, "0006")
    assert upgrade(path) == Upgraded("0006", NEWEST)
    with Store.open(path, mode="write") as store:
        assert [finding for finding in examine(store) if finding.result == "failed"] == []
