"""NAS-Bench-201 accuracies as a table: one row an architecture, one column a dataset and split."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError
from catalog.spaces import nb201
from ingest.reading.batch import Batch, SourceFacts, metric_rows
from ingest.reading.known_tables import checked_epochs, identified, known_table, table_facts
from ingest.reading.percents import ALLOWED
from ingest.reading.shown import shown, shown_names
from ingest.reading.sources import DEFAULT_SIZE_LIMIT
from ingest.reading.text_table import TextTable

_ACCURACY = re.compile(r"(cifar10|cifar100|imagenet16)_(valid|test)_acc")
_DATASETS = {
    ("cifar10", "valid"): "cifar10-valid",  # validation accuracy exists only for the 25k/25k split
    ("cifar10", "test"): "cifar10",
    ("cifar100", "valid"): "cifar100",
    ("cifar100", "test"): "cifar100",
    ("imagenet16", "valid"): "imagenet16-120",
    ("imagenet16", "test"): "imagenet16-120",
}
_CELLS = ("nb201_index", "arch_str")
_ALLOWED_COLUMNS = (
    "A table of NAS-Bench-201 has nb201_index or arch_str (a string, or NASLib's tuple), accuracies in percent called "
    "{cifar10|cifar100|imagenet16}_{valid|test}_acc, such as cifar10_test_acc, each possibly with its own "
    "..._acc_seeds, and possibly params_cifar10."
)
_LONGEST_ID = 200
_SEED_ROUNDING = 0.0051  # seeds are given with two decimals


class NB201Table:
    """Reads ``nb201_index`` or ``arch_str``, ``{dataset}_{split}_acc``, ``..._acc_seeds`` and ``params_cifar10``.

    Parameters
    ----------
    epochs
        Length of the trainings. A table that is known by its digest does not need it; the columns of any other do not
        say it, so there it is needed.
    version
        Version of the user's table.
    source
        Name of the user's source; by default a word made of the file's name. A benchmark's name belongs to the tables
        that are known by their digest.
    """

    space = "nb201"

    def __init__(
        self,
        epochs: int | None = None,
        version: str | None = None,
        size_limit: int = DEFAULT_SIZE_LIMIT,
        source: str | None = None,
    ) -> None:
        self.source = source
        self.epochs = checked_epochs(epochs)
        self.version = version
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        return table_facts(path, "nb201-table", source=self.source, version=self.version)

    def read(self, path: Path) -> Iterator[Batch]:
        table = TextTable.read(path, self.size_limit)
        _refuse_columns(table)
        epochs = identified(path, epochs=self.epochs)["epochs"]
        if epochs is None:
            raise IngestError(
                f"{path.name} is none of the tables that are known by their digest, and its columns do not say how "
                "long the trainings were; nothing was stored. Say it with --epochs N."
            )
        native_ids = _native_ids(table)
        parts = [
            part
            for column in table.columns
            if (match := _ACCURACY.fullmatch(column))
            for part in _accuracies(table, column, match[1], match[2], int(epochs))
        ]
        if "params_cifar10" in table.columns:
            parts.append(_parameters(table, native_ids))
        notes = () if known_table(path) else tuple(table.percents.notes())
        yield Batch(Members(native_ids), len(table), pa.concat_tables(parts), notes=notes)


def _refuse_columns(table: TextTable) -> None:
    """Name what is missing for a table of NAS-Bench-201; a misspelt column would be left out in silence."""
    accuracies = [name for name in table.columns if _ACCURACY.fullmatch(name)]
    if not set(_CELLS) & set(table.columns):
        missing = "neither nb201_index nor arch_str, which say the cell"
    elif not accuracies:
        missing = "no accuracy column"
    else:
        missing = ""
    if missing:
        raise IngestError(
            f"{table.path.name} has {missing}; its columns are {shown_names(table.columns)}. {_ALLOWED_COLUMNS} "
            "Nothing was stored."
        )
    known = {*_CELLS, "params_cifar10", *accuracies, *(f"{name}_seeds" for name in accuracies)}
    if unknown := [name for name in table.columns if name not in known]:
        raise IngestError(
            f"{table.path.name} has columns that mean nothing here: {shown_names(unknown)}. {_ALLOWED_COLUMNS} Rename "
            "or remove the others; nothing was stored."
        )


def _native_ids(table: TextTable) -> list[str]:
    columns = [name for name in _CELLS if name in table.columns]
    named: list[list[str]] = []
    for column in columns:
        cells = []
        for row, text in enumerate(table.texts(column)):
            if len(text) > _LONGEST_ID:
                table.fail(row, f"{column} is {shown(text)}, which is {len(text)} characters long; no cell's name is.")
            try:
                cells.append(nb201.format_cell(nb201.parse(text)))
            except IdentifierError as error:
                table.fail(row, f"{column}: {error}")
        named.append(cells)
    for row, (first, last) in enumerate(zip(named[0], named[-1], strict=True)):
        if first != last:
            table.fail(
                row, f"nb201_index {table.frame['nb201_index'][row]} is the cell {first}, but arch_str is {last}."
            )
    table.unique("the cell", named[0])
    return named[0]


def _accuracies(table: TextTable, column: str, dataset: str, split: str, epochs: int) -> list[pa.Table]:
    """The published mean and, where the table has them, the seeds, which must average to it."""
    means = table.accuracies(column)
    rows = np.arange(len(table))
    word = _DATASETS[dataset, split]
    parts = [_metric(rows, word, split, epochs, means, None)]
    if f"{column}_seeds" in table.columns:
        owners, repeats, values = _seeds(table, f"{column}_seeds", means)
        parts.append(_metric(owners, word, split, epochs, values, repeats))
    return parts


def _seeds(
    table: TextTable, column: str, means: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int16], NDArray[np.float64]]:
    owners: list[int] = []
    repeats: list[int] = []
    values: list[float] = []
    for row, text in enumerate(table.texts(column)):
        try:
            seeds = [float(part) for part in text.split(";")]
        except ValueError:
            table.fail(row, f"{column} is {shown(text or 'empty')}; accuracies separated by ';' are needed.")
        if not all(0 <= value <= 100 for value in seeds):
            table.fail(row, f"{column} is {shown(text)}; {ALLOWED}.")
        if abs(sum(seeds) / len(seeds) - means[row]) > _SEED_ROUNDING:
            table.fail(
                row,
                f"{column} is {shown(text)}, which does not average to {means[row]} in "
                f"{column.removesuffix('_seeds')}.",
            )
        owners += [row] * len(seeds)
        repeats += range(1, len(seeds) + 1)
        values += seeds
    return np.array(owners, dtype=np.int64), np.array(repeats, dtype=np.int16), np.array(values, dtype=np.float64)


def _parameters(table: TextTable, native_ids: list[str]) -> pa.Table:
    """The published parameter count, which must be the one that the network definition gives."""
    published = table.numbers("params_cifar10", 0, 1e12, "a parameter count is a positive number")
    counted = nb201.parameters(native_ids)
    wrong = np.flatnonzero(published != counted)
    if len(wrong):
        row = int(wrong[0])
        table.fail(
            row, f"params_cifar10 is {published[row]:.0f}, but the network of {native_ids[row]} has {counted[row]:.0f}."
        )
    return metric_rows(np.arange(len(table)), published, name="parameters", kind="reported", dataset="cifar10")


def _metric(
    rows: NDArray[np.int64],
    dataset: str,
    split: str,
    epochs: int,
    values: NDArray[np.float64],
    repeats: NDArray[np.int16] | None,
) -> pa.Table:
    return metric_rows(
        rows,
        values,
        name="accuracy",
        kind="trained",
        dataset=dataset,
        split=split,
        epochs=epochs,
        stage="final",
        repeat=repeats,
    )
