"""Mistakes with a table of one's own numbers, mended as its author would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import catalog
from catalog.errors import IngestError, UsageError
from catalog.storage.store import Store
from tests.catalog.tables.states import exported, failures

SAID: dict[str, Any] = {"proxy": "mine", "direction": "higher", "description": "a proxy of mine"}


def table(folder: Path, name: str, *values: float) -> Path:
    path = folder / name
    path.write_text("index,mine\n" + "".join(f"{place},{value}\n" for place, value in enumerate(values)))
    return path


@pytest.fixture
def path(tmp_path: Path, empty_catalog: Path) -> Path:
    path = Path(shutil.copy(empty_catalog, tmp_path / "catalog.duckdb"))
    with catalog.open(path, mode="write") as c:
        c.ingest_table(table(tmp_path, "scores.csv", 1, 2, 3), "nb201", **SAID)
    return path


def column(path: Path, name: str) -> list[float | None]:
    with catalog.open(path) as c:
        found: pl.Series = c.query(f"SELECT {name} FROM nb201 ORDER BY index")[name]
    return found.to_list()


def sound(path: Path) -> bool:
    with Store.open(path) as store:
        return not failures(store)


def test_a_wrong_table_is_replaced(path: Path, tmp_path: Path) -> None:
    with catalog.open(path, mode="write") as c:
        right = table(tmp_path, "scores.csv", 5, 6)
        with pytest.raises(IngestError, match="a column can show one of them"):
            c.ingest_table(right, "nb201", **SAID)
        c.ingest_table(right, "nb201", replace=True, **SAID)
    assert column(path, "mine") == [5, 6]  # the third architecture had nothing but its score
    assert sound(path)


def test_of_two_mappings_of_one_file_the_same_is_replaced(path: Path, tmp_path: Path) -> None:
    other = SAID | {"proxy": "another", "column": "mine"}
    with catalog.open(path, mode="write") as c:
        c.ingest_table(tmp_path / "scores.csv", "nb201", **other)
        c.ingest_table(table(tmp_path, "scores.csv", 7, 8, 9), "nb201", replace=True, **other)
    assert (column(path, "mine"), column(path, "another")) == ([1, 2, 3], [7, 8, 9])
    assert sound(path)


def test_a_proxy_and_its_source_get_other_names(path: Path, tmp_path: Path) -> None:
    with catalog.open(path, mode="write") as c:
        c.rename("proxy", "mine", "path_norm")
        with pytest.raises(UsageError, match="that the catalog knows is"):
            c.rename("proxy", "path_norm", "nwot")
        c.ingest_table(table(tmp_path, "more.csv", 1, 2), "nb201", **SAID | {"proxy": "nwot", "column": "mine"})
        c.rename("source", "more", "lab")
    assert column(path, "path_norm") == [1, 2, 3]
    assert column(path, "nwot_lab")[:2] == [1, 2]
    assert sound(path)


def test_a_proxy_goes_with_its_file(path: Path, tmp_path: Path) -> None:
    with catalog.open(path, mode="write") as c:
        told = c.remove("proxy", "mine")
        assert (told.sources, told.rows["architecture"]) == (("scores",), 3)
        c.ingest_table(tmp_path / "scores.csv", "nb201", **SAID)
    assert column(path, "mine") == [1, 2, 3]


def test_two_authors_of_one_name_are_told_so(path: Path, tmp_path: Path, empty_catalog: Path) -> None:
    other = Path(shutil.copy(empty_catalog, tmp_path / "other.duckdb"))
    with catalog.open(other, mode="write") as c:
        c.ingest_table(table(tmp_path, "theirs.csv", 3, 2, 1), "nb201", **SAID)
    with catalog.open(path, mode="write") as c:
        found = c.merge(other).conflicts
    assert [(one.what, one.here, one.there) for one in found] == [("score", "1.0", "3.0"), ("score", "3.0", "1.0")]
    with catalog.open(other, mode="write") as c:
        c.rename("proxy", "mine", "theirs")
    with catalog.open(path, mode="write") as c:
        assert not c.merge(other).conflicts
    assert (column(path, "mine"), column(path, "theirs")) == ([1, 2, 3], [3, 2, 1])
    assert sound(path)


def test_nothing_is_changed_in_a_catalog_that_is_open_for_reading(path: Path, tmp_path: Path) -> None:
    with catalog.open(path) as c:
        assert c.remove("source", "scores", dry=True).rows["score"] >= 3
        for verb in (
            lambda: c.remove("source", "scores"),
            lambda: c.rename("source", "scores", "lab"),
            lambda: c.merge(tmp_path / "other.duckdb"),
            c.compact,
        ):
            with pytest.raises(UsageError, match="is open for reading"):
                verb()


def test_a_source_and_what_was_there_before(path: Path, tmp_path: Path) -> None:
    with catalog.open(path, mode="write") as c:
        with c._reading() as store:
            before = exported(store, tmp_path / "out")
        c.ingest_table(table(tmp_path, "more.csv", 1, 2, 3, 4), "nb201", **SAID | {"proxy": "other", "column": "mine"})
        c.remove("source", "more")
        with c._reading() as store:
            assert exported(store, tmp_path / "out") == before
