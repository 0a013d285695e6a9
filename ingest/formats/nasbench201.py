"""NAS-Bench-201 archives (``.pth``) and NATS-Bench files and folders (``.pickle.pbz2``)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError
from catalog.spaces import nb201
from catalog.spaces.nats_sss import NATSSize
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.byte_source import ByteSource
from ingest.reading.metric_columns import MetricColumns
from ingest.reading.pickled_values import described
from ingest.reading.safe_pickle import SafeUnpickler
from ingest.reading.sources import DEFAULT_SIZE_LIMIT, open_stream
from ingest.reading.torch_archive import TorchArchive

_ARCHITECTURES_A_BATCH = 500
_FOLDER_MEMBER = re.compile(r"(\d{6})(?:-FULL|-SIMPLE)?\.(?:pickle\.pbz2|pth)")

DATASETS = {
    "cifar10-valid": "cifar10-valid",
    "cifar10": "cifar10",
    "cifar100": "cifar100",
    "ImageNet16-120": "imagenet16-120",
}
"""The archives' dataset names, and the catalog's."""

SPLITS = {
    ("cifar10-valid", "x-valid"): "valid",
    ("cifar10-valid", "ori-test"): "test",
    ("cifar10", "ori-test"): "test",
    ("cifar100", "x-valid"): "valid",
    ("cifar100", "x-test"): "test",
    ("cifar100", "ori-test"): "union",
    ("ImageNet16-120", "x-valid"): "valid",
    ("ImageNet16-120", "x-test"): "test",
    ("ImageNet16-120", "ori-test"): "union",
}
"""What each evaluation set is; ``union`` is validation and test images together."""

_EPOCHS = {"less": 12, "full": 200, "01": 1, "12": 12, "90": 90, "200": 200}
_LATENCY_DEVICE = "gtx-1080ti"  # one GPU, batches of 256 images (Dong and Yang 2020)


def space_of(path: Path) -> str:
    """``nats-sss`` for a file or folder of NATS-Bench's size space, by its name; ``nb201`` for all others."""
    return NATSSize.name if "sss" in path.name.lower() or "sss" in path.parent.name.lower() else nb201.NASBench201.name


class NASBench201Archive:
    """Reads one archive, file or folder; each seed of each training gives its own rows.

    Batches hold accuracies (percent) and losses of every split after the last epoch, ``training_time`` (seconds of all
    epochs), ``evaluation_time`` (seconds of one pass over a split), ``latency`` (ms of a batch of 256 images) and, once
    a dataset, ``parameters`` and ``flops`` (multiply-accumulates). With `curves` every epoch of an accuracy or loss is
    a row too: ``epochs`` is then the epoch and ``stage`` is ``of 200``, the length of the training.

    Parameters
    ----------
    space
        ``nb201`` or ``nats-sss``; `space_of` tells it from a path.
    curves
        Whether to read training curves.
    size_limit
        Unpacked bytes that one file may have.
    """

    def __init__(self, space: str = "nb201", *, curves: bool = False, size_limit: int = DEFAULT_SIZE_LIMIT) -> None:
        self.space = space
        self.curves = curves
        self.size_limit = size_limit

    def facts(self, path: Path) -> SourceFacts:
        version = re.search(r"v(\d+)[_.](\d+)", path.name)
        is_nats = path.suffix != ".pth"
        names = {NATSSize.name: "nats_sss", nb201.NASBench201.name: "nats" if is_nats else "nb201"}
        return SourceFacts(
            name=names[self.space],
            kind="nats-bench" if is_nats else "nb201-archive",
            version=f"v{version[1]}.{version[2]}" if version else None,
            licence="MIT",
            citation=(
                "Dong et al., NATS-Bench, TPAMI 2021, arXiv 2009.00437"
                if is_nats
                else "Dong and Yang, NAS-Bench-201, ICLR 2020, arXiv 2001.00326"
            ),
        )

    def read(self, path: Path) -> Iterator[Batch]:
        rows = _BatchRows(self.curves)
        seen: set[str] = set()
        for where, key, value in _architectures(path, self.size_limit):
            record = _Record(where, self.space, key, value)
            if record.native_id in seen:
                raise record.fault(f"{record.native_id} occurs a second time; each architecture may occur once")
            seen.add(record.native_id)
            rows.add(record)
            if len(rows.native_ids) == _ARCHITECTURES_A_BATCH:
                yield rows.batch()
                rows = _BatchRows(self.curves)
        if rows.native_ids:
            yield rows.batch()


def _architectures(path: Path, size_limit: int) -> Iterator[tuple[str, Any, Any]]:
    """(place for messages, key, value) of each architecture, in the file's order."""
    if not path.is_dir():
        yield from _of_file(path, size_limit)
        return
    members = sorted((match[1], file) for file in path.iterdir() if (match := _FOLDER_MEMBER.fullmatch(file.name)))
    if not members:
        raise IngestError(
            f"{path.name}: a folder without files such as 000011.pickle.pbz2; nothing was stored. Give the folder that "
            "the benchmark's archive unpacks to."
        )
    for number, file in members:
        for where, _, value in _of_file(file, size_limit):
            yield where, int(number), value


