r"""TG-NAS as a scorer: five networks and the structural prior, from graphs to mean and spread.

.. math:: s_i = \text{prior} + \tanh(z_i / 2), \qquad \text{score} = \frac1M \sum_i s_i

with :math:`z_i` the standard score of member i on its source. A network may move an architecture by one standard
deviation of the prior at the most: on graphs unlike any it was trained on, its output can be anything, and theory's
signs keep the last word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import PlacedCells
from catalog.architecture.operators import VOCABULARY, Vocabulary
from catalog.errors import UsageError
from predictor.encoding.padded_graphs import CellBatch, from_graphs, from_placed, vocabulary_of
from predictor.encoding.structural_prior import Prior, terms_of
from predictor.tg_nas.config import TGNASConfig, digest_of
from predictor.tg_nas.features import operator_features
from predictor.tg_nas.nb101_modules import module_cells

if TYPE_CHECKING:
    from predictor.tg_nas.model import TGNASNetwork

Values = NDArray[np.float64]

PARTS = ("both", "network", "prior")
NB101 = "nb101"
_CELLS_AT_ONCE = 2**14  # numbers of adjacency in one slice: what it needs stays in the cache


@dataclass(frozen=True)
class Scores:
    """Scores of a pool of architectures, each (A,); NaN where no path leads from input to output.

    Parameters
    ----------
    mean, std
        Mean and standard deviation over the members of the ensemble; higher is better.
    """

    mean: Values
    std: Values

    @property
    def connected(self) -> NDArray[np.bool_]:
        """Which architectures compute anything; the others have no score, and rank below all."""
        return np.isfinite(self.mean)

    def ranked_last(self) -> Values:
        """The mean, with every architecture that computes nothing placed one below the lowest."""
        lowest = self.mean[self.connected].min(initial=0.0)
        return np.where(self.connected, self.mean, lowest - 1.0)


class Scorer:
    """Scores architectures of any space.

    Parameters
    ----------
    members
        Trained networks of one configuration.
    scales
        Mean and standard deviation of each member's output on its source.
    prior
        The structural prior.
    part
        ``both``, or ``network`` or ``prior`` alone to see what each contributes.
    card
        The checkpoint's card.
    """

    def __init__(
        self,
        members: Sequence[TGNASNetwork],
        scales: Sequence[tuple[float, float]],
        prior: Prior,
        *,
        part: str = "both",
        card: dict[str, Any] | None = None,
    ) -> None:
        if part not in PARTS:
            raise UsageError(f"unknown part {part!r} of TG-NAS; choose one of {', '.join(PARTS)}.")
        self.members = tuple(members)
        self.scales = tuple(scales)
        self.prior = prior
        self.part = part
        self.card = card or {}

    @classmethod
    def load(cls, checkpoint: str | Path = "tg_nas", *, part: str = "both") -> Scorer:
        """Read a checkpoint: the name of a shipped one, or a folder that `train` wrote."""
        from predictor.door.checkpoint import read_card
        from predictor.tg_nas.checkpoint import folder_of, load_members

        folder = folder_of(checkpoint)
        card = read_card(folder)
        if lacking := sorted({"configuration", "members", "prior", "sha256"} - set(card)):
            raise UsageError(f"{folder} holds no ensemble of TG-NAS: its card has no {', '.join(lacking)}.")
        scales = [(member["mean"], member["deviation"]) for member in card["members"]]
        return cls(load_members(folder, card), scales, Prior(**card["prior"]), part=part, card=card)

    @property
    def digest(self) -> str:
        """sha256 of weights, configuration and scales; empty if the ensemble is not saved."""
        return digest_of(self.card) if self.card else ""

    def score(self, graphs: Sequence[ArchitectureGraph]) -> Scores:
        """Scores of graphs of one space, in canonical form (NAS-Bench-101: native, which fixes the channels)."""
        if graphs and graphs[0].space == NB101:
            return self._score_modules(graphs)
        return self.score_batches(from_graphs(graphs), len(graphs), vocabulary_of(graphs))

    def score_arrays(
        self,
        space: str,
        cells: Sequence[CellArrays],
        owners: Sequence[NDArray[np.int64]] | None = None,
        vocabulary: Vocabulary = VOCABULARY,
    ) -> Scores:
        """Scores of architectures given as arrays of cells, by size and cell name.

        Parameters
        ----------
        space
            Name of the space; ``nb101`` says that the arrays are native modules.
        cells
            Arrays, one for each number of nodes and each cell of the space.
        owners
            Place of each cell's architecture in the result; in the order of the arrays, which then hold one cell an
            architecture, if None.
        vocabulary
            What the operator names mean.
        """
        if owners is None:
            starts = np.cumsum([0, *(len(array) for array in cells)])
            owners = [np.arange(start, start + len(array)) for start, array in zip(starts, cells, strict=False)]
        architectures = 1 + max((int(owner.max(initial=-1)) for owner in owners), default=-1)
        placed = [PlacedCells(owner, array) for array, owner in zip(cells, owners, strict=True)]
        return self.score_batches(cell_batches(space, placed), architectures, vocabulary)

    def _score_modules(self, graphs: Sequence[ArchitectureGraph]) -> Scores:
        sizes: dict[int, list[int]] = {}
        for place, graph in enumerate(graphs):
            sizes.setdefault(graph.cells[0].node_count, []).append(place)
        cells = [CellArrays.of([graphs[place].cells[0] for place in places]) for places in sizes.values()]
        owners = [np.array(places, dtype=np.int64) for places in sizes.values()]
        return self.score_arrays(NB101, cells, owners, graphs[0].vocabulary)

    def score_batches(
        self, batches: Sequence[CellBatch], architectures: int, vocabulary: Vocabulary = VOCABULARY
    ) -> Scores:
        """Scores of `architectures` architectures whose cells lie in `batches`."""
        prior = self.prior.score(terms_of(batches, architectures, vocabulary))
        if self.part == "prior":
            return Scores(prior, np.where(np.isfinite(prior), 0.0, np.nan))
        standard = self.standard_outputs(batches, architectures, vocabulary)  # (M, A)
        scores = joined(prior, standard) if self.part == "both" else np.where(np.isfinite(prior), standard, np.nan)
        return Scores(scores.mean(axis=0), scores.std(axis=0, ddof=min(1, len(self.members) - 1)))

    def standard_outputs(
        self, batches: Sequence[CellBatch], architectures: int, vocabulary: Vocabulary = VOCABULARY
    ) -> Values:
        """(M, A) output of each network in standard deviations from its mean on the source."""
        means, deviations = np.array(self.scales).T[:, :, None]
        return np.asarray((member_outputs(self.members, batches, architectures, vocabulary) - means) / deviations)

    def __repr__(self) -> str:
        return f"Scorer({len(self.members)} members, part={self.part!r}, {self.digest[:8] or 'not saved'})"


def cell_batches(space: str, placed: Sequence[PlacedCells]) -> list[CellBatch]:
    """Arrays of cells as the networks read them; modules of NAS-Bench-101 with their projections made explicit."""
    return [
        module_cells(part.cells.vocabulary, part.cells.operators, part.cells.adjacency, part.rows)
        if space == NB101
        else from_placed(part)
        for part in placed
    ]


def joined(prior: Values, standard: Values) -> Values:
    """(M, A) score of each member: the prior, moved by at most one of its standard deviations."""
    return np.asarray(prior + np.tanh(standard / 2))


def member_outputs(
    members: Sequence[TGNASNetwork],
    batches: Sequence[CellBatch],
    architectures: int,
    vocabulary: Vocabulary = VOCABULARY,
) -> Values:
    """(M, A) raw outputs: the weighted mean over an architecture's cells."""
    import torch

    sums, total = np.zeros((len(members), architectures)), np.zeros(architectures)
    with torch.inference_mode():
        for batch in batches:
            features = _features(batch, members[0].config, vocabulary)
            distinct, copies = _distinct(batch)
            np.add.at(total, batch.owner, batch.weight)
            outputs = np.empty((len(members), len(distinct)))
            for places, cells in _packed(distinct):
                start = 0
                for part in cells.parts(_CELLS_AT_ONCE):
                    inputs = (
                        torch.from_numpy(part.operators.astype(np.int64)),
                        torch.from_numpy(part.adjacency.astype(np.float32)),
                        torch.from_numpy(part.scale),
                    )
                    rows = places[start : start + len(part)]
                    for row, member in enumerate(members):
                        outputs[row, rows] = member(features, *inputs).numpy()
                    start += len(part)
            for row in range(len(members)):
                np.add.at(sums[row], batch.owner, outputs[row, copies] * batch.weight)
    return sums / total


