"""One architecture of a NAS-Bench-201 archive or a NATS-Bench file, checked step by step."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.errors import IdentifierError, IngestError
from catalog.spaces import nats_network, nb201
from catalog.spaces.nats_sss import NATSSize
from catalog.spaces.nb201_network import SKELETON
from ingest.reading.magnitudes import is_number, needed
from ingest.reading.pickled_values import described

_EPOCH = re.compile(r"0|[1-9][0-9]{0,4}")

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

_STATE_FIELDS = ("all_results", "arch_index", "arch_str", "clear_net_done", "dataset_seed")
_RESULT_FIELDS = (
    "arch_config", "epochs", "eval_acc1es", "eval_losses", "eval_names", "eval_times", "flop", "latency", "name",
    "net_state_dict", "params", "seed", "train_acc1es", "train_acc5es", "train_losses", "train_times",
)  # fmt: skip
"""What the archives' two classes hold; anything else would say that it is another training."""

_MEASURED = ("train_acc1es", "train_losses", "eval_acc1es", "eval_losses", "train_times", "eval_times")
_SIZE_CELL = (
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"  # its only cell
)

_EPOCHS = {"less": 12, "full": 200, "01": 1, "12": 12, "90": 90, "200": 200}


class Record:
    """One architecture's value in an archive, checked step by step."""

    def __init__(self, where: str, space: str, key: Any, value: Any) -> None:
        self._space = space
        self.where = f"{where}: architecture {described(key)}" if key is not None else where
        if not isinstance(value, dict) or not value:
            raise self.fault(f"it is {described(value)}; a dictionary of trainings is needed")
        unknown = [name for name in value if name not in _EPOCHS]
        if unknown:
            raise self.fault(f"it has the training {described(unknown[0])}; known are {', '.join(_EPOCHS)}")
        self.trainings = {name: self.mapping(state, f"training {name}") for name, state in value.items()}
        self._check_trainings()
        states = list(self.trainings.values())
        names = {str(state.get("arch_str"))[:400] for state in states}
        if len(names) != 1:
            raise self.fault(f"its trainings are of different architectures: {', '.join(sorted(names))}")
        self.native_id, self.index = self._identify(space, names.pop())
        if any(number not in (None, self.index) for number in (key, *(state.get("arch_index") for state in states))):
            raise self.fault(f"{self.native_id} has the index {self.index} in the benchmark, and another one here")

    def _check_trainings(self) -> None:
        for name, state in self.trainings.items():
            self.known(state, _STATE_FIELDS, f"training {name}")
            twins = [other for other in self.trainings if _EPOCHS[other] == _EPOCHS[name]]
            if len(twins) > 1:
                raise self.fault(f"the trainings {' and '.join(twins)} both ran for {_EPOCHS[name]} epochs; one may")

    def known(self, fields: Mapping[Any, Any], names: Sequence[str], what: str) -> None:
        """Refuse fields that the benchmark's classes do not have."""
        unknown = [name for name in fields if name not in names]
        if unknown:
            raise self.fault(f"{what} has the field {described(unknown[0])}; known are {', '.join(names)}")

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

    def costs(self, dataset: str) -> tuple[int, int]:
        """Parameters and multiply-accumulates of the network that the benchmark trains on a data set."""
        if self._space == NATSSize.name:
            return nats_network.costs([int(width) for width in self.native_id.split(":")], dataset)[:2]
        cell = [self.native_id]
        return int(nb201.parameters(cell, dataset)[0]), int(nb201.multiply_accumulates(cell, dataset)[0])

    def configuration(self, dataset: str) -> Mapping[str, str | int]:
        """What the archives' configuration of the architecture's network has to say, where it says it."""
        classes: dict[str, str | int] = {"class_num": SKELETON.datasets[dataset].classes, "arch_str": self.native_id}
        if self._space == NATSSize.name:
            return {**classes, "channels": self.native_id, "genotype": _SIZE_CELL}
        return {**classes, "channel": SKELETON.channels, "num_cells": SKELETON.cells}

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
        if not is_number(value, low, high):
            raise self.fault(f"{what} is {described(value)}; {needed(value, low, high)}")
        return float(value)

    def trials(self) -> Iterator[Trial]:
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
                self.known(fields, _RESULT_FIELDS, f"the result {described(key)}")
                if fields.get("seed") is not None and str(fields["seed"]).lstrip("0") != str(seed).lstrip("0"):
                    raise self.fault(f"the result {described(key)} says that its seed is {described(fields['seed'])}")
                if fields.get("epochs") != _EPOCHS[training]:
                    raise self.fault(
                        f"the result {described(key)} of training {training!r} ran for "
                        f"{described(fields.get('epochs'))} epochs; {_EPOCHS[training]} are expected"
                    )
                trial = Trial(self, dataset, seed, _EPOCHS[training], fields)
                trial.check_network()
                yield trial


