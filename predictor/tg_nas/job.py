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

from catalog.errors import UsageError
from catalog.operators import VOCABULARY, Vocabulary
from predictor.tensors import CellBatch
from predictor.tg_nas.checkpoint import CARD, save
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.ensemble import Scorer, member_outputs
from predictor.tg_nas.features import feature_size
from predictor.tg_nas.model import TGNASNetwork
from predictor.tg_nas.prior import Prior, terms_of
from predictor.tg_nas.training import TrainingSet, train_member

HELD_OUT_SHARE = 0.02
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
    """

    name: str
    cells: tuple[CellBatch, ...]
    labels: NDArray[np.float64]
    native_ids: tuple[str, ...] | None = None

    def digest(self) -> str:
        """sha256 over graphs and labels, in order."""
        total = hashlib.sha256(np.ascontiguousarray(self.labels).tobytes())
        for batch in self.cells:
            for array in (batch.operators, batch.adjacency, batch.scale, batch.owner):
                total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def split(self, seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which architectures train, and which are held out (2 %, the same for every member)."""
        usable = np.isfinite(self.labels)
        held = usable & (np.random.default_rng(seed).random(len(self.labels)) < HELD_OUT_SHARE)
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
    vocabulary: Vocabulary = VOCABULARY,
    progress: MemberProgress | None = None,
) -> dict[str, Any]:
    """Train one member a seed and write the checkpoint; returns its card.

    A member's weights are written as soon as it is done, so that an interrupted call, started again with the same
    arguments, trains what is missing only.

    Raises
    ------
    UsageError
        No source has labels, or `out` holds members of other sources or of another configuration.
    """
    splits = [source.split() for source in sources]
    if not sources or not all(train.any() for train, _ in splits):
        raise UsageError("there is nothing to train on: every source needs architectures with labels.")
    digests = {source.name: source.digest() for source in sources}
    folder = _working_folder(out, config, digests)
    training = [TrainingSet.of(*source.part(train)) for source, (train, _) in zip(sources, splits, strict=True)]
    members, seconds = [], []
    for seed in seeds:
        started = time.monotonic()
        members.append(_member(training, config, seed, folder, vocabulary, progress))
        seconds.append(round(time.monotonic() - started, 1))
    held = [source.part(held) for source, (_, held) in zip(sources, splits, strict=True)]
    scales = _scales(members, *held[0], vocabulary)
    prior = Prior().standardised(terms_of(held[0][0], len(held[0][1]), vocabulary))
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


def _working_folder(out: Path, config: TGNASConfig, digests: dict[str, str]) -> Path:
    """The folder of finished members, which says what they were trained on."""
    folder = out / "members"
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"configuration": config.to_dict(), "sources": digests}
    note = folder / "what.json"
    if note.is_file() and json.loads(note.read_text()) != wanted:
        raise UsageError(
            f"{folder} holds members that were trained on other data or with another configuration; "
            "choose another --out, or remove that folder to start anew."
        )
    note.write_text(json.dumps(wanted, indent=2, sort_keys=True) + "\n")
    return folder


def _member(
    training: Sequence[TrainingSet],
    config: TGNASConfig,
    seed: int,
    folder: Path,
    vocabulary: Vocabulary,
    progress: MemberProgress | None,
) -> TGNASNetwork:
    from safetensors.torch import load_file, save_file

    path = folder / f"{seed}.safetensors"
    if not path.is_file():

        def report(step: int, steps: int, loss: float) -> None:
            if progress is not None:
                progress(seed, step, steps, loss)

        network = train_member(training, config, seed, vocabulary=vocabulary, progress=report)
        unfinished = path.with_suffix(".part")
        save_file({name: tensor.contiguous() for name, tensor in network.state_dict().items()}, unfinished)
        unfinished.replace(path)
    member = TGNASNetwork(feature_size(config), config)
    member.load_state_dict(load_file(path))
    return member.eval()


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
