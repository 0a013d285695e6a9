"""HW-NAS-Bench: latency and energy of the NAS-Bench-201 cells on six devices, as comma-separated tables."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError
from catalog.spaces import nb201
from ingest.formats.hw_nas_bench_values import OFFICIAL_VALUES
from ingest.reading.batch import Batch, SourceFacts, metric_rows
from ingest.reading.dataset_names import dataset_in
from ingest.reading.known_tables import own_source, source_is_known
from ingest.reading.pickled_values import described
from ingest.reading.sources import DEFAULT_SIZE_LIMIT
from ingest.reading.text_table import TextTable

_MEASURE = re.compile(r"(edgegpu|raspi4|edgetpu|pixel3|eyeriss|fpga)_(latency|energy|arithmetic_intensity)")
KIND = "hw-nas-bench"
_DATASETS = ("cifar10", "cifar100", "imagenet16-120")
_UNSUPPORTED = -1.0
_MOST = 1e9


class HWNASBench:
    """Reads one table of one data set: a column ``net`` (NASLib's tuple) or ``arch_str``, and one a device and measure.

    Latencies are milliseconds and energies millijoules. An operator that a device does not support is -1 in the file
    and NULL here. ``eyeriss_arithmetic_intensity`` is kept as the metric ``arithmetic_intensity``.

    A table is the benchmark's if all its numbers are: those of all cells, in every column.

    Parameters
    ----------
    source
        The user's name for the source of a table that is not the benchmark's.
    """

    space = "nb201"

    def __init__(self, *, source: str | None = None, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self.source = source
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        if not self._is_official(path):
            return SourceFacts(name=own_source(path, self.source), kind=KIND)
        if self.source is not None:
            raise source_is_known(path)
        return SourceFacts(
            name="hw_nas_bench",
            kind=KIND,
            licence="MIT",
            citation="Li et al., HW-NAS-Bench, ICLR 2021, arXiv 2103.10584",
        )

    def _is_official(self, path: Path) -> bool:
        (batch,) = self.read(path)
        metrics = batch.metrics.to_pydict()
        cells = batch.members.native_ids
        columns: dict[str, dict[str, float | None]] = {}
        for row, name, device, value in zip(*(metrics[key] for key in ("row", "name", "device", "value")), strict=True):
            columns.setdefault(f"{device} {name}", {})[cells[row]] = value
        known = OFFICIAL_VALUES[str(metrics["dataset"][0])]
        return all(known.get(name) == values_digest(values) for name, values in columns.items())

    def read(self, path: Path) -> Iterator[Batch]:
        dataset = dataset_in(path.name)
        if dataset not in _DATASETS:
            raise IngestError(
                f"{path.name}: the name does not say the data set, as hw_nas_bench_cifar10.csv does; possible are "
                f"{', '.join(_DATASETS)}. Nothing was stored."
            )
        table = TextTable.read(path, self.size_limit)
        measures = {name: match for name in table.columns if (match := _MEASURE.fullmatch(name))}
        keys = [name for name in ("net", "arch_str") if name in table.columns]
        if not keys or not measures:
            raise IngestError(
                f"{path.name}: the columns are {', '.join(table.columns)[:200]}; needed are net (or arch_str) and "
                "measures such as edgegpu_latency. Nothing was stored."
            )
        if unknown := [name for name in table.columns if name not in measures and name not in ("net", "arch_str")]:
            raise IngestError(
                f"{path.name}: unknown column {described(unknown[0])}; HW-NAS-Bench has latency, energy and "
                "arithmetic_intensity of edgegpu, raspi4, edgetpu, pixel3, eyeriss and fpga. Nothing was stored. Leave "
                "the column out, or bring your own devices as graphs: catalog ingest graphs."
            )
        native_ids, *others = [_cells(table, key) for key in keys]
        for other in others:
            row = next((row for row, cell in enumerate(other) if cell != native_ids[row]), None)
            if row is not None:
                table.fail(row, f"net is the cell {native_ids[row]}, but arch_str is {other[row]}.")
        table.unique("the cell", native_ids)
        yield Batch(
            Members(native_ids),
            len(table),
            pa.concat_tables([_metric(table, name, match[2], match[1], dataset) for name, match in measures.items()]),
        )


def _cells(table: TextTable, key: str) -> list[str]:
    cells = []
    for row, text in enumerate(table.texts(key)):
        try:
            cells.append(nb201.format_cell(nb201.parse(text)))
        except IdentifierError as error:
            table.fail(row, f"{key}: {error}")
    return cells


def values_digest(values: Mapping[str, float | None]) -> str:
    """What tells the values of one column from others, whatever their order and the file's form."""
    listed = "".join(f"{cell} {value!r}\n" for cell, value in sorted(values.items()))
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def _metric(table: TextTable, column: str, name: str, device: str, dataset: str) -> pa.Table:
    values = table.numbers(column, _UNSUPPORTED, _MOST, "a positive number, or -1 for unsupported, is needed")
    negative = np.flatnonzero((values <= 0) & (values != _UNSUPPORTED))
    if len(negative):
        row = int(negative[0])
        table.fail(row, f"{column} is {values[row]}; a positive number, or -1 for unsupported, is needed.")
    rows = metric_rows(np.arange(len(table)), values, name=name, kind="reported", dataset=dataset, device=device)
    supported = pa.array(values, mask=values == _UNSUPPORTED)
    return rows.set_column(rows.schema.get_field_index("value"), "value", supported)
