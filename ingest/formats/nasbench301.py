"""NAS-Bench-301's training logs: a folder tree of ``results_*.json`` with ConfigSpace keys."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from catalog.architecture.members import Members
from catalog.errors import IdentifierError, IngestError
from catalog.spaces import genotype
from catalog.spaces.darts import DARTS
from catalog.spaces.darts_network import SKELETON, auxiliary_parameters, network_costs
from catalog.tables.plausible import SECONDS
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.dataset_names import dataset_in
from ingest.reading.magnitudes import is_number, needed
from ingest.reading.metric_columns import MetricColumns
from ingest.reading.percents import Percents
from ingest.reading.pickled_values import described
from ingest.reading.settings import stage_of_settings
from ingest.reading.sources import read_json

_FILES_A_BATCH = 1000
_COPIES_SHOWN = 3
_LARGEST_FILE = 2**26
_DATASET = "cifar10"
_CURVES = {"Train/train_accuracy": ("accuracy", "train"), "Train/val_accuracy": ("accuracy", "valid")}

_FIELDS = {
    "budget", "final_metric_score", "info", "learning_curves", "optimized_hyperparamater_config", "runtime",
    "test_accuracy",
}  # fmt: skip

_DARTS = "NetworkSelectorDatasetInfo:darts:"
_GENOTYPE = re.compile(_DARTS + r"(edge|inputs_node)_(normal|reduce)_\d+$")
DEFAULTS: Mapping[str, object] = {
    "CreateImageDataLoader:batch_size": 96,
    "ImageAugmentation:augment": "True",
    "ImageAugmentation:autoaugment": "False",
    "ImageAugmentation:cutout": "True",
    "ImageAugmentation:cutout_holes": 1,
    "ImageAugmentation:cutout_length": 16,
    "ImageAugmentation:fastautoaugment": "False",
    "LossModuleSelectorIndices:loss_module": "cross_entropy",
    f"{_DARTS}auxiliary": "True",
    f"{_DARTS}drop_path_prob": 0.2,
    f"{_DARTS}init_channels": 32,
    f"{_DARTS}layers": 8,
    "NetworkSelectorDatasetInfo:network": "darts",
    "OptimizerSelector:optimizer": "sgd",
    "OptimizerSelector:sgd:learning_rate": 0.025,
    "OptimizerSelector:sgd:momentum": 0.9,
    "OptimizerSelector:sgd:weight_decay": 0.0003,
    "SimpleLearningrateSchedulerSelector:cosine_annealing:T_max": 100,
    "SimpleLearningrateSchedulerSelector:cosine_annealing:eta_min": 1e-08,
    "SimpleLearningrateSchedulerSelector:lr_scheduler": "cosine_annealing",
    "SimpleTrainNode:batch_loss_computation_technique": "mixup",
    "SimpleTrainNode:mixup:alpha": 0.2,
}
"""The training that the benchmark's architectures share, from its published configuration."""