def _of_file(path: Path, size_limit: int) -> Iterator[tuple[str, Any, Any]]:
    if path.suffix == ".pth":
        archive = TorchArchive(path, size_limit)
        for key, value in archive.entries("arch2infos"):
            yield path.name, key, value
        rest = archive.rest
    else:
        with open_stream(path, size_limit) as stream:
            unpickler = SafeUnpickler(ByteSource(stream), watched="arch2infos")
            for key, value in unpickler.entries():
                yield path.name, key, value
        rest = unpickler.result
    if not isinstance(rest, dict):
        raise IngestError(
            f"{path.name}: holds {described(rest)}; a dictionary of architectures is needed. Nothing was stored."
        )
    if "arch2infos" in rest:  # what is left of it: a dictionary of one entry is not handed out while reading
        left = rest["arch2infos"]
        for key, value in (left if isinstance(left, dict) else {}).items():
            yield path.name, key, value
    elif rest:
        yield path.name, None, rest


class _Record:
    """One architecture's value in an archive, checked step by step."""

    def __init__(self, where: str, space: str, key: Any, value: Any) -> None:
        self.where = f"{where}: architecture {described(key)}" if key is not None else where
        if not isinstance(value, dict) or not value:
            raise self.fault(f"it is {described(value)}; a dictionary of trainings is needed")
        unknown = [name for name in value if name not in _EPOCHS]
        if unknown:
            raise self.fault(f"it has the training {described(unknown[0])}; known are {', '.join(_EPOCHS)}")
        self.trainings = {name: self.mapping(state, f"training {name}") for name, state in value.items()}
        states = list(self.trainings.values())
        names = {str(state.get("arch_str"))[:400] for state in states}
        if len(names) != 1:
            raise self.fault(f"its trainings are of different architectures: {', '.join(sorted(names))}")
        self.native_id, self.index = self._identify(space, names.pop())
        if any(number not in (None, self.index) for number in (key, *(state.get("arch_index") for state in states))):
            raise self.fault(f"{self.native_id} has the index {self.index} in the benchmark, and another one here")

    def _identify(self, space: str, name: str) -> tuple[str, int]:
        try:
            if space == NATSSize.name:
                size_space = NATSSize()
                graph = size_space.graph(name)
                return size_space.native_id(graph), size_space.native_index(graph)
            operators = nb201.parse(name)
        except IdentifierError as error:
            raise self.fault(str(error)) from None
        return nb201.format_cell(operators), nb201.index_of(operators)

    def fault(self, what: str) -> IngestError:
        """The error for something wrong in this architecture."""
        return IngestError(f"{self.where}: {what}; nothing was stored.")

    def mapping(self, value: Any, what: str) -> Mapping[Any, Any]:
        """`value`, which has to be a dictionary."""
        if not isinstance(value, dict):
            raise self.fault(f"{what} is {described(value)}; a dictionary is needed")
        return value

    def number(self, value: Any, what: str, low: float = 0.0, high: float = math.inf) -> float:
        """`value`, which has to be a number in the interval."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise self.fault(f"{what} is {described(value)}; a number from {low:g} to {high:g} is needed")
        return float(value)

    def trials(self) -> Iterator[_Trial]:
        """Every training with every seed."""
        for training, state in self.trainings.items():
            for key, result in self.mapping(state.get("all_results"), "all_results").items():
                match key:
                    case (str() as dataset, int() as seed) if dataset in DATASETS and 0 <= seed < 2**31:
                        pass
                    case _:
                        known = ", ".join(DATASETS)
                        raise self.fault(
                            f"a result has the key {described(key)}; a dataset ({known}) and a seed are needed"
                        )
                fields = self.mapping(result, f"the result {described(key)}")
                if fields.get("epochs") != _EPOCHS[training]:
                    raise self.fault(
                        f"the result {described(key)} of training {training!r} ran for "
                        f"{described(fields.get('epochs'))} epochs; {_EPOCHS[training]} are expected"
                    )
                yield _Trial(self, dataset, seed, _EPOCHS[training], fields)


@dataclass(frozen=True)
class _Trial:
    """One training of one architecture on one dataset with one seed, as the archive has it."""

    record: _Record
    dataset: str
    seed: int
    epochs: int
    fields: Mapping[Any, Any]

    def __str__(self) -> str:
        return f"{self.dataset} with seed {self.seed} at {self.epochs} epochs"

    def curves(self, measure: str) -> Iterator[tuple[str, Mapping[int, Any]]]:
        """(split, values by epoch from 0) of ``acc1es``, ``losses`` or ``times``; the training split first."""
        training = self.fields.get(f"train_{measure}")
        if training is not None:
            yield "train", self.record.mapping(training, f"train_{measure} of {self}")
        evaluations: dict[str, dict[int, Any]] = {}
        found = self.fields.get(f"eval_{measure}")
        for key, value in self.record.mapping({} if found is None else found, f"eval_{measure} of {self}").items():
            name, _, epoch = key.rpartition("@") if isinstance(key, str) else ("", "", "")
            if (self.dataset, name) not in SPLITS or not epoch.isdecimal() or len(epoch) > 5:
                known = ", ".join(name for dataset, name in SPLITS if dataset == self.dataset)
                raise self.record.fault(f"{self} has the evaluation {described(key)}; an epoch of {known} is needed")
            evaluations.setdefault(name, {})[int(epoch)] = value
        for name, values in evaluations.items():
            yield SPLITS[self.dataset, name], values

    def costs(self) -> tuple[int, int]:
        """Parameters and multiply-accumulates, which the archive has in millions."""
        return (
            round(self.record.number(self.fields.get("params"), f"params of {self}", high=1e6) * 1e6),
            round(self.record.number(self.fields.get("flop"), f"flop of {self}", high=1e9) * 1e6),
        )

    def latency(self) -> float | None:
        """Milliseconds of one batch, or None where it was not measured; the archive has a list of seconds."""
        found = self.fields.get("latency")
        if not isinstance(found, list) or not found:
            return None
        mean = sum(self.record.number(value, f"latency of {self}", low=-1) for value in found) / len(found)
        return 1000 * mean if mean > 0 else None  # -1 says that it was not measured


class _BatchRows:
    """The rows of one batch under construction."""

    def __init__(self, curves: bool) -> None:
        self.native_ids: list[str] = []
        self._indices: list[int] = []
        self._metrics = MetricColumns()
        self._curves = curves
        self._trials = 0

    def batch(self) -> Batch:
        """What was collected."""
        return Batch(Members(self.native_ids, self._indices), self._trials, self._metrics.table())

    def add(self, record: _Record) -> None:
        """All trials of one architecture."""
        row = len(self.native_ids)
        self.native_ids.append(record.native_id)
        self._indices.append(record.index)
        costs = {}
        for trial in record.trials():
            self._trials += 1
            self._add_curves(row, trial, "acc1es", "accuracy")
            self._add_curves(row, trial, "losses", "loss")
            self._add_costs(row, trial)
            costs[DATASETS[trial.dataset]] = trial.costs()
        for dataset, (parameters, flops) in costs.items():
            self._metrics.add(row, "parameters", parameters, kind="reported", dataset=dataset)
            self._metrics.add(row, "flops", flops, kind="reported", dataset=dataset)

    def _add_curves(self, row: int, trial: _Trial, measure: str, name: str) -> None:
        """The last epoch of each split and, if they are wanted, all epochs."""
        dataset = DATASETS[trial.dataset]
        for split, curve in trial.curves(measure):
            what = f"{split} {name} of {trial}"
            numbers = {
                epoch: _quality(trial.record, name, value, what)
                for epoch, value in curve.items()
                if self._curves or epoch == trial.epochs - 1
            }
            if trial.epochs - 1 in numbers:
                self._metrics.add(
                    row, name, numbers[trial.epochs - 1], dataset=dataset, split=split, epochs=trial.epochs,
                    stage="final", seed=trial.seed,
                )  # fmt: skip
            if self._curves:
                for epoch, value in numbers.items():
                    self._metrics.add(
                        row, name, value, dataset=dataset, split=split, epochs=epoch + 1,
                        stage=f"of {trial.epochs}", seed=trial.seed,
                    )  # fmt: skip

    def _add_costs(self, row: int, trial: _Trial) -> None:
        number = trial.record.number
        dataset, epochs, seed = DATASETS[trial.dataset], trial.epochs, trial.seed
        for split, seconds in trial.curves("times"):
            what = f"{split} time of {trial}"
            if split == "train" and len(seconds) == epochs:
                total = sum(number(value, what) for value in seconds.values())
                self._metrics.add(row, "training_time", total, dataset=dataset, epochs=epochs, stage="final", seed=seed)
            elif split != "train" and epochs - 1 in seconds:
                once = number(seconds[epochs - 1], what)
                self._metrics.add(
                    row, "evaluation_time", once, dataset=dataset, split=split, epochs=epochs, stage="final", seed=seed
                )
        latency = trial.latency()
        if latency is not None:
            self._metrics.add(
                row,
                "latency",
                latency,
                kind="reported",
                dataset=dataset,
                epochs=epochs,
                device=_LATENCY_DEVICE,
                seed=seed,
            )


def _quality(record: _Record, name: str, value: Any, what: str) -> float | None:
    """An accuracy in percent, or a loss; a loss that diverged is NULL."""
    if name == "loss" and isinstance(value, float) and not math.isfinite(value):
        return None
    return record.number(value, what, high=100.0 if name == "accuracy" else math.inf)
