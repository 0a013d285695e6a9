"""Genotypes and what stands beside them in tables, JSON lists and the training logs of NDS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from catalog.errors import IngestError
from ingest.reading.dataset_names import dataset_word, split_word
from ingest.reading.percents import Percents
from ingest.reading.pickled_values import described
from ingest.reading.settings import stage_of_settings
from ingest.reading.shown import shown_names
from ingest.reading.text_table import TextTable

_ACCURACY = re.compile(
    r"(?P<dataset>[a-z0-9-]{1,40}?)_(?:(?P<best>best)_)?(?P<split>valid|val|test)_acc(?:uracy)?", re.IGNORECASE
)
_ALLOWED = "a genotype and accuracies in percent, called cifar10_test_acc, cifar10_best_test_acc and the like"
_NDS_FIELDS = {"net", "optim", "params", "flops", "test_ep_top1", "min_test_top1"}
_NDS_NET_FIELDS = frozenset({"genotype", "width", "depth"})
_NDS_NAME = re.compile(
    r"(?:darts|nasnet|amoeba|pnas|enas|vanilla|resnet(?:-b)?|resnext-[ab])"
    r"((?:_(?:in|imagenet|cifar10|fix-w-d|lr-wd|reruns|rng\d))*)",
    re.IGNORECASE,
)
_RECIPE = {"lr": "learning_rate", "base_lr": "learning_rate", "wd": "weight_decay"}
_MOST_EVALUATIONS = 100_000

Metric = tuple[str, float, dict[str, Any]]
"""Name, value and the further columns of one metric."""


@dataclass
class Listed:
    """One genotype of a list, with the metrics that stand beside it."""

    where: str
    identifier: Any
    metrics: list[Metric] = field(default_factory=list)
    is_training: bool = True
    name: str = ""
    """What the list calls it, if anything."""


def table_entries(path: Path, epochs: int | None, size_limit: int, notes: list[str]) -> Iterator[Listed]:
    """The rows of a table with a column ``genotype``; `notes` gets what a person should look at."""
    table = TextTable.read(path, size_limit)
    accuracies = {name: match for name in table.columns if (match := _ACCURACY.fullmatch(name))}
    if "genotype" not in table.columns:
        raise IngestError(
            f"{path.name} line 1: the columns are {shown_names(table.columns)}; a column genotype is needed. A table "
            f"of DARTS cells has {_ALLOWED}. Nothing was stored."
        )
    if unknown := [name for name in table.columns if name != "genotype" and name not in accuracies]:
        raise IngestError(
            f"{path.name} line 1: the columns {shown_names(unknown)} mean nothing here. A table of DARTS cells has "
            f"{_ALLOWED}. Rename or remove the others; nothing was stored."
        )
    columns = {name: _columns(match, epochs) for name, match in accuracies.items()}
    table.refuse_same_meaning({name: tuple(meant.values()) for name, meant in columns.items()})
    values = {name: table.accuracies(name).tolist() for name in accuracies}
    notes += table.percents.notes()
    for row, text in enumerate(table.texts("genotype")):
        yield Listed(table.place(row), text, [("accuracy", values[name][row], columns[name]) for name in columns])


def json_entries(path: Path, found: Any, epochs: int | None, notes: list[str]) -> Iterator[Listed]:
    """The genotypes of a JSON document; `notes` gets what a person should look at."""
    percents = Percents(path.name)
    keyed = keyed_entries(found, path, notes)
    nds = NDSLogs(nds_dataset(path), [item for _, item in keyed if is_log(item)], percents)
    for key, item in keyed:
        where = f"{path.name}: entry {described(key)}"
        name = key if isinstance(key, str) and key in (found if isinstance(found, dict) else ()) else ""
        if is_log(item):
            yield nds.read(where, item)
        elif isinstance(item, dict) and "genotype" in item:
            yield Listed(where, item["genotype"], _given(where, item, epochs, percents), name=name)
        else:
            yield Listed(where, item, name=name)
    percents.refuse_fractions()
    notes += [*percents.notes(), *nds.notes()]


def nds_dataset(path: Path) -> str | None:
    """The data set of a file that is called as NDS calls its own, which say it only there; None for other names."""
    match = _NDS_NAME.fullmatch(path.name.split(".")[0])
    if match is None:
        return None
    return "imagenet" if {"in", "imagenet"} & set(match[1].lower().split("_")) else "cifar10"


def is_nds(found: Any, net: frozenset[str] = _NDS_NET_FIELDS) -> bool:
    """Whether a document has the structure of NDS's own logs: in every entry what its authors' program wrote."""
    if isinstance(found, dict):
        found = [*found.get("top", ()), *found.get("mid", ())] if set(found) == {"top", "mid"} else None
    return isinstance(found, list) and bool(found) and all(_is_nds_log(one, net) for one in found)


def is_log(entry: Any) -> bool:
    """Whether an entry says a network, as NDS's logs do."""
    return isinstance(entry, dict) and isinstance(entry.get("net"), dict)


