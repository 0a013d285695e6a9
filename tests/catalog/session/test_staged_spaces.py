"""A staged space of a user's own: added from its file, then enumerated, searched, asked and found sound."""

from __future__ import annotations

import json
import re
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


TABLE = """
[table]
about = "trainings of the small space: a table with arch, accuracy and params"
arch = "arch"
counts = [{ column = "params", name = "parameters", dataset = "cifar10" }]
metrics = [{ columns = ["accuracy"], name = "accuracy", kind = "trained", dataset = "cifar10", split = "test" }]
"""


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "results.csv"
    path.write_text("arch,accuracy,params\nr32:d2 k3e1-k5e4|d1 k3e4,71.5,\nr16:d1 k3e1|d1 k3e1,60.25,\n")
    return path


def test_a_table_of_an_added_space_is_read_as_its_description_says(tmp_path, file, results):
    file.write_text(SMALL + TABLE)
    with catalog.open(tmp_path / "catalog.duckdb", "write") as session:
        session.add_space(file)
        (report,) = session.ingest("staged", results, space="small")
        assert (report.space, report.source, report.records, report.new_architectures) == ("small", "results", 2, 2)
        (best,) = session.top("small", by="cifar10_test_accuracy_results", k=1, columns=["arch"]).to_dicts()
        assert best["arch"] == "r32:d2 k3e1-k5e4|d1 k3e4"
        assert set(session.doctor(full=True).frame["result"]) == {"ok"}
        session.ingest("staged", results, space="small")
        assert session.spaces()["architectures"].to_list() == [2]


def test_no_digest_makes_a_users_table_a_benchmarks(tmp_path, file, results):
    """A description of a user's own names itself: its source is the user's all the same."""
    from catalog.spaces.staged.space import StagedSpace
    from ingest.formats.staged_table import StagedTable

    loader = StagedTable(StagedSpace.from_text(SMALL + TABLE, "small.toml"))
    list(loader.read(results))
    text = TABLE.replace("arch =", f'values = "{loader.digest(results)}"\narch =')
    proven = StagedTable(StagedSpace.from_text(SMALL + text, "small.toml"))
    assert proven.facts(results).name == "results"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("r32:d2 k3e1-k5e4|d1 k3e9,70,", "results.csv line 2: arch: 'r32:d2 k3e1-k5e4|d1 k3e9' is no id of the space"),
        ("r32:d2 k3e1-k5e4|d1 k3e4,70,1", "results.csv line 2: params is 1, but the network of r32:d2"),
        ("r32:d2 k3e1-k5e4|d1 k3e4,high,", "results.csv line 2: accuracy is 'high'; a number is needed"),
        ("01201201,70,7713280", "results.csv line 2: arch: '01201201' is no id of the space 'small'"),
    ],
)
def test_a_wrong_row_of_an_own_table_is_refused_by_line(tmp_path, file, results, row, said):
    file.write_text(SMALL + TABLE)
    results.write_text(f"arch,accuracy,params\n{row}\n")
    with catalog.open(tmp_path / "catalog.duckdb", "write") as session:
        session.add_space(file)
        with pytest.raises(IngestError) as error:
            session.ingest("staged", results, space="small")
        assert said in str(error.value)
        assert session.spaces()["architectures"].to_list() == [0]


BY_CHOICES = """
[table]
about = "trainings of the small space, choice by choice"
metrics = [{ columns = ["accuracy"], name = "accuracy", kind = "trained", dataset = "cifar10", split = "test" }]

[table.choices]
resolution = "size"
depth = "depths.{stage}"
kernel = "kernels.{stage}.{block}"
expansion = "wide.{stage}.{block}"
"""


@pytest.mark.parametrize(
    ("unsaid", "said"),
    [
        (
            "resolution",
            "which architecture it is of: r16:d1 k3e4|d1 k3e1 or r32:d1 k3e4|d1 k3e1; .* column for resolution",
        ),
        ("expansion", "which block number 1 of stage 1 is; .* no column for expansion"),
    ],
)
def test_a_table_that_several_architectures_would_fit_is_refused(tmp_path, file, unsaid, said):
    """The first that fits would be an invention."""
    record: dict[str, object] = {"accuracy": 71.0, "depths": [1, 1], "kernels": [[3], [3]], "size": 16}
    record["wide"] = [[4], [1]]
    lines = tmp_path / "results.jsonl"
    column = {"resolution": "size", "expansion": "wide"}[unsaid]
    lines.write_text(json.dumps({name: value for name, value in record.items() if name != column}) + "\n")
    table = re.sub(rf"\n{unsaid} = .*", "", BY_CHOICES)
    file.write_text(SMALL + table)
    with catalog.open(tmp_path / "catalog.duckdb", "write") as session:
        session.add_space(file)
        with pytest.raises(IngestError, match=f"line 1: it does not say {said}.*Nothing was stored"):
            session.ingest("staged", lines, space="small")
        file.write_text((SMALL + BY_CHOICES).replace('"small"', '"whole"'))
        session.add_space(file)
        lines.write_text(json.dumps(record) + "\n")
        (report,) = session.ingest("staged", lines, space="whole")
        assert report.new_architectures == 1


def test_a_choice_that_follows_from_the_rest_needs_no_column(tmp_path, file):
    """A depth is the number of blocks that are there."""
    table = BY_CHOICES.replace('depth = "depths.{stage}"', "")
    file.write_text(SMALL + table)
    lines = tmp_path / "results.jsonl"
    record = {"accuracy": 71.0, "size": 16, "kernels": [[3, 3], [3]], "wide": [[4, 1], [1]]}
    lines.write_text(json.dumps(record) + "\n")
    with catalog.open(tmp_path / "catalog.duckdb", "write") as session:
        session.add_space(file)
        session.ingest("staged", lines, space="small")
        assert session.query("SELECT arch FROM small")["arch"].to_list() == ["r16:d2 k3e4-k3e1|d1 k3e1"]


def test_a_space_without_a_table_and_one_that_is_no_staged_space(opened, results):
    with pytest.raises(UsageError, match=r"does not say what its tables look like.*Add \[table\]"):
        opened.ingest("staged", results, space="small")
    with pytest.raises(UsageError, match="the space 'nb201' is no staged space"):
        opened.ingest("staged", results, space="nb201")
    with pytest.raises(UnknownSpaceError, match="no search space 'smal'"):
        opened.ingest("staged", results, space="smal")
    with pytest.raises(UsageError, match="--space NAME"):
        opened.ingest("staged", results)
