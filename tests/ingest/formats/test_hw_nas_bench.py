"""HW-NAS-Bench's tables."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from catalog.errors import IngestError, UsageError
from catalog.spaces import nb201
from catalog.storage.store import Store
from ingest.formats.hw_nas_bench import HWNASBench
from ingest.reading.job import ingest
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.tables import metrics_of

HEADER = "net,edgegpu_latency,edgegpu_energy,edgetpu_latency,eyeriss_arithmetic_intensity\n"
ROW = '"(4, 3, 3, 0, 0, 0)",5.8,24.2,-1.0,2.2\n'


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
def test_real_tables_equal_their_columns(dataset: str, data_dir: Path) -> None:
    path = data_dir / f"nb201/hw_nas_bench_{dataset}.csv.gz"
    with gzip.open(path, "rt") as lines:
        table = list(csv.DictReader(lines))
    metrics = metrics_of(HWNASBench().read(path))
    assert set(metrics["dataset"]) == {dataset.lower()}
    assert len(metrics) == len(table) * 10
    cells = [nb201.format_cell(nb201.parse(row["net"])) for row in table]
    for column in ("raspi4_latency", "edgetpu_latency", "fpga_energy"):
        device, name = column.split("_")
        found = dict(metrics.filter(device=device, name=name).select("architecture", "value").rows())
        expected = [None if float(row[column]) == -1 else float(row[column]) for row in table]
        assert [found[cell] for cell in cells] == expected
    assert metrics.filter(device="edgetpu")["value"].null_count() == 4699  # of 15,625 cells
    assert metrics["value"].null_count() == 4699


def test_units_and_devices(tmp_path: Path) -> None:
    path = tmp_path / "hw_cifar10.csv"
    path.write_text(HEADER + ROW)
    assert metrics_of(HWNASBench().read(path)).select("name", "device", "value", "kind", "split").rows() == [
        ("latency", "edgegpu", 5.8, "reported", None),
        ("energy", "edgegpu", 24.2, "reported", None),
        ("latency", "edgetpu", None, "reported", None),
        ("arithmetic_intensity", "eyeriss", 2.2, "reported", None),
    ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("hw.csv", HEADER + ROW, "does not say the data set"),
        ("hw_imagenet.csv", HEADER + ROW, "possible are cifar10, cifar100, imagenet16-120"),
        ("hw_cifar10.csv", "net,speed\n", "needed are net"),
        ("hw_cifar10.csv", HEADER.replace("edgetpu", "gpu-1") + ROW, "unknown column 'gpu-1_latency'"),
        ("hw_cifar10.csv", HEADER.replace("eyeriss_arithmetic_intensity", "n") + ROW, "unknown column 'n'"),
        ("hw_cifar10.csv", HEADER + ROW.replace("5.8", "-2"), "line 2: edgegpu_latency is -2"),
        ("hw_cifar10c.csv", HEADER + ROW, "does not say the data set"),
        ("hw_cifar10-1.csv", HEADER + ROW, "does not say the data set"),
        ("hw_cifar1000.csv", HEADER + ROW, "does not say the data set"),
        ("hw_cifar10.csv", HEADER + ROW.replace("5.8", "0"), "line 2: edgegpu_latency is 0.0; a positive number"),
        ("hw_cifar10.csv", HEADER + ROW.replace("5.8", "-0.5"), "line 2: edgegpu_latency is -0.5"),
        ("hw_cifar10.csv", HEADER + ROW.replace("5.8", "fast"), "line 2: edgegpu_latency is fast"),
        ("hw_cifar10.csv", HEADER + ROW + ROW, "line 3: .* stands in line 2 already"),
        ("hw_cifar10.csv", HEADER + ROW.replace("(4,", "(7,"), "line 2: net: .* operator numbers"),
    ],
)
def test_what_is_wrong_is_named(name: str, text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(IngestError, match=words):
        list(HWNASBench().read(path))


def changed(data_dir: Path, path: Path, change: Callable[[list[list[str]]], object]) -> Path:
    """An official table with a change to its rows; the first is the header."""
    with gzip.open(data_dir / "nb201/hw_nas_bench_cifar10.csv.gz", "rt") as lines:
        rows = list(csv.reader(lines))
    change(rows)
    with gzip.open(path, "wt", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def edit(rows: list[list[str]]) -> None:
    place = rows[0].index("raspi4_latency")
    rows[7][place] = str(float(rows[7][place]) + 0.5)


def without_a_device(rows: list[list[str]]) -> None:
    place = rows[0].index("raspi4_latency")
    for row in rows:
        del row[place]


@pytest.mark.parametrize(
    ("change", "is_official"),
    [
        (lambda rows: None, True),
        (lambda rows: rows.insert(1, rows.pop()), True),  # another order is the same table
        (without_a_device, True),  # all values of the columns that are left
        (lambda rows: rows.pop(), False),
        (edit, False),
    ],
    ids=["as it is", "reordered", "fewer columns", "a part", "edited"],
)
def test_a_table_is_the_benchmarks_if_all_its_values_are(
    change: Callable[[list[list[str]]], object], is_official: bool, data_dir: Path, tmp_path: Path
) -> None:
    path = changed(data_dir, tmp_path / "my_hw_cifar10.csv.gz", change)
    facts = HWNASBench().facts(path)
    assert (facts.name, facts.licence) == (("hw_nas_bench", "MIT") if is_official else ("my_hw_cifar10", None))
    if is_official:
        with pytest.raises(UsageError, match="a file of the benchmark's; leave it out"):
            HWNASBench(source="mine").facts(path)
    else:
        assert HWNASBench(source="mine").facts(path).name == "mine"


def test_a_table_under_the_name_of_another_data_set_is_its_users(data_dir: Path, tmp_path: Path) -> None:
    path = changed(data_dir, tmp_path / "hw_cifar100.csv.gz", lambda rows: None)
    assert HWNASBench().facts(path).name == "hw_cifar100"


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100", "ImageNet16-120"])
def test_the_real_tables_are_the_benchmarks(dataset: str, data_dir: Path) -> None:
    assert HWNASBench().facts(data_dir / f"nb201/hw_nas_bench_{dataset}.csv.gz").name == "hw_nas_bench"


def test_columns_of_a_users_table_end_with_its_source(catalog_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "hw_cifar10.csv"
    path.write_text(HEADER + ROW)
    with Store.open(catalog_path, mode="write") as catalog:
        assert ingest(catalog, HWNASBench(source="mine"), path).source == "mine"
        columns = [name for (name,) in catalog.rows("SELECT column_name FROM (DESCRIBE nb201)")]
    assert {name for name in columns if "edgegpu" in name} == {
        "cifar10_energy_edgegpu_mine",
        "cifar10_latency_edgegpu_mine",
    }


def test_net_and_string_name_one_cell(tmp_path: Path) -> None:
    string = nb201.format_cell(nb201.parse("(4, 3, 3, 0, 0, 0)"))
    path = tmp_path / "hw_cifar10.csv"
    path.write_text(f'net,arch_str,edgegpu_latency\n"(4, 3, 3, 0, 0, 0)",{string},5.8\n')
    assert len(metrics_of(HWNASBench().read(path))) == 1
    path.write_text(f'net,arch_str,edgegpu_latency\n"(4, 3, 3, 0, 0, 1)",{string},5.8\n')
    with pytest.raises(IngestError, match=r"line 2: net is the cell .*, but arch_str is"):
        list(HWNASBench().read(path))


@given(DAMAGE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_a_clean_error(tmp_path: Path, damage: Damage) -> None:
    survives(HWNASBench().read, tmp_path / "hw_cifar10.csv", damaged((HEADER + ROW).encode(), damage))
    survives(HWNASBench().read, tmp_path / "hw_cifar10.csv.gz", damaged(gzip.compress((HEADER + ROW).encode()), damage))
