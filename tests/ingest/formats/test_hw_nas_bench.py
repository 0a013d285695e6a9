"""HW-NAS-Bench's tables."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from catalog.errors import IngestError
from catalog.spaces import nb201
from ingest.formats.hw_nas_bench import HWNASBench
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


@given(DAMAGE)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_a_clean_error(tmp_path: Path, damage: Damage) -> None:
    survives(HWNASBench().read, tmp_path / "hw_cifar10.csv", damaged((HEADER + ROW).encode(), damage))
    survives(HWNASBench().read, tmp_path / "hw_cifar10.csv.gz", damaged(gzip.compress((HEADER + ROW).encode()), damage))
