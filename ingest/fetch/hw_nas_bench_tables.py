"""HW-NAS-Bench's official file, a pickle, as the tables that ``catalog ingest hw-nas-bench`` reads."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from catalog.errors import DownloadError, IngestError
from catalog.spaces import nb201
from ingest.reading.byte_source import ByteSource
from ingest.reading.pickled_values import NumpyArray, described
from ingest.reading.safe_pickle import SafeUnpickler
from ingest.reading.sources import open_stream

_LARGEST_FILE = 2**30
_MEASURE = re.compile(r"\w+_(?:latency|energy|arithmetic_intensity)")


def write_tables(path: Path, folder: Path) -> None:
    """Write one table a data set, ``hw_nas_bench_<data set>.csv``, into `folder`.

    The pickle is read as data by the catalog's own machine, which imports and calls nothing. Its part for
    NAS-Bench-201 holds a list a data set and measure, in the order of the native index; FBNet's part is left out.

    Raises
    ------
    DownloadError
        The file is something else.
    """
    try:
        with open_stream(path, _LARGEST_FILE) as stream:
            found = SafeUnpickler(ByteSource(stream)).load()
    except IngestError as error:
        raise DownloadError(f"{path} cannot be unpacked: {error}") from None
    datasets = found.get("nasbench201") if isinstance(found, dict) else None
    if not isinstance(datasets, dict) or not datasets:
        raise DownloadError(f"{path} holds {described(found)}; a dictionary with measures of nasbench201 is needed.")
    cells = [nb201.format_cell(operators) for operators in nb201.index_order()]
    for dataset, measures in datasets.items():
        columns = _columns(path, dataset, measures, len(cells))
        with (folder / f"hw_nas_bench_{dataset}.csv").open("x", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["arch_str", *columns])
            writer.writerows(zip(cells, *columns.values(), strict=True))


def _columns(path: Path, dataset: Any, measures: Any, count: int) -> Mapping[str, Sequence[float]]:
    if not isinstance(dataset, str) or not re.fullmatch(r"[\w-]{1,60}", dataset) or not isinstance(measures, dict):
        raise DownloadError(
            f"{path} has the data set {described(dataset)} with {described(measures)}; measures are needed."
        )
    columns = {}
    for name, values in measures.items():
        if not isinstance(name, str) or not _MEASURE.fullmatch(name):
            continue  # the networks' configurations, which follow from the index
        numbers = values.values.ravel().tolist() if isinstance(values, NumpyArray) else values
        if not isinstance(numbers, list) or len(numbers) != count or not all(map(_is_number, numbers)):
            raise DownloadError(
                f"{path}: {name} of {dataset} is {described(values)}; {count:,} numbers, one a cell, are needed."
            )
        columns[name] = numbers
    if not columns:
        raise DownloadError(f"{path} has no latency and no energy for {dataset}.")
    return columns


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
