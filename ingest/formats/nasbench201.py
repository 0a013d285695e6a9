"""NAS-Bench-201 archives (``.pth``) and NATS-Bench files and folders (``.pickle.pbz2``)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from catalog.architecture.members import Members
from catalog.errors import IngestError
from catalog.spaces import nb201
from catalog.spaces.nats_sss import NATSSize
from ingest.formats.nasbench201_record import DATASETS, Record, Trial
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.byte_source import ByteSource
from ingest.reading.metric_columns import MetricColumns
from ingest.reading.percents import Percents
from ingest.reading.pickled_values import described
from ingest.reading.safe_pickle import SafeUnpickler
from ingest.reading.sources import DEFAULT_SIZE_LIMIT, open_stream
from ingest.reading.torch_archive import TorchArchive

_ARCHITECTURES_A_BATCH = 500
_FOLDER_MEMBER = re.compile(r"(\d{6})(?:-FULL|-SIMPLE)?\.(?:pickle\.pbz2|pth)")

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
        percents = Percents(path.name)
        rows = _BatchRows(self.curves, percents)
        seen: set[str] = set()
        for where, key, value in _architectures(path, self.size_limit):
            record = Record(where, self.space, key, value)
            if record.native_id in seen:
                raise record.fault(f"{record.native_id} occurs a second time; each architecture may occur once")
            seen.add(record.native_id)
            rows.add(record)
            if len(rows.native_ids) == _ARCHITECTURES_A_BATCH:
                yield rows.batch()
                rows = _BatchRows(self.curves, percents)
        percents.refuse_fractions()
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


class _BatchRows:
    """The rows of one batch under construction."""

    def __init__(self, curves: bool, percents: Percents) -> None:
        self.native_ids: list[str] = []
        self._percents = percents
        self._indices: list[int] = []
        self._metrics = MetricColumns()
        self._curves = curves
        self._trials = 0
        self._other_flops: list[str] = []

    def batch(self) -> Batch:
        """What was collected."""
        notes = []
        if self._other_flops:
            notes.append(
                f"flops are stored as the archive has them, but those of {len(self._other_flops):,} architectures are "
                f"not the multiply-accumulates of their network (the first: {self._other_flops[0]})."
            )
        members = Members(self.native_ids, self._indices)
        return Batch(members, self._trials, self._metrics.table(), notes=tuple(notes))

    def add(self, record: Record) -> None:
        """All trials of one architecture."""
        row = len(self.native_ids)
        self.native_ids.append(record.native_id)
        self._indices.append(record.index)
        costs: dict[str, tuple[int, int]] = {}
        for trial in record.trials():
            self._trials += 1
            self._add_curves(row, trial, "acc1es", "accuracy")
            self._add_curves(row, trial, "losses", "loss")
            self._add_costs(row, trial)
            found = trial.costs()
            if costs.setdefault(DATASETS[trial.dataset], found) != found:
                raise record.fault(
                    f"flop of {trial} is {found[1]:,}, and {costs[DATASETS[trial.dataset]][1]:,} elsewhere"
                )
        if any(flops != record.costs(dataset)[1] for dataset, (_, flops) in costs.items()):
            self._other_flops.append(record.native_id)
        for dataset, (parameters, flops) in costs.items():
            self._metrics.add(row, "parameters", parameters, kind="reported", dataset=dataset)
            self._metrics.add(row, "flops", flops, kind="reported", dataset=dataset)

    def _add_curves(self, row: int, trial: Trial, measure: str, name: str) -> None:
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
                last = numbers[trial.epochs - 1]
                if name == "accuracy" and last is not None:
                    self._percents.see(name, last, f"{trial.record.where}: {what}")
                self._metrics.add(
                    row, name, last, dataset=dataset, split=split, epochs=trial.epochs,
                    stage="final", seed=trial.seed,
                )  # fmt: skip
            if self._curves:
                for epoch, value in numbers.items():
                    self._metrics.add(
                        row, name, value, dataset=dataset, split=split, epochs=int(epoch) + 1,
                        stage=f"of {trial.epochs}", seed=trial.seed,
                    )  # fmt: skip

    def _add_costs(self, row: int, trial: Trial) -> None:
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


def _quality(record: Record, name: str, value: Any, what: str) -> float | None:
    """An accuracy in percent, or a loss; a loss that diverged is NULL."""
    if name == "loss" and isinstance(value, float) and not math.isfinite(value):
        return None
    return record.number(value, what, high=100.0 if name == "accuracy" else math.inf)
