"""Vectors of a stored space's architectures, for pages that look for near ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.errors import MissingExtraError

if TYPE_CHECKING:
    from catalog.storage.store import Store

Embedding = tuple[NDArray[np.int64], NDArray[np.float32]]
"""``architecture.id`` of every architecture of a space, and (A, D) the vector of each."""


def embedding_of(catalog: Store, space: str) -> Embedding | str:
    """TG-NAS's vectors of a stored space; a sentence for the page where the predictors are not installed."""
    from catalog.extras import require_predict

    try:
        require_predict()
        from predictor.tg_nas.architecture_embedding import embed_space

        return embed_space(catalog, space)
    except MissingExtraError as error:
        return f"There are no vectors here: {error}"
