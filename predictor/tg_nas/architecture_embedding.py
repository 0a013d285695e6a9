"""What TG-NAS knows of an architecture before it says a number: the state of its network just below the read-out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.tables.stored_graphs import read_cells, read_vocabulary
from predictor.encoding.padded_graphs import CellBatch, from_placed
from predictor.encoding.stored_embeddings import recall
from predictor.tg_nas.ensemble import NB101, Scorer
from predictor.tg_nas.features import operator_features
from predictor.tg_nas.nb101_modules import module_cells

if TYPE_CHECKING:
    from catalog.architecture.operators import Vocabulary
    from catalog.storage.store import Store
    from predictor.tg_nas.model import TGNASNetwork

_CELLS_AT_ONCE = 2**16


def embed_space(catalog: Store, space: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Vectors of all architectures of a stored space, by the first network of the shipped ensemble ``tg_nas``.

    Architectures that compute the same function have the same vector, because the canonical form is what is read.

    Returns
    -------
    tuple
        The ``architecture.id`` of each, ascending, and (A, D) the mean over its cells, weighted as in the score.
    """
    recall(catalog, space)
    ids, placed = read_cells(catalog, space, "canonical")
    batches = [
        module_cells(part.cells.vocabulary, part.cells.operators, part.cells.adjacency, part.rows)
        if space == NB101
        else from_placed(part)
        for part in placed
    ]
    return ids, embed_cells(Scorer.load().members[0], batches, len(ids), read_vocabulary(catalog, space))


def embed_cells(
    network: TGNASNetwork, batches: list[CellBatch], architectures: int, vocabulary: Vocabulary
) -> NDArray[np.float32]:
    """(A, D) weighted mean over an architecture's cells of what the network's head is given."""
    import torch

    sums = np.zeros((architectures, network.config.width), dtype=np.float32)
    total = np.zeros(architectures, dtype=np.float32)
    pooled: list[NDArray[np.float32]] = []

    def keep(_: Any, inputs: tuple[torch.Tensor, ...]) -> None:
        pooled.append(inputs[0].numpy())

    hook = network.head.register_forward_pre_hook(keep)
    try:
        with torch.inference_mode():
            for batch in batches:
                operators = [vocabulary[name] for name in batch.names]
                features = torch.from_numpy(operator_features(operators, network.config))
                for part in batch.parts(_CELLS_AT_ONCE):
                    network(
                        features,
                        torch.from_numpy(part.operators.astype(np.int64)),
                        torch.from_numpy(part.adjacency.astype(np.float32)),
                        torch.from_numpy(part.scale),
                    )
                    np.add.at(sums, part.owner, pooled.pop() * part.weight[:, None])
                    np.add.at(total, part.owner, part.weight)
    finally:
        hook.remove()
    return sums / total[:, None]
