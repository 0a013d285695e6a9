"""What every reader of accuracies must do with the same few wrong files, and a small good one to begin with.

A reader joins by one more `Reader` in `READERS`: it writes its small file from a list of `Entry`, and says which of the
wrong files its format can express. A test that finds no writer for its fault is left out for that reader.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from catalog.errors import CatalogError, IngestError
from catalog.spaces import genotype
from catalog.spaces.darts import DARTS
from catalog.storage.store import Store
from ingest.formats.genotypes import Genotypes
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nb101_table import NB101Table
from ingest.formats.nb201_table import NB201Table
from ingest.formats.transnas_table import TransNASTable
from ingest.reading.batch import Loader
from ingest.reading.job import IngestReport, ingest


@dataclass(frozen=True)
class Entry:
    """One architecture of a file: what it is called there, its accuracy as the format wants it, and further fields."""

    key: Any
    accuracy: float
    further: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Reader:
    """One reader, how its files are written, and what they look like when they are wrong.

    Parameters
    ----------
    write
        Writes a file of entries.
    keys
        Two keys of different architectures.
    foreign
        A key in the same form that belongs to another space.
    same
        Another key of the first architecture; None where a key is the whole identity.
    is_fraction
        Whether the format's accuracies are fractions, so that percents are the fault.
    file_name
        What its files are called.
    same_is_a_training
        Whether a key that stands twice means two trainings, as in lists of genotypes.
    with_epochs
        Makes a reader of files whose trainings were of this length; None where the file itself says it.
    """

    name: str
    make: Callable[[], Loader]
    write: Callable[[Path, Sequence[Entry]], None]
    keys: tuple[Any, Any]
    foreign: Any
    file_name: str
    same: Any = None
    same_is_a_training: bool = False
    is_fraction: bool = False
    unknown_field: tuple[str, Any] = ("colour", 1)
    with_epochs: Callable[[int], Loader] | None = None

    @property
    def good(self) -> tuple[Entry, Entry]:
        """A small file's entries."""
        values = (0.9111, 0.8055) if self.is_fraction else (91.11, 80.55)
        return Entry(self.keys[0], values[0]), Entry(self.keys[1], values[1])

    def __repr__(self) -> str:
        return self.name


def _csv(key: str, accuracy: str) -> Callable[[Path, Sequence[Entry]], None]:
    def write(path: Path, entries: Sequence[Entry]) -> None:
        rows = [{key: entry.key, accuracy: entry.accuracy, **dict(entry.further)} for entry in entries]
        pl.DataFrame(rows).write_csv(path)

    return write


def _nb101_csv(path: Path, entries: Sequence[Entry]) -> None:
    names = ("hash", "adjacency_rowmajor", "ops")
    rows = [
        {**dict(zip(names, entry.key, strict=True)), "mean_test_acc_108": entry.accuracy, **dict(entry.further)}
        for entry in entries
    ]
    pl.DataFrame(rows).write_csv(path)


def _genotypes_json(path: Path, entries: Sequence[Entry]) -> None:
    items = [{"genotype": entry.key, "cifar10_test_acc": entry.accuracy, **dict(entry.further)} for entry in entries]
    path.write_text(json.dumps(items))


def _nds(path: Path, entries: Sequence[Entry]) -> None:
    """Errors instead of accuracies, after each of two epochs."""
    logs = []
    for entry in entries:
        whole = 100 if entry.accuracy > 1 else 1
        error = whole - entry.accuracy
        net = {"genotype": entry.key, "width": 16, "depth": 8}
        optim = {"lr": 0.1, "wd": 5e-4}
        logs.append(
            {"net": net, "optim": optim, "params": 1, "flops": 1, "test_ep_top1": [error], "min_test_top1": error}
        )
    path.write_text(json.dumps(logs))


def _graphs(path: Path, entries: Sequence[Entry]) -> None:
    lines = []
    for entry in entries:
        native_id, *operators = entry.key
        ops = ["input", *operators, "output"]
        metric = {"name": "accuracy", "value": entry.accuracy, "dataset": "cifar10", "split": "test"}
        edges = [[node, node + 1] for node in range(len(ops) - 1)]
        lines.append({"id": native_id, "ops": ops, "edges": edges, "metrics": [metric], **dict(entry.further)})
    path.write_text("\n".join(map(json.dumps, lines)))


