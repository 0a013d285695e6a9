"""NAS-Bench-201 archives (``.pth``) and NATS-Bench files and folders (``.pickle.pbz2``)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
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
        is_nats = not _is_torch(path)
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
        watched = _Watched(Percents(path.name), Percents(path.name))
        rows = _BatchRows(self.curves, watched)
        seen: set[str] = set()
        rest: dict[str, Any] = {}
        for where, key, value in _architectures(path, self.size_limit, rest):
            record = Record(where, self.space, key, value)
            if record.native_id in seen:
                raise record.fault(f"{record.native_id} occurs a second time; each architecture may occur once")
            seen.add(record.native_id)
            rows.add(record)
            if len(rows.native_ids) == _ARCHITECTURES_A_BATCH:
                yield rows.batch()
                rows = _BatchRows(self.curves, watched)
        notes = [*watched.notes(), *_checked_list(path.name, rest.get("meta_archs"), seen)]
        if rows.native_ids:
            yield rows.batch(notes)


def _checked_list(name: str, listed: Any, seen: set[str]) -> Iterator[str]:
    """Compare an archive's list of its architectures with those that it holds."""
    if listed is None:
        return
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        raise IngestError(f"{name}: meta_archs is {described(listed)}; a list of texts is needed. Nothing was stored.")
    if unlisted := sorted(seen.difference(listed)):
        raise IngestError(
            f"{name}: {described(unlisted[0])} is in the archive, but not in its own list meta_archs; "
            f"{len(unlisted):,} architectures are not. It is damaged or was edited; nothing was stored."
        )
    if missing := len(set(listed) - seen):
        yield f"meta_archs names {missing:,} architectures that the archive does not hold."


def _members(path: Path) -> list[tuple[str, Path]]:
    """(number, file) of the files of a folder that hold one architecture each."""
    return sorted((match[1], file) for file in path.iterdir() if (match := _FOLDER_MEMBER.fullmatch(file.name)))


def _is_torch(path: Path) -> bool:
    """Whether it is NAS-Bench-201's own archive, or the folder of its files, which PyTorch wrote."""
    if not path.is_dir():
        return path.suffix == ".pth"
    return any(file.suffix == ".pth" for _, file in _members(path))


def _architectures(path: Path, size_limit: int, rest: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """(place for messages, key, value) of each architecture, in the file's order; `rest` gets what is beside them."""
    if not path.is_dir():
        yield from _of_file(path, size_limit, rest)
        return
    members = _members(path)
    if not members:
        raise IngestError(
            f"{path.name}: a folder without files such as 000011.pickle.pbz2; nothing was stored. Give the folder that "
            "the benchmark's archive unpacks to."
        )
    if len({file.suffix for _, file in members}) > 1:
        raise IngestError(
            f"{path.name}: it has .pth files of NAS-Bench-201 and .pickle.pbz2 files of NATS-Bench; each belongs into "
            "a folder of its own. Nothing was stored."
        )
    for number, file in members:
        for where, _, value in _of_file(file, size_limit, {}):
            yield where, int(number), value


def _of_file(path: Path, size_limit: int, beside: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
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
        beside.update((name, value) for name, value in rest.items() if name != "arch2infos")
        for key, value in (left if isinstance(left, dict) else {}).items():
            yield path.name, key, value
    elif rest:
        yield path.name, None, rest


@dataclass
class _Watched:
    """What is seen of the whole archive: accuracies after the last epoch and of all epochs, and odd trainings."""

    last: Percents
    curves: Percents
    unfinished: list[str] = field(default_factory=list)
    twins: list[str] = field(default_factory=list)

    def notes(self) -> Iterator[str]:
        """What a person should look at; call it when all of the archive was seen."""
        self.last.refuse_fractions()
        self.curves.refuse_fractions()
        yield from self.last.notes()
        if self.unfinished:
            yield (
                f"{len(self.unfinished):,} trainings have no accuracy of an evaluation set after their last epoch, and "
                f"none is stored (the first: {self.unfinished[0]})."
            )
        if self.twins:
            yield (
                f"{len(self.twins):,} trainings have every number of another seed: one training may stand twice (the "
                f"first: {self.twins[0]})."
            )


class _BatchRows:
    """The rows of one batch under construction."""

    def __init__(self, curves: bool, watched: _Watched) -> None:
        self.native_ids: list[str] = []
        self._watched = watched
        self._indices: list[int] = []
        self._metrics = MetricColumns()
        self._curves = curves
        self._trials = 0
        self._other_flops: list[str] = []

    def batch(self, further: Sequence[str] = ()) -> Batch:
        """What was collected; `further` are notes on the whole archive."""
        notes = [*further]
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
        earlier: list[Trial] = []
        for trial in record.trials():
            self._trials += 1
            place = f"{record.native_id}, {trial}"
            if trial.unfinished:
                self._watched.unfinished.append(f"{place}: {', '.join(trial.unfinished)}")
            if twin := next((other for other in earlier if trial.equals(other)), None):
                self._watched.twins.append(f"{place}, as seed {twin.seed}")
            earlier.append(trial)
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
                    column = f"{split} accuracy on {dataset} after {trial.epochs} epochs"
                    self._watched.last.see(column, last, f"{trial.record.where}: {what}")
                self._metrics.add(
                    row, name, last, dataset=dataset, split=split, epochs=trial.epochs,
                    stage="final", seed=trial.seed,
                )  # fmt: skip
            if self._curves:
                for epoch, value in numbers.items():
                    if name == "accuracy" and value is not None:
                        column = f"{split} accuracy on {dataset} in trainings of {trial.epochs} epochs"
                        self._watched.curves.see(column, value, f"{trial.record.where}: {what}")
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
