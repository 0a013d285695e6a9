"""Tables of NAS-Bench-201: what they say is stored exactly, what they get wrong is refused by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.errors import IngestError, UsageError
from catalog.storage.store import Store
from ingest.formats.nb201_table import NB201Table
from ingest.reading.batch import METRIC_SCHEMA, SourceFacts
from ingest.reading.job import ingest
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


READER = NB201Table(epochs=200, source="mine")


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


def test_a_table_that_nobody_knows_needs_its_length_and_is_the_users(table: Path) -> None:
    """Whatever the file is called: the three tables share their columns, and an edited one is not the official one."""
    with pytest.raises(IngestError, match="--epochs"):
        next(NB201Table().read(table))
    (batch,) = NB201Table(epochs=12).read(table)
    assert set(batch.metrics["epochs"].to_pylist()) == {12, None}
    assert NB201Table(epochs=12, source="mine").facts(table) == SourceFacts(
        "mine", "nb201-table", is_named_by_user=True
    )
    assert NB201Table(epochs=12).facts(table) == SourceFacts("my_nb201_v1", "nb201-table")


@pytest.mark.parametrize(
    "name", ["nb201", "NB-201", "nats", "suite_zero_x", "own-training", "nds_mine", "200ep", "NAS-Bench-201"]
)
def test_the_name_of_a_benchmark_is_no_name_for_a_users_table(name: str, table: Path) -> None:
    with pytest.raises(UsageError, match=r"--source my_"):
        NB201Table(epochs=200, source=name).facts(table)


@pytest.mark.parametrize("name", ["", "a b", "_a", "a/b", "a\x1b[31m", "x" * 61])
def test_a_sources_name_is_a_word(name: str, table: Path) -> None:
    with pytest.raises(UsageError, match="a word of letters"):
        NB201Table(epochs=200, source=name).facts(table)


def test_a_files_name_becomes_a_word_that_is_no_benchmarks(tmp_path: Path) -> None:
    names = {"My runs (2).csv.gz": "my_runs_2", "nb201.csv": "my_nb201", "…": "table"}
    for name, source in names.items():
        path = tmp_path / name
        path.write_text("x")
        assert NB201Table().facts(path).name == source


def test_one_file_under_two_names_is_said(table: Path, catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        assert ingest(catalog, NB201Table(epochs=200, source="mine"), table).notes == ()
        assert ingest(catalog, NB201Table(epochs=200, source="mine"), table).was_known
        (note,) = ingest(catalog, NB201Table(epochs=200, source="other"), table).notes
    assert note == "the catalog holds the same content already, as the source mine; its numbers are now there twice."


def test_a_users_numbers_have_columns_of_their_own_and_no_licence(table: Path, catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        ingest(catalog, NB201Table(epochs=200, source="mine"), table)
        row = catalog.query("SELECT * FROM nb201 WHERE index = 1").to_dicts()[0]
        assert catalog.query("SELECT name, licence, citation FROM source").rows() == [("mine", None, None)]
    assert row["cifar10_test_accuracy_mine"] == 93.66
    assert "cifar10_test_accuracy" not in row


def test_a_known_table_is_recognised_by_its_bytes(data_dir: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "accuracies"
    renamed.write_bytes((data_dir / "nb201/nats_v1.0_200ep_test.csv.gz").read_bytes())
    facts = NB201Table().facts(renamed)
    assert (facts.name, facts.version) == ("nats", "v1.0")
    assert NB201Table(source="nats").facts(renamed) == facts
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
        ("cifar10_test_acc,", "cifar10_valid_acc,", "line 1: the column cifar10_valid_acc stands there twice"),
        ("cifar10_test_acc,", "\x1b[31m,", r"mean nothing here: \\x1b\[31m"),
        ("93.66", "9\x003.66", "byte .* is NUL"),
        ("93.66", "1" * 5000, "line 3: cifar10_test_acc is 1{57}\\.\\.\\.; accuracies are percent"),
        ("93.66", "inf", "line 3: cifar10_test_acc is inf"),
        (",802426", ",802426,7", "no comma-separated table"),
        (",802426", "", "line 3: params_cifar10 is empty"),
    ],
)
def test_a_wrong_value_is_refused_with_its_line(table: Path, old: str, new: str, words: str) -> None:
    table.write_text(table.read_text().replace(old, new))
    with pytest.raises(IngestError, match=words):
        list(READER.read(table))


def test_a_column_of_fractions_is_refused(table: Path) -> None:
    """0.93 is a valid percentage, but no column of them is."""
    table.write_text("nb201_index,cifar100_test_acc\n0,0.52\n1,0.71\n")
    with pytest.raises(
        IngestError, match=r"line 3: cifar100_test_acc is 0.71, and no value .* is larger, so these are fractions"
    ):
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


def test_a_parquet_table_whose_texts_are_no_utf8_is_refused(tmp_path: Path) -> None:
    buffers = [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    texts = pa.Array.from_buffers(pa.string(), 1, buffers)
    pq.write_table(pa.table({"arch_str": texts, "cifar10_test_acc": [90.0]}), tmp_path / "bad.parquet")
    with pytest.raises(IngestError, match=r"bad\.parquet is no readable parquet table: .*UTF8"):
        list(READER.read(tmp_path / "bad.parquet"))


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
