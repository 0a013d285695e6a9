"""NAS-Bench-201 accuracies as a table: one row an architecture, one column a dataset and split."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError, UsageError
from catalog.spaces import nb201
from ingest.reading.batch import Batch, SourceFacts, metric_rows
from ingest.reading.known_tables import identified
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
_SOURCES = ("nb201", "nats")
_SEED_ROUNDING = 0.0051  # seeds are given with two decimals


class NB201Table:
    """Reads ``nb201_index`` or ``arch_str``, ``{dataset}_{split}_acc``, ``..._acc_seeds`` and ``params_cifar10``.

    Parameters
    ----------
    epochs, version, source
        Length of the trainings, version and name of the benchmark (``nb201`` or ``nats``). A table that is known by its
        digest needs none of them. The tables of both benchmarks have the same columns, so any other one is refused
        without length and name: accuracies of one must not become those of the other.
    """

    space = "nb201"

    def __init__(
        self,
        epochs: int | None = None,
        version: str | None = None,
        size_limit: int = DEFAULT_SIZE_LIMIT,
        source: str | None = None,
    ) -> None:
        if source is not None and source not in _SOURCES:
            raise UsageError(f"unknown source {source!r} of a NAS-Bench-201 table; allowed are {', '.join(_SOURCES)}.")
        self.epochs = epochs
        self.version = version
        self.source = source
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        found = identified(path, source=self.source, version=self.version)
        if found["source"] is None:
            raise _undecided(path, "--source nb201 or --source nats", "whose accuracies they hold")
        version = found["version"]
        return SourceFacts(
            name=str(found["source"]),
            kind="nb201-table",
            version=None if version is None else str(version),
            licence="MIT",
            citation=(
                "Dong et al., NATS-Bench, TPAMI 2021, arXiv 2009.00437"
                if found["source"] == "nats"
                else "Dong and Yang, NAS-Bench-201, ICLR 2020, arXiv 2001.00326"
            ),
        )

    def read(self, path: Path) -> Iterator[Batch]:
        epochs = identified(path, epochs=self.epochs)["epochs"]
        if epochs is None:
            raise _undecided(path, "--epochs N", "how long the trainings were")
        table = TextTable.read(path, self.size_limit)
        native_ids = _native_ids(table)
        parts = [
            part
            for column in table.columns
            if (match := _ACCURACY.fullmatch(column))
            for part in _accuracies(table, column, match[1], match[2], int(epochs))
        ]
        if not parts:
            raise IngestError(
                f"{path.name} has no accuracy column; its columns are {', '.join(table.columns)}. Expected names "
                "such as cifar10_test_acc, cifar100_valid_acc or imagenet16_test_acc; nothing was stored."
            )
        _refuse_unknown_columns(table)
        if "params_cifar10" in table.columns:
            parts.append(_parameters(table, native_ids))
        yield Batch(Members(native_ids), len(table), pa.concat_tables(parts))


def _undecided(path: Path, option: str, what: str) -> IngestError:
    return IngestError(
        f"{path.name} is none of the tables that are known by their digest, and its columns do not say {what}; nothing "
        f"was stored. Say it with {option}."
    )


def _refuse_unknown_columns(table: TextTable) -> None:
    """A misspelt column would be left out in silence."""
    known = {"nb201_index", "arch_str", "params_cifar10"}
    accuracies = {name for name in table.columns if _ACCURACY.fullmatch(name)}
    known |= accuracies | {f"{name}_seeds" for name in accuracies}
    if unknown := [name for name in table.columns if name not in known]:
        raise IngestError(
            f"{table.path.name} has columns that mean nothing here: {', '.join(unknown)}. Allowed are nb201_index, "
            "arch_str, {cifar10|cifar100|imagenet16}_{valid|test}_acc, each with its own ..._acc_seeds, and "
            "params_cifar10. Rename or remove the others; nothing was stored."
        )


def _native_ids(table: TextTable) -> list[str]:
    columns = [name for name in ("nb201_index", "arch_str") if name in table.columns]
    if not columns:
        raise IngestError(
            f"{table.path.name} has neither nb201_index nor arch_str among its columns {', '.join(table.columns)}; "
            "nothing was stored."
        )
    named: list[list[str]] = []
    for column in columns:
        cells = []
        for row, text in enumerate(table.texts(column)):
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
    means = table.numbers(column, 0, 100, "accuracies are percent, 0 to 100")
    if len(means) and means.max() <= 1:
        raise IngestError(
            f"{table.path.name}: the largest value of {column} is {means.max():g}, so the column holds fractions; "
            "accuracies of NAS-Bench-201 are percent, 0 to 100. Multiply them by 100; nothing was stored."
        )
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
            table.fail(row, f"{column} is {text or 'empty'}; accuracies separated by ';' are needed.")
        if not all(0 <= value <= 100 for value in seeds):
            table.fail(row, f"{column} is {text}; accuracies are percent, 0 to 100.")
        if abs(sum(seeds) / len(seeds) - means[row]) > _SEED_ROUNDING:
            table.fail(
                row, f"{column} is {text}, which does not average to {means[row]} in {column.removesuffix('_seeds')}."
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
