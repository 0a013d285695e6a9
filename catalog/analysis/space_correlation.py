"""Correlation of a space's proxies with one of its columns, read from the wide view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import polars as pl

from catalog.analysis.correlation import correlate
from catalog.views import proxy_directions

if TYPE_CHECKING:
    from catalog.store import Catalog


def correlate_space(
    catalog: Catalog, space: str, target: str, proxies: Sequence[str] | None = None, where: str | None = None
) -> pl.DataFrame:
    """`catalog.analysis.correlation.correlate` for columns of a wide view, best tau first.

    Parameters
    ----------
    proxies
        Columns to rank with; by default every proxy column of the space.
    where
        SQL condition on the wide view that chooses the pool.

    Raises
    ------
    UnknownColumnError
        `target` or one of `proxies` is no column of the view.
    """
    view = catalog.space(space)
    directions = proxy_directions(catalog, space)
    names = list(proxies) if proxies else [name for name in directions if name != target]
    frame = view.frame(columns=[target, *names], where=where)
    result = correlate(
        {name: frame[name].cast(pl.Float64).to_numpy() for name in names},
        frame[target].cast(pl.Float64).to_numpy(),
        {name: directions.get(name, 1) for name in names},
        target_direction=directions.get(target, 1),
    )
    return result.sort("kendall_tau", descending=True, nulls_last=True, maintain_order=True)
