"""NAS-Bench-101's record files."""

from __future__ import annotations

import base64
import csv
import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import IngestError
from ingest.formats import nasbench101
from ingest.formats.nasbench101 import NASBench101Records
from ingest.reading.batch import Batch
from ingest.reading.model_metrics import MetricsError, measurements
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.writers import framed, model_metrics, nasbench101_row, write_tfrecord

# The first two modules in ascending order of their hashes, and one of two vertices: nb101_108ep_mean_test.csv.gz
FIRST = ("00005c142e6f48ac74fdcf73e3439874", "0100110001000000010010000010000001000000010000000", "02001", 8555530)
SECOND = ("0000718c96730a92ea6d5242f8ce77e2", "0100000001000000010000000111000001000000010000000", "11010", 5878154)


def metrics_of(
    final: float,
    parameters: int,
    seconds: float = 1769.13,
    path: str = "",
    epochs: int = 108,
    half: float | None = None,
) -> bytes:
    """Measurements with the first published values of the first module where `final` is .921174."""
    half = epochs / 2 if half is None else half
    return model_metrics(
        [(0.0, 0.0, 0.1, 0.1, 0.1), (half, seconds / 2, 0.9, 0.85, 0.84), (epochs, seconds, 1.0, 0.924179, final)],
        parameters,
        path=path,
    )


def row(module: tuple[str, str, str, int] = FIRST, epochs: int = 108, final: float = 0.921174, **options: Any) -> bytes:
    return nasbench101_row(
        module[0], epochs, module[1], module[2], metrics_of(final, module[3], epochs=epochs, **options)
    )


def read(path: Path, rows: list[bytes]) -> list[Batch]:
    write_tfrecord(path, rows)
    return list(NASBench101Records().read(path))


def frame(batches: list[Batch]) -> pl.DataFrame:
    parts = []
    for batch in batches:
        metrics = pl.from_arrow(batch.metrics)
        assert isinstance(metrics, pl.DataFrame)
        names = dict(enumerate(batch.members.native_ids))
        parts.append(metrics.with_columns(pl.col("row").replace_strict(names, return_dtype=pl.String)))
    return pl.concat(parts).rename({"row": "hash"})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nasbench_only108.tfrecord"


@given(
    st.lists(st.tuples(*[st.floats(0, 1e6)] * 4), min_size=3, max_size=3),
    st.integers(0, 2**31 - 1),
    st.text(max_size=200),
)
def test_measurements_are_the_written_ones(measured: list[Any], parameters: int, checkpoint: str) -> None:
    evaluations = [(epoch, *values) for epoch, values in zip((0.0, 18.0, 36.0), measured, strict=True)]
    found = measurements(model_metrics(evaluations, parameters, 12.0, checkpoint), 36)
    assert found == (*measured[1], *measured[2], parameters)


def test_other_fields_are_named(path: Path) -> None:
    """An EC-NAS file has NAS-Bench-101's frames and hashes, and energy in further fields of both messages."""
    energy = bytes([4 << 3 | 1]) + b"\0" * 8
    for metrics, words in (
        (metrics_of(0.9, FIRST[3]) + energy, "its metrics have the field 4, which NAS-Bench-101's do not have"),
        (
            bytes([1 << 3 | 2, 11]) + bytes([10 << 3 | 2, 9]) + b"2022-11-1" + metrics_of(0.9, FIRST[3]),
            "its evaluations have the field 10",
        ),
        (metrics_of(0.9, 5) + bytes([2 << 3, 7]), "a field stands twice"),
        (model_metrics([(0.0,), (54.0, 1.0), (108.0, 2.0, 0.9, 0.9)], 5), "the metrics have no train_accuracy"),  # type: ignore[list-item]
    ):
        record = nasbench101_row(FIRST[0], 108, FIRST[1], FIRST[2], metrics)
        with pytest.raises(IngestError, match=rf"record 2: .*{words}"):
            read(path, [row(), record])


