"""Training an ensemble: sources in, a checkpoint folder out; a member that is done is not trained again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from catalog.architecture.operators import BUILT_IN, VOCABULARY, Operator, Vocabulary
from catalog.errors import UsageError
from catalog.output_file import make_folder, write_bytes, write_text
from predictor.door.checkpoint import CARD
from predictor.encoding.padded_graphs import CellBatch
from predictor.encoding.structural_prior import Prior, terms_of
from predictor.tg_nas.checkpoint import save
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.ensemble import Scorer, member_outputs
from predictor.tg_nas.features import feature_size
from predictor.tg_nas.model import TGNASNetwork
from predictor.tg_nas.training import TrainingSet, train_member

HELD_OUT_SHARE = 0.02
FEWEST_HELD_OUT = 30
"""Of a small source more than the share is held out, but never more than half of it."""
FEWEST_LABELS = 4
MemberProgress = Callable[[int, int, int, float], None]
"""Called with the seed, the step, the number of steps and the loss."""


@dataclass(frozen=True)
class Source:
    """Labelled architectures of one space.

    Parameters
    ----------
    name
        Space and label, for example ``nb101 cifar10_test_accuracy``.
    cells
        Batches of cells, owners 0 to the number of labels.
    labels
        (A,) accuracy; NaN where an architecture has none, which leaves it out.
    native_ids
        What the catalog calls the architectures that have a label here, for the record of what was seen; None if they
        are all of the space.
    vocabulary
        What the operators' names mean here.
    """

    name: str
    cells: tuple[CellBatch, ...]
    labels: NDArray[np.float64]
    native_ids: tuple[str, ...] | None = None
    vocabulary: Vocabulary = VOCABULARY

    def digest(self) -> str:
        """sha256 over graphs, their sizes, labels and the operators that are not built in, in order."""
        total = hashlib.sha256(np.ascontiguousarray(self.labels).tobytes())
        for operator in self.vocabulary:
            if operator not in BUILT_IN:
                total.update(repr(operator).encode())
        for batch in self.cells:
            total.update("".join(name for name in batch.names if name not in self.vocabulary).encode())
            for array in (batch.operators, batch.adjacency, batch.scale, batch.owner):
                total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def split(self, seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which architectures train, and which are held out (2 %, the same for every member).

        Raises
        ------
        UsageError
            There are too few labels to hold any out.
        """
        usable = np.isfinite(self.labels)
        if usable.sum() < FEWEST_LABELS:
            raise UsageError(
                f"{self.name} has {usable.sum()} architectures with labels; training needs at least {FEWEST_LABELS}, "
                "and some thousands to be worth it."
            )
        draws = np.where(usable, np.random.default_rng(seed).random(len(self.labels)), np.inf)
        fewest = min(FEWEST_HELD_OUT, int(usable.sum()) // 2)
        held = draws < max(HELD_OUT_SHARE, np.sort(draws)[fewest])
        return usable & ~held, held

    def part(self, chosen: NDArray[np.bool_]) -> tuple[list[CellBatch], NDArray[np.float64]]:
        """Cells and labels of the chosen architectures, owners counted anew."""
        place = np.cumsum(chosen) - 1
        batches = []
        for batch in self.cells:
            rows = np.flatnonzero(chosen[batch.owner])
            if len(rows):
                kept = batch.rows(rows)
                batches.append(_owned(kept, place[kept.owner]))
        return batches, self.labels[chosen]


def _owned(batch: CellBatch, owner: NDArray[np.int64]) -> CellBatch:
    return CellBatch(batch.names, batch.operators, batch.adjacency, batch.scale, owner, batch.weight)


def train_ensemble(
    sources: Sequence[Source],
    config: TGNASConfig,
    seeds: Sequence[int],
    out: Path,
    *,
    progress: MemberProgress | None = None,
) -> dict[str, Any]:
    """Train one member a seed and write the checkpoint; returns its card.

    A member's weights are written as soon as it is done, so that an interrupted call, started again with the same
    arguments, trains what is missing only.

    Raises
    ------
    UsageError
        There is no source, one has too few labels or graphs that are all alike, two mean different operators by one
        name, or `out` holds members of other sources or of another configuration.
    """
    if not sources:
        raise UsageError("there is nothing to train on; give at least one source.")
    vocabulary = _joint_vocabulary(sources)
    splits = [source.split() for source in sources]
    prior = _standardised(sources[0], vocabulary)
    digests = {source.name: source.digest() for source in sources}
    folder = _working_folder(out, config, digests)
    training = [TrainingSet.of(*source.part(train)) for source, (train, _) in zip(sources, splits, strict=True)]
    trained = [_member(training, config, seed, folder, vocabulary, progress) for seed in seeds]
    members, seconds = [member for member, _ in trained], [took for _, took in trained]
    held = [source.part(held) for source, (_, held) in zip(sources, splits, strict=True)]
    scales = _scales(members, *held[0], vocabulary)
    facts = {
        "sources": [
            {
                "name": source.name,
                "sha256": digests[source.name],
                "architectures": int(np.isfinite(source.labels).sum()),
            }
            | ({} if source.native_ids is None else {"native_ids": list(source.native_ids)})
            for source in sources
        ],
        "seeds": list(seeds),
        "seconds_per_member": seconds,
        "versions": {name: version(name) for name in ("torch", "torch-geometric", "numpy")},
        "held_out": {
            source.name: _held_out(Scorer(members, scales, prior), *part, vocabulary)
            for source, part in zip(sources, held, strict=True)
        },
    }
    save(out, members, prior, scales, facts)
    return dict(json.loads((out / CARD).read_text()))


def _joint_vocabulary(sources: Sequence[Source]) -> Vocabulary:
    """What the operators of all sources mean: the members see one list of names."""
    meaning: dict[str, tuple[Operator, Source]] = {}
    for source in sources:
        for operator in source.vocabulary:
            known, first = meaning.setdefault(operator.name, (operator, source))
            if known != operator:
                raise UsageError(
                    f"{first.name} and {source.name} mean different operators by {operator.name!r}; "
                    "give one of them another name, or train on one of the two."
                )
    return Vocabulary(operator for operator, _ in meaning.values())


def _working_folder(out: Path, config: TGNASConfig, digests: dict[str, str]) -> Path:
    """The folder of finished members, which says what they were trained on."""
    folder = out / "members"
    make_folder(folder)
    wanted = {"configuration": config.to_dict(), "sources": digests}
    note = folder / "what.json"
    if any(folder.glob("*.safetensors")) and _what_was_trained(note) != wanted:
        raise UsageError(
            f"{folder} holds members that were trained on other data or with another configuration; "
            "choose another --out, or remove that folder to start anew."
        )
    write_text(note, json.dumps(wanted, indent=2, sort_keys=True) + "\n")
    return folder


def _what_was_trained(note: Path) -> object:
    """What the members beside a note were trained on.

    Raises
    ------
    UsageError
        It cannot be read.
    """
    try:
        return json.loads(note.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{note} does not tell what the members beside it were trained on ({error}); "
            f"remove {note.parent} to train them again, or choose another --out."
        ) from None


def _member(
    training: Sequence[TrainingSet],
    config: TGNASConfig,
    seed: int,
    folder: Path,
    vocabulary: Vocabulary,
    progress: MemberProgress | None,
) -> tuple[TGNASNetwork, float]:
    """A trained member and the seconds that it took, also where it was trained by an earlier call."""
    from safetensors import SafetensorError, safe_open
    from safetensors.torch import load_file
    from safetensors.torch import save as saved

    path = folder / f"{seed}.safetensors"
    if not path.is_file():

        def report(step: int, steps: int, loss: float) -> None:
            if progress is not None:
                progress(seed, step, steps, loss)

        started = time.monotonic()
        network = train_member(training, config, seed, vocabulary=vocabulary, progress=report)
        took = {"seconds": f"{time.monotonic() - started:.3f}"}
        data = saved({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, metadata=took)
        write_bytes(path, data)
    member = TGNASNetwork(feature_size(config), config)
    try:
        with safe_open(path, framework="pt") as file:
            seconds = float((file.metadata() or {}).get("seconds", 0.0))  # an earlier version did not write it down
        member.load_state_dict(load_file(path))
    except (SafetensorError, OSError, ValueError, RuntimeError) as error:  # RuntimeError: tensors of another network
        what = str(error).splitlines()[0]
        raise UsageError(f"{path} is no member that was trained here ({what}); remove it to train it again.") from None
    return member.eval(), seconds


def _standardised(source: Source, vocabulary: Vocabulary) -> Prior:
    """The prior with the mean and spread that it has over all graphs of a source: their labels are not asked."""
    prior = Prior().standardised(terms_of(source.cells, len(source.labels), vocabulary))
    if not prior.deviation > 0:
        raise UsageError(
            f"the graphs of {source.name} are all alike to the structural prior, so its scale is not known; "
            "give a source whose architectures differ."
        )
    return prior


def _scales(
    members: Sequence[TGNASNetwork], cells: Sequence[CellBatch], labels: NDArray[np.float64], vocabulary: Vocabulary
) -> list[tuple[float, float]]:
    outputs = member_outputs(members, cells, len(labels), vocabulary)
    return [(float(row.mean()), float(row.std())) for row in outputs]


def _held_out(
    scorer: Scorer, cells: Sequence[CellBatch], labels: NDArray[np.float64], vocabulary: Vocabulary
) -> dict[str, Any]:
    from scipy.stats import kendalltau, spearmanr

    scores = scorer.score_batches(cells, len(labels), vocabulary).ranked_last()
    outputs = member_outputs(scorer.members, cells, len(labels), vocabulary)
    return {
        "architectures": len(labels),
        "kendall_tau": round(float(kendalltau(scores, labels)[0]), 4),
        "spearman_rho": round(float(spearmanr(scores, labels)[0]), 4),
        "kendall_tau_of_members": [round(float(kendalltau(row, labels)[0]), 4) for row in outputs],
    }


def use_threads(count: int) -> None:
    """Bound the threads of training; results are the same for the same count."""
    torch.set_num_threads(count)
