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
from ingest.reading.dataset_names import split_word
from ingest.reading.known_tables import MOST_EPOCHS, checked_epochs, identified, table_facts
from ingest.reading.shown import shown, shown_names
from ingest.reading.sources import DEFAULT_SIZE_LIMIT
from ingest.reading.text_table import TextTable

_MEAN = re.compile(r"mean_(val|valid|test)_acc_(\d+)")
_REPEAT = re.compile(r"(val|valid|test)_acc_(\d+)")
_GRAPH_COLUMNS = ("adjacency_rowmajor", "ops")
_COLUMNS = ("index", "hash", "num_vertices", *_GRAPH_COLUMNS, "trainable_parameters")
_ALLOWED_COLUMNS = (
    "A table of NAS-Bench-101 has hash, and may have index, adjacency_rowmajor, ops, num_vertices, "
    "trainable_parameters, and accuracies such as mean_test_acc_108 or val_acc_1."
)
_MOST_REPEATS = 30_000
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
    source
        Name of the user's source, as in `ingest.formats.nb201_table.NB201Table`.
    """

    space = "nb101"

    def __init__(
        self, epochs: int | None = None, size_limit: int = DEFAULT_SIZE_LIMIT, source: str | None = None
    ) -> None:
        self.source = source
        self.epochs = checked_epochs(epochs)
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        return table_facts(path, "nb101-table", source=self.source)

    def read(self, path: Path) -> Iterator[Batch]:
        table = TextTable.read(path, self.size_limit)
        _refuse_columns(table)
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
        meanings: dict[str, tuple[str, int, int | None]] = {}
        for column in table.columns:
            if mean := _MEAN.fullmatch(column):
                meanings[column] = (split_word(mean[1]), _whole(table, column, mean[2], MOST_EPOCHS), None)
            elif repeat := _REPEAT.fullmatch(column):
                ordinal = _whole(table, column, repeat[2], _MOST_REPEATS)
                meanings[column] = (split_word(repeat[1]), self._epochs(path), ordinal)
        table.refuse_same_meaning(meanings)
        for column, (split, length, number) in meanings.items():
            parts.append(_accuracy(table, column, rows, split, length, number))
        if "trainable_parameters" in table.columns:
            counts = table.numbers("trainable_parameters", 0, 1e12, "a parameter count is a positive number")
            parts.append(metric_rows(rows, counts, name="parameters", kind="reported", dataset="cifar10"))
        return parts


def _refuse_columns(table: TextTable) -> None:
    """A misspelt column would be left out in silence, and a count without its graph could not be checked."""
    accuracies = {name for name in table.columns if _MEAN.fullmatch(name) or _REPEAT.fullmatch(name)}
    missing = "no column hash" if "hash" not in table.columns else "" if accuracies else "no accuracy column"
    if missing:
        raise IngestError(
            f"{table.path.name} has {missing}; its columns are {shown_names(table.columns)}. {_ALLOWED_COLUMNS} "
            "Nothing was stored."
        )
    if unknown := [name for name in table.columns if name not in _COLUMNS and name not in accuracies]:
        raise IngestError(
            f"{table.path.name} has columns that mean nothing here: {shown_names(unknown)}. {_ALLOWED_COLUMNS} Rename "
            "or remove the others; nothing was stored."
        )
    checked = {"trainable_parameters", "num_vertices"} & set(table.columns)
    if checked and not set(_GRAPH_COLUMNS) <= set(table.columns):
        raise IngestError(
            f"{table.path.name} has {' and '.join(sorted(checked))}, but not both {' and '.join(_GRAPH_COLUMNS)} to "
            "check it against; nothing was stored. Add the graphs, or remove the column."
        )


def _whole(table: TextTable, column: str, digits: str, most: int) -> int:
    if len(digits) > len(str(most)) or not 1 <= int(digits) <= most:
        raise IngestError(
            f"{table.path.name} line 1: the number in the column {shown(column)} is not between 1 and {most}; nothing "
            "was stored."
        )
    return int(digits)


def _rows_within(metrics: Sequence[pa.Table], start: int, count: int) -> list[pa.Table]:
    """The metrics of some rows, which become rows 0, 1, ... of their batch; each table has one row a record."""
    slices = [part.slice(start, count) for part in metrics]
    own = pa.array(np.arange(count))
    return [part.set_column(part.schema.get_field_index("row"), "row", own) for part in slices]


def _accuracy(
    table: TextTable, column: str, rows: NDArray[np.int64], split: str, epochs: int, repeat: int | None
) -> pa.Table:
    values = table.numbers(column, 0, 1, "accuracies of NAS-Bench-101 are fractions, 0 to 1: divide percents by 100")
    return metric_rows(
        rows,
        100 * values,
        name="accuracy",
        kind="trained",
        dataset="cifar10",
        split=split,
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
                table.fail(row, f"hash is {shown(hashes[row])}, but the module in this line has the hash {found}.")
        _check_counts(table, part)
        parts.append(PlacedCells(part.rows, first_forms(part.cells)))
    return parts


def _check_counts(table: TextTable, part: PlacedCells) -> None:
    """What the table says of its modules, against its own matrices: another order of vertices may have other counts."""
    counted = {
        "num_vertices": np.full(len(part.rows), part.cells.operators.shape[1]),
        "trainable_parameters": nb101_network.parameters(part.cells.adjacency, part.cells.operators),
    }
    for column, counts in counted.items():
        if column not in table.columns:
            continue
        said = table.numbers(column, 0, 1e12, "a whole number is needed")[part.rows]
        wrong = np.flatnonzero(counts != said)
        if len(wrong):
            first = wrong[0]
            table.fail(
                int(part.rows[first]), f"{column} is {said[first]:.0f}, but this module's network has {counts[first]}."
            )


def _indices(table: TextTable) -> list[int]:
    """The benchmark's index, which counts the hashes in ascending order."""
    meaning = "an index is a whole number from 0 to 423623"
    numbers = table.numbers("index", 0, 423_623, meaning)
    indices = numbers.astype(np.int64)
    broken = np.flatnonzero(indices != numbers)
    if len(broken):
        table.fail(int(broken[0]), f"index is {numbers[broken[0]]:g}; {meaning}.")
    order = np.argsort(np.array(table.texts("hash")))
    backward = np.flatnonzero(np.diff(indices[order]) <= 0)
    if len(backward):
        row = int(order[backward[0] + 1])
        table.fail(row, f"index is {indices[row]}; indices must count the hashes in ascending order.")
    return [int(index) for index in indices]
