"""The three layouts of NAS-Bench-Suite-Zero's files: architectures by data set, NASLib's list of one run, a table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.errors import IdentifierError, IngestError
from catalog.spaces import nb201
from catalog.tables.suite_zero_facts import ACCURACIES, BENCHMARKS, OTHER_BENCHMARKS, PROXIES
from ingest.reading.dataset_names import dataset_in, dataset_word
from ingest.reading.pickled_values import described
from ingest.reading.sources import read_json
from ingest.reading.text_table import TextTable

_BENCHMARK = re.compile(r"(?:nas|trans)bench\d{3}(?:_micro|_macro)?", re.IGNORECASE)
_RUN = re.compile(r"benchmark--([\w-]+?)--([\w-]+?)--\w+\.json(?:\.gz|\.bz2)?")


@dataclass(frozen=True)
class Section:
    """The architectures of one data set, as the file has them.

    Parameters
    ----------
    file
        The file's name, for messages.
    dataset
        The catalog's word.
    architectures
        The key and the fields of each.
    is_named
        Whether the benchmark stands beside the data, as a key or in the name that NASLib gives.
    is_keyed
        Whether it stands in the file.
    beside
        What else stands beside the benchmark's key; said once, with the file's first section.
    """

    file: str
    dataset: str
    architectures: list[tuple[str, Mapping[str, Any]]]
    is_named: bool = False
    is_keyed: bool = False
    beside: tuple[str, ...] = ()


def sections(path: Path, space: str, size_limit: int) -> Iterator[Section]:
    """The sections of a file, whose names fit the benchmark of `space`.

    Raises
    ------
    IngestError
        The file is of another benchmark or has none of the layouts.
    """
    _check_file_name(path.name, BENCHMARKS[space])
    found = [_table(path, size_limit)] if ".csv" in path.suffixes else _of_json(path, space, size_limit)
    seen: set[str] = set()
    for section in found:
        if section.dataset not in ACCURACIES[space]:
            raise IngestError(
                f"{path.name}: {described(section.dataset)} is no data set of {BENCHMARKS[space]}, which has "
                f"{', '.join(ACCURACIES[space])}: the file is of another benchmark. Nothing was stored."
            )
        if section.dataset in seen:
            raise IngestError(f"{path.name}: the data set {section.dataset} stands twice in it. Nothing was stored.")
        if ACCURACIES[space][section.dataset].split is None and not section.is_named:
            raise IngestError(
                f"{path.name}: nothing in it says that it is of {BENCHMARKS[space]}, and {section.dataset} belongs to "
                f"other benchmarks too. Nothing was stored. The official file has its data sets below the key "
                f"{BENCHMARKS[space]}."
            )
        seen.add(section.dataset)
        yield section


def _check_file_name(name: str, benchmark: str) -> None:
    named = {word.lower() for word in _BENCHMARK.findall(name)}
    others = named & {*BENCHMARKS.values(), *OTHER_BENCHMARKS}
    if others and benchmark not in others:
        raise _of_others(name, others, benchmark)


def _of_others(name: str, others: set[str], benchmark: str) -> IngestError:
    return IngestError(
        f"{name}: proxies of {', '.join(sorted(others))}, not of {benchmark}; nothing was stored. Name that benchmark "
        f"in the command, if there is one: {', '.join(sorted(BENCHMARKS.values()))} are read."
    )


def _of_json(path: Path, space: str, size_limit: int) -> list[Section]:
    found = read_json(path, size_limit)
    if isinstance(found, list):
        return [_run(path.name, found, space)]
    return list(_by_dataset(path.name, _mapping(found, path.name, "the file"), BENCHMARKS[space]))


def _by_dataset(name: str, found: Mapping[str, Any], benchmark: str) -> Iterator[Section]:
    """A dictionary of architectures a data set, possibly below the benchmark's name."""
    others = set(found) & {*BENCHMARKS.values(), *OTHER_BENCHMARKS}
    is_named = benchmark in found
    if others and not is_named:
        raise _of_others(name, others, benchmark)
    beside = tuple(key for key in found if key != benchmark) if is_named else ()
    found = _mapping(found[benchmark], name, benchmark) if is_named else found
    for dataset, values in found.items():
        architectures = _mapping(values, name, dataset)
        yield Section(
            name,
            dataset_word(dataset),
            [(key, _mapping(fields, name, f"{dataset}, {described(key)}")) for key, fields in architectures.items()],
            is_named,
            is_keyed=is_named,
            beside=beside,
        )
        beside = ()


