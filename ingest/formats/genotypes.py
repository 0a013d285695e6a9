"""Lists of DARTS genotypes: tables, JSON, text with ``Genotype(...)``, NDS training logs, and the published cells."""

from __future__ import annotations

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError
from catalog.spaces import genotype
from ingest.formats.published_genotypes import published_cells
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.dataset_names import dataset_in
from ingest.reading.metric_columns import MetricColumns
from ingest.reading.pickled_values import described
from ingest.reading.sources import JSON_SIZE_LIMIT, open_stream, read_json
from ingest.reading.text_table import TextTable

_ACCURACY = re.compile(
    r"(?P<dataset>[a-z0-9-]{1,40}?)_(?:(?P<best>best)_)?(?P<split>valid|val|test)_acc(?:uracy)?", re.IGNORECASE
)
_CALL = re.compile(r"\bGenotype\s{0,20}\(")
_LONGEST_CALL = 4000
_RECORDS_A_BATCH = 5000
_SPLITS = {"val": "valid", "valid": "valid", "test": "test"}


@dataclass
class _Listed:
    """One genotype of a list, with the metrics that stand beside it: (name, value, further columns)."""

    where: str
    identifier: Any
    metrics: list[tuple[str, float, dict[str, Any]]] = field(default_factory=list)
    is_training: bool = True


class Genotypes:
    """Reads one list of genotypes.

    * ``.csv``: a column ``genotype`` and accuracies such as ``cifar10_test_acc`` or ``cifar10_best_test_acc`` (percent;
      ``best`` becomes the stage: the best epoch's value was chosen on that split).
    * ``.json``: a list of genotypes, or of objects with ``genotype`` and such accuracies, or an object from names to
      genotypes; or the training logs of NDS, whose errors become accuracies: ``accuracy`` that of the
      last epoch, ``best_accuracy`` that of the best one; the network's ``init_channels`` and ``layers`` beside them.
    * any other text: every ``Genotype(...)`` in it.

    Equal genotypes are one architecture; its trainings get the ordinals 1, 2, ... as ``repeat``.

    Parameters
    ----------
    epochs
        Length of the trainings, where the file does not say it.
    """

    space = "darts"

    def __init__(self, *, epochs: int | None = None, size_limit: int = JSON_SIZE_LIMIT) -> None:
        self.epochs = epochs
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        stem = re.sub(r"\W+", "_", path.name.split(".")[0].lower()).strip("_")
        if "trained" in stem:
            return SourceFacts(name="darts_trained", kind="darts-genotypes")
        if ".json" in path.suffixes and path.name.startswith("DARTS"):  # as the NDS files are called
            citation = "Radosavovic et al., On network design spaces, ICCV 2019, arXiv 1905.13214"
            return SourceFacts(name=f"nds_{stem}", kind="darts-genotypes", licence="MIT", citation=citation)
        return SourceFacts(name=stem, kind="darts-genotypes")

    def read(self, path: Path) -> Iterator[Batch]:
        if ".csv" in path.suffixes:
            listed = self._table(path)
        elif ".json" in path.suffixes:
            listed = self._json(path)
        else:
            listed = self._text(path)
        repeats: Counter[str] = Counter()
        part: list[_Listed] = []
        for item in listed:
            part.append(item)
            if len(part) == _RECORDS_A_BATCH:
                yield _batch(part, repeats)
                part = []
        if part:
            yield _batch(part, repeats)

    def _table(self, path: Path) -> Iterator[_Listed]:
        table = TextTable.read(path, self.size_limit)
        if "genotype" not in table.columns:
            raise IngestError(
                f"{path.name} line 1: the columns are {', '.join(table.columns)[:200]}; a column genotype is needed. "
                "Nothing was stored."
            )
        accuracies = {name: match for name in table.columns if (match := _ACCURACY.fullmatch(name))}
        values = {name: table.numbers(name, 0, 100, "accuracies are percent, 0 to 100").tolist() for name in accuracies}
        for row, text in enumerate(table.texts("genotype")):
            metrics = [self._accuracy(match, values[name][row]) for name, match in accuracies.items()]
            yield _Listed(f"{path.name} line {row + 2}", text, metrics)

    def _accuracy(self, match: re.Match[str], value: float) -> tuple[str, float, dict[str, Any]]:
        columns = {
            "dataset": dataset_in(match["dataset"]) or match["dataset"].lower(),
            "split": _SPLITS[match["split"].lower()],
            "epochs": self.epochs,
            "stage": "best" if match["best"] else "final",
        }
        return "accuracy", value, columns

    def _json(self, path: Path) -> Iterator[_Listed]:
        dataset = "imagenet" if re.search(r"_in\b|imagenet", path.stem.lower()) else "cifar10"
        for key, item in _json_entries(read_json(path, self.size_limit), path):
            where = f"{path.name}: entry {described(key)}"
            if isinstance(item, dict) and isinstance(item.get("net"), dict):
                yield _nds(where, item, dataset)
            elif isinstance(item, dict) and "genotype" in item:
                given = [self._given(where, name, value) for name, value in item.items() if name != "genotype"]
                yield _Listed(where, item["genotype"], given)
            else:
                yield _Listed(where, item)

    def _given(self, where: str, name: str, value: Any) -> tuple[str, float, dict[str, Any]]:
        match = _ACCURACY.fullmatch(name)
        if match is None:
            raise IngestError(
                f"{where}: it has the field {described(name)}; accuracies are called cifar10_test_acc and the like. "
                "Nothing was stored."
            )
        return self._accuracy(match, _number(where, name, value, 100))

    def _text(self, path: Path) -> Iterator[_Listed]:
        with open_stream(path, self.size_limit) as stream:
            text = b"".join(iter(stream.read, b"")).decode("utf-8", "replace")
        line, counted = 1, 0
        found = False
        for match in _CALL.finditer(text):
            line += text.count("\n", counted, match.start())
            counted = match.start()
            if text.endswith("class ", 0, counted):
                continue
            end = _closing(text, match.end())
            if end is None:
                raise IngestError(
                    f"{path.name} line {line}: a Genotype( without its closing bracket; nothing was stored."
                )
            found = True
            yield _Listed(f"{path.name} line {line}", text[counted:end])
        if not found:
            raise IngestError(f"{path.name}: no Genotype(...) in it; nothing was stored.")


