"""NAS-Bench-101's record files, ``nasbench_full.tfrecord`` and ``nasbench_only108.tfrecord``."""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import IngestError
from catalog.spaces.nb101 import parameters_as_drawn
from catalog.spaces.nb101_arrays import read_arrays
from catalog.spaces.nb101_hash import module_hashes
from catalog.tables.plausible import SECONDS
from ingest.formats.nb101_modules import Modules
from ingest.reading.batch import Batch, SourceFacts, metric_rows
from ingest.reading.model_metrics import Measurements, MetricsError, measurements
from ingest.reading.pickled_values import described
from ingest.reading.sources import DEFAULT_SIZE_LIMIT, open_stream
from ingest.reading.tfrecord import records

_RECORDS_A_BATCH = 60_000
_BUDGETS = (4, 12, 36, 108)
_MOST_REPEATS = 255
_OFFICIAL_REPEATS = 3
_OPERATOR_DIGITS = {"conv3x3-bn-relu": "0", "conv1x1-bn-relu": "1", "maxpool3x3": "2"}
_MEASURED = (
    ("half", "training_time", None),
    ("half", "accuracy", "train"),
    ("half", "accuracy", "valid"),
    ("half", "accuracy", "test"),
    ("final", "training_time", None),
    ("final", "accuracy", "train"),
    ("final", "accuracy", "valid"),
    ("final", "accuracy", "test"),
)
"""Stage, name and split of the first eight measurements; the ninth is the number of parameters."""


