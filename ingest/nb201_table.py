"""NAS-Bench-201 accuracies as a table: one row an architecture, one column a dataset and split."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import IdentifierError, IngestError
from catalog.members import Members
from catalog.spaces import nb201
from ingest.batch import Batch, SourceFacts, metric_rows
from ingest.formats.sources import DEFAULT_SIZE_LIMIT
from ingest.text_table import TextTable

_ACCURACY = re.compile(r"(cifar10|cifar100|imagenet16)_(valid|test)_acc")
_DATASETS = {
    ("cifar10", "valid"): "cifar10-valid",  # validation accuracy exists only for the 25k/25k split
    ("cifar10", "test"): "cifar10",
    ("cifar100", "valid"): "cifar100",
    ("cifar100", "test"): "cifar100",
    ("imagenet16", "valid"): "imagenet16-120",
    ("imagenet16", "test"): "imagenet16-120",
}
_SEED_ROUNDING = 0.0051  # seeds are given with two decimals


class NB201Table:
    """Reads ``nb201_index`` or ``arch_str``, ``{dataset}_{split}_acc``, ``..._acc_seeds`` and ``params_cifar10``.

    Parameters
    ----------
    epochs, version
        Length of the trainings and version of the benchmark; by default what the file's name says
        (``nb201_v1.1_200ep.csv.gz``).
    """

    space = "nb201"

    def __init__(
        self, epochs: int | None = None, version: str | None = None, size_limit: int = DEFAULT_SIZE_LIMIT
    ) -> None:
        self.epochs = epochs
        self.version = version
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        found = re.search(r"v(\d+\.\d+)", path.name)
        is_nats = path.name.lower().startswith("nats")
        return SourceFacts(
            name="nats" if is_nats else "nb201",
            kind="nb201-table",
            version=self.version or (f"v{found[1]}" if found else None),
            licence="MIT",
            citation=(
                "Dong et al., NATS-Bench, TPAMI 2021, arXiv 2009.00437"
                if is_nats
                else "Dong and Yang, NAS-Bench-201, ICLR 2020, arXiv 2001.00326"
            ),
        )

    def read(self, path: Path) -> Iterator[Batch]:
        table = TextTable.read(path, self.size_limit)
        epochs = self.epochs if self.epochs is not None else _epochs_in_name(path)
        native_ids = _native_ids(table)
        parts = [
            part
            for column in table.columns
            if (match := _ACCURACY.fullmatch(column))
            for part in _accuracies(table, column, match[1], match[2], epochs)
        ]
        if not parts:
            raise IngestError(
                f"{path.name} has no accuracy column; its columns are {', '.join(table.columns)}. Expected names "
                "such as cifar10_test_acc, cifar100_valid_acc or imagenet16_test_acc; nothing was stored."
            )
        if "params_cifar10" in table.columns:
            parts.append(_parameters(table, native_ids))
        yield Batch(Members(native_ids), len(table), pa.concat_tables(parts))


def _epochs_in_name(path: Path) -> int:
    found = re.search(r"(\d+)ep", path.name)
    if found is None:
        raise IngestError(
            f"the name {path.name} does not say how long the trainings were (as nb201_v1.1_200ep.csv.gz does); "
            "nothing was stored. Give the number with --epochs."
        )
    return int(found[1])


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
