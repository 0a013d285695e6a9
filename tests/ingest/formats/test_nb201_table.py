"""Tables of NAS-Bench-201: what they say is stored exactly, what they get wrong is refused by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pytest

from catalog.errors import IngestError
from ingest.formats.nb201_table import NB201Table
from ingest.reading.batch import METRIC_SCHEMA
from ingest.reading.text_table import TextTable

HEADER = "nb201_index,arch_str,cifar10_valid_acc,cifar10_test_acc,cifar10_test_acc_seeds,params_cifar10"
ROW_0 = (
    "0,|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|,"
    "81.98,85.863,85.62;86.18;85.79,129306"
)
ROW_1 = (
    "1,|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|,"
    "90.77,93.66,93.75;93.57,802426"
)


READER = NB201Table(epochs=200, source="nb201")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "nb201_v1.1_200ep.csv"
    path.write_text(f"{HEADER}\n{ROW_0}\n{ROW_1}\n")
    return path


def test_means_and_seeds_are_kept_apart(table: Path) -> None:
    (batch,) = READER.read(table)
    metrics = batch.metrics.to_pylist()
    assert batch.metrics.schema == METRIC_SCHEMA
    of_first = [row for row in metrics if row["row"] == 0 and row["split"] == "test"]
    assert [(row["repeat"], row["value"]) for row in of_first] == [(None, 85.863), (1, 85.62), (2, 86.18), (3, 85.79)]
    assert {row["seed"] for row in metrics} == {None}  # the table does not name its seeds
    validation = [row for row in metrics if row["split"] == "valid"]
    assert {row["dataset"] for row in validation} == {"cifar10-valid"}
    assert {row["epochs"] for row in metrics if row["name"] == "accuracy"} == {200}
    assert [row["value"] for row in metrics if row["name"] == "parameters"] == [129306, 802426]


def test_a_table_that_nobody_knows_needs_source_and_length(table: Path) -> None:
    """Whatever the file is called: the three tables share their columns, and an edited one is not the official one."""
    with pytest.raises(IngestError, match="--epochs"):
        next(NB201Table(source="nb201").read(table))
    with pytest.raises(IngestError, match="--source"):
        NB201Table(epochs=12).facts(table)
    assert NB201Table(epochs=12, source="nats").facts(table).name == "nats"
    (batch,) = NB201Table(epochs=12, source="nats").read(table)
    assert set(batch.metrics["epochs"].to_pylist()) == {12, None}


def test_a_known_table_is_recognised_by_its_bytes(data_dir: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "accuracies"
    renamed.write_bytes((data_dir / "nb201/nats_v1.0_200ep_test.csv.gz").read_bytes())
    facts = NB201Table().facts(renamed)
    assert (facts.name, facts.version) == ("nats", "v1.0")
    with pytest.raises(IngestError, match="its source is nats, not nb201"):
        NB201Table(source="nb201").facts(renamed)
    with pytest.raises(IngestError, match="its epochs is 200, not 12"):
        next(NB201Table(epochs=12).read(renamed))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("93.66", "943.7", "line 3: cifar10_test_acc is 943.7; accuracies are percent, 0 to 100"),
        ("93.66", "", "line 3: cifar10_test_acc is empty"),
        ("93.66", "nan", "line 3: cifar10_test_acc is nan"),
        ("93.75;93.57", "93.75;95.57", "line 3: .* does not average to 93.66"),
        ("93.75;93.57", "93.75;x", "line 3: .*accuracies separated by ';'"),
        ("802426", "802427", "line 3: params_cifar10 is 802427, but the network .* has 802426"),
        ("\n1,", "\n2,", "line 3: nb201_index 2 is the cell"),
        ("\n1,", "\n99999,", "line 3: nb201_index: .* 0 to 15624"),
        ("nor_conv_3x3~1|skip", "conv~1|skip", "line 3: arch_str: unknown operator 'conv'"),
        ("cifar10_valid_acc,cifar10_test_acc,", "a,b,", "no accuracy column"),
        ("cifar10_test_acc,", "foo,", "columns that mean nothing here: foo, cifar10_test_acc_seeds"),
        ("nb201_index,arch_str", "a,b", "neither nb201_index nor arch_str"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(table: Path, old: str, new: str, words: str) -> None:
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(IngestError, match=words):
        list(READER.read(table))


def test_a_column_of_fractions_is_refused(table: Path) -> None:
    """0.93 is a valid percentage, but no column of them is."""
    table.write_text("nb201_index,cifar100_test_acc\n0,0.52\n1,0.71\n")
    with pytest.raises(IngestError, match="largest value of cifar100_test_acc is 0.71, so the column holds fractions"):
        list(READER.read(table))


def test_a_parquet_table_holds_the_same(table: Path) -> None:
    packed = table.with_suffix(".parquet")
    pl.read_csv(table).write_parquet(packed)
    (ours,), (theirs,) = READER.read(packed), READER.read(table)
    assert ours.metrics.equals(theirs.metrics)
    with pytest.raises(IngestError, match="--size-limit"):
        TextTable.read(packed, size_limit=500)
    packed.write_bytes(packed.read_bytes()[:-50])
    with pytest.raises(IngestError, match="no readable parquet table"):
        TextTable.read(packed)


def test_a_cell_that_stands_twice_is_refused(table: Path) -> None:
    table.write_text(table.read_text() + ROW_0 + "\n")
    with pytest.raises(IngestError, match=r"line 4: the cell .* stands in line 2 already"):
        list(READER.read(table))


def test_a_cut_off_or_huge_gzip_file_is_refused(table: Path) -> None:
    packed = table.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(table.read_bytes() * 1000)[:-20])
    with pytest.raises(IngestError, match="cannot be read"):
        TextTable.read(packed)
    packed.write_bytes(gzip.compress(b"0" * 1_000_000))
    with pytest.raises(IngestError, match="--size-limit"):
        TextTable.read(packed, size_limit=10_000)


def test_the_real_tables_are_read_whole(data_dir: Path) -> None:
    (batch,) = NB201Table().read(data_dir / "nb201/nb201_v1.1_200ep.csv.gz")
    assert batch.record_count == len(batch.members) == 15_625
    # 6 means and the parameters an architecture, and one row a seed of CIFAR-10's test accuracy
    assert len(batch.metrics) == 7 * 15_625 + 36_986