def _is_nds_log(entry: Any, net: frozenset[str]) -> bool:
    return (
        isinstance(entry, dict)
        and set(entry) >= _NDS_FIELDS
        and isinstance(entry["net"], dict)
        and set(entry["net"]) >= net
        and isinstance(entry["optim"], dict)
    )


def _columns(match: re.Match[str], epochs: int | None) -> dict[str, Any]:
    return {
        "dataset": dataset_word(match["dataset"]),
        "split": split_word(match["split"]),
        "epochs": epochs,
        "stage": "best" if match["best"] else "final",
    }


def keyed_entries(found: Any, path: Path, notes: list[str]) -> list[tuple[Any, Any]]:
    """(key or place, genotype or object) of each entry."""
    if not isinstance(found, dict):
        return list(enumerate(_list(found, path)))
    if {"top", "mid"} <= set(found):  # NDS files of the best and of the other networks
        if others := [key for key in found if key not in ("top", "mid")]:
            notes.append(f"left out, because they are beside top and mid: {shown_names(others)}.")
        return list(enumerate([*_list(found["top"], path), *_list(found["mid"], path)]))
    if {"normal", "reduce"} <= set(found):
        return [("the only one", found)]
    return list(found.items())


def _list(value: Any, path: Path) -> Sequence[Any]:
    if not isinstance(value, list):
        raise IngestError(f"{path.name}: holds {described(value)}; a list of genotypes is needed. Nothing was stored.")
    return value


def _given(where: str, item: Mapping[str, Any], epochs: int | None, percents: Percents) -> list[Metric]:
    metrics: list[Metric] = []
    first: dict[tuple[Any, ...], str] = {}
    for name, value in item.items():
        if name == "genotype":
            continue
        match = _ACCURACY.fullmatch(name)
        if match is None:
            raise IngestError(
                f"{where}: it has the field {described(name)}; allowed are {_ALLOWED}. Nothing was stored."
            )
        columns = _columns(match, epochs)
        if (same := first.setdefault(tuple(columns.values()), name)) != name:
            raise IngestError(f"{where}: {same} and {name} mean the same; remove one of them. Nothing was stored.")
        number = _number(where, name, value, 100)
        percents.see(name, number, where)
        metrics.append(("accuracy", number, columns))
    return metrics


