"""No reader stores a name that cannot be shown or a value that cannot be, whatever door it comes through."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from catalog.architecture.operators import Operator
from catalog.errors import IngestError, UsageError
from catalog.progress import Listener
from catalog.storage.store import Store
from ingest.entry import prepared
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.nb201_table import NB201Table
from ingest.formats.operator_file import read_operators
from ingest.reading.batch import SourceFacts
from ingest.reading.batch_gate import BatchGate
from ingest.reading.job import ingest
from tests.catalog.tables.test_name_gate import HOSTILE

CHAIN = {"ops": ["input", "conv3x3", "output"], "edges": [[0, 1], [1, 2]]}
METRIC = {"name": "accuracy", "value": 91.5}
FIELDS: dict[str, Any] = {
    "id": lambda text: {"id": text},
    "cell": lambda text: {"cells": [{"name": text, **CHAIN}], "ops": None, "edges": None},
    "metric": lambda text: {"metrics": [{**METRIC, "name": f"a{text}", "direction": "higher"}]},
    "dataset": lambda text: {"metrics": [{**METRIC, "dataset": text}]},
    "split": lambda text: {"metrics": [{**METRIC, "split": text}]},
    "stage": lambda text: {"metrics": [{**METRIC, "stage": text}]},
    "device": lambda text: {"metrics": [{**METRIC, "device": text}]},
    "proxy": lambda text: {"proxies": {f"a{text}": {"value": 1, "direction": "higher"}}},
}


def refused(catalog_path: Path, file: Path, line: dict[str, Any]) -> str:
    record = {key: value for key, value in {"id": "a", **CHAIN, **line}.items() if value is not None}
    file.write_text(json.dumps(record))
    with Store.open(catalog_path, mode="write") as catalog:
        with pytest.raises(IngestError) as caught:
            ingest(catalog, GraphsJSONL("mine"), file)
        assert catalog.query("SELECT count(*) AS rows FROM architecture")["rows"][0] == 0
    message = str(caught.value)
    assert file.name in message
    assert message.isprintable()
    return message


@pytest.mark.parametrize("field", FIELDS)
def test_every_name_of_a_file_is_checked(field: str, catalog_path: Path, tmp_path: Path) -> None:
    for text in ("x\x1b[31m", "x\u202e", "x\u200b", "x\ny", "e\u0301x", "x "):
        assert "cannot be kept" in refused(catalog_path, tmp_path / "mine.jsonl", FIELDS[field](text))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_ids(text: str, catalog_path: Path, tmp_path: Path) -> None:
    refused(catalog_path, tmp_path / "mine.jsonl", {"id": text})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("training_time", 2e20),
        ("training_time", -1),
        ("latency", -0.5),
        ("energy", -1),
        ("parameters", -32198464),
        ("flops", -1),
        ("perplexity", -1),
        ("inference_time", -3),
    ],
)
def test_a_value_outside_any_meaning(name: str, value: float, catalog_path: Path, tmp_path: Path) -> None:
    message = refused(catalog_path, tmp_path / "mine.jsonl", {"metrics": [{"name": name, "value": value}]})
    assert "line 1" in message
    assert name in message


def test_a_proxy_that_counts_is_no_negative_number(catalog_path: Path, tmp_path: Path) -> None:
    assert "params" in refused(catalog_path, tmp_path / "mine.jsonl", {"proxies": {"params": -5}})


def test_a_batch_names_the_architecture_and_the_training(tmp_path: Path) -> None:
    """What a reader lets pass is found before it is stored."""
    path = tmp_path / "mine.jsonl"
    path.write_text(json.dumps({"id": "a", **CHAIN, "metrics": [{**METRIC, "dataset": "cifar10", "epochs": 12}]}))
    (batch,) = GraphsJSONL("mine").read(path)
    place = batch.metrics.schema.get_field_index("name")
    wrong = batch.metrics.set_column(place, "name", [["training_time"]])
    wrong = wrong.set_column(wrong.schema.get_field_index("value"), "value", [[2e20]])
    with pytest.raises(IngestError, match=r"mine.jsonl: .*'a' has 'training_time' \(cifar10, 12 epochs\) 2e\+20"):
        BatchGate("mine.jsonl").check(type(batch)(batch.members, 1, wrong))


@pytest.mark.parametrize(
    ("name", "description"), [("my_op", "a convolution \x1b[31m"), ("my\u202eop", "a convolution"), ("op ", "a")]
)
def test_operators_and_their_descriptions(name: str, description: str, tmp_path: Path) -> None:
    path = tmp_path / "ops.json"
    path.write_text(json.dumps({name: {"kind": "conv", "weights": True, "description": description}}))
    with pytest.raises(IngestError, match=r"ops.json: operator "):
        read_operators(path)
    operator = Operator(name, "conv", description, description, description)
    with pytest.raises(IngestError, match=r"mine.jsonl: the (description|operator)"):
        BatchGate("mine.jsonl").check_source(SourceFacts("mine", "graphs-jsonl"), [operator])


def test_a_hostile_file_name_is_escaped(catalog_path: Path, tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\u202e.jsonl"
    path.write_text(json.dumps({"id": "a", **CHAIN, "metrics": [METRIC]}))
    with Store.open(catalog_path, mode="write") as catalog:
        report = ingest(catalog, GraphsJSONL("mine"), path)
        assert report.source == "a_31m"
        assert catalog.query("SELECT path FROM source")["path"][0] == "a\\x1b[31m\\u202e.jsonl"


def test_the_id_of_a_model_is_checked_before_its_code_runs() -> None:
    options = {"space": "mine", "id": "a\x1b"}
    with pytest.raises(UsageError, match="--id"):
        prepared("model", [Path("no_module:build")], options, Listener())


@pytest.mark.parametrize(
    "column", [[b"\xff\xfe"], [["a"]], [{"a": 1}], [datetime.date(2026, 1, 1)]], ids=["bytes", "list", "struct", "date"]
)
def test_parquet_columns_are_texts_or_numbers(column: list[object], tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    pq.write_table(pa.table({"arch_str": column, "cifar10_test_acc": [91.5]}), path)
    with pytest.raises(IngestError, match=r"mine.parquet: the column arch_str holds"):
        list(NB201Table(200).read(path))


def test_parquet_with_texts_that_are_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    broken = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff\xfe"]).buffers())
    pq.write_table(pa.table({"arch_str": broken, "cifar10_test_acc": [91.5]}), path)
    with pytest.raises(IngestError, match=r"mine.parquet is no readable parquet table"):
        list(NB201Table(200).read(path))
