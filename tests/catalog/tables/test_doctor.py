"""The doctor finds every kind of change from outside, names what is wrong, and repairs what is derived."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from catalog.errors import CatalogError
from catalog.spaces import space_named
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import registration, views
from catalog.tables.doctor import examine
from catalog.tables.finding import Finding
from catalog.tables.forgetting import forget_scores
from catalog.tables.repairing import repair
from ingest.formats.nb201_table import NB201Table
from ingest.reading.job import ingest
from tests.catalog.tables.corruptions import ARCHITECTURES, GRAPHS, NUMBERS, REST, SCORES, VIEWS

PART = 400
"""Cells of a catalog that is examined once for every kind of change."""

KINDS = GRAPHS | ARCHITECTURES | NUMBERS | SCORES | REST | VIEWS


@pytest.fixture(scope="module")
def whole(nb201_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of NAS-Bench-201 with something in every table."""
    path = Path(shutil.copy(nb201_path, tmp_path_factory.mktemp("doctor") / "catalog.duckdb"))
    fill(path, 15_625)
    return path


@pytest.fixture(scope="module")
def part(empty_catalog: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first cells of it, with the same numbers and the same in every table."""
    path = Path(shutil.copy(empty_catalog, tmp_path_factory.mktemp("doctor") / "catalog.duckdb"))
    space = space_named("nb201")
    with (
        Store.open(path, mode="write") as store,
        Run.start(store, "enumerate", {"space": "nb201"}) as run,
        store.transaction(),
    ):
        registration.ensure_space(store, space)
        cells = next(iter(space.enumerate_members())).taken(np.arange(PART))
        registration.enter(store, space, cells, run.id)
        registration.link_twins(store, space.name)
        views.rebuild(store, space.name)
    fill(path, PART)
    return path


def fill(path: Path, count: int) -> None:
    """Something in every table of a catalog that holds so many cells."""
    with Store.open(path, mode="write") as store:
        for source in ("mine", "yours"):
            table = path.parent / f"{source}.csv"
            lines = (f"{index},{50 + index % 40},{51 + index % 40}\n" for index in range(0, count, 10))
            table.write_text("nb201_index,cifar10_valid_acc,cifar10_test_acc\n" + "".join(lines))
            ingest(store, NB201Table(200, source=source), table)
        with Run.start(store, "score", {}) as run, store.transaction():
            store.append(
                "proxy",
                pa.table(
                    {
                        "id": pa.array([90], pa.int32()),
                        "name": ["ours"],
                        "column": ["ours"],
                        "version": ["1"],
                        "direction": pa.array([1], pa.int16()),
                        "configuration": ["{}"],
                        "checkpoint_digest": ["c0ffee"],
                        "description": ["a predictor"],
                    }
                ),
            )
            store.execute(
                f"INSERT INTO score SELECT id, 90, NULL, NULL, NULL, id / 7, 'ok', NULL, 0.1, {run.id}, NULL "
                "FROM architecture"
            )
            store.execute("INSERT INTO training_member SELECT 90, id FROM architecture WHERE id < 20")
            store.execute(
                "INSERT INTO layer_score (architecture_id, proxy_id, position, layer, value, run_id) "
                f"VALUES (1, 90, 0, 'stem', 1.0, {run.id})"
            )
            store.execute("INSERT INTO training_curve VALUES (1, 1, 'cifar10', 'test', 200, 0, 1, 10.0)")
            store.execute(
                "INSERT INTO node_attribute (architecture_id, form, cell, position, name, parameters) "
                "VALUES (1, 'native', 'cell', 1, 'traced', 5)"
            )
            store.execute("INSERT INTO operator_embedding VALUES ('encoder', 'short', 'a convolution', [1.0, 0.0])")
            views.rebuild(store, "nb201")
        with Run.start(store, "search", {}) as run:
            store.execute(f"INSERT INTO search_visit VALUES ({run.id}, 1, 1, [1.0], true, 1.0)")


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of `whole`, which a test may damage."""
    path = Path(shutil.copy(whole, tmp_path / "catalog.duckdb"))
    yield path
    path.unlink()


def damaged(path: Path, *statements: str) -> list[Finding]:
    """What the doctor finds after statements of somebody else."""
    with duckdb.connect(str(path)) as stranger:
        for statement in statements:
            stranger.execute(statement)
    with Store.open(path) as store:
        return [finding for finding in examine(store) if finding.result == "failed"]


def test_a_file_that_only_the_catalog_wrote_is_found_whole(whole: Path, part: Path) -> None:
    for path in (whole, part):
        with Store.open(path) as store:
            assert [finding for finding in examine(store, full=True) if finding.result == "failed"] == []


@pytest.mark.parametrize("sql", [pytest.param(sql, id=name) for name, sql in KINDS.items()])
def test_every_kind_of_change_is_found(part: Path, tmp_path: Path, sql: str) -> None:
    copy = Path(shutil.copy(part, tmp_path / "catalog.duckdb"))
    assert damaged(copy, sql)
    copy.unlink()


def test_architectures_are_named(copy: Path) -> None:
    found = damaged(copy, *(GRAPHS[name] for name in ("an edge stands twice", "a node has another operator")))
    details = {finding.check: finding.detail for finding in found}
    assert "40 (|" in details["nb201 digests"]
    assert "): edges" in details["nb201 digests"]
    assert "43 (|" in details["nb201 digests"]
    assert "rows stand twice, for example architecture_id 40" in details["rows of edge"]


def test_rows_of_a_source_are_named_with_the_command_that_helps(copy: Path) -> None:
    found = damaged(copy, "DELETE FROM metric WHERE architecture_id = 1 AND source_id = 2 AND split = 'test'")
    details = {finding.check: finding.detail for finding in found}
    assert "source_id 2: 3,125 rows where 3,126 were stored" in details["rows of metric"]
    assert f"catalog db forget 2 --db {copy}" in details["rows of metric"]
    assert "such as 1" in details["view nb201"]


def test_what_is_derived_is_repaired(copy: Path) -> None:
    """Everything of a built-in space follows from its native ids, and from what the catalog knows."""
    unrepaired = {"a native id", "one too many", "one is gone", "one of an unknown space"}
    statements = [sql for name, sql in ARCHITECTURES.items() if name not in unrepaired]
    statements += [sql for name, sql in GRAPHS.items() if "attribute" not in name]
    statements += [
        SCORES["a structural score"],
        SCORES["directions of proxies"],
        SCORES["a proxy is gone"],
        *(REST[name] for name in ("a space is gone", "an operator is gone", "the kind of an operator")),
        NUMBERS["a direction of a metric"],
        *(VIEWS[name] for name in ("a value", "a column is gone", "a row is gone", "a column that is nobody's")),
    ]
    with duckdb.connect(str(copy)) as stranger:
        for statement in statements:
            stranger.execute(statement)
    with Store.open(copy, mode="write") as store:
        done = repair(store)
        assert any("architectures anew from their native graphs" in sentence for sentence in done)
        assert "nb201: built the wide view anew." in done
        assert [finding for finding in examine(store) if finding.result == "failed"] == []
        assert repair(store) == []


def test_what_is_not_derived_stays_found(copy: Path) -> None:
    with duckdb.connect(str(copy)) as stranger:
        stranger.execute(NUMBERS["a metric is gone"])
    with Store.open(copy, mode="write") as store:
        repair(store)
        assert [finding.check for finding in examine(store) if finding.result == "failed"] == ["rows of metric"]


def test_a_file_without_seals_is_not_repaired(copy: Path) -> None:
    with duckdb.connect(str(copy)) as stranger:
        stranger.execute("DELETE FROM seal WHERE subject = 'hash'")
    with Store.open(copy, mode="write") as store, pytest.raises(CatalogError, match="catalog db upgrade"):
        repair(store)


def test_forgotten_scores_start_anew(copy: Path) -> None:
    with duckdb.connect(str(copy)) as stranger:
        stranger.execute("UPDATE score SET value = 1 WHERE proxy_id = 90")
    assert forget_scores(copy, "ours") == 15_625
    with Store.open(copy) as store:
        failed = {finding.check for finding in examine(store) if finding.result == "failed"}
        assert failed == set()
        assert "ours" not in [name for (name,) in store.rows("SELECT name FROM wide_column")]
