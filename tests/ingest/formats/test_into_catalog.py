"""Official files through the ingest job into a catalog."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catalog.errors import IngestError
from catalog.spaces import genotype, nb201
from catalog.spaces.darts import DARTS
from catalog.storage.store import Store
from ingest.formats.choosing import loader_for
from ingest.formats.genotypes import Genotypes
from ingest.reading.job import IngestReport, ingest
from tests.ingest.formats.writers import (
    model_metrics,
    nasbench101_row,
    nasbench201_archive,
    nasbench301_log,
    torch_legacy,
    write_tfrecord,
)

CELL = nb201.format_cell(nb201.parse(11))


def stored(catalog: Store, benchmark: str, path: Path, *, curves: bool = False) -> IngestReport:
    loader = loader_for(benchmark, path, curves=curves)
    assert loader is not None
    return ingest(catalog, loader, path)


def test_curves_are_rows_but_no_columns(catalog_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "NAS-Bench-201-v1_1-096897.pth"
    path.write_bytes(torch_legacy(nasbench201_archive({11: CELL})))
    with Store.open(catalog_path, mode="write") as catalog:
        stored(catalog, "nasbench201", path, curves=True)
        points = catalog.query("SELECT count(*) AS points FROM metric WHERE stage = 'of 200' AND name = 'accuracy'")
        row = catalog.query("SELECT * FROM nb201").to_dicts()[0]
    assert points["points"][0] == 200 * 2 * (4 + 2 + 1 + 3 + 3)  # epochs, seeds, and splits of the four data sets
    assert row["cifar10_test_accuracy"] == pytest.approx(71 + (0.777 + 0.888) / 2)
    assert not [name for name in row if name.endswith("_17ep")]


def test_one_cell_of_five_sources_is_one_architecture(catalog_path: Path, data_dir: Path) -> None:
    """Index and string, NASLib's tuple, and NATS-Bench's folder name the cells 0, 11 and 284 alike."""
    with Store.open(catalog_path, mode="write") as catalog:
        stored(catalog, "nasbench201", data_dir / "formats/nats_bench_samples/NATS-tss-v1_0-3ffb9-simple")
        stored(catalog, "hw-nas-bench", data_dir / "nb201/hw_nas_bench_cifar10.csv.gz")
        stored(catalog, "nasbench201", data_dir / "nb201/published_proxies_cifar10.csv.gz")
        found = catalog.query(
            """
            SELECT index, cell, cifar10_test_accuracy_nats, cifar10_latency_raspi4, nwot_published
            FROM nb201 WHERE index IN (0, 11) ORDER BY index
            """
        ).rows()
        count = catalog.query("SELECT count(*) AS cells FROM nb201")["cells"][0]
    assert count == 15625
    assert [row[1] for row in found] == [nb201.format_cell(nb201.parse(index)) for index in (0, 11)]
    assert all(row[2] is not None and row[3] is not None for row in found)


def test_one_genotype_of_logs_and_lists_is_one_architecture(catalog_path: Path, tmp_path: Path) -> None:
    keys = genotype.config_space(
        genotype.parse(
            "[[(0, 3), (1, 3)" + ", (1, 4), (0, 2)" * 3 + "], [(1, 0), (0, 0)" + ", (0, 5), (1, 6)" * 3 + "]]"
        )
    )
    logs = tmp_path / "nb301"
    logs.mkdir()
    (logs / "results_0.json").write_text(json.dumps(nasbench301_log(keys, 93.5, 93.0)))
    listed = tmp_path / "mine.txt"
    listed.write_text(f"MINE = {genotype.from_config_space(keys)}")
    with Store.open(catalog_path, mode="write") as catalog:
        first = stored(catalog, "nasbench301", logs)
        second = ingest(catalog, Genotypes(), listed)
    assert (first.new_architectures, second.new_architectures) == (1, 0)


def test_trainings_with_other_settings_are_rows_and_no_mean(catalog_path: Path, tmp_path: Path) -> None:
    (graph,) = DARTS().sample(1, seed=1)
    keys = genotype.config_space(genotype.parse(DARTS().native_id(graph)))
    logs = tmp_path / "nb301"
    logs.mkdir()
    for place, rate in enumerate((0.025, 0.1, 0.01)):
        log = nasbench301_log(keys, 93.5, 93.0 + place, learning_rate=rate)
        (logs / f"results_{place}.json").write_text(json.dumps(log))
    with Store.open(catalog_path, mode="write") as catalog:
        stored(catalog, "nasbench301", logs)
        view = catalog.query("SELECT * FROM darts")
        assert not [column for column in view.columns if "tuned" in column]
        assert 93.0 in view.row(0)
        rows = catalog.query("SELECT value FROM metric WHERE name = 'tuned_accuracy' AND split = 'test' ORDER BY ALL")
        assert rows["value"].to_list() == [94.0, 95.0]


def test_a_damaged_file_leaves_nothing(catalog_path: Path, tmp_path: Path) -> None:
    module = ("00005c142e6f48ac74fdcf73e3439874", 108, "0100110001000000010010000010000001000000010000000", "02001")
    evaluations = [(0.0, 0.0, 0.1, 0.1, 0.1), (54.0, 800.0, 0.9, 0.8, 0.8), (108.0, 1769.0, 1.0, 0.92, 0.92)]
    path = tmp_path / "nasbench_only108.tfrecord"
    write_tfrecord(path, [nasbench101_row(*module, model_metrics(evaluations, 8555530))] * 3)
    path.write_bytes(path.read_bytes()[:-1])
    with Store.open(catalog_path, mode="write") as catalog:
        with pytest.raises(IngestError, match="record 3"):
            stored(catalog, "nasbench101", path)
        for table in ("architecture", "metric", "source", "node"):
            assert catalog.query(f"SELECT count(*) AS rows FROM {table}")["rows"][0] == 0
