"""What a wide view shows: columns that hold something, under names that say the unit."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from catalog.storage.store import Store
from catalog.tables import views
from tests.catalog.tables.states import failures
from tests.catalog.tables.test_removing import FIRST, measured, read


@pytest.fixture
def filled(catalog_path: Path, tmp_path: Path) -> Path:
    with Store.open(catalog_path, mode="write") as store:
        read(store, tmp_path, "first.csv", FIRST["first.csv"])
        measured(store, "odd")
    return catalog_path


def comments(store: Store) -> dict[str, str]:
    rows = store.rows("SELECT column_name, comment FROM duckdb_columns() WHERE table_name = 'nb201'")
    return {name: comment for name, comment in rows if comment is not None}


def rebuilt(store: Store, *statements: str) -> None:
    with store.transaction():
        for sql in statements:
            store.execute(sql)
        views.rebuild(store, "nb201")


def test_a_column_without_a_value_is_not_shown(filled: Path) -> None:
    with Store.open(filled, mode="write") as store:
        assert {"odd", "cifar10_test_accuracy_first"} <= comments(store).keys()
        rebuilt(
            store,
            "UPDATE score SET value = NULL, status = 'failed' WHERE proxy_id = (SELECT max(id) FROM proxy)",
            "UPDATE metric SET value = NULL",
        )
        assert not {"odd", "cifar10_test_accuracy_first"} & comments(store).keys()
        assert store.rows("SELECT count(*) FROM wide_column WHERE name = 'odd'") == [(0,)]
        assert not failures(store)
        rebuilt(
            store,
            "UPDATE score SET value = 2, status = 'ok' WHERE architecture_id = 1 "
            "AND proxy_id = (SELECT max(id) FROM proxy)",
        )
        assert store.rows("SELECT odd FROM nb201 ORDER BY architecture_id") == [(2.0,), (None,)]


def test_every_comment_on_a_value_says_its_unit(filled: Path) -> None:
    with Store.open(filled, mode="write") as store:
        numbers = store.arrow("SELECT id FROM architecture")["id"]
        metrics = {"latency": "reported", "loss": "trained"}
        for name, kind in metrics.items():
            store.append(
                "metric",
                pa.table(
                    {
                        "architecture_id": numbers,
                        "source_id": pa.array([1] * len(numbers), pa.int32()),
                        "name": [name] * len(numbers),
                        "kind": [kind] * len(numbers),
                        "value": [1.5] * len(numbers),
                    }
                ),
            )
        rebuilt(store)
        said = comments(store)
    assert said["cifar10_test_accuracy_first"].startswith("trained accuracy (percent) on cifar10 test")
    assert said["latency_first_reported"].startswith("reported latency (ms) on")
    assert said["loss_first"].startswith("trained loss (no unit) on")
    assert said["live_flops"].startswith("proxy live_flops (multiply-accumulates): ")
    assert said["odd"].startswith("proxy odd (no unit): a test")
    assert all("(" in comment or comment.startswith("number of ") for comment in said.values())
