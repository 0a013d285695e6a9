"""The condition that rows are of a space holds for its own rows, with and without gaps between its ids."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.storage.store import Store
from catalog.tables.space_ids import is_of_space
from tests.catalog.small_catalog import architectures


@pytest.fixture
def store(catalog_path: Path) -> Iterator[Store]:
    with Store.open(catalog_path, mode="write") as opened:
        yield opened


def ids_of(store: Store, space: str) -> list[int]:
    every = pa.table({"architecture_id": range(10)})
    query = f"SELECT architecture_id FROM every WHERE {is_of_space(store, space)} ORDER BY ALL"
    return [number for (number,) in store.rows(query, tables={"every": every})]


def test_a_space_without_gaps_is_told_by_its_first_and_last_id(store: Store) -> None:
    store.append("architecture", architectures(list("abcd"), ["one", "one", "two", "two"]))
    assert is_of_space(store, "two") == "architecture_id BETWEEN 3 AND 4"
    assert (ids_of(store, "one"), ids_of(store, "two")) == ([1, 2], [3, 4])


def test_a_space_with_another_between_its_ids_has_its_own_alone(store: Store) -> None:
    store.append("architecture", architectures(list("abcd"), ["one", "it's", "one", "it's"]))
    assert (ids_of(store, "one"), ids_of(store, "it's")) == ([1, 3], [2, 4])


def test_a_space_without_architectures_has_no_ids(store: Store) -> None:
    assert ids_of(store, "none") == []
