"""Sized graphs in the tables: read back as they were, found where someone changed them, kept by an upgrade."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from catalog.architecture.members import Members
from catalog.architecture.operators import RULES
from catalog.errors import IngestError
from catalog.spaces import space_named
from catalog.storage import migration
from catalog.storage.revisions import NEWEST
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import registration, views
from catalog.tables.doctor import examine
from catalog.tables.finding import Finding
from catalog.tables.repairing import repair
from catalog.tables.stored_graphs import read_cells, read_graphs
from catalog.tables.upgrading import upgrade
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.reading.job import ingest
from tests.catalog.architecture.sized_graphs import graph_of, random_record

RECORDS = [random_record(f"g{seed}", random.Random(seed), whole=seed % 4 > 0) for seed in range(16)]
TABLES = ("architecture", "node", "edge", "node_attribute", "operator", "score")


def fill(path: Path, folder: Path, records: Sequence[dict[str, Any]]) -> None:
    file = folder / "mine.jsonl"
    file.write_text("\n".join(map(json.dumps, records)))
    with Store.open(path, mode="write") as store:
        ingest(store, GraphsJSONL("mine"), file)


def contents(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    return {table: store.rows(f"SELECT * FROM {table} ORDER BY ALL") for table in TABLES}


def failed(store: Store) -> list[Finding]:
    return [finding for finding in examine(store, full=True) if finding.result == "failed"]


@pytest.fixture(scope="module")
def filled(empty_catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sized")
    path = Path(shutil.copy(empty_catalog, folder / "catalog.duckdb"))
    fill(path, folder, RECORDS)
    return path


@pytest.fixture
def copy(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled, tmp_path / "copy.duckdb"))


def test_graphs_come_back_as_they_were(filled: Path) -> None:
    with Store.open(filled) as store:
        stored = store.rows("SELECT id, canonical_digest FROM architecture ORDER BY id")
        ids = [number for number, _ in stored]
        native, canonical = read_graphs(store, "mine", ids, "native"), read_graphs(store, "mine", ids, "canonical")
    for record, first, second, (_, digest) in zip(RECORDS, native, canonical, stored, strict=True):
        told = graph_of(record, "mine")
        assert (first.cells, second.cells) == (told.cells, told.canonical.cells)
        assert (first.input, first.classes) == (second.input, second.classes) == (told.input, told.classes)
        assert told.digest == first.digest == second.digest_as_is() == digest


@pytest.mark.parametrize("form", ["native", "canonical"])
def test_cells_as_arrays_are_those_of_the_graphs(filled: Path, form: Any) -> None:
    with Store.open(filled) as store:
        ids, placed = read_cells(store, "mine", form)
        graphs = read_graphs(store, "mine", ids.tolist(), form)
    found = {}
    for part in placed:
        repeats = [1] * len(part.rows) if part.repeats is None else part.repeats.tolist()
        for row, times in zip(range(len(part.rows)), repeats, strict=True):
            found[int(part.rows[row])] = (part.cells.cell(row), times)
    for row, graph in enumerate(graphs):
        (cell,) = graph.as_cells()
        read, times = found[row]
        assert (read.labels(), read.edges, times) == (cell.labels(), cell.edges, cell.repeats)


def test_cells_come_back_in_the_order_of_the_data(catalog_path: Path, tmp_path: Path) -> None:
    """Their names say nothing of it: ``stage10`` sorts before ``stage2``."""
    stages = [
        {
            "name": name,
            "ops": ["input", {"op": "conv", "kernel": 3, "channels": width}, "output"],
            "edges": [[0, 1], [1, 2]],
        }
        for name, width in (("stage2", 8), ("stage10", 16))
    ]
    taken = {"input": {"shape": [3, 8, 8]}, "head": {"classes": 4}}
    fill(catalog_path, tmp_path, [{"id": "a", "cells": stages, **taken}, {"id": "b", "cells": stages[::-1], **taken}])
    with Store.open(catalog_path) as store:
        graphs = read_graphs(store, "mine", [1, 2], "native")
        assert [[cell.name for cell in graph.cells] for graph in graphs] == [
            ["stage2", "stage10"],
            ["stage10", "stage2"],
        ]
        assert graphs[0].digest != graphs[1].digest
        assert failed(store) == []


def test_the_same_file_again_changes_nothing(copy: Path, tmp_path: Path) -> None:
    with Store.open(copy) as store:
        before = contents(store)
    fill(copy, tmp_path, RECORDS)
    with Store.open(copy) as store:
        assert contents(store) == before


def test_one_id_has_one_size(copy: Path, tmp_path: Path) -> None:
    other = json.loads(json.dumps(RECORDS[1]))
    other["cells"][0]["repeats"] = 7
    with pytest.raises(IngestError, match="holds another graph under the id 'g1'; nothing was stored"):
        fill(copy, tmp_path, [other])


OF_ONE = "WHERE architecture_id = 2"
DERIVED = {
    "what a canonical node was given": (
        f"UPDATE node_attribute SET given = '{{\"channels\":5}}' {OF_ONE} AND given IS NOT NULL AND form = 'canonical'"
    ),
    "no canonical node has a size": "UPDATE node_attribute SET given = NULL WHERE form = 'canonical'",
    "channels": f"UPDATE node_attribute SET channels = channels + 1 {OF_ONE}",
    "a shape": f"UPDATE node_attribute SET shape = [1] {OF_ONE}",
    "a window": f"UPDATE node_attribute SET kernel = [9, 9] {OF_ONE}",
    "parameters": f"UPDATE node_attribute SET parameters = 9 {OF_ONE}",
    "no multiply-accumulates": f"UPDATE node_attribute SET multiply_accumulates = NULL {OF_ONE}",
    "repeats": f"UPDATE node_attribute SET repeats = 7 {OF_ONE}",
    "canonical rows are gone": f"DELETE FROM node_attribute {OF_ONE} AND form = 'canonical'",
    "canonical rows stand twice": (
        f"INSERT INTO node_attribute SELECT * FROM node_attribute {OF_ONE} AND form = 'canonical'"
    ),
}
TOLD = {
    "another size": f"UPDATE node_attribute SET given = '{{\"channels\":5}}' {OF_ONE} AND given IS NOT NULL",
    "no JSON": f"UPDATE node_attribute SET given = 'garbage' {OF_ONE} AND form = 'native'",
    "no object": f"UPDATE node_attribute SET given = '[]' {OF_ONE} AND form = 'native'",
    "no size": f"UPDATE node_attribute SET given = '{{\"channels\":-1}}' {OF_ONE} AND form = 'native'",
    "an impossible size": (
        f"UPDATE node_attribute SET given = '{{\"kernel\":3,\"groups\":7}}' {OF_ONE} AND form = 'native' AND "
        "position = 1"
    ),
    "a size of an input": (
        f"UPDATE node_attribute SET given = '{{\"channels\":7}}' {OF_ONE} AND form = 'native' AND position = 0"
    ),
    "native rows are gone": f"DELETE FROM node_attribute {OF_ONE} AND form = 'native'",
    "another input": "UPDATE architecture SET network_input = '{\"shape\":[3,8,8]}' WHERE id = 2",
    "an input that is none": "UPDATE architecture SET network_input = 'garbage' WHERE id = 2",
    "an input of nothing": "UPDATE architecture SET network_input = '{}' WHERE id = 2",
    "no input": "UPDATE architecture SET network_input = NULL WHERE id = 2",
    "another head": "UPDATE architecture SET classes = 11 WHERE id = 2",
    "less than no head": "UPDATE architecture SET classes = -1 WHERE id = 2",
    "no head": "UPDATE architecture SET classes = NULL WHERE id = 2",
}


def changed(path: Path, statement: str) -> None:
    with duckdb.connect(str(path)) as connection:
        assert connection.execute(statement).fetchall() != [(0,)]


@pytest.mark.parametrize("statement", DERIVED.values(), ids=list(DERIVED))
def test_what_follows_from_sizes_is_found_and_derived_anew(copy: Path, statement: str) -> None:
    with Store.open(copy) as store:
        before = contents(store)
    changed(copy, statement)
    with Store.open(copy, mode="write") as store:
        assert {"rows of node_attribute", "mine digests"} <= {finding.check for finding in failed(store)}
        repair(store)
        assert failed(store) == []
        assert contents(store) == before


@pytest.mark.parametrize("statement", TOLD.values(), ids=list(TOLD))
def test_what_a_source_said_is_found_and_stays_found(copy: Path, statement: str) -> None:
    """No other architecture is touched, and where the digest is as it was stored, nothing at all."""
    with Store.open(copy) as store:
        before = contents(store)
    changed(copy, statement)
    with Store.open(copy, mode="write") as store:
        assert "mine digests" in {finding.check for finding in failed(store)}
        repair(store)
        assert failed(store) != []
        after = contents(store)
    if "node_attribute" in statement:
        assert {name: after[name] for name in TABLES[:3]} == {name: before[name] for name in TABLES[:3]}
    assert [row for row in after["node"] if row[0] != 2] == [row for row in before["node"] if row[0] != 2]


def test_downgrade_and_upgrade_keep_graphs_without_their_sizes(copy: Path) -> None:
    migration.downgrade(copy, "0007")
    assert upgrade(copy).after == NEWEST
    with Store.open(copy, mode="write") as store:
        upgraded = read_graphs(store, "mine", list(range(1, len(RECORDS) + 1)), "native")
        assert all(graph.input is None and not cell.sizes for graph in upgraded for cell in graph.cells)
        assert store.rows("SELECT count(*) FROM node_attribute") == [(0,)]


def test_the_size_space_of_an_older_version_becomes_sized_nodes(catalog_path: Path) -> None:
    """It had an operator for each width; ids and scores stay, the words of now take the place of those."""
    space = space_named("nats-sss")
    names = list(dict.fromkeys(space.native_id(graph) for graph in space.sample(5, 0)))
    with Store.open(catalog_path, mode="write") as store, Run.start(store, "ingest", {}) as run, store.transaction():
        registration.ensure_space(store, space, space.own_operators)
        registration.enter(store, space, Members(names, graphs=[space.graph(name) for name in names]), run.id)
        registration.link_twins(store, space.name)
        views.rebuild(store, space.name)
    with Store.open(catalog_path) as store:
        right = contents(store)
    migration.downgrade(catalog_path, "0007")
    generic = ", ".join(f"'{name}'" for name in RULES)
    with duckdb.connect(str(catalog_path)) as older:
        older.execute(f"DELETE FROM operator WHERE space = 'nats-sss' OR name IN ({generic})")
        older.execute(
            "INSERT INTO operator (name, space, kind, kernel, dilation, depthwise, has_weights, short, medium, long) "
            "SELECT 'width_' || range, 'nats-sss', 'conv', 3, 1, false, true, 'x', 'x', 'x' FROM range(8, 65, 8)"
        )
        older.execute(
            "UPDATE node SET operator = 'width_' || split_part((SELECT native_id FROM architecture WHERE id = "
            "architecture_id), ':', position) WHERE operator = 'stage'"
        )
        older.execute("UPDATE architecture SET canonical_digest = md5(native_id), operator_counts = MAP {'width_8': 5}")
        older.execute("UPDATE seal SET value = '1' WHERE subject = 'version' AND part = 'canonical form'")
    upgrade(catalog_path)
    with Store.open(catalog_path, mode="write") as store:
        assert contents(store) == right
        assert failed(store) == []
