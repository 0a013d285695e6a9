"""Pre-training: networks of several spaces in batches of all, and an objective that needs no label."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch
from catalog.progress import Advance
from predictor.computation_graph.encoder import NetworkEncoder, Networks
from predictor.computation_graph.objectives import OBJECTIVES, Piece
from predictor.computation_graph.statistics import flows, spectra, statistics, surroundings
from predictor.computation_graph.words import table_of
from predictor.door import Given
from predictor.graph_network.encoder import GraphEncoderConfig

Values = NDArray[np.float64]

_FLAT = 1e-9


@dataclass(frozen=True)
class Schedule:
    """How an encoder is pre-trained.

    Parameters
    ----------
    graphs
        Most networks of a space.
    steps, batch
        Steps of AdamW with a one-cycle schedule, and networks of each, all spaces mixed.
    learning_rate, weight_decay
        Of AdamW.
    """

    graphs: int = 1_000
    steps: int = 400
    batch: int = 64
    learning_rate: float = 2e-3
    weight_decay: float = 1e-4


def pretrained(
    sources: Sequence[Given],
    objective: str,
    config: GraphEncoderConfig,
    schedule: Schedule,
    seeds: Sequence[int],
    progress: Advance,
) -> list[NetworkEncoder]:
    """Encoders, one a seed, that learned from the same networks of some spaces; ready to encode."""
    random = np.random.default_rng(seeds[0])
    pool = _Pool([part for given in sources for part in _drawn(given, schedule.graphs, random)])
    every = schedule.steps * len(seeds)

    def learned(place: int, seed: int) -> NetworkEncoder:
        before = place * schedule.steps
        return _learned(pool, objective, config, schedule, seed, lambda step: progress(before + step, every))

    return [learned(place, seed) for place, seed in enumerate(seeds)]


def _learned(
    pool: _Pool,
    objective: str,
    config: GraphEncoderConfig,
    schedule: Schedule,
    seed: int,
    progress: Callable[[int], None],
) -> NetworkEncoder:
    random = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = NetworkEncoder(config).train()
        head = OBJECTIVES[objective](encoder, len(pool.words))
        parameters = [*encoder.parameters(), *head.parameters()]
        optimiser = torch.optim.AdamW(
            parameters, lr=schedule.learning_rate, weight_decay=schedule.weight_decay, foreach=True
        )
        cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, schedule.learning_rate, total_steps=schedule.steps)
        for step in range(schedule.steps):
            loss = head(encoder, pool.piece(random.permutation(len(pool))[: schedule.batch]))
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
            cycle.step()
            progress(step + 1)
    return encoder.eval()


def _drawn(given: Given, most: int, random: np.random.Generator) -> Iterator[tuple[Given, ComputationBatch]]:
    """Some networks of a space that compute something, each as a batch of its own."""
    rows = np.flatnonzero(given.connected).astype(np.int64)
    batch = given.networks(np.sort(random.permutation(rows)[:most]))
    for graph in range(len(batch)):
        yield given, batch.taken(graph)


class _Pool:
    """All networks that are learned from, with what is known of them."""

    def __init__(self, parts: Sequence[tuple[Given, ComputationBatch]]) -> None:
        tables = [table_of(batch.words, batch.kinds, given.vocabulary) for given, batch in parts]
        self.words = sorted({word for _, batch in parts for word in batch.words})
        place = {word: number for number, word in enumerate(self.words)}
        self._networks = [Networks.of(batch, given.vocabulary) for given, batch in parts]
        self._codes = [np.array([place[word] for word in batch.words])[batch.nodes.word] for _, batch in parts]
        self._spectra = np.concatenate([spectra(batch) for _, batch in parts])
        batches = [(batch, table) for (_, batch), table in zip(parts, tables, strict=True)]
        self._operators = np.concatenate([surroundings(*one) for one in batches])
        self._statistics = _standardised(np.concatenate([statistics(*one) for one in batches]))
        found = [flows(*one) for one in batches]
        ends = np.cumsum([len(one) for one in found])[:-1]
        self._flows = np.split(_standardised(np.concatenate(found)), ends)

    def __len__(self) -> int:
        return len(self._networks)

    def piece(self, rows: NDArray[np.int64]) -> Piece:
        """Some of the networks as one batch."""
        return Piece(
            Networks.joined([self._networks[row] for row in rows]),
            torch.from_numpy(self._spectra[rows].astype(np.float32)),
            torch.from_numpy(self._statistics[rows].astype(np.float32)),
            torch.from_numpy(self._operators[rows].astype(np.float32)),
            torch.from_numpy(np.concatenate([self._flows[row] for row in rows]).astype(np.float32)),
            torch.from_numpy(np.concatenate([self._codes[row] for row in rows])),
        )


def _standardised(values: Values) -> Values:
    deviations = values.std(axis=0)
    return np.asarray((values - values.mean(axis=0)) / np.where(deviations > _FLAT, deviations, 1.0))
