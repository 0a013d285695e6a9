"""NAS-Bench-Suite-Zero's published proxies: ``zc_*.json`` in both layouts, and tables of them."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError
from catalog.spaces import genotype, nb201
from catalog.spaces.nb101 import NASBench101
from ingest.formats.nb101_modules import Modules
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.dataset_names import dataset_in, dataset_word
from ingest.reading.metric_columns import MetricColumns, ScoreColumns
from ingest.reading.pickled_values import described
from ingest.reading.sources import JSON_SIZE_LIMIT, read_json
from ingest.reading.text_table import TextTable

PROXIES = (
    "epe_nas", "fisher", "flops", "grad_norm", "grasp", "jacov", "l2_norm", "nwot", "params", "plain", "snip",
    "synflow", "zen",
)  # fmt: skip
"""The proxies of the suite, by its own names."""

_OUR_NAMES = {"synflow": "logsynflow"}  # the suite publishes the logarithm
_MILLIONS = ("params", "flops")
_FAILED = -1e8
_ARCHITECTURES_A_BATCH = 5000
_DESCRIPTIVE = ("idx", "id", "arch")
_BENCHMARKS = {"nb101": "nasbench101", "nb201": "nasbench201", "darts": "nasbench301"}
_NB101_OPERATORS = ("input", "output", "maxpool3x3", "conv1x1-bn-relu", "conv3x3-bn-relu")  # NASLib's numbers


class SuiteZero:
    """Reads one file of one benchmark.

    JSON files have a dictionary of architectures a data set, possibly below the benchmark's name; a proxy is a number,
    or its ``score`` and ``time`` in seconds. Tables have a column ``net`` and one a proxy, and their name says the data
    set. Scores keep the file's data set as ``input``; ``params`` and ``flops``, published in millions, become counts;
    the suite's ``synflow`` is a logarithm and is stored as ``logsynflow``. -1e8 and what is not finite mark failures.
    ``val_accuracy`` becomes a metric of the split ``valid``: of kind ``surrogate`` for NAS-Bench-301, whose file has
    the surrogate's predictions, and ``reported`` for the others.

    Parameters
    ----------
    space
        ``nb101``, ``nb201`` or ``darts`` (NAS-Bench-301).
    """

    def __init__(self, space: str, *, size_limit: int = JSON_SIZE_LIMIT) -> None:
        self.space = space
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        benchmark = _BENCHMARKS[self.space]
        return SourceFacts(
            name=f"suite_zero_{benchmark}" + _marked(path),
            kind="suite-zero",
            licence="Apache-2.0",
            citation="Krishnakumar et al., NAS-Bench-Suite-Zero, NeurIPS 2022, arXiv 2210.03230",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        names = _IDENTIFIERS[self.space]()
        kind = "surrogate" if self.space == "darts" else "reported"
        sections = _table(path, self.size_limit) if ".csv" in path.suffixes else self._sections(path)
        for dataset, architectures in sections:
            for start in range(0, len(architectures), _ARCHITECTURES_A_BATCH):
                part = architectures[start : start + _ARCHITECTURES_A_BATCH]
                yield _Section(path.name, dataset, kind, part).batch(names)

    def _sections(self, path: Path) -> Iterator[tuple[str, list[tuple[str, Mapping[str, Any]]]]]:
        """(data set, architectures) of a JSON file."""
        found = _mapping(read_json(path, self.size_limit), path.name, "the file")
        benchmark = _BENCHMARKS[self.space]
        others = set(found) & {*_BENCHMARKS.values(), "transbench101_micro", "transbench101_macro"}
        if others and benchmark not in found:
            raise IngestError(
                f"{path.name}: proxies of {', '.join(sorted(others))}, not of {benchmark}; nothing was stored. Name "
                "that benchmark in the command."
            )
        found = _mapping(found[benchmark], path.name, benchmark) if benchmark in found else found
        for dataset, values in found.items():
            architectures = _mapping(values, path.name, dataset)
            yield (
                dataset_word(dataset),
                [
                    (key, _mapping(fields, path.name, f"{dataset}, {described(key)}"))
                    for key, fields in architectures.items()
                ],
            )


def _marked(path: Path) -> str:
    """What tells a file from others of the same benchmark: what its name has after an ``@``."""
    found = re.search(r"@(\w{1,16})", path.name)
    return f"_{found[1]}" if found else ""


def _mapping(value: Any, name: str, what: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise IngestError(f"{name}: {what[:120]} is {described(value)}; an object is needed. Nothing was stored.")
    return value


def _table(path: Path, size_limit: int) -> Iterator[tuple[str, list[tuple[str, Mapping[str, Any]]]]]:
    """The one section of a comma-separated table."""
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
    nets = table.texts("net")
    for row, text in enumerate(table.texts("net_str") if "net_str" in table.columns else []):
        if _cell(nets[row]) != text:
            table.fail(row, f"net {nets[row]} is the cell {_cell(nets[row])}, but net_str is {text}.")
    columns = {name: _floats(table, name) for name in (*proxies, "val_accuracy") if name in table.columns}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    yield dataset, list(zip(nets, rows, strict=True))


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


class _Section:
    """Architectures of one data set, on their way into a batch."""

    def __init__(
        self, name: str, dataset: str, kind: str, architectures: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> None:
        self._name = name
        self._dataset = dataset
        self._kind = kind
        self._architectures = architectures

    def fail(self, row: int, what: str) -> NoReturn:
        """Raise the error for something wrong in one architecture."""
        key = described(self._architectures[row][0])
        raise IngestError(f"{self._name}: {self._dataset}, architecture {key}: {what}; nothing was stored.")

    def batch(self, names: Identifiers) -> Batch:
        """The section's scores and accuracies."""
        members, rows = names.members([key for key, _ in self._architectures], self.fail)
        scores, metrics = ScoreColumns(), MetricColumns()
        for place, (row, (_, fields)) in enumerate(zip(rows, self._architectures, strict=True)):
            for field, value in fields.items():
                if field in PROXIES:
                    score, reason, seconds = self._score(place, field, value)
                    scores.add(
                        row, _OUR_NAMES.get(field, field), score, data=self._dataset, reason=reason, seconds=seconds
                    )
                elif field == "val_accuracy":
                    accuracy = self._number(place, field, value)
                    if not 0 <= accuracy <= 100:
                        self.fail(place, f"val_accuracy is {accuracy}; accuracies are percent, 0 to 100")
                    metrics.add(row, "accuracy", accuracy, kind=self._kind, dataset=self._dataset, split="valid")
                elif field not in _DESCRIPTIVE:
                    self.fail(
                        place, f"it has the field {described(field)}; known are {', '.join(PROXIES)} and val_accuracy"
                    )
        return Batch(members, len(self._architectures), metrics.table(), scores.table())

    def _score(self, place: int, field: str, value: Any) -> tuple[float | None, str | None, float | None]:
        """Value, reason of a failure, and seconds of one proxy."""
        seconds = None
        if isinstance(value, dict):
            seconds = self._number(place, f"{field} time", value["time"]) if value.get("time") is not None else None
            if seconds is not None and not 0 <= seconds < math.inf:
                self.fail(place, f"{field} took {seconds} seconds; a time of 0 or more is needed")
            value = value.get("score")
        number = self._number(place, field, value)
        if number == _FAILED or not math.isfinite(number):
            return None, f"the source has {number:g}", seconds
        return (float(round(number * 1e6)) if field in _MILLIONS else number), None, seconds

    def _number(self, place: int, field: str, value: Any) -> float:
        if isinstance(value, float):
            return value
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63:
            return float(value)
        return self.fail(place, f"{field} is {described(value)}; a number is needed")


