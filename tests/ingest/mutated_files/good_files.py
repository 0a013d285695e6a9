"""A small good file of every format that a command reads, as a value to change and the bytes that it makes."""

from __future__ import annotations

import base64
import bz2
import gzip
import io
import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from catalog.spaces import genotype, nb201
from catalog.spaces.darts import DARTS
from tests.ingest.formats.test_nasbench101 import FIRST, SECOND, metrics_of
from tests.ingest.formats.writers import (
    framed,
    nasbench201_archive,
    nasbench201_state,
    nasbench301_log,
    nds_log,
    torch_legacy,
    torch_zip,
)
from tests.ingest.model.onnx_models import residual

Encode = Callable[[Any], bytes]


@dataclass(frozen=True)
class GoodFile:
    """One format.

    Parameters
    ----------
    benchmark, options
        The command that reads it.
    value, encode
        What is in it, and how it becomes bytes; a text, or bytes that are already encoded, are changed as they are.
    pack
        How the bytes are compressed.
    as_option
        The option that names the file, where it is not the command's own argument; `beside` is that argument then.
    after
        The format whose good file has to be read first, because this one names its architectures only.
    """

    name: str
    benchmark: str
    file: str
    value: Any
    encode: Encode
    options: Mapping[str, Any] = field(default_factory=dict)
    pack: Encode = bytes
    as_option: str | None = None
    beside: tuple[str, bytes] | None = None
    after: str | None = None

    def __repr__(self) -> str:
        return self.name


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _lines(value: Any) -> bytes:
    return b"\n".join(map(_json, value if isinstance(value, list) else [value]))


def _cell(value: Any) -> str:
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _csv(value: Any) -> bytes:
    return "\n".join(",".join(map(_cell, row)) for row in value).encode("utf-8", "surrogatepass")


def _parquet(value: Any) -> bytes:
    header, *rows = value
    buffer = io.BytesIO()
    pl.DataFrame(rows, schema=list(header), orient="row", strict=False).write_parquet(buffer)
    return buffer.getvalue()


def _records(value: Any) -> bytes:
    rows = [[*row[:4], base64.b64encode(row[4]).decode() if isinstance(row[4], bytes) else row[4]] for row in value]
    return b"".join(framed(_json(row)) for row in rows)


def _text(value: Any) -> bytes:
    return str(value).encode("utf-8", "surrogatepass")


def _pickle(value: Any) -> bytes:
    return pickle.dumps(value, protocol=2)


def _raw(value: Any) -> bytes:
    return bytes(value)