def _distinct(batch: CellBatch) -> tuple[CellBatch, NDArray[np.intp]]:
    """The batch with each cell once, and where each cell of the batch is in it: many cells compute one function."""
    count = len(batch)
    parts = (batch.operators, batch.adjacency, batch.scale)
    rows = np.concatenate([np.ascontiguousarray(part).reshape(count, -1).view(np.uint8) for part in parts], axis=1)
    keys = np.ascontiguousarray(rows).view(np.dtype((np.void, rows.shape[1]))).ravel()
    _, first, copies = np.unique(keys, return_index=True, return_inverse=True)
    return batch.rows(first), copies


def _packed(batch: CellBatch) -> Iterator[tuple[NDArray[np.intp], CellBatch]]:
    """The cells by number of nodes, empty places left out, and where they are in the batch."""
    mask = batch.mask
    counts = mask.sum(axis=1)
    order = np.argsort(~mask, axis=1, kind="stable")
    for size in np.unique(counts).tolist():
        rows = np.flatnonzero(counts == size)
        kept = order[rows, :size]
        cells = replace(
            batch.rows(rows),
            operators=batch.operators[rows[:, None], kept],
            adjacency=batch.adjacency[rows[:, None, None], kept[:, :, None], kept[:, None, :]],
            scale=batch.scale[rows[:, None], kept],
        )
        yield rows, cells


def _features(batch: CellBatch, config: TGNASConfig, vocabulary: Vocabulary) -> Any:
    import torch

    return torch.from_numpy(operator_features([vocabulary[name] for name in batch.names], config))
