"""Seals follow what the store writes, whatever the order, and nothing else."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from catalog.errors import StoreError
from catalog.storage.seals import PARTS, Seal, change_of
from catalog.storage.store import Store
from catalog.storage.table_columns import table_columns

DERIVED = {"wide_column", "seal"}


@pytest.fixture
def store(catalog_path: Path) -> Iterator[Store]:
    with Store.open(catalog_path, mode="write") as opened:
        yield opened


def members(*pairs: tuple[int, int]) -> pa.Table:
    return pa.table({"proxy_id": [proxy for proxy, _ in pairs], "architecture_id": [number for _, number in pairs]})


def stored(store: Store) -> dict[str, tuple[int, str]]:
    rows = store.rows("SELECT part, rows, value FROM seal WHERE subject = 'training_member'")
    return {part: (count, value) for part, count, value in rows}


def broken(store: Store) -> list[str]:
    return [table for table, parts in store.broken_parts().items() if parts]


def test_every_table_that_is_not_derived_is_sealed() -> None:
    assert set(table_columns()) - DERIVED == set(PARTS)


def test_the_parts_of_a_table_are_columns_of_it() -> None:
    for table, parts in PARTS.items():
        assert set(parts) <= set(table_columns()[table])


def test_a_seal_counts_rows_and_not_their_order(store: Store) -> None:
    store.append("training_member", members((1, 1), (1, 2), (2, 1)))
    first = stored(store)
    assert {part: count for part, (count, _) in first.items()} == {"1": 2, "2": 1}
    store.execute("DELETE FROM training_member")
    assert stored(store) == {}
    store.append("training_member", members((2, 1)))
    store.execute("INSERT INTO training_member VALUES (1, 2), (1, 1)")
    assert stored(store) == first
    assert broken(store) == []


def test_rows_that_were_appended_do_not_stay_in_memory_until_the_end_of_the_transaction(store: Store) -> None:
    with store.transaction():
        rows = members((1, 1))
        store.append("training_member", rows)
        held = weakref.ref(rows)
        del rows
        assert held() is None


def test_updates_change_seals(store: Store) -> None:
    store.append("training_member", members((1, 1), (1, 2)))
    store.execute("UPDATE training_member SET proxy_id = 2 WHERE architecture_id = 2")
    assert {part: count for part, (count, _) in stored(store).items()} == {"1": 1, "2": 1}
    assert broken(store) == []


def test_what_is_rolled_back_leaves_no_seal(store: Store) -> None:
    with pytest.raises(StoreError, match="on purpose"), store.transaction():
        store.append("training_member", members((1, 1)))
        raise StoreError("on purpose")
    store.append("training_member", members((3, 1)))
    assert list(stored(store)) == ["3"]
    assert broken(store) == []


def test_a_change_from_outside_stays_seen_whatever_is_added(store: Store) -> None:
    store.append("training_member", members((1, 1), (1, 2)))
    store._connection.execute("DELETE FROM training_member WHERE architecture_id = 2")
    store.append("training_member", members((1, 3)))
    (part,) = store.broken_parts()["training_member"]
    assert (part.values, part.sealed.rows, part.now.rows) == ((1,), 3, 2)


def test_a_part_that_was_emptied_starts_anew(store: Store) -> None:
    store.append("training_member", members((1, 1), (1, 2)))
    store._connection.execute("UPDATE training_member SET architecture_id = 9")
    with store.transaction():
        store.execute("DELETE FROM training_member WHERE proxy_id = 1")
        store.append("training_member", members((1, 4)))
    assert broken(store) == []
    assert stored(store)["1"][0] == 1


def test_a_part_is_deleted_with_its_seal(store: Store) -> None:
    store.append("training_member", members((1, 1), (2, 2)))
    assert store.delete_part("training_member", "proxy_id", 1) == 1
    assert list(stored(store)) == ["2"]


def test_hashes_of_another_duckdb_are_not_mixed_with_ours(store: Store) -> None:
    store.append("training_member", members((1, 1)))
    store._connection.execute("UPDATE seal SET value = '1' WHERE subject = 'hash'")
    assert not store.is_sealed()
    store.append("training_member", members((1, 2)))
    assert stored(store) == {}
    with store.transaction():
        store.seal()
    assert store.is_sealed()
    assert stored(store)["1"][0] == 2


def test_other_rules_bar_writing(catalog_path: Path) -> None:
    with duckdb.connect(str(catalog_path)) as stranger:
        stranger.execute("UPDATE seal SET value = '0' WHERE subject = 'version' AND part = 'wide view'")
    with pytest.raises(StoreError, match=r"\(wide view\); nothing was stored"):
        Store.open(catalog_path, mode="write")
    with Store.open(catalog_path) as reader:
        assert reader.outdated() == ["wide view"]


def test_statements_that_change_sealed_tables_are_known() -> None:
    assert change_of("\n  INSERT INTO score BY NAME SELECT 1") == ("INSERT INTO", "score")
    assert change_of("DELETE FROM metric WHERE true") == ("DELETE FROM", "metric")
    assert change_of("UPDATE run SET outcome = 'done'") == ("UPDATE", "run")
    assert change_of("UPDATE nb201 SET params = 1") is None
    assert change_of("SELECT 'DELETE FROM metric'") is None


def test_an_update_of_nothing_but_what_follows_from_the_rest_changes_no_seal() -> None:
    assert change_of("UPDATE architecture SET canonical_id = twin.id FROM twin WHERE true") is None
    for more in (
        "canonical_id = 1, space = 'b' WHERE true",
        "canonical_id = abs(1), depth = 2",
        "depth = 1 WHERE true",
    ):
        assert change_of(f"UPDATE architecture SET {more}") == ("UPDATE", "architecture")


def test_seals_add_and_subtract() -> None:
    assert Seal(2, 5) + Seal(1, 1) - Seal(3, 6) == Seal()