def _number(where: str, name: str, value: Any, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= high:
        raise IngestError(
            f"{where}: {name[:60]} is {described(value)}; a number from 0 to {high:g} is needed. Nothing was stored."
        )
    return float(value)


class NDSLogs:
    """The training logs of NDS (Radosavovic et al. 2019, arXiv 1905.13214) of one file; errors are percent.

    Where trainings differ in anything of ``optim``, or in anything of ``net`` but the genotype, all accuracies of the
    file are called ``tuned_accuracy``, with learning rate and weight decay beside them, and a stage that names the
    settings: rows that stand in no column, because a column would average them. Where the networks differ, their sizes
    are kept apart in the same way.

    Parameters
    ----------
    dataset
        What the networks were trained on; None where nobody says it.
    entries
        All logs of the file.
    percents
        Watches its accuracies.
    architecture
        The fields of ``net`` that say the architecture; all others are settings.
    """

    def __init__(
        self,
        dataset: str | None,
        entries: Sequence[Mapping[str, Any]],
        percents: Percents,
        architecture: frozenset[str] = frozenset({"genotype"}),
    ) -> None:
        self._dataset = dataset
        self._architecture = architecture
        self._percents = percents
        self._count = len(entries)
        self._varying = _varying([self._settings(entry) for entry in entries])
        self._unread = sorted({str(name) for entry in entries for name in entry if name not in _NDS_FIELDS})

    def notes(self) -> Iterator[str]:
        """What a person should look at."""
        if self._count and self._dataset is None:
            yield (
                "the file is not called as NDS's own, such as DARTS_in.json, and nothing else says the data set of its "
                "logs: it is NULL."
            )
        if self._varying:
            yield (
                f"the trainings differ in {shown_names(self._varying)}: their accuracies are called tuned_accuracy, "
                "their stage names the settings, and they stand in no column."
            )
        if self._unread:
            yield f"fields that are not read: {shown_names(self._unread)}."

    def read(self, where: str, entry: Mapping[str, Any]) -> Listed:
        """One training."""
        net = entry["net"]
        if not isinstance(net.get("genotype"), dict):
            raise IngestError(
                f"{where}: the net is {described(net)}; a DARTS network with a genotype is needed. Nothing was stored."
            )
        return Listed(where, net["genotype"], self.metrics(where, entry))

    def metrics(self, where: str, entry: Mapping[str, Any]) -> list[Metric]:
        """What one training gave."""
        errors = self._errors(where, entry)
        stage = stage_of_settings(self._settings(entry)) if self._varying else ""
        prefix = "tuned_" if self._varying else ""
        common = {"dataset": self._dataset, "epochs": len(errors)}
        final = {**common, "split": "test", "stage": stage or "final"}
        metrics: list[Metric] = [(f"{prefix}accuracy", 100 - errors[-1], final)]
        if "min_test_top1" in entry:
            least = _number(where, "min_test_top1", entry["min_test_top1"], 100)
            self._percents.see("min_test_top1", least, where)
            metrics.append((f"{prefix}best_accuracy", 100 - least, {**final, "stage": stage or "best"}))
        optim = entry.get("optim")
        for key, name in _RECIPE.items():
            if self._varying and isinstance(optim, dict) and key in optim:
                columns = {"epochs": len(errors), "kind": "reported", "stage": stage}
                metrics.append((f"tuned_{name}", _number(where, key, optim[key], 1e6), columns))
        metrics += self._sizes(where, entry, {**common, "kind": "reported"}, stage)
        return metrics

    def _errors(self, where: str, entry: Mapping[str, Any]) -> list[float]:
        listed = entry.get("test_ep_top1")
        if not isinstance(listed, list) or not 1 <= len(listed) <= _MOST_EVALUATIONS:
            raise IngestError(
                f"{where}: test_ep_top1 is {described(listed)}; a list of errors is needed. Nothing was stored."
            )
        errors = [_number(where, "test_ep_top1", error, 100) for error in listed]
        for error in errors:
            self._percents.see(f"test_ep_top1 of {len(errors)} epochs", error, where)
        return errors

    def _settings(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Everything that two trainings of one architecture may differ in."""
        optim, net = entry.get("optim"), entry["net"]
        return {
            **{f"net.{name}": value for name, value in net.items() if name not in self._architecture},
            **{f"optim.{name}": value for name, value in (optim.items() if isinstance(optim, dict) else ())},
        }

    def _sizes(self, where: str, entry: Mapping[str, Any], columns: Mapping[str, Any], stage: str) -> Iterator[Metric]:
        differ = any(name.startswith("net.") for name in self._varying)
        for name, source, key in (
            ("parameters", entry, "params"),
            ("flops", entry, "flops"),
            ("init_channels", entry["net"], "width"),
            ("layers", entry["net"], "depth"),
        ):
            if key in source:
                own = {**columns, "stage": stage} if differ else dict(columns)
                yield f"tuned_{name}" if differ else name, _number(where, key, source[key], 1e15), own


def _varying(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The settings that are not the same everywhere; one that is missing somewhere is another one."""
    names = dict.fromkeys(name for one in settings for name in one)
    return [name for name in names if any(name not in one or one[name] != settings[0].get(name) for one in settings)]
