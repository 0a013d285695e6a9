"""A staged space of a user's own: added from its file, then enumerated, searched, asked and found sound."""

from __future__ import annotations

from pathlib import Path

import pytest

import catalog
from catalog.errors import IngestError, SpaceFileError, UnknownSpaceError, UsageError
from tests.catalog.spaces.staged.small import COUNT, SMALL


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def opened(tmp_path: Path, file: Path):
    with catalog.open(tmp_path / "catalog.duckdb", "write") as session:
        assert session.add_space(file) == "small"
        yield session


def test_an_added_space_is_enumerated_and_asked(opened):
    (row,) = opened.spaces("small").to_dicts()
    assert (row["space"], row["architectures"], row["size"]) == ("small", COUNT, COUNT)
    largest = opened.top("small", by="params", k=1, columns=["arch", "params"])
    assert largest["params"].to_list() == [13650.0]
    assert opened.lookup(["r32:d2 k3e1-k5e4|d1 k3e4"], space="small", columns=["flops"])["flops"][0] > 0
    assert set(opened.doctor(full=True).frame["result"]) == {"ok"}


def test_an_added_space_is_searched_without_being_enumerated(opened):
    found = opened.search("small", by="params", method="regularized-evolution", budget=40, max={"flops": 1e6})
    assert 0 < len(found.frame) <= 40
    assert found.frame["flops"].max() <= 1e6
    assert opened.spaces()["architectures"].to_list() == [40]


def test_a_draw_is_entered_once(opened):
    assert opened.draw_space("small", 50, seed=3) == 50
    assert opened.draw_space("small", 50, seed=3) == 0
    assert opened.draw_space("small", COUNT) == COUNT - 50
    assert opened.draw_space("ofa", 30) == 30
    assert set(opened.doctor(full=True).frame["result"]) == {"ok"}
    assert opened.query("SELECT parameters FROM run WHERE kind = 'draw'")["parameters"].len() == 4


def test_a_draw_of_nothing_leaves_no_catalog_behind(tmp_path):
    with catalog.open(tmp_path / "none.duckdb", "write") as session:
        with pytest.raises(UnknownSpaceError, match="unknown search space 'smal'"):
            session.draw_space("smal")
        with pytest.raises(UsageError, match="the count is 0; a whole number from 1 to 1,000,000"):
            session.draw_space("ofa", 0)
        with pytest.raises(UsageError, match="the seed is -1; a whole number from 0"):
            session.draw_space("ofa", 3, seed=-1)
    assert not (tmp_path / "none.duckdb").exists()


def test_adding_it_twice_changes_nothing_and_another_of_its_name_is_refused(opened, file):
    assert opened.add_space(file) == "small"
    file.write_text(SMALL.replace("kernel = [3, 5]", "kernel = [3, 7]"))
    with pytest.raises(UsageError, match="holds another space 'small' already"):
        opened.add_space(file)


def test_a_name_that_is_taken_is_refused(opened, file):
    file.write_text(SMALL.replace('"small"', '"nasbench_macro"'))
    with pytest.raises(UsageError, match="it is built in"):
        opened.add_space(file)
    file.write_text(SMALL.replace('"small"', '"metric"'))
    with pytest.raises(UsageError, match="the catalog has a table of that name"):
        opened.add_space(file)


def test_a_faulty_file_leaves_no_catalog_behind(tmp_path, file):
    file.write_text(SMALL.replace("classes = 10", "classes = ten"))
    with (
        catalog.open(tmp_path / "none.duckdb", "write") as session,
        pytest.raises(SpaceFileError, match="small.toml is no TOML"),
    ):
        session.add_space(file)
    file.write_bytes(b"\xff\xfe")
    with (
        catalog.open(tmp_path / "none.duckdb", "write") as session,
        pytest.raises(SpaceFileError, match="byte 0 is no UTF-8 text"),
    ):
        session.add_space(file)
    with (
        catalog.open(tmp_path / "none.duckdb", "write") as session,
        pytest.raises(IngestError, match="cannot be read"),
    ):
        session.add_space(tmp_path / "missing.toml")
    with (
        catalog.open(tmp_path / "none.duckdb", "write") as session,
        pytest.raises(UnknownSpaceError, match="unknown search space 'smal'"),
    ):
        session.spaces("smal")
    assert not (tmp_path / "none.duckdb").exists()


def test_graphs_cannot_be_added_to_a_described_space(opened, tmp_path):
    lines = tmp_path / "more.jsonl"
    lines.write_text('{"id": "a", "ops": ["input", "conv", "output"], "edges": [[0, 1], [1, 2]]}\n')
    with pytest.raises(UsageError, match="is described by a file"):
        opened.ingest("graphs", lines, space="small")


def test_a_file_that_is_not_there_is_no_damaged_one(opened, tmp_path):
    with pytest.raises(IngestError, match=r"none\.toml cannot be read: No such file or directory; .* Check the path\."):
        opened.add_space(tmp_path / "none.toml")