def _run(name: str, found: list[Any], space: str) -> Section:
    """NASLib's own list: one object an architecture, whose name says the benchmark and the data set."""
    match = _RUN.fullmatch(name)
    if match is None:
        raise IngestError(
            f"{name}: a list of architectures, whose benchmark and data set only the file's name could say, as "
            "benchmark--nasbench201--cifar10--0.json does. Nothing was stored. Give it the name that NASLib gave it."
        )
    if match[1] != BENCHMARKS[space]:
        raise _of_others(name, {match[1]}, BENCHMARKS[space])
    architectures = []
    for place, item in enumerate(found):
        fields = _mapping(item, name, f"entry {place}")
        key = fields.get("arch")
        if not isinstance(key, str):
            raise IngestError(
                f"{name}: entry {place} has the arch {described(key)}; a text is needed. Nothing was stored."
            )
        architectures.append((key, fields))
    return Section(name, dataset_word(match[2]), architectures, is_named=True)


def _mapping(value: Any, name: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise IngestError(f"{name}: {what[:120]} is {described(value)}; an object is needed. Nothing was stored.")
    return value


def _table(path: Path, size_limit: int) -> Section:
    """A comma-separated table: a column ``net`` and one a proxy."""
    dataset = dataset_in(path.name)
    if dataset is None:
        raise IngestError(
            f"{path.name}: the name does not say the data set, as published_proxies_cifar10.csv does; nothing was "
            "stored."
        )
    table = TextTable.read(path, size_limit)
    proxies = [name for name in PROXIES if name in table.columns]
    if "net" not in table.columns or not proxies:
        raise IngestError(
            f"{path.name}: the columns are {', '.join(table.columns)[:200]}; needed are net and proxies such as nwot. "
            "Nothing was stored."
        )
    values = [name for name in (*PROXIES, "val_accuracy") if name in table.columns]
    if unknown := [name for name in table.columns if name not in ("net", "net_str", *values)]:
        raise IngestError(
            f"{path.name}: unknown column {described(unknown[0])}; known are net, net_str, val_accuracy, "
            f"{', '.join(PROXIES)}. Nothing was stored."
        )
    nets = table.texts("net")
    for row, text in enumerate(table.texts("net_str") if "net_str" in table.columns else []):
        if _cell(nets[row]) != text:
            table.fail(row, f"net {nets[row][:200]} is the cell {_cell(nets[row])}, but net_str is {text[:200]}.")
    columns = {name: _floats(table, name) for name in values}
    rows = [dict(zip(columns, numbers, strict=True)) for numbers in zip(*columns.values(), strict=True)]
    return Section(path.name, dataset, list(zip(nets, rows, strict=True)))


def _cell(net: str) -> str:
    """The architecture string of NASLib's tuple; something that no other text equals where it is none."""
    try:
        return nb201.format_cell(nb201.parse(net))
    except IdentifierError:
        return "none at all"


def _floats(table: TextTable, column: str) -> list[float]:
    """A column as numbers; the suite's failures (-1e8, inf, nan) among them."""
    values = []
    for row, text in enumerate(table.texts(column)):
        try:
            values.append(float(text))
        except ValueError:
            table.fail(row, f"{column} is {text[:80] or 'empty'}; a number is needed.")
    return values
