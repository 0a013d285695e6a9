"""Operators by what their descriptions mean: the cosine of their sentence embeddings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.architecture.operators import Operator
from catalog.errors import UnknownOperatorError
from predictor.encoding.embedding import embed

if TYPE_CHECKING:
    import polars


def by_similarity(
    listed: polars.DataFrame, named: polars.DataFrame, name: str, style: str = "short"
) -> polars.DataFrame:
    """Operators, the nearest to one of them first, without itself.

    Parameters
    ----------
    listed
        Rows of the table ``operator``.
    named
        The rows that have the name; the first one counts.
    name
        The operator that the others are compared with.
    style
        The sentence that is compared: ``short``, ``medium`` or ``long``.

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
    rows = [*named.head(1).drop("space").to_dicts(), *listed.drop("space").to_dicts()]
    vectors = embed([Operator(**row) for row in rows], style)  # (1 + operators, width)
    cosines = (vectors[1:] @ vectors[0]).astype(float).round(4)
    return (
        listed.insert_column(2, pl.Series("similarity", cosines))
        .filter(pl.col("name") != name)
        .sort("similarity", descending=True, maintain_order=True)
    )
