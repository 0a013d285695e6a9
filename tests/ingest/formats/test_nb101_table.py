"""Tables of NAS-Bench-101: modules are verified against their hashes and parameter counts."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import IngestError
from catalog.storage.store import Store
from catalog.tables.doctor import examine
from ingest.formats.nb101_table import NB101Table
from ingest.reading.job import ingest

HEADER = "index,hash,num_vertices,adjacency_rowmajor,ops,trainable_parameters,mean_test_acc_108"
ROWS = (  # the first two modules of the benchmark
    "0,00005c142e6f48ac74fdcf73e3439874,7,0100110001000000010010000010000001000000010000000,02001,8555530,0.9206063151",
    "1,0000718c96730a92ea6d5242f8ce77e2,7,0100000001000000010000000111000001000000010000000,11010,5878154,0.8864516615",
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "nb101_108ep_mean_test.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n")
    return path


@pytest.fixture
def repeats(tmp_path: Path) -> Path:
    path = tmp_path / "nb101_108ep_repeats.csv"
    path.write_text(f"hash,val_acc_1,val_acc_2,test_acc_1,test_acc_2\n{ROWS[0].split(',')[1]},.924,.920,.921,.919\n")
    return path


def test_a_module_is_stored_once_for_both_forms(table: Path, repeats: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        assert ingest(catalog, NB101Table(source="mine"), table).new_architectures == 2
        assert ingest(catalog, NB101Table(epochs=108, source="mine"), repeats).new_architectures == 0
        assert catalog.query("SELECT DISTINCT form FROM node").rows() == [("both",)]
        row = catalog.query("SELECT * FROM nb101 WHERE index = 0").to_dicts()[0]
        assert (row["params"], row["cifar10_parameters_mine_reported"]) == (8_555_530, 8_555_530)
        # the mean of the repeats where there are repeats, else the published mean
        assert row["cifar10_test_accuracy_mine"] == pytest.approx(92.0)
        assert row["cifar10_valid_accuracy_mine"] == pytest.approx(92.2)
        columns = "cifar10_test_accuracy_mine, cifar10_valid_accuracy_mine"
        second = catalog.query(f"SELECT {columns} FROM nb101 WHERE index = 1").row(0)
        assert second == (pytest.approx(88.64516615), None)


def test_repeats_of_a_module_that_nobody_knows_are_refused(repeats: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        with pytest.raises(IngestError, match="csv.*: .*does not determine its NAS-Bench-101 module"):
            ingest(catalog, NB101Table(epochs=108), repeats)
        assert catalog.query("SELECT count(*) FROM metric").item() == 0


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("8555530", "8555531", r"line 2: trainable_parameters is 8555531, but .* has 8555530"),
        ("00005c14", "00005c15", r"line 2: hash is 00005c15.*, but the module in this line has the hash 00005c14"),
        (",02001,", ",02003,", r"line 2: .*0 \(conv3x3\), 1 \(conv1x1\) or 2"),
        ("0.9206", "92.06", r"line 2: mean_test_acc_108 is 92.06.*fractions, 0 to 1"),
        ("0100110001", "0100110002", r"line 2: .*other than 0 and 1"),
        ("\n1,", "\n0,", r"line 3: index is 0; indices must count the hashes in ascending order"),
        ("hash,", "name,", r"has no column hash"),
        ("mean_test_acc_108", "accuracy", r"no accuracy column"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(table: Path, old: str, new: str, words: str) -> None:
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(IngestError, match=words):
        list(NB101Table().read(table))


def test_the_whole_benchmark_is_stored_and_verified(data_dir: Path, tmp_path: Path) -> None:
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        report = ingest(catalog, NB101Table(), data_dir / "nb101/nb101_108ep_mean_test.csv.gz")
        assert (report.records, report.new_architectures) == (423_624, 423_624)
        ingest(catalog, NB101Table(), data_dir / "nb101/nb101_108ep_subset_3repeats.csv")
        counted = catalog.query("SELECT count(*) FROM nb101 WHERE params = cifar10_parameters_reported").item()
        assert counted == 423_624
        findings = {finding.check: finding for finding in examine(catalog)}
    assert {finding.result for finding in findings.values()} == {"ok"}
    assert findings["nb101 functions"].detail == "423,624 architectures, 423,624 functions, 0 without a path"
    assert findings["nb101 best cifar10_test_accuracy"].detail.endswith("published 94.318")
