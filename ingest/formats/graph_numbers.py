"""The metrics and proxies of a user's own graphs, as a line of JSON gives them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from catalog.errors import IngestError
from catalog.spaces.staged.public_table import METRIC_KINDS
from catalog.tables.plausible import plausible
from ingest.reading.dataset_names import dataset_word, split_word
from ingest.reading.directions import Directions
from ingest.reading.magnitudes import is_number, needed
from ingest.reading.metric_columns import MetricColumns, ScoreColumns
from ingest.reading.percents import ALLOWED, Percents, is_accuracy, is_misspelt_accuracy
from ingest.reading.pickled_values import described

_METRIC_TEXTS = ("dataset", "split", "stage", "device", "kind")
_METRIC_NUMBERS = ("epochs", "seed", "repeat")
_METRIC_FIELDS = ("name", "value", "direction", *_METRIC_TEXTS, *_METRIC_NUMBERS)

Record = Mapping[str, Any]
"""The object of one line."""


class Numbers:
    """The metrics and proxies of one batch.

    Parameters
    ----------
    directions
        Gets the directions that the file says.
    percents
        Watches the accuracies of the whole file.
    """

    def __init__(self, directions: Directions, percents: Percents) -> None:
        self._directions = directions
        self._percents = percents
        self._metrics = MetricColumns()
        self._scores = ScoreColumns()

    def tables(self) -> tuple[pa.Table, pa.Table]:
        """Metrics and scores, as a batch takes them."""
        return self._metrics.table(), self._scores.table()

    def add(self, where: str, row: int, record: Record) -> None:
        """Check the numbers of one record, the architecture at `row` of the batch, and take them in."""
        measured: set[tuple[tuple[str, Any], ...]] = set()
        for metric in listed(where, record, "metrics"):
            columns = _metric(where, metric)
            if (word := columns.pop("direction", None)) is not None:
                self._directions.add(self._directions.metrics, where, columns["name"], word)
            same = tuple(sorted((field, value) for field, value in columns.items() if field != "value"))
            if same in measured:
                raise fault(
                    where, f"{_group(columns)} stands there twice; give each its own seed or repeat, or remove one"
                )
            measured.add(same)
            self._metrics.add(row, **columns)
            if is_accuracy(columns["name"]):
                self._percents.see(_group(columns), columns["value"], where)
        proxies = record.get("proxies", {})
        if not isinstance(proxies, dict):
            raise fault(where, f"proxies is {described(proxies)}; an object from names to numbers is needed")
        for name, value in proxies.items():
            if isinstance(value, dict):
                value, word = _directed(where, name, value)
                self._directions.add(self._directions.proxies, where, name, word)
            score, reason = _score(where, name, value)
            self._scores.add(row, name, score, reason=reason)


def fault(where: str, what: str) -> IngestError:
    """The error for something wrong in a line."""
    return IngestError(f"{where}: {what}. Nothing was stored.")


def listed(where: str, record: Record, field: str) -> list[Any]:
    """A field that is a list, or no field."""
    value = record.get(field, [])
    if not isinstance(value, list):
        raise fault(where, f"{field} is {described(value)}; a list is needed")
    return value


def _metric(where: str, metric: Any) -> dict[str, Any]:
    """The columns of one metric, checked."""
    if not isinstance(metric, dict) or not set(metric) <= set(_METRIC_FIELDS):
        known = ", ".join(_METRIC_FIELDS)
        raise fault(where, f"a metric is {described(metric)}; an object with some of {known} is needed")
    columns = {field: value for field, value in metric.items() if value is not None}
    name, value = columns.get("name"), columns.get("value")
    if not isinstance(name, str) or not 1 <= len(name) <= 200:
        raise fault(where, f"a metric has the name {described(name)}; a text is needed")
    if not is_number(value):
        raise fault(where, f"the metric {described(name)} has the value {described(value)}; {needed(value)}")
    if is_misspelt_accuracy(name):
        raise fault(where, f"a metric has the name {described(name)}; call it 'accuracy', so that it is one column")
    if is_accuracy(name) and not 0 <= value <= 100:
        raise fault(where, f"{described(name)} is {described(value)}; {ALLOWED}")
    _check_range(where, name, value)
    for field in _METRIC_TEXTS:
        if field in columns and (not isinstance(columns[field], str) or not 1 <= len(columns[field]) <= 200):
            raise fault(
                where, f"{field} of the metric {described(name)} is {described(columns[field])}; a text is needed"
            )
    for field in _METRIC_NUMBERS:
        number = columns.get(field, 0)
        if type(number) is not int or not 0 <= number < (2**15 if field == "repeat" else 2**31):
            raise fault(
                where, f"{field} of the metric {described(name)} is {described(number)}; a whole number is needed"
            )
    if columns.get("kind", "trained") not in METRIC_KINDS:
        raise fault(
            where,
            f"kind of the metric {described(name)} is {described(columns['kind'])}; known are "
            f"{', '.join(METRIC_KINDS)}",
        )
    if "dataset" in columns:
        columns["dataset"] = dataset_word(columns["dataset"])
    if "split" in columns:
        columns["split"] = split_word(columns["split"])
    return {"kind": "trained", **columns, "value": float(value)}


def _check_range(where: str, name: str, value: float) -> None:
    allowed = plausible(name)
    if allowed is not None and not allowed.low <= value <= allowed.high:
        raise fault(where, f"{described(name)} is {described(value)}; a value {allowed} is needed")


def _group(columns: Mapping[str, Any]) -> str:
    """What a message calls the metrics that one column of the wide view would show."""
    words = [str(columns[field]) for field in ("dataset", "split", "device", "stage") if field in columns]
    words += [str(columns["kind"])] if columns["kind"] != "trained" else []
    epochs = [f"{columns['epochs']} epochs"] if "epochs" in columns else []
    about = ", ".join(words + epochs)
    return f"{columns['name']} ({about})" if about else str(columns["name"])


def _directed(where: str, name: str, proxy: Record) -> tuple[Any, Any]:
    """Value and direction of a proxy that is an object."""
    if set(proxy) != {"value", "direction"}:
        raise fault(where, f"the proxy {described(name)} is {described(proxy)}; an object has value and direction")
    return proxy["value"], proxy["direction"]


def _score(where: str, name: str, value: Any) -> tuple[float | None, str | None]:
    """Value of a proxy, or the reason why there is none."""
    if not 1 <= len(name) <= 200:
        raise fault(where, f"a proxy has the name {described(name)}; a text of 1 to 200 characters is needed")
    if value is None:
        return None, "the source has no value"
    if not isinstance(value, int | float) or isinstance(value, bool) or (isinstance(value, int) and abs(value) > 2**63):
        raise fault(
            where,
            f"the proxy {described(name)} is {described(value)}; a number, null, or an object with value and direction "
            "is needed",
        )
    if not math.isfinite(value):
        return None, f"the source has {value}"
    _check_range(where, name, value)
    return float(value), None