class PublishedGenotypes:
    """The built-in list ``darts-published``; there is no file to read."""

    space = "darts"

    def facts(self, path: Path | None = None) -> SourceFacts:
        return SourceFacts(name="published", kind="darts-published", citation="the papers that published the cells")

    def digest(self) -> str:
        """SHA-256 of the list, which stands for a file's."""
        return hashlib.sha256(repr(published_cells()).encode()).hexdigest()

    def read(self, path: Path | None = None) -> Iterator[Batch]:
        listed = []
        for cell in published_cells():
            metrics: list[tuple[str, float, dict[str, Any]]] = [
                ("accuracy", value, {"kind": "reported", "dataset": dataset, "split": "test"})
                for dataset, value in cell.accuracies.items()
            ]
            metrics += [
                ("parameters", value, {"kind": "reported", "dataset": dataset})
                for dataset, value in cell.parameters.items()
            ]
            listed.append(_Listed(cell.name, cell.genotype, metrics, is_training=False))
        yield _batch(listed, Counter())


def _closing(text: str, start: int) -> int | None:
    """The place after the bracket that closes the one before `start`."""
    depth = 1
    for place in range(start, min(len(text), start + _LONGEST_CALL)):
        depth += {"(": 1, ")": -1}.get(text[place], 0)
        if depth == 0:
            return place + 1
    return None


def _json_entries(found: Any, path: Path) -> list[tuple[Any, Any]]:
    """(key or place, genotype or object) of each entry."""
    if not isinstance(found, dict):
        return list(enumerate(_list(found, path)))
    if {"top", "mid"} <= set(found):  # NDS files of the best and of the other networks
        return list(enumerate([*_list(found["top"], path), *_list(found["mid"], path)]))
    if {"normal", "reduce"} <= set(found):
        return [("the only one", found)]
    return list(found.items())


def _list(value: Any, path: Path) -> Sequence[Any]:
    if not isinstance(value, list):
        raise IngestError(f"{path.name}: holds {described(value)}; a list of genotypes is needed. Nothing was stored.")
    return value


def _number(where: str, name: str, value: Any, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= high:
        raise IngestError(
            f"{where}: {name[:60]} is {described(value)}; a number from 0 to {high:g} is needed. Nothing was stored."
        )
    return float(value)


def _nds(where: str, entry: Mapping[str, Any], dataset: str) -> _Listed:
    """One training log of NDS (Radosavovic et al. 2019, arXiv 1905.13214); errors are percent."""
    net = entry["net"]
    if not isinstance(net.get("genotype"), dict):
        raise IngestError(
            f"{where}: the net is {described(net)}; a DARTS network with a genotype is needed. Nothing was stored."
        )
    errors = entry.get("test_ep_top1")
    if not isinstance(errors, list) or not errors:
        raise IngestError(
            f"{where}: test_ep_top1 is {described(errors)}; a list of errors is needed. Nothing was stored."
        )
    common = {"dataset": dataset, "epochs": len(errors)}
    final = 100 - _number(where, "test_ep_top1", errors[-1], 100)
    metrics: list[tuple[str, float, dict[str, Any]]] = [
        ("accuracy", final, {**common, "split": "test", "stage": "final"})
    ]
    if "min_test_top1" in entry:
        best = 100 - _number(where, "min_test_top1", entry["min_test_top1"], 100)
        metrics.append(("best_accuracy", best, {**common, "split": "test", "stage": "best"}))
    for name, source, key in (
        ("parameters", entry, "params"),
        ("flops", entry, "flops"),
        ("init_channels", net, "width"),
        ("layers", net, "depth"),
    ):
        if key in source:
            metrics.append((name, _number(where, key, source[key], 1e15), {**common, "kind": "reported"}))
    return _Listed(where, net["genotype"], metrics)


def _batch(listed: Sequence[_Listed], repeats: Counter[str]) -> Batch:
    rows: dict[str, int] = {}
    metrics = MetricColumns()
    for item in listed:
        try:
            native = str(genotype.parse(item.identifier))
        except IdentifierError as error:
            raise IngestError(f"{item.where}: {error} Nothing was stored.") from None
        row = rows.setdefault(native, len(rows))
        repeats[native] += 1
        repeat = repeats[native] if item.is_training else None
        for name, value, columns in item.metrics:
            if not math.isfinite(value):
                raise IngestError(f"{item.where}: {name} is {value}; a number is needed. Nothing was stored.")
            metrics.add(row, name, value, repeat=repeat, **columns)
    return Batch(Members(list(rows)), len(listed), metrics.table())
