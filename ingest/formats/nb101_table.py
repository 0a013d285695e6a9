"""NAS-Bench-101 as a table: modules with mean accuracies, or module hashes with the accuracy of each training."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.graph_tables import PlacedCells
from catalog.architecture.members import Members
from catalog.errors import IngestError
from catalog.spaces import nb101_network
from catalog.spaces.nb101_arrays import read_arrays
from catalog.spaces.nb101_enumeration import first_forms
from catalog.spaces.nb101_hash import module_hashes
from ingest.reading.batch import Batch, SourceFacts, metric_rows
from ingest.reading.known_tables import identified
from ingest.reading.sources import DEFAULT_SIZE_LIMIT
from ingest.reading.text_table import TextTable

_MEAN = re.compile(r"mean_(val|valid|test)_acc_(\d+)")
_REPEAT = re.compile(r"(val|valid|test)_acc_(\d+)")
_SPLITS = {"val": "valid", "valid": "valid", "test": "test"}
_GRAPH_COLUMNS = ("adjacency_rowmajor", "ops")
_BATCH = 100_000


class NB101Table:
    """Reads two layouts, told apart by their columns.

    ``hash``, ``adjacency_rowmajor``, ``ops``, ``trainable_parameters`` and ``mean_test_acc_108`` hold whole modules:
    every hash and every parameter count is computed anew and must agree. ``hash`` with ``val_acc_1``, ``test_acc_1``,
    ... holds the single trainings of modules that the catalog has already. Accuracies are fractions there.

    Parameters
    ----------
    epochs
        Length of the trainings in the second layout; a table that is known by its digest does not need it.
    """

    space = "nb101"

    def __init__(self, epochs: int | None = None, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self.epochs = epochs
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        return SourceFacts(
            name="nb101",
            kind="nb101-table",
            licence="Apache-2.0",
            citation="Ying et al., NAS-Bench-101, ICML 2019, arXiv 1902.09635",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        table = TextTable.read(path, self.size_limit)
        if "hash" not in table.columns:
            raise IngestError(f"{path.name} has no column hash among {', '.join(table.columns)}; nothing was stored.")
        hashes = table.texts("hash")
        table.unique("the hash", hashes)
        metrics = self._metrics(table, path)
        cells = _modules(table, hashes) if set(_GRAPH_COLUMNS) <= set(table.columns) else None
        indices = _indices(table) if "index" in table.columns else None
        members = Members(hashes, indices, cells=cells)
        for start in range(0, len(table), _BATCH):
            rows = np.arange(start, min(start + _BATCH, len(table)))
            yield Batch(members.taken(rows), len(rows), pa.concat_tables(_rows_within(metrics, start, len(rows))))

    def _epochs(self, path: Path) -> int:
        epochs = identified(path, epochs=self.epochs)["epochs"]
        if epochs is None:
            raise IngestError(
                f"{path.name} is none of the tables that are known by their digest, and its columns do not say how "
                "long the trainings were; nothing was stored. Say it with --epochs N."
            )
        return int(epochs)

    def _metrics(self, table: TextTable, path: Path) -> list[pa.Table]:
        rows = np.arange(len(table))
        parts = []
        for column in table.columns:
            if mean := _MEAN.fullmatch(column):
                parts.append(_accuracy(table, column, rows, mean[1], int(mean[2]), None))
            elif repeat := _REPEAT.fullmatch(column):
                parts.append(_accuracy(table, column, rows, repeat[1], self._epochs(path), int(repeat[2])))
        if not parts:
            raise IngestError(
                f"{path.name} has no accuracy column; its columns are {', '.join(table.columns)}. "
                "Expected names such as mean_test_acc_108 or val_acc_1; nothing was stored."
            )
        if "trainable_parameters" in table.columns:
            counts = table.numbers("trainable_parameters", 0, 1e12, "a parameter count is a positive number")
            parts.append(metric_rows(rows, counts, name="parameters", kind="reported", dataset="cifar10"))
        return parts


def _rows_within(metrics: Sequence[pa.Table], start: int, count: int) -> list[pa.Table]:
    """The metrics of some rows, which become rows 0, 1, ... of their batch; each table has one row a record."""
    slices = [part.slice(start, count) for part in metrics]
    own = pa.array(np.arange(count))
    return [part.set_column(part.schema.get_field_index("row"), "row", own) for part in slices]


def _accuracy(
    table: TextTable, column: str, rows: NDArray[np.int64], split: str, epochs: int, repeat: int | None
) -> pa.Table:
    values = table.numbers(column, 0, 1, "accuracies of NAS-Bench-101 are fractions, 0 to 1")
    return metric_rows(
        rows,
        100 * values,
        name="accuracy",
        kind="trained",
        dataset="cifar10",
        split=_SPLITS[split],
        epochs=epochs,
        stage="final",
        repeat=repeat,
    )


def _modules(table: TextTable, hashes: Sequence[str]) -> list[PlacedCells]:
    """The modules in the benchmark's own form; hashes and parameter counts must be those of the table."""
    adjacency, operators = (table.texts(column) for column in _GRAPH_COLUMNS)
    parts = []
    for part in read_arrays(adjacency, operators, table.fail):
        for row, found in zip(
            part.rows.tolist(), module_hashes(part.cells.adjacency, part.cells.operators), strict=True
        ):
            if found != hashes[row]:
                table.fail(row, f"hash is {hashes[row]}, but the module in this line has the hash {found}.")
        parts.append(PlacedCells(part.rows, first_forms(part.cells)))
    if "trainable_parameters" in table.columns:
        _check_parameters(table, parts)
    return parts


def _check_parameters(table: TextTable, parts: Sequence[PlacedCells]) -> None:
    published = table.numbers("trainable_parameters", 0, 1e12, "a parameter count is a positive number")
    for part in parts:
        counted = nb101_network.parameters(part.cells.adjacency, part.cells.operators)
        wrong = np.flatnonzero(counted != published[part.rows])
        if len(wrong):
            row = int(part.rows[wrong[0]])
            table.fail(
                row, f"trainable_parameters is {published[row]:.0f}, but this module's network has {counted[wrong[0]]}."
            )


def _indices(table: TextTable) -> list[int]:
    """The benchmark's index, which counts the hashes in ascending order."""
    indices = table.numbers("index", 0, 423_623, "an index is a whole number from 0 to 423623").astype(np.int64)
    order = np.argsort(np.array(table.texts("hash")))
    backward = np.flatnonzero(np.diff(indices[order]) <= 0)
    if len(backward):
        row = int(order[backward[0] + 1])
        table.fail(row, f"index is {indices[row]}; indices must count the hashes in ascending order.")
    return [int(index) for index in indices]