_CELLS = tuple(DARTS().native_id(graph) for graph in DARTS().sample(2, seed=2))
_FIRST = genotype.parse(_CELLS[0])
_TURNED = str(replace(_FIRST, normal=(_FIRST.normal[1], _FIRST.normal[0], *_FIRST.normal[2:])))
_NASNET = str(_FIRST).replace("normal=[", "normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ", 1)
_MODULES = (  # the first two of the benchmark
    ("00005c142e6f48ac74fdcf73e3439874", "0100110001000000010010000010000001000000010000000", "02001"),
    ("0000718c96730a92ea6d5242f8ce77e2", "0100000001000000010000000111000001000000010000000", "11010"),
)

READERS = [
    Reader(
        "NB201 table",
        lambda: NB201Table(200),
        _csv("arch_str", "cifar10_test_acc"),
        ("|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|", "1"),
        "64:40:16:24:8",  # NATS-Bench's size space
        "mine.csv",
        same="0",
        with_epochs=NB201Table,
    ),
    Reader(
        "NB101 table",
        NB101Table,
        _nb101_csv,
        _MODULES,
        ("5" * 32, "0100110001000000010010000010000001000000010000000", "02003"),  # an operator that it has not
        "mine.csv",
        same=(_MODULES[0][0], "0110010000100000000100000101000001000000010000000", "00201"),
        is_fraction=True,
    ),
    Reader(
        "genotypes csv",
        Genotypes,
        _csv("genotype", "cifar10_test_acc"),
        _CELLS,
        _NASNET,
        "mine.csv",
        same=_TURNED,
        same_is_a_training=True,
        with_epochs=lambda epochs: Genotypes(epochs=epochs),
    ),
    Reader(
        "genotypes JSON",
        Genotypes,
        _genotypes_json,
        _CELLS,
        _NASNET,
        "mine.json",
        same=_TURNED,
        same_is_a_training=True,
        with_epochs=lambda epochs: Genotypes(epochs=epochs),
    ),
    Reader(
        "TransNAS table",
        TransNASTable,
        _csv("arch", "class_object"),
        ("64-41414-1_02_333", "64-41414-3_21_012"),
        "64-4111-basic",  # the macro space
        "mine.csv",
        same="(1, 0, 2, 3, 3, 3)",
    ),
    Reader(
        "graphs JSONL",
        lambda: GraphsJSONL("mine"),
        _graphs,
        (("a", "conv3x3"), ("b", "conv1x1")),
        ("c", "sep_conv_7x7"),
        "mine.jsonl",
        same=("a", "maxpool3x3"),
    ),
]
each_reader = pytest.mark.parametrize("reader", READERS, ids=repr)


def taken(catalog_path: Path, reader: Reader, entries: Sequence[Entry], loader: Loader | None = None) -> IngestReport:
    """Write a file of entries beside the catalog and ingest it."""
    path = catalog_path.parent / reader.file_name
    reader.write(path, entries)
    with Store.open(catalog_path, mode="write") as catalog:
        return ingest(catalog, loader or reader.make(), path)


def refused(catalog_path: Path, reader: Reader, entries: Sequence[Entry]) -> str:
    """The message with which a file is refused; it names the file, and nothing is stored."""
    with pytest.raises(IngestError) as caught:
        taken(catalog_path, reader, entries)
    message = str(caught.value)
    assert reader.file_name in message
    assert len(message) < 1000
    with Store.open(catalog_path, mode="write") as catalog:
        for table in ("source", "metric", "architecture"):
            assert catalog.query(f"SELECT count(*) AS rows FROM {table}")["rows"][0] == 0
    return message