class NASBench301Logs:
    """Reads one folder, or one file of it.

    A training with the default hyper-parameters gives ``accuracy`` (percent) of the splits valid and test,
    ``training_time`` (seconds) and ``parameters``, its ordinal among the trainings of the same genotype as ``repeat``.
    A training with others is kept apart: its metrics are called ``tuned_accuracy``, ``tuned_training_time`` and
    ``tuned_parameters``, and every numeric hyper-parameter that differs is a metric too, for example
    ``tuned_learning_rate``, under the same ``repeat``; their ``stage`` names the settings, and no wide view averages
    them. The parameters have to be those of the network with its auxiliary classifier. With `curves` every epoch of the
    accuracies is a row: ``epochs`` is then the epoch and ``stage`` is ``of 98``, the length of the curve.
    """

    space = "darts"

    def __init__(self, *, curves: bool = False) -> None:
        self.curves = curves

    def facts(self, path: Path) -> SourceFacts:
        return SourceFacts(
            name="nb301",
            kind="nb301-logs",
            licence="Apache-2.0",
            citation="Zela et al., Surrogate NAS benchmarks (NAS-Bench-301), ICLR 2022, arXiv 2008.09777",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        files = sorted(path.rglob("results*.json")) if path.is_dir() else [path]
        if not files:
            raise IngestError(
                f"{path.name}: a folder without files such as results_0.json; nothing was stored. Give the folder that "
                "the benchmark's archive unpacks to."
            )
        folder = _Folder(Percents(path.name), Percents(path.name))
        for start in range(0, len(files), _FILES_A_BATCH):
            part = files[start : start + _FILES_A_BATCH]
            batch = _batch([_Training(file, path) for file in part], folder, self.curves)
            if start + _FILES_A_BATCH < len(files):
                yield batch
        folder.percents.refuse_fractions()
        folder.curves.refuse_fractions()
        yield replace(batch, notes=(*batch.notes, *folder.percents.notes()))


@dataclass
class _Folder:
    """What is known of the logs that were read before: ordinals, accuracies, and where each training stood."""

    percents: Percents
    curves: Percents
    repeats: Counter[tuple[str, bool]] = field(default_factory=Counter)
    places: dict[tuple[object, ...], str] = field(default_factory=dict)

    def copies(self, trainings: Sequence[_Training]) -> Iterator[str]:
        """A note for each log that equals an earlier one of its genotype in every number."""
        for training in trainings:
            key = (training.native_id, training.settings, training.epochs, *training.numbers())
            if (first := self.places.setdefault(key, training.name)) != training.name:
                yield f"{training.name} has the genotype and every number of {first}: one training may stand twice."


class _Training:
    """One log, checked."""

    def __init__(self, file: Path, folder: Path) -> None:
        self.name = str(file.relative_to(folder)) if file != folder else file.name
        self._log = self._mapping(read_json(file, _LARGEST_FILE), "the log")
        configuration = self._mapping(
            self._log.get("optimized_hyperparamater_config"), "optimized_hyperparamater_config"
        )
        try:
            self.native_id = str(genotype.from_config_space(configuration))
        except IdentifierError as error:
            raise self._fault(str(error)) from None
        self._configuration = configuration
        self.tuned = {
            key: value
            for key, value in configuration.items()
            if not _GENOTYPE.match(key) and not (key in DEFAULTS and _equal(value, DEFAULTS[key]))
        }
        self.unread = sorted(set(self._log) - _FIELDS)

    def _fault(self, what: str) -> IngestError:
        return IngestError(f"{self.name}: {what}; nothing was stored.")

    def _mapping(self, value: Any, what: str) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise self._fault(f"{what} is {described(value)}; an object is needed")
        return value

    def _number(self, value: Any, what: str, high: float = math.inf) -> float:
        if not is_number(value, 0.0, high):
            raise self._fault(f"{what} is {described(value)}; {needed(value, 0.0, high)}")
        return float(value)

    @property
    def settings(self) -> str | None:
        """A short name of the hyper-parameters that differ from the default; None where none does."""
        if not self.tuned:
            return None
        return stage_of_settings(self.tuned)

    @property
    def epochs(self) -> int:
        """The length of the training."""
        budget = self._number(self._log.get("budget"), "budget", 1e6)
        if budget != int(budget) or not budget:
            raise self._fault(f"budget is {budget:g}; a whole number of epochs from 1 is needed")
        return int(budget)

    def numbers(self) -> Iterator[tuple[str, str | None, float]]:
        """(name, split, value) of each measurement."""
        details = self._log.get("info")
        if not isinstance(details, list) or not details:
            raise self._fault(f"info is {described(details)}; a list of one object is needed")
        last = self._mapping(details[-1], "info")
        if isinstance(images := last.get("dataset_path"), str) and dataset_in(Path(images).name) != _DATASET:
            raise self._fault(f"dataset_path is {described(images)}; the benchmark trains on {_DATASET}")
        yield "accuracy", "valid", self._number(last.get("val_accuracy"), "val_accuracy", 100)
        yield "accuracy", "test", self._number(self._log.get("test_accuracy"), "test_accuracy", 100)
        yield "training_time", None, self._number(self._log.get("runtime"), "runtime", SECONDS.high)
        if "model_parameters" in last:
            parameters = self._number(last["model_parameters"], "model_parameters")
            if parameters != (expected := self._network_parameters()):
                raise self._fault(
                    f"model_parameters is {parameters:,.0f}, but the network of its genotype and configuration has "
                    f"{expected:,} while it is trained"
                )
            yield "parameters", None, parameters

    def _network_parameters(self) -> int:
        """Parameters of the network with its second classifier, which the logs count where there is one."""
        setting = {**DEFAULTS, **self._configuration}
        channels, cells = (self._number(setting[_DARTS + name], name, 1000) for name in ("init_channels", "layers"))
        skeleton = SKELETON.sized(int(channels), int(cells))
        graph = DARTS().graph(self.native_id)
        count = int(network_costs([graph], [graph], skeleton)[0, 0])
        return count + (auxiliary_parameters(graph, skeleton) if str(setting[f"{_DARTS}auxiliary"]) == "True" else 0)

    def hyperparameters(self) -> dict[str, float]:
        """Name to value of each numeric hyper-parameter that differs from the default."""
        found: dict[str, float] = {}
        for key, value in self.tuned.items():
            words = key.lower().split(":")
            name = words[-1] if words[-1] not in found else "_".join(words[-2:])
            if isinstance(value, int | float) and not isinstance(value, bool):
                found[name] = self._number(value, key)
            elif value in ("True", "False"):
                found[name] = float(value == "True")
        return found

    def curves(self) -> Iterator[tuple[str, str, list[float]]]:
        """(name, split, values) of each learning curve."""
        found = self._mapping(self._log.get("learning_curves") or {}, "learning_curves")
        for key, (name, split) in _CURVES.items():
            values = found.get(key, [])
            if not isinstance(values, list):
                raise self._fault(f"{key} is {described(values)}; a list is needed")
            yield name, split, [self._number(value, key, 100) for value in values]


def _equal(value: object, default: object) -> bool:
    """Whether two settings are the same; files write numbers in more than one way."""
    if isinstance(value, int | float) and isinstance(default, int | float):
        return value == default
    return str(value) == str(default)


def _batch(trainings: list[_Training], folder: _Folder, curves: bool) -> Batch:
    rows: dict[str, int] = {}
    metrics = MetricColumns()
    for training in trainings:
        row = rows.setdefault(training.native_id, len(rows))
        is_tuned = bool(training.tuned)
        folder.repeats[training.native_id, is_tuned] += 1
        repeat = folder.repeats[training.native_id, is_tuned]
        prefix = "tuned_" if is_tuned else ""
        for name, split, value in training.numbers():
            if name == "accuracy":
                column = f"{split} {prefix}accuracy after {training.epochs} epochs"
                folder.percents.see(column, value, f"{training.name}: {split} accuracy")
            kind = "reported" if name == "parameters" else "trained"
            metrics.add(
                row, prefix + name, value, kind=kind, dataset=_DATASET, split=split, epochs=training.epochs,
                stage=training.settings or "final", repeat=repeat,
            )  # fmt: skip
        for name, value in training.hyperparameters().items():
            metrics.add(
                row, prefix + name, value, kind="reported", epochs=training.epochs, stage=training.settings,
                repeat=repeat,
            )  # fmt: skip
        for name, split, values in training.curves() if curves else ():
            for epoch, value in enumerate(values, start=1):
                folder.curves.see(f"{split} {prefix}accuracy of the curves", value, f"{training.name}: epoch {epoch}")
                metrics.add(
                    row, prefix + name, value, dataset=_DATASET, split=split, epochs=epoch, stage=f"of {len(values)}",
                    repeat=repeat,
                )  # fmt: skip
    unread = sorted({name for training in trainings for name in training.unread})
    notes = [f"fields that are not read: {', '.join(map(described, unread))[:200]}."] if unread else []
    copies = list(folder.copies(trainings))
    notes += copies[:_COPIES_SHOWN]
    if len(copies) > _COPIES_SHOWN:
        notes.append(f"{len(copies) - _COPIES_SHOWN:,} further logs equal an earlier one.")
    return Batch(Members(list(rows)), len(trainings), metrics.table(), notes=tuple(notes))