class Identifiers:
    """Turns the keys of a file into members of a batch."""

    def members(self, keys: Sequence[str], fail: Callable[[int, str], NoReturn]) -> tuple[Members, list[int]]:
        """The distinct architectures, and the place among them of each key's one."""
        found: dict[str, int] = {}
        rows = []
        for place, key in enumerate(keys):
            try:
                native = self.native_id(key)
            except IdentifierError as error:
                fail(place, str(error))
            rows.append(found.setdefault(native, len(found)))
        return Members(list(found)), rows

    def native_id(self, key: str) -> str:
        """The native id of a key, or an `IdentifierError`."""
        raise NotImplementedError


class _NB201Identifiers(Identifiers):
    def native_id(self, key: str) -> str:
        return nb201.format_cell(nb201.parse(key))


class _DARTSIdentifiers(Identifiers):
    def native_id(self, key: str) -> str:
        return str(genotype.parse(key))


class _NB101Identifiers(Identifiers):
    """Module hashes, or NASLib's tuple of a flattened matrix and as many operator numbers as it has rows."""

    def __init__(self) -> None:
        self._modules = Modules()
        self._space = NASBench101()

    def members(self, keys: Sequence[str], fail: Callable[[int, str], NoReturn]) -> tuple[Members, list[int]]:
        named, rows = super().members(keys, fail)
        first = {row: place for place, row in reversed(list(enumerate(rows)))}

        def fail_at(row: int, what: str) -> NoReturn:
            fail(first[row], what)

        places = self._modules.places(named.native_ids, fail_at)
        distinct, order = np.unique(places, return_inverse=True)
        return self._modules.members(distinct), order[rows].tolist()

    def native_id(self, key: str) -> str:
        if re.fullmatch(r"[0-9a-f]{32}", key):
            return key
        numbers = _numbers(key)
        if numbers is None:
            return self._space.native_id(self._space.graph(key))
        size = math.isqrt(len(numbers))  # n * n + n numbers
        matrix = [numbers[start : start + size] for start in range(0, size * size, size)]
        operators = [_NB101_OPERATORS[number] for number in numbers[size * size :] if number < len(_NB101_OPERATORS)]
        return self._space.native_id(self._space.graph((matrix, operators)))


def _numbers(key: str) -> list[int] | None:
    """The numbers of a flat tuple; None for any other text."""
    if not re.fullmatch(r"[(\[][\d,\s]{3,400}[)\]]", key):
        return None
    try:
        values = ast.literal_eval(key)
    except (ValueError, SyntaxError):
        return None
    size = math.isqrt(len(values))
    if size * size + size != len(values):
        raise IdentifierError(f"a tuple of {len(values)} numbers; a matrix and its operators make n * n + n of them")
    return list(values)


_IDENTIFIERS: Mapping[str, Callable[[], Identifiers]] = {
    "nb101": _NB101Identifiers,
    "nb201": _NB201Identifiers,
    "darts": _DARTSIdentifiers,
}
