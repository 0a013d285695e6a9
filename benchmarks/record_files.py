"""NAS-Bench-101's record files at full size: written from the real graphs, then ingested by a cold process.

The official files are not at hand, so this writes files of the same records: every module with its real hash, graph
and parameters, three trainings a budget, and measurements spread around the published mean accuracy.

Example
-------
``CATALOG_DATA=../shared/data python benchmarks/record_files.py --file only108``
"""

from __future__ import annotations

import argparse
import base64
import csv
import gzip
import json
import os
import struct
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import google_crc32c
import numpy as np
from measure import circumstances, measure

BUDGETS = {"only108": (108,), "full": (4, 12, 36, 108)}
OPERATORS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
TARGETS = {"only108": "2 min, 3 GB", "full": "8 min, 3 GB"}

# A ModelMetrics message: three evaluations of five doubles each, fields 1 to 5, then the parameters as a varint.
EVALUATIONS = struct.Struct("<" + "3sdcdcdcdcd" * 3)
FIELD_STARTS = (b"\n-\t", b"\x11", b"\x19", b"!", b")")


def records(table: Path, budgets: tuple[int, ...]) -> Iterator[bytes]:
    """The JSON of every record, module by module."""
    noise = np.random.default_rng(0)
    with gzip.open(table, "rt") as lines:
        for module in csv.DictReader(lines):
            operators = ",".join(["input", *(OPERATORS[int(digit)] for digit in module["ops"]), "output"])
            mean = float(module["mean_test_acc_108"])
            tail = b"\x10" + varint(int(module["trainable_parameters"])) + b"\x19" + struct.pack("<d", 2000.0)
            spread = noise.uniform(0.9, 1.0, size=(len(budgets), 3, 8)).tolist()
            for budget, trainings in zip(budgets, spread, strict=True):
                for factors in trainings:
                    values = evaluations(budget, mean, factors)
                    fields = [part for start, value in values for part in (start, value)]
                    metrics = base64.b64encode(EVALUATIONS.pack(*fields) + tail).decode()
                    yield json.dumps(
                        [module["hash"], budget, module["adjacency_rowmajor"], operators, metrics]
                    ).encode()


def evaluations(budget: int, mean: float, factors: list[float]) -> list[tuple[bytes, float]]:
    """Field start and value of the evaluations at the start, half-way and at the end."""
    seconds = 16.4 * budget * factors[0]
    start = (0.0, 0.0, 0.1, 0.1, 0.1)
    half = (budget / 2, seconds / 2, *(mean * factor for factor in factors[1:4]))
    final = (float(budget), seconds, *(mean * factor for factor in factors[4:7]))
    return list(zip(FIELD_STARTS * 3, (*start, *half, *final), strict=True))


def varint(value: int) -> bytes:
    """A protocol-buffer number."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def framed(data: bytes) -> bytes:
    """A TFRecord."""
    length = struct.pack("<Q", len(data))
    return length + masked(length) + data + masked(data)


def masked(data: bytes) -> bytes:
    """The masked CRC-32C."""
    checksum = google_crc32c.value(data)
    return struct.pack("<I", ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def main() -> None:
    """Write one file, ingest it, and print what that took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--file", choices=sorted(BUDGETS), default="only108")
    parser.add_argument("--folder", type=Path, help="where the file and the catalog go; by default a temporary folder")
    options = parser.parse_args()
    table = Path(os.environ["CATALOG_DATA"]) / "nb101" / "nb101_108ep_mean_test.csv.gz"
    print(circumstances())
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path, catalog = Path(folder) / f"nasbench_{options.file}.tfrecord", Path(folder) / "catalog.duckdb"
        count = 0
        with path.open("wb") as stream:
            for data in records(table, BUDGETS[options.file]):
                stream.write(framed(data))
                count += 1
        print(f"{path.name}: {count:,} records, {path.stat().st_size / 1e6:,.0f} MB")
        program = Path(sys.executable).with_name("catalog")
        run = measure([str(program), "ingest", "nasbench101", str(path), "--db", str(catalog)])
        print(
            f"ingest: {run.seconds:.0f} s wall, {run.processor_seconds:.0f} s of processor, "
            f"{run.peak_bytes / 1e6:,.0f} MB at most (target: {TARGETS[options.file]}); exit code {run.exit_code}"
        )
        print(f"catalog: {catalog.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