@each_reader
def test_a_small_good_file_is_its_users(reader: Reader, catalog_path: Path) -> None:
    report = taken(catalog_path, reader, reader.good)
    assert (report.source, report.records, report.notes) == ("mine", 2, ())
    with Store.open(catalog_path, mode="write") as catalog:
        assert catalog.query("SELECT name, licence, citation FROM source").rows() == [("mine", None, None)]
        values = catalog.query("SELECT value FROM metric WHERE name = 'accuracy' ORDER BY value")["value"].to_list()
    assert values == pytest.approx([80.55, 91.11])


@each_reader
def test_accuracies_in_the_other_unit(reader: Reader, catalog_path: Path) -> None:
    """Fractions where percents belong, and percents where fractions belong."""
    factor = 100 if reader.is_fraction else 0.01
    message = refused(catalog_path, reader, [replace(entry, accuracy=entry.accuracy * factor) for entry in reader.good])
    assert "fraction" in message


@each_reader
def test_an_accuracy_outside_its_unit(reader: Reader, catalog_path: Path) -> None:
    refused(catalog_path, reader, [reader.good[0], replace(reader.good[1], accuracy=943.7)])
    refused(catalog_path, reader, [reader.good[0], replace(reader.good[1], accuracy=-0.1)])


@each_reader
def test_the_same_shape_of_another_space(reader: Reader, catalog_path: Path) -> None:
    refused(catalog_path, reader, [reader.good[0], replace(reader.good[1], key=reader.foreign)])


@each_reader
def test_a_key_that_stands_twice(reader: Reader, catalog_path: Path) -> None:
    """Refused, or a second training where a list may hold several; never one value of the two."""
    twice = [reader.good[0], replace(reader.good[1], key=reader.keys[0])]
    if not reader.same_is_a_training:
        assert "already" in refused(catalog_path, reader, twice)
        return
    report = taken(catalog_path, reader, twice)
    assert ["is kept as a repeat" in note for note in report.notes] == [True]


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader.same is not None], ids=repr)
def test_two_keys_of_one_architecture(reader: Reader, catalog_path: Path) -> None:
    both = [reader.good[0], replace(reader.good[1], key=reader.same)]
    if not reader.same_is_a_training:
        assert "already" in refused(catalog_path, reader, both)
        return
    report = taken(catalog_path, reader, both)
    assert ["is kept as a repeat" in note for note in report.notes] == [True]
    with Store.open(catalog_path, mode="write") as catalog:
        rows = catalog.query("SELECT repeat, value FROM metric WHERE name = 'accuracy' ORDER BY repeat").rows()
    assert rows == [(1, 91.11), (2, 80.55)]


@each_reader
def test_a_field_that_nobody_knows(reader: Reader, catalog_path: Path) -> None:
    wrong = [replace(entry, further=(reader.unknown_field,)) for entry in reader.good]
    assert reader.unknown_field[0] in refused(catalog_path, reader, wrong)


@pytest.mark.parametrize("reader", [reader for reader in READERS if reader.with_epochs is not None], ids=repr)
def test_other_epochs_have_a_column_of_their_own(reader: Reader, catalog_path: Path) -> None:
    assert reader.with_epochs is not None
    taken(catalog_path, reader, reader.good, reader.with_epochs(12))
    with Store.open(catalog_path, mode="write") as catalog:
        space = catalog.query("SELECT name FROM space")["name"][0]
        row = catalog.query(f"SELECT * FROM {space} LIMIT 1").to_dicts()[0]
    assert [name for name in row if "accuracy" in name] == ["cifar10_test_accuracy_12ep_mine"]
    with pytest.raises(CatalogError, match="epochs"):
        reader.with_epochs(0)


def test_errors_of_nds_logs_are_percents_too(catalog_path: Path) -> None:
    cells = [vars(genotype.parse(cell)) for cell in _CELLS]
    reader = replace(READERS[3], name="NDS", write=_nds, keys=(cells[0], cells[1]))
    assert "fraction" in refused(catalog_path, reader, [Entry(cells[0], 0.94), Entry(cells[1], 0.93)])
    assert taken(catalog_path, reader, [Entry(cells[0], 94.0), Entry(cells[1], 93.0)]).source == "nds_mine"
