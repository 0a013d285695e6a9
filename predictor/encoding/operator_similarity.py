"""Operators by what their descriptions mean: the cosine of their sentence embeddings."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from catalog.errors import UnknownOperatorError
from catalog.progress import Listener
from catalog.tables.stored_operators import operator_of
from predictor.encoding.embedding import cut_short, embed, unknown
from predictor.encoding.encoder import DEFAULT, Encoder
from predictor.encoding.stored_embeddings import recall_operators

if TYPE_CHECKING:
    import polars

    from catalog.storage.store import Store


def by_similarity(
    catalog: Store,
    listed: polars.DataFrame,
    named: polars.DataFrame,
    name: str,
    style: str = "short",
    *,
    encoder: Encoder = DEFAULT,
    listener: Listener,
) -> polars.DataFrame:
    """Operators, the nearest to one of them first, without itself.

    Parameters
    ----------
    catalog
        Where the operators are from; a vector that it holds is not made again.
    listed
        Rows of the table ``operator``.
    named
        The rows that have the name; the first one counts.
    name
        The operator that the others are compared with.
    style
        The sentence that is compared: ``short``, ``medium`` or ``long``.
    encoder
        What reads the sentences.
    listener
        Hears which descriptions are longer than the encoder reads.

    Returns
    -------
    polars.DataFrame
        `listed` with a column ``similarity``, -1 to 1.

    Raises
    ------
    UnknownOperatorError
        `named` is empty.
    UsageError
        There is no such style.
    """
    import polars as pl

    if not named.height:
        raise UnknownOperatorError(f"unknown operator {name!r}; `catalog operators` lists those that are known.")
    rows = [*named.head(1).to_dicts(), *listed.to_dicts()]
    operators = [operator_of(row) for row in rows]
    if note := cut_short(operators, style, encoder):
        listener.note(note)
    if unknown(operators, style, encoder):
        recall_operators(catalog, operators)
    new = unknown(operators, style, encoder)
    with listener.watch(f"encoding {len(new):,} new descriptions") if new else nullcontext():
        vectors = embed(operators, style, encoder)  # (1 + operators, width)
    cosines = (vectors[1:] @ vectors[0]).astype(float).round(4)
    return (
        listed.insert_column(2, pl.Series("similarity", cosines))
        .filter(pl.col("name") != name)
        .sort("similarity", descending=True, maintain_order=True)
    )