def test_equal_trainings_are_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nasbench101, "_RECORDS_A_BATCH", 2)
    batches = read(path, [row(), row(SECOND), row(final=0.9), row(epochs=36), row()])
    assert [batch.notes for batch in batches[:2]] == [(), ()]
    assert batches[2].notes[0].startswith("1 trainings equal an earlier one of the same module and length")
    assert "the first in record 5" in batches[2].notes[0]


def test_the_real_file_of_another_benchmark_is_refused(path: Path, data_dir: Path) -> None:
    with pytest.raises(IngestError, match="record 1: its metrics have the field 4, .* another benchmark's file"):
        list(NASBench101Records().read(data_dir / "formats/public_files/energy_4V9E_rtx3060.tfrecord"))


@given(st.binary(max_size=60))
def test_other_bytes_are_no_measurements(data: bytes) -> None:
    with pytest.raises(MetricsError):
        measurements(data, 108)


def test_published_values_of_the_first_module(path: Path) -> None:
    """Validation .924179, test .921174, 1769.13 s of training: the first 108-epoch run of module 0."""
    found = frame(read(path, [row()]))
    final = found.filter(stage="final").select("name", "split", "value", "epochs", "repeat").rows()
    assert [(name, split, round(value, 6), *rest) for name, split, value, *rest in final] == [
        ("training_time", None, 1769.13, 108, 1),
        ("accuracy", "train", 100.0, 108, 1),
        ("accuracy", "valid", 92.4179, 108, 1),
        ("accuracy", "test", 92.1174, 108, 1),
    ]
    half = dict(found.filter(stage="half", name="accuracy").select("split", "value").rows())
    assert half == {"train": 90.0, "valid": 85.0, "test": 84.0}
    assert found.filter(name="parameters").select("value", "kind").rows() == [(8555530.0, "reported")]


def test_every_budget_and_repeat_is_kept_apart(path: Path) -> None:
    """Records may come in any order: the ordinal counts the trainings of one module at one budget."""
    rows = [
        row(module, epochs, 0.5 + repeat / 10 + epochs / 1000)
        for repeat, epochs, module in itertools.product(range(3), (108, 4, 36, 12), (SECOND, FIRST))
    ]
    found = frame(read(path, rows)).filter(stage="final", name="accuracy", split="test")
    keys = found.select("hash", "epochs", "repeat").rows()
    assert sorted(keys) == sorted(itertools.product((FIRST[0], SECOND[0]), (4, 12, 36, 108), (1, 2, 3)))
    chosen = found.filter(hash=FIRST[0], epochs=36).sort("repeat")["value"].to_list()
    assert chosen == pytest.approx([53.6, 63.6, 73.6])


def test_ordinals_count_across_batches(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nasbench101, "_RECORDS_A_BATCH", 4)
    batches = read(path, [row(module, 108, 0.9) for module in (FIRST, SECOND) * 5])
    assert [batch.record_count for batch in batches] == [4, 4, 2]
    found = frame(batches).filter(name="accuracy", split="test", stage="final")
    assert sorted(found.filter(hash=SECOND[0])["repeat"]) == [1, 2, 3, 4, 5]
    assert len(frame(batches).filter(name="parameters")) == 2


def test_members_have_the_stored_graphs_and_indices(path: Path) -> None:
    members = read(path, [row(SECOND), row(FIRST)])[0].members
    assert list(members.native_ids) == [FIRST[0], SECOND[0]]
    assert list(members.native_indices or []) == [0, 1]
    assert members.cells is not None
    part = members.cells[0]
    assert "".join(map(str, part.cells.adjacency[0].ravel().tolist())) == FIRST[1]
    assert "".join(map(str, part.cells.operators[0, 1:-1].tolist())) == FIRST[2]