@dataclass(frozen=True)
class Trial:
    """One training of one architecture on one dataset with one seed, as the archive has it."""

    record: Record
    dataset: str
    seed: int
    epochs: int
    fields: Mapping[Any, Any]

    def __str__(self) -> str:
        return f"{self.dataset} with seed {self.seed} at {self.epochs} epochs"

    @property
    def unfinished(self) -> list[str]:
        """The evaluation sets of the data set without an accuracy after the last epoch."""
        found = self.fields.get("eval_acc1es")
        last = self.epochs - 1
        names = [name for dataset, name in SPLITS if dataset == self.dataset]
        return [name for name in names if not isinstance(found, dict) or f"{name}@{last}" not in found]

    def equals(self, other: Trial) -> bool:
        """Whether it has every number of another training: one with another seed, or the same one written twice."""
        return (self.dataset, self.epochs) == (other.dataset, other.epochs) and all(
            self.fields.get(name) == other.fields.get(name) for name in _MEASURED
        )

    def check_network(self) -> None:
        """Refuse a configuration that says another network than the record's."""
        found = self.fields.get("arch_config")
        if found is None:
            return
        configuration = self.record.mapping(found, f"arch_config of {self}")
        for name, expected in self.record.configuration(DATASETS[self.dataset]).items():
            if name in configuration and configuration[name] != expected:
                raise self.record.fault(
                    f"arch_config of {self} has the {name} {described(configuration[name])}; {expected} is that of "
                    f"{self.record.native_id}. The archive is of another benchmark or damaged"
                )

    def curves(self, measure: str) -> Iterator[tuple[str, Mapping[int, Any]]]:
        """(split, values by epoch from 0) of ``acc1es``, ``losses`` or ``times``; the training split first."""
        training = self.fields.get(f"train_{measure}")
        if training is not None:
            trained = self.record.mapping(training, f"train_{measure} of {self}")
            for epoch in trained:
                if type(epoch) is not int or not 0 <= epoch < self.epochs:
                    raise self.record.fault(
                        f"train_{measure} of {self} has the epoch {described(epoch)}; {self._epochs}"
                    )
            yield "train", trained
        evaluations: dict[str, dict[int, Any]] = {}
        found = self.fields.get(f"eval_{measure}")
        for key, value in self.record.mapping({} if found is None else found, f"eval_{measure} of {self}").items():
            name, _, epoch = key.rpartition("@") if isinstance(key, str) else ("", "", "")
            if (self.dataset, name) not in SPLITS or not _EPOCH.fullmatch(epoch):
                known = ", ".join(name for dataset, name in SPLITS if dataset == self.dataset)
                raise self.record.fault(f"{self} has the evaluation {described(key)}; an epoch of {known} is needed")
            if int(epoch) >= self.epochs:
                raise self.record.fault(f"{self} has the evaluation {described(key)}; {self._epochs}")
            evaluations.setdefault(name, {})[int(epoch)] = value
        for name, values in evaluations.items():
            yield SPLITS[self.dataset, name], values

    @property
    def _epochs(self) -> str:
        return f"its epochs are 0 to {self.epochs - 1}"

    def costs(self) -> tuple[int, int]:
        """Parameters and multiply-accumulates, which the archive has in millions.

        The parameters have to be those of the architecture's network with the data set's classifier.
        """
        parameters = round(self.record.number(self.fields.get("params"), f"params of {self}", high=1e6) * 1e6)
        expected = self.record.costs(DATASETS[self.dataset])[0]
        if parameters != expected:
            raise self.record.fault(
                f"params of {self} is {parameters / 1e6:g} million, but the network of {self.record.native_id} has "
                f"{expected:,} parameters there. The archive is of another benchmark or damaged"
            )
        return parameters, round(self.record.number(self.fields.get("flop"), f"flop of {self}", high=1e9) * 1e6)

    def latency(self) -> float | None:
        """Milliseconds of one batch, or None where it was not measured; the archive has a list of seconds."""
        found = self.fields.get("latency")
        if not isinstance(found, list) or not found:
            return None
        mean = sum(self.record.number(value, f"latency of {self}", low=-1) for value in found) / len(found)
        return 1000 * mean if mean > 0 else None  # -1 says that it was not measured
