"""Vectors of architectures for the pages that look for near ones; the predictors stand on a floor of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import MissingExtraError

if TYPE_CHECKING:
    from catalog.report.neighbours import Embedding
    from catalog.store import Catalog


def embedding_of(catalog: Catalog, space: str) -> Embedding | str:
    """TG-NAS's vectors of a stored space; a sentence for the page where the predictors are not installed."""
    from catalog.extras import require_predict

    try:
        require_predict()
        from predictor.tg_nas.architecture_embedding import embed_space

        return embed_space(catalog, space)
    except MissingExtraError as error:
        return f"There are no vectors here: {error}"