def test_an_isomorphic_graph_is_the_same_module(path: Path) -> None:
    """The two maximum poolings of a chain of vertices stand in another order than in the benchmark's own matrix."""
    matrix = [list(map(int, FIRST[1][start : start + 7])) for start in range(0, 49, 7)]
    order = [0, 1, 2, 4, 3, 5, 6]  # vertices 3 and 4 are not connected with each other
    assert matrix[3][4] == 0
    swapped = "".join(str(matrix[source][target]) for source in order for target in order)
    operators = "".join(FIRST[2][vertex - 1] for vertex in order[1:-1])
    assert swapped != FIRST[1]
    found = read(path, [nasbench101_row(FIRST[0], 108, swapped, operators, metrics_of(0.9, FIRST[3]))])
    assert list(found[0].members.native_ids) == [FIRST[0]]


def test_real_modules_pass_the_check_of_their_hashes(path: Path, data_dir: Path) -> None:
    with gzip.open(data_dir / "nb101/nb101_108ep_mean_test.csv.gz", "rt") as lines:
        table = list(itertools.islice(csv.DictReader(lines), 0, 423_624, 400))
    modules = [
        (entry["hash"], entry["adjacency_rowmajor"], entry["ops"], int(entry["trainable_parameters"]))
        for entry in table
    ]
    found = read(path, [row(module) for module in modules])
    assert [name for batch in found for name in batch.members.native_ids] == [module[0] for module in modules]


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (b"no JSON", "a JSON list of module hash"),
        (b"\xff\xfe", "a JSON list"),
        (b"[" * 10_000, "a JSON list"),
        (b'{"a": 1}', "a JSON list"),
        (json.dumps([FIRST[0], "108", FIRST[1], "input,output", ""]).encode(), "a JSON list"),
        (json.dumps([FIRST[0], 108, FIRST[1], "input,output", "?"]).encode(), "evaluations"),
        (json.dumps([FIRST[0], 108, FIRST[1], "input,output", "abc"]).encode(), "a JSON list"),
        (json.dumps([FIRST[0], 108, FIRST[1], "", base64.b64encode(b"\x0a\xff").decode()]).encode(), "no ModelMetrics"),
        (row(epochs=5), "5 epochs; 4, 12, 36, 108"),
        (row(half=2.0), "after 0, 2, 108 epochs; a training of 108 epochs is evaluated after 0, 54 and 108"),
        (row((*FIRST[:3], SECOND[3])), "5,878,154 trainable parameters, but its graph's network has 8,555,530"),
        (row(("f" * 32, *FIRST[1:])), "hash 'f{32}' is of none of the 423624 modules"),
        (row((SECOND[0], *FIRST[1:])), f"has the hash {FIRST[0]}, but it is stored under {SECOND[0]}"),
        (row((FIRST[0], FIRST[1], "02002", 1)), "but it is stored under"),
        (row((FIRST[0], FIRST[1][:-1], *FIRST[2:])), "adjacency matrix of 48 digits"),
        (row().replace(b"maxpool3x3", b"maxpool5x5"), "vertices need"),
        (row(final=1.5), "fractions from 0 to 1"),
        (row(final=float("nan")), "fractions from 0 to 1"),
        (row(seconds=-1.0), "fractions from 0 to 1"),
    ],
)
def test_what_is_wrong_is_named_with_its_record(record: bytes, words: str, path: Path) -> None:
    with pytest.raises(IngestError, match=rf"nasbench_only108\.tfrecord: record 3: .*{words}"):
        read(path, [row(), row(SECOND), record])


@given(damage=DAMAGE, inside=st.booleans())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_damage_is_a_clean_error(path: Path, damage: Damage, inside: bool) -> None:
    """Outside of the frames the checksums find it; inside, with right checksums, the parsers do."""
    rows = [row(), row(SECOND)]
    data = b"".join(framed(damaged(part, damage) if inside else part) for part in rows)
    survives(NASBench101Records().read, path, data if inside else damaged(data, damage))