CELLS = {index: nb201.format_cell(nb201.parse(index)) for index in (0, 1462)}
GENOTYPES = [DARTS().native_id(graph) for graph in DARTS().sample(2, seed=1)]
_CONFIGURATION = genotype.config_space(genotype.parse(GENOTYPES[0]))
_RECORDS = [
    [digest, 108, matrix, ",".join(("input", *(_OPERATORS[int(digit)] for digit in digits), "output")), metrics]
    for _OPERATORS in [("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")]
    for digest, matrix, digits, parameters in (FIRST, SECOND)
    for metrics in [metrics_of(0.92, parameters)]
]
_NB101 = [
    ["hash", "adjacency_rowmajor", "ops", "trainable_parameters", "mean_test_acc_108"],
    *([digest, matrix, digits, parameters, 0.92] for digest, matrix, digits, parameters in (FIRST, SECOND)),
]
_REPEATS = [["hash", "val_acc_1", "test_acc_1"], [FIRST[0], 0.91, 0.9], [SECOND[0], 0.93, 0.92]]
_NB201 = [
    ["arch_str", "cifar10_test_acc", "cifar10_test_acc_seeds", "imagenet16_valid_acc"],
    *([cell, 91.5, "91;92", 40.25] for cell in CELLS.values()),
]
_HARDWARE = [["arch_str", "edgegpu_latency", "fpga_energy"], *([cell, 5.8, -1.0] for cell in CELLS.values())]
_LIST = [["genotype", "cifar10_test_acc", "cifar10_best_test_acc"], *([cell, 97.0, 97.2] for cell in GENOTYPES)]
_OWN = {"genotype": GENOTYPES[0], "cifar10_test_acc": 97.0}
_TRANSNAS = [["arch", "jigsaw", "normal"], ["64-41414-1_02_333", 84.5, 0.5], ["64-41414-3_21_012", 90.25, 0.4]]
_SUITE = {"val_accuracy": 91.0, "nwot": {"score": 7.5, "time": 0.5}, "grad_norm": 3.0, "synflow": 12.5}
_NDS = [
    {
        "net": {"genotype": vars(genotype.parse(cell)), "width": 16, "depth": 8},
        "optim": {"lr": 0.1, "wd": 5e-4},
        "params": 1.5e6,
        "flops": 2.5e8,
        "test_ep_top1": [20.5, 6.5],
        "min_test_top1": 6.25,
    }
    for cell in GENOTYPES
]
_GRAPHS = [
    {
        "id": name,
        "cells": [
            {"name": "normal", "ops": ["input", "conv3x3", "sum", "output"], "edges": [[0, 1], [1, 2], [0, 2], [2, 3]]}
        ],
        "metrics": [
            {"name": "accuracy", "value": 91.5, "dataset": "cifar10", "split": "test", "epochs": 200, "seed": 1},
            {"name": "latency", "value": 3.5, "device": "gpu-1", "stage": "final"},
            {"name": "bpc", "value": 1.5, "direction": "lower"},
        ],
        "proxies": {"params": 5, "my_norm": {"value": 0.5, "direction": "higher"}},
    }
    for name in ("a", "b")
]
_OPERATORS_FILE = {
    "my_op": {"kind": "attention", "kernel": 3, "weights": True, "description": "attention over all positions"},
    "other": {"kind": "conv", "dilation": 2, "depthwise": True, "short": "a", "medium": "b", "long": "c"},
}
_OWN_OPERATORS = {"id": "a", "ops": ["input", "my_op", "other", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}
_STATE = {"full": nasbench201_state(0, CELLS[0], [("cifar10", 777, 90.5), ("cifar100", 888, 70.5)], 200)}
_OFFICIAL = nasbench201_archive(CELLS)
_MINE = {"space": "mine"}
_TEXT = "\n".join(f"Cell{place} = {cell}" for place, cell in enumerate(GENOTYPES))


def _table(name: str, benchmark: str, file: str, value: Sequence[Any], **options: Any) -> list[GoodFile]:
    return [
        GoodFile(f"{name} csv", benchmark, f"{file}.csv", value, _csv, options),
        GoodFile(f"{name} csv.gz", benchmark, f"{file}.csv.gz", value, _csv, options, gzip.compress),
        GoodFile(f"{name} parquet", benchmark, f"{file}.parquet", value, _parquet, options),
    ]


GOOD_FILES: tuple[GoodFile, ...] = (
    GoodFile("NB101 records", "nasbench101", "nasbench_full.tfrecord", _RECORDS, _records),
    *_table("NB101 modules", "nasbench101", "modules", _NB101),
    GoodFile(
        "NB101 repeats csv", "nasbench101", "repeats.csv", _REPEATS, _csv, {"epochs": 108}, after="NB101 modules csv"
    ),
    GoodFile("NB201 pth", "nasbench201", "NAS-Bench-201-v1_0.pth", _OFFICIAL, torch_legacy),
    GoodFile("NB201 pth zip", "nasbench201", "NAS-Bench-201-v1_1.pth", _OFFICIAL, torch_zip, {"curves": True}),
    GoodFile("NATS pickle", "nasbench201", "000000.pickle", _STATE, _pickle, {"curves": True}),
    GoodFile("NATS pickle.pbz2", "nasbench201", "000000.pickle.pbz2", _STATE, _pickle, {}, bz2.compress),
    *_table("NB201 table", "nasbench201", "mine", _NB201, epochs=200),
    GoodFile(
        "NB301 log", "nasbench301", "results_0.json", nasbench301_log(_CONFIGURATION, 91.5, 91.0), _json,
        {"curves": True},
    ),
    GoodFile("Suite-Zero NB101", "nasbench101", "zc.json", {"cifar10": {FIRST[0]: _SUITE}}, _json),
    GoodFile("Suite-Zero NB201", "nasbench201", "zc.json", {"cifar10": {CELLS[0]: _SUITE}}, _json),
    GoodFile(
        "Suite-Zero NB301", "nasbench301", "zc.json.gz", {"nasbench301": {"cifar10": {GENOTYPES[0]: _SUITE}}}, _json,
        {}, gzip.compress,
    ),
    GoodFile(
        "NASLib list", "nasbench201", "benchmark--nasbench201--cifar10--0.json", [{"arch": CELLS[0], **_SUITE}], _json
    ),
    GoodFile(
        "proxies csv", "nasbench201", "proxies_cifar10.csv",
        [["net", "val_accuracy", "grad_norm", "nwot"], [CELLS[0], 91.5, 3.5, 7.5]], _csv,
    ),
    *_table("TransNAS", "transnas-micro", "mine", _TRANSNAS),
    GoodFile("TransNAS pairs", "transnas-micro", "jigsaw.json", [row[:2] for row in _TRANSNAS[1:]], _json),
    GoodFile("TransNAS by task", "transnas-micro", "mine.json", {"jigsaw": [row[:2] for row in _TRANSNAS[1:]]}, _json),
    GoodFile("Suite-Zero TransNAS", "transnas-micro", "zc.json", {"jigsaw": {"(1, 0, 0, 2, 1, 0)": _SUITE}}, _json),
    GoodFile("HW-NAS-Bench csv", "hw-nas-bench", "hw_cifar10.csv", _HARDWARE, _csv),
    GoodFile("HW-NAS-Bench parquet", "hw-nas-bench", "hw_cifar10.parquet", _HARDWARE, _parquet),
    *_table("genotypes", "darts", "mine", _LIST, epochs=600),
    GoodFile("genotypes JSON", "darts", "mine.json", [_OWN], _json),
    GoodFile("genotypes text", "darts", "cells.py", _TEXT, _text),
    GoodFile("NDS JSON", "darts", "nds.json", _NDS, _json),
    GoodFile("NDS NASNet", "nds", "NASNet.json", [nds_log("nasnet"), nds_log("nasnet", 7.5)], _json),
    GoodFile("graphs", "graphs", "mine.jsonl", _GRAPHS, _lines, _MINE),
    GoodFile("graphs gz", "graphs", "mine.jsonl.gz", _GRAPHS, _lines, _MINE, gzip.compress),
    GoodFile("graphs bz2", "graphs", "mine.jsonl.bz2", _GRAPHS, _lines, _MINE, bz2.compress),
    GoodFile(
        "operators", "graphs", "ops.json", _OPERATORS_FILE, _json, _MINE,
        as_option="operators", beside=("mine.jsonl", _json(_OWN_OPERATORS)),
    ),
    GoodFile(
        "ONNX", "model", "net.onnx", residual().SerializeToString(), _raw,
        {"space": "mine", "id": "net", "input": ["1x3x32x32"]},
    ),
)  # fmt: skip
"""Every format, once for each way that its bytes are packed."""
