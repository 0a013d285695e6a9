"""Tables of TransNAS-Bench-101's micro space: stored exactly in each form, and faults refused by their place."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import IngestError, UsageError
from catalog.spaces.transnas_micro import format_cell
from catalog.storage.store import Store
from catalog.tables.transnas_facts import RANGES, TASKS, VALUES
from ingest.formats import transnas_table
from ingest.formats.choosing import transnas_loader
from ingest.formats.suite_zero import SuiteZero
from ingest.formats.transnas_table import TransNASTable, digest
from ingest.reading.job import ingest
from tests.ingest.formats.tables import metrics_of

ONE, TWO = "64-41414-1_02_333", "64-41414-3_21_012"
HEADER = "arch,autoencoder,class_object,room_layout,segmentsemantic"
ROWS = (f"{ONE},0.45,42.5,-0.75,22.25", f"{TWO},0.5,44.25,-0.625,24.5")


def written(path: Path, *rows: str, header: str = HEADER) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n")
    return path


def pairs(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def message(path: Path) -> str:
    """Why a file is refused; the message says that nothing was stored."""
    with pytest.raises(IngestError) as error:
        list(transnas_loader(path).read(path))
    assert path.name in str(error.value)
    assert "othing was stored" in str(error.value)
    return str(error.value)


def rows(path: Path) -> list[tuple[Any, ...]]:
    found = metrics_of(transnas_loader(path).read(path))
    return (
        found.select("architecture", "dataset", "name", "value", "kind", "split", "stage")
        .sort(["architecture", "dataset"])
        .rows()
    )


def test_each_task_has_a_metric_of_its_own(tmp_path):
    assert rows(written(tmp_path / "mine.csv", *ROWS)) == [
        (ONE, "autoencoder", "ssim", 0.45, "trained", None, None),
        (ONE, "class_object", "accuracy", 42.5, "trained", None, None),
        (ONE, "room_layout", "neg_loss", -0.75, "trained", None, None),
        (ONE, "segmentsemantic", "miou", 22.25, "trained", None, None),
        (TWO, "autoencoder", "ssim", 0.5, "trained", None, None),
        (TWO, "class_object", "accuracy", 44.25, "trained", None, None),
        (TWO, "room_layout", "neg_loss", -0.625, "trained", None, None),
        (TWO, "segmentsemantic", "miou", 24.5, "trained", None, None),
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("transmicro_class_object.json", [[ONE, 42.5], [TWO, 44.25]]),
        ("transmicroclassobject.json", [[ONE, 42.5], ["(3, 2, 1, 0, 1, 2)", 44.25]]),
        ("all.json", {"class_object": [[ONE, 42.5], [TWO, 44.25]]}),
        ("all.json", {"class_object": {ONE: 42.5, TWO: 44.25}}),
        ("normalized_Class-Object.json", [[ONE, 42.5], [TWO, 44.25]]),
    ],
)
def test_json_says_what_the_table_says(tmp_path, name, value):
    of_table = rows(written(tmp_path / "mine.csv", f"{ONE},42.5", f"{TWO},44.25", header="arch,class_object"))
    assert rows(pairs(tmp_path / name, value)) == of_table


@given(
    st.dictionaries(
        st.tuples(*[st.integers(0, 3)] * 6),
        st.floats(-1, 1).filter(lambda value: abs(value) > 1e-300),
        min_size=1,
        max_size=20,
    )
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
def test_values_are_stored_exactly_in_every_form(tmp_path, found):
    table = [(format_cell(cell), value) for cell, value in found.items()]
    lines = [f"{cell},{value!r}" for cell, value in table]
    expected = sorted((cell, "normal", "ssim", value, "trained", None, None) for cell, value in table)
    assert rows(written(tmp_path / "mine.csv", *lines, header="arch,normal")) == expected
    assert rows(pairs(tmp_path / "normal.json", table)) == expected


def test_the_public_table(data_dir, tmp_path):
    path = data_dir / "spaces/tnb101_micro.csv.gz"
    with gzip.open(path, "rt") as lines:
        table = list(csv.DictReader(lines))
    loader = TransNASTable()
    facts = loader.facts(path)
    assert (facts.name, facts.licence) == ("transnas_micro", "MIT")
    (batch,) = loader.read(path)
    assert len(batch.members.native_ids) == 4096
    assert batch.metrics.num_rows == 7 * 4096
    assert batch.notes == ()
    found = metrics_of([batch])
    assert set(found["split"]) == {"valid"}
    assert set(found["stage"]) == {"best"}
    of_one = table[1234]
    for task in TASKS:
        row = found.filter(architecture=of_one["arch"], dataset=task).row(0, named=True)
        assert (row["value"], row["name"]) == (float(of_one[task]), TASKS[task].metric)
    turned = pairs(tmp_path / "room_layout.json", [[row["arch"], float(row["room_layout"])] for row in reversed(table)])
    assert TransNASTable().facts(turned).name == "transnas_micro"
    with pytest.raises(UsageError, match="--source"):
        TransNASTable(source="mine").facts(turned)
    changed = [[row["arch"], float(row["room_layout"])] for row in table]
    changed[0][1] -= 1e-9
    assert TransNASTable().facts(pairs(turned, changed)).name == "room_layout"


def test_a_file_is_the_benchmark_s_if_all_of_it_is(tmp_path, monkeypatch):
    both = {"normal": [[ONE, 0.25]], "autoencoder": [[ONE, 0.5]]}
    known = {**VALUES, "normal": digest([ONE], np.array([0.25]))}
    monkeypatch.setattr(transnas_table, "VALUES", known)
    assert TransNASTable().facts(pairs(tmp_path / "normal.json", both["normal"])).name == "transnas_micro"
    assert TransNASTable().facts(pairs(tmp_path / "both.json", both)).name == "both"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("64-41414-4_02_333,0.4,42,-0.7,22", "mine.csv line 3: '64-41414-4_02_333' names no cell"),
        ("64-4111-basic,0.4,42,-0.7,22", "line 3: '64-4111-basic' is an architecture of the benchmark's macro space"),
        ("|nor_conv_3x3~0|,0.4,42,-0.7,22", "names no cell"),
        (f"{ONE},0.4,43,-0.7,22", f"line 3: the architecture {ONE} stands at mine.csv line 2 already"),
        (ROWS[0], f"line 3: the architecture {ONE} stands at mine.csv line 2 already"),
        (f"{TWO},0.4,high,-0.7,22", "line 3: class_object is high; a number"),
        (f"{TWO},0.4,,-0.7,22", "line 3: class_object is empty; a number"),
        (f"{TWO},0.4,142,-0.7,22", "line 3: class_object is 142; its accuracy is a number from 0 to 100 percent"),
        (f"{TWO},45,42,-0.7,22", "line 3: autoencoder is 45; its ssim is a number from -1 to 1"),
        (f"{TWO},0.4,42,0.7,22", "line 3: room_layout is 0.7; its neg_loss is a number"),
        (f"{TWO},0.4,42,-inf,22", "line 3: room_layout is -inf"),
        (f"{TWO},nan,42,-0.7,22", "line 3: autoencoder is nan"),
    ],
)
def test_a_wrong_line_is_refused(tmp_path, line, said):
    assert said in message(written(tmp_path / "mine.csv", ROWS[0], line))


@pytest.mark.parametrize("header", ["arch,class_object,colour", "arch,test_acc_0,params", "cell,class_object"])
def test_another_table_is_refused(tmp_path, header):
    width = header.count(",")
    assert "what is read is" in message(written(tmp_path / "mine.csv", ONE + ",1.5" * width, header=header)).lower()


def test_fractions_are_refused(tmp_path):
    fractions = written(tmp_path / "mine.csv", f"{ONE},0.225", f"{TWO},0.25", header="arch,segmentsemantic")
    assert "these are fractions" in message(fractions)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("mine.json", [[ONE, 42.5]], "the file's name says none"),
        ("class_object_jigsaw.json", [[ONE, 42.5]], "the file's name says several"),
        ("normalized.json", [[ONE, 0.5]], "the file's name says none"),
        ("jigsaw.json", [[ONE, 42.5], [TWO]], "record 2 is [\'64-41414-3_21_012\']; a pair"),
        ("jigsaw.json", [[ONE, 42.5], 7], "record 2 is 7; a pair"),
        ("jigsaw.json", [[ONE, 42.5], [ONE, 42.5]], "jigsaw, record 2"),
        ("jigsaw.json", [[ONE, 42.5], [TWO, "high"]], "record 2 ('64-41414-3_21_012'): the value is 'high'"),
        ("jigsaw.json", [[ONE, 42.5], [TWO, None]], "a number is needed"),
        ("jigsaw.json", [[ONE, 42.5], [TWO, True]], "a number is needed"),
        ("jigsaw.json", [[ONE, 42.5], [TWO, 10**400]], "a number from -1e"),
        ("jigsaw.json", [["64-41414-9_02_333", 42.5]], "record 1 ('64-41414-9_02_333'): '64-41414-9_02_333' names no"),
        ("jigsaw.json", [], "holds no values"),
        ("all.json", {}, "holds no values"),
        ("all.json", {"jigsaw": 7}, "jigsaw is 7; a list"),
        ("all.json", {"cifar10": [[ONE, 42.5]]}, "'cifar10' is none of the benchmark's tasks"),
        ("all.json", 7, "it is 7; what is read"),
        ("all.json", {"jigsaw": [[ONE, 42.5]], "normal": [[ONE, 42.5]]}, f"normal, record 1 ({ONE!r}): normal is 42.5"),
    ],
)  # fmt: skip
def test_wrong_json_is_refused(tmp_path, name, value, said):
    assert said in message(pairs(tmp_path / name, value))


def test_nothing_is_stored_of_a_wrong_file(catalog_path, tmp_path):
    path = written(tmp_path / "mine.csv", ROWS[0], f"{TWO},0.4,142,-0.7,22")
    with Store.open(catalog_path, mode="write") as catalog:
        with pytest.raises(IngestError):
            ingest(catalog, transnas_loader(path), path)
        for table in ("source", "metric", "architecture"):
            assert catalog.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_high_values_of_all_tasks_are_good(catalog_path, tmp_path):
    path = written(tmp_path / "mine.csv", *ROWS)
    with Store.open(catalog_path, mode="write") as catalog:
        ingest(catalog, transnas_loader(path), path)
        assert dict(catalog.rows("SELECT name, direction FROM measure")) == {
            "accuracy": 1, "miou": 1, "neg_loss": 1, "ssim": 1,
        }  # fmt: skip
        columns = {str(name) for (name,) in catalog.rows("SELECT column_name FROM (DESCRIBE transnas_micro)")}
    assert {"class_object_accuracy_mine", "room_layout_neg_loss_mine", "segmentsemantic_miou_mine"} <= columns


def test_each_metric_has_its_range():
    assert {task.metric for task in TASKS.values()} | {task.suite_metric for task in TASKS.values()} == set(RANGES)
    assert set(VALUES) == set(TASKS)


def test_which_reader_a_file_needs(tmp_path):
    suite = {"jigsaw": {"(1, 0, 0, 2, 1, 0)": {"val_accuracy": 42.5}}}
    assert isinstance(transnas_loader(pairs(tmp_path / "zc.json", suite)), SuiteZero)
    listed = [{"arch": "(1, 0, 0, 2, 1, 0)", "nwot": 3.5}]
    name = "benchmark--transbench101_micro--jigsaw--0.json"
    assert isinstance(transnas_loader(pairs(tmp_path / name, listed)), SuiteZero)
    for value in ([[ONE, 42.5]], {"jigsaw": [[ONE, 42.5]]}, {"jigsaw": {ONE: 42.5}}, {}, [], 7):
        assert isinstance(transnas_loader(pairs(tmp_path / "jigsaw.json", value)), TransNASTable)
