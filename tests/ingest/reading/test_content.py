"""The same content in other bytes is the same source, in every format; other content is another one."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from catalog.errors import UsageError
from catalog.storage.store import Store
from catalog.tables.forgetting import forget_source
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nasbench201 import NASBench201Archive
from ingest.formats.nb201_table import NB201Table
from ingest.formats.suite_zero import SuiteZero
from ingest.reading.batch import Loader
from ingest.reading.job import IngestReport, ingest
from tests.ingest.formats.writers import nasbench201_archive, torch_legacy, torch_zip

CHAIN = {"ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}
LINES = [
    {"id": "a", **CHAIN, "metrics": [{"name": "accuracy", "value": 91.5}], "proxies": {"params": 5}},
    {"id": "b", **CHAIN, "metrics": [{"name": "accuracy", "value": 90.5}]},
]
TABLE = pl.DataFrame({"nb201_index": [0, 1], "cifar10_test_acc": [91.5, 90.25]})
CELL = "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|"
SUITE = {"cifar10": {CELL: {"val_accuracy": 91.0, "nwot": {"score": 7.5, "time": 0.5}}}}


@dataclass(frozen=True)
class Case:
    """A reader, a file of its own and files that say the same, as name and bytes."""

    make: Callable[[], Loader]
    first: tuple[str, bytes]
    others: tuple[tuple[str, bytes], ...]


def _parquet(frame: pl.DataFrame, folder: Path) -> bytes:
    frame.write_parquet(folder / "frame")
    return (folder / "frame").read_bytes()


def _cases(folder: Path) -> dict[str, Case]:
    text = "\n".join(map(json.dumps, LINES)).encode()
    table = TABLE.write_csv().encode()
    archive = nasbench201_archive({0: CELL})
    suite = json.dumps(SUITE).encode()
    return {
        "graphs": Case(
            lambda: GraphsJSONL("mine"),
            ("mine.jsonl", text),
            (
                ("mine.jsonl.gz", gzip.compress(text)),
                ("mine.jsonl.bz2", bz2.compress(text)),
                ("crlf.jsonl", text.replace(b"\n", b"\r\n") + b"\r\n"),
                ("spaced.jsonl", text.replace(b": ", b" :   ")),
                ("turned.jsonl", b"\n".join(reversed(text.split(b"\n")))),
            ),
        ),
        "table": Case(
            lambda: NB201Table(200),
            ("mine.csv", table),
            (
                ("mine.csv.gz", gzip.compress(table, 1)),
                ("other.csv.gz", gzip.compress(table, 9)),
                ("crlf.csv", table.replace(b"\n", b"\r\n")),
                ("mine.parquet", _parquet(TABLE, folder)),
                ("turned.csv", TABLE.reverse().write_csv().encode()),
            ),
        ),
        "archive": Case(
            NASBench201Archive,
            ("NAS-Bench-201-v1_0.pth", torch_legacy(archive)),
            (("NAS-Bench-201-v1_1.pth", torch_zip(archive)),),
        ),
        "suite": Case(
            lambda: SuiteZero("nb201"),
            ("zc_nasbench201.json", suite),
            (("zc_nasbench201.json.gz", gzip.compress(suite)), ("indented.json", json.dumps(SUITE, indent=4).encode())),
        ),
    }


def taken(catalog: Store, loader: Loader, path: Path, data: bytes) -> IngestReport:
    path.write_bytes(data)
    return ingest(catalog, loader, path)


def contents(catalog: Store) -> list[list[tuple[object, ...]]]:
    tables = ("source", "architecture", "metric", "score", "operator", "wide_column", "measure", "proxy")
    return [catalog.query(f"SELECT * FROM {table} ORDER BY ALL").rows() for table in tables]


@pytest.mark.parametrize("name", ["graphs", "table", "archive", "suite"])
def test_the_same_content_under_other_bytes_changes_nothing(name: str, catalog_path: Path, tmp_path: Path) -> None:
    case = _cases(tmp_path)[name]
    with Store.open(catalog_path, mode="write") as catalog:
        assert not taken(catalog, case.make(), tmp_path / case.first[0], case.first[1]).was_known
        before = contents(catalog)
        for file, data in case.others:
            report = taken(catalog, case.make(), tmp_path / file, data)
            assert (report.was_known, report.same_as) == (True, 1), file
            assert "the same content as source 1 " in str(report)
        assert contents(catalog) == before
        assert set(catalog.rows("SELECT outcome FROM run")) == {("done",)}


@pytest.mark.parametrize(
    "changed",
    [
        [{**LINES[0], "metrics": [{"name": "accuracy", "value": 91.6}]}, LINES[1]],
        [{**LINES[0], "metrics": [{"name": "accuracy", "value": 91.5, "seed": 1}]}, LINES[1]],
        [{**LINES[0], "proxies": {"params": 6}}, LINES[1]],
        [LINES[0]],
        [*LINES, {"id": "c", **CHAIN}],
    ],
    ids=["value", "seed", "score", "fewer", "more"],
)
def test_other_content_is_another_source(changed: list[object], catalog_path: Path, tmp_path: Path) -> None:
    with Store.open(catalog_path, mode="write") as catalog:
        for file, lines in (("first.jsonl", LINES), ("second.jsonl", changed)):
            data = "\n".join(map(json.dumps, lines)).encode()
            assert not taken(catalog, GraphsJSONL("mine"), tmp_path / file, data).was_known
        assert catalog.query("SELECT count(*) AS sources FROM source")["sources"][0] == 2


def test_a_forgotten_source_can_come_again(catalog_path: Path, tmp_path: Path) -> None:

    data = "\n".join(map(json.dumps, LINES)).encode()
    with Store.open(catalog_path, mode="write") as catalog:
        taken(catalog, GraphsJSONL("mine"), tmp_path / "mine.jsonl", data)
    forget_source(catalog_path, 1)
    with Store.open(catalog_path, mode="write") as catalog:
        assert not taken(catalog, GraphsJSONL("mine"), tmp_path / "mine.jsonl.gz", gzip.compress(data)).was_known


def test_the_same_bytes_with_another_option_are_no_known_source(catalog_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_bytes(TABLE.write_csv().encode())
    with Store.open(catalog_path, mode="write") as catalog:
        ingest(catalog, NB201Table(200), path)
        assert ingest(catalog, NB201Table(200), path).was_known
        with pytest.raises(UsageError, match=r"the options epochs 200 and not epochs 12; .* give --replace"):
            ingest(catalog, NB201Table(12), path)