class NASBench101Records:
    """Reads one record file, a batch of 60,000 trainings at a time.

    Each training gives, half-way and at its end, ``accuracy`` (percent) of the splits train, valid and test and
    ``training_time`` (seconds), under its budget as ``epochs`` and with its ordinal among the trainings of the same
    module and budget as ``repeat``; a module's first training also gives its ``parameters``. Every graph is checked
    against its hash and its parameters, every training against its length and the benchmark's definition of its fields:
    other benchmarks use the same frames and hashes.
    """

    space = "nb101"

    def __init__(self, *, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        return SourceFacts(
            name="nb101",
            kind="nb101-records",
            version="only108" if "108" in path.name else "full",
            licence="Apache-2.0",
            citation="Ying et al., NAS-Bench-101, ICML 2019, arXiv 1902.09635",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        trainings = _Trainings()
        chunk = _Chunk(path.name, 1)
        with open_stream(path, self.size_limit) as stream:
            for data in records(stream):
                chunk.add(data)
                if len(chunk) == _RECORDS_A_BATCH:
                    yield trainings.batch(chunk)
                    chunk = _Chunk(path.name, chunk.first + len(chunk))
        if len(chunk):
            yield trainings.batch(chunk)


class _Chunk:
    """Consecutive records, parsed."""

    def __init__(self, name: str, first: int) -> None:
        self.first = first
        self.hashes: list[str] = []
        self.budgets: list[int] = []
        self.adjacency: list[str] = []
        self.operators: list[str] = []
        self.measured: list[Measurements] = []
        self._name = name

    def __len__(self) -> int:
        return len(self.measured)

    def add(self, data: bytes) -> None:
        """Parse one record."""
        try:
            match _DECODER.decode(data.decode()):
                case [str() as module, int() as budget, str() as adjacency, str() as operators, str() as metrics]:
                    self.hashes.append(module)
                    self.budgets.append(budget)
                    self.adjacency.append(adjacency)
                    self.operators.append(operators)
                    if budget in _BUDGETS:
                        self.measured.append(measurements(binascii.a2b_base64(metrics), budget))
                case other:
                    self.fail(len(self), f"it is {described(other)}; {_EXPECTED}")
        except MetricsError as error:
            self.fail(len(self), str(error))
        except (ValueError, RecursionError):  # no JSON, no UTF-8 or no base 64
            self.fail(len(self), f"it is {described(data)}; {_EXPECTED}")
        if budget not in _BUDGETS:
            self.fail(
                len(self), f"a training of {described(budget)} epochs; {', '.join(map(str, _BUDGETS))} are possible"
            )

    def fail(self, row: int, what: str) -> NoReturn:
        """Raise the error for something wrong in the record at `row` of the chunk."""
        raise IngestError(f"{self._name}: record {self.first + row}: {what}; nothing was stored.")


_DECODER = json.JSONDecoder()
_EXPECTED = "a JSON list of module hash, epochs, adjacency, operators and base-64 metrics is needed"


class _Trainings:
    """The modules met so far, and how many trainings each has had at each budget."""

    def __init__(self) -> None:
        self._modules = Modules()
        self._counts = np.zeros((len(self._modules), len(_BUDGETS)), dtype=np.int16)
        self._known = np.zeros(len(self._modules), dtype=bool)
        self._prints = np.zeros((len(self._modules), len(_BUDGETS), _OFFICIAL_REPEATS), dtype=np.int64)

    def batch(self, chunk: _Chunk) -> Batch:
        """The chunk's modules and the metrics of its trainings."""
        places = self._modules.places(chunk.hashes, chunk.fail)
        distinct, rows = np.unique(places, return_inverse=True)
        repeats = self._repeats(chunk, places)
        first = self._first_occurrences(places)
        values = self._values(chunk)
        self._check_graphs(chunk, places, values[:, -1])
        budgets = np.array(chunk.budgets, dtype=np.int32)
        parts = [
            metric_rows(
                rows,
                values[:, column] * (1 if name == "training_time" else 100),
                name=name,
                kind="trained",
                dataset="cifar10",
                split=split,
                epochs=budgets,
                stage=stage,
                repeat=repeats,
            )
            for column, (stage, name, split) in enumerate(_MEASURED)
        ]
        parts.append(metric_rows(rows[first], values[first, -1], name="parameters", kind="reported", dataset="cifar10"))
        notes = self._equal_trainings(chunk, places, repeats)
        return Batch(self._modules.members(distinct), len(chunk), pa.concat_tables(parts), notes=notes)

    def _equal_trainings(self, chunk: _Chunk, places: NDArray[np.intp], repeats: NDArray[np.int16]) -> tuple[str, ...]:
        """A note on trainings that equal an earlier one of their module and length in every measurement."""
        budgets = np.searchsorted(_BUDGETS, chunk.budgets)
        prints = np.fromiter(map(hash, chunk.measured), dtype=np.int64, count=len(chunk))
        kept = repeats <= _OFFICIAL_REPEATS
        self._prints[places[kept], budgets[kept], repeats[kept] - 1] = prints[kept]
        earlier = np.arange(1, _OFFICIAL_REPEATS + 1) < repeats[:, None]  # (records, slots)
        equal = np.flatnonzero((earlier & (self._prints[places, budgets] == prints[:, None])).any(axis=1))
        if not len(equal):
            return ()
        return (
            f"{len(equal):,} trainings equal an earlier one of the same module and length in every measurement, the "
            f"first in record {chunk.first + int(equal[0])}: one training may stand twice in the file.",
        )

    def _values(self, chunk: _Chunk) -> NDArray[np.float64]:
        """The measurements, (records, 9)."""
        values = np.array(chunk.measured)
        most = np.array([SECONDS.high if name == "training_time" else 1 for _, name, _ in _MEASURED] + [2**31])
        wrong = np.flatnonzero(~((values >= 0) & (values <= most)).all(axis=1))
        if len(wrong):
            row = int(wrong[0])
            chunk.fail(
                row,
                f"the measurements {chunk.measured[row]}; times are {SECONDS}, accuracies fractions from 0 to 1",
            )
        return values

    def _repeats(self, chunk: _Chunk, places: NDArray[np.intp]) -> NDArray[np.int16]:
        """The ordinal of each record among the trainings of its module at its budget, from 1."""
        budget_places = np.searchsorted(_BUDGETS, chunk.budgets)
        keys = places * len(_BUDGETS) + budget_places
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        lengths = np.diff(np.append(starts, len(ordered)))
        ordinals = np.arange(len(ordered)) - np.repeat(starts, lengths)
        repeats = np.empty(len(keys), dtype=np.int64)
        repeats[order] = ordinals + 1 + self._counts[places[order], budget_places[order]]
        if repeats.max() > _MOST_REPEATS:
            row = int(np.argmax(repeats))
            chunk.fail(
                row,
                f"more than {_MOST_REPEATS} trainings of the module {chunk.hashes[row]} at {chunk.budgets[row]} epochs",
            )
        np.maximum.at(self._counts, (places, budget_places), repeats.astype(np.int16))
        return repeats.astype(np.int16)

    def _first_occurrences(self, places: NDArray[np.intp]) -> NDArray[np.intp]:
        """Rows of the chunk whose module was not met before."""
        _, first = np.unique(places, return_index=True)
        first = np.sort(first[~self._known[places[first]]])
        self._known[places] = True
        return first

    def _check_graphs(self, chunk: _Chunk, places: NDArray[np.intp], parameters: NDArray[np.float64]) -> None:
        """Compare each record's graph with its hash and with its number of parameters.

        Records of one module repeat their graph, so each text is looked at once. The benchmark stores the form that
        its enumeration meets first: a graph that is exactly this form needs no hashing.
        """
        distinct: dict[tuple[str, str, str, float], int] = {}
        keys = zip(chunk.hashes, chunk.adjacency, chunk.operators, parameters.tolist(), strict=True)
        for row, key in enumerate(keys):
            distinct.setdefault(key, row)
        rows = np.fromiter(distinct.values(), dtype=np.intp, count=len(distinct))

        def fail(place: int, what: str) -> NoReturn:
            chunk.fail(int(rows[place]), what)

        digits = [_digits(chunk.operators[row]) for row in rows.tolist()]
        stored = {len(part.cells.operators[0]): part for part in self._modules.cells(places[rows])}
        for part in read_arrays([chunk.adjacency[row] for row in rows.tolist()], digits, fail):
            differs = np.ones(len(part.rows), dtype=bool)
            expected = stored.get(part.cells.operators.shape[1])
            if expected is not None and np.array_equal(expected.rows, part.rows):
                differs = (expected.cells.adjacency != part.cells.adjacency).any(axis=(1, 2))
                differs |= (expected.cells.operators != part.cells.operators).any(axis=1)
            others = np.flatnonzero(differs)
            hashes = module_hashes(part.cells.adjacency[others], part.cells.operators[others])
            for place, computed in zip(part.rows[others].tolist(), hashes, strict=True):
                stated = chunk.hashes[rows[place]]
                if computed != stated:
                    fail(place, f"its graph has the hash {computed}, but it is stored under {stated}")
            counted = parameters_as_drawn(part.cells)
            published = parameters[rows[part.rows]]
            for wrong in np.flatnonzero(counted != published)[:1].tolist():
                fail(
                    int(part.rows[wrong]),
                    f"{published[wrong]:,.0f} trainable parameters, but its graph's network has {counted[wrong]:,}",
                )


def _digits(operators: str) -> str:
    """The interior operators as digits; anything else than the benchmark's words makes a text that no module has."""
    words: list[Any] = operators.split(",")
    if words[0] != "input" or words[-1] != "output":
        return "?"
    return "".join(_OPERATOR_DIGITS.get(word, "?") for word in words[1:-1])
