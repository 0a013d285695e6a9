"""Correlation of a space's proxies with one of its columns, read from the wide view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.analysis.correlation import correlate
from catalog.errors import UsageError
from catalog.views import proxy_column_name, proxy_directions

if TYPE_CHECKING:
    from catalog.store import Catalog


def correlate_space(
    catalog: Catalog, space: str, target: str, proxies: Sequence[str] | None = None, where: str | None = None
) -> pl.DataFrame:
    """`catalog.analysis.correlation.correlate` for columns of a wide view, best tau first.

    Two rules apply to every proxy, and the frame counts what they touch. An architecture that a predictor was trained
    on, and its functional twins, are left out of that predictor's row (``left_out``). An architecture that the proxy
    refused because no path leads from its input to its output (a score with the status ``disconnected``) ranks below
    all others (``disconnected``); a score that is missing for any other reason, or was never published, leaves the
    architecture out (``missing``).

    Parameters
    ----------
    proxies
        Columns to rank with; by default every proxy column of the space but the spreads of ensembles.
    where
        SQL condition on the wide view that chooses the pool.

    Raises
    ------
    UnknownColumnError
        `target` or one of `proxies` is no column of the view.
    UsageError
        One of them holds no numbers.
    """
    view = catalog.space(space)
    directions = proxy_directions(catalog, space)
    names = list(proxies) if proxies else [name for name in directions if name != target and not name.endswith("_std")]
    frame = view.frame(columns=["architecture_id", target, *names], where=where)
    ids = frame["architecture_id"].to_numpy()
    trained_on = _trained_on(catalog, space, ids)
    truth = _numbers(frame, target, space)
    refused = _refused_as_disconnected(catalog, space, ids)
    nobody = np.zeros(len(ids), dtype=bool)
    scores: dict[str, NDArray[np.float64]] = {}
    left_out, disconnected = [], []
    for name in names:
        values = _numbers(frame, name, space).copy()
        ranked_last = refused.get(name, nobody) & np.isnan(values)
        values[ranked_last] = -np.inf * directions.get(name, 1)
        seen = trained_on.get(name, nobody)
        values[seen] = np.nan
        scores[name] = values
        left_out.append(int((seen & ~np.isnan(truth)).sum()))
        disconnected.append(int((ranked_last & ~seen & ~np.isnan(truth)).sum()))
    result = correlate(scores, truth, directions, target_direction=directions.get(target, 1))
    counts = {"left_out": left_out, "disconnected": disconnected}
    result = result.with_columns(**{name: pl.Series(values, dtype=pl.Int64) for name, values in counts.items()})
    result = result.with_columns(missing=pl.col("missing") - pl.col("left_out"))
    return result.sort("kendall_tau", descending=True, nulls_last=True, maintain_order=True)


def _numbers(frame: pl.DataFrame, column: str, space: str) -> NDArray[np.float64]:
    kind = frame[column].dtype
    if not (kind.is_numeric() or kind == pl.Boolean):
        raise UsageError(f"the column {column!r} of {space} holds no numbers ({kind}); name a metric or a proxy.")
    return frame[column].cast(pl.Float64).to_numpy()


def _refused_as_disconnected(catalog: Catalog, space: str, ids: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Per proxy column, which architectures it looked at and refused because they compute nothing."""
    refused = catalog.query(
        """
        SELECT proxy."column", source_id IS NOT NULL AS is_published, input, list(architecture_id) AS ids
        FROM score JOIN proxy ON proxy.id = proxy_id
        WHERE status = 'disconnected' AND architecture_id IN (SELECT id FROM architecture WHERE space = ?)
        GROUP BY ALL
        """,
        [space],
    )
    found: dict[str, NDArray[np.bool_]] = {}
    for group in refused.iter_rows(named=True):
        name = proxy_column_name(group)
        found[name] = found.get(name, np.zeros(len(ids), dtype=bool)) | np.isin(ids, group["ids"])
    return found


def _trained_on(catalog: Catalog, space: str, ids: NDArray[np.int64]) -> dict[str, NDArray[np.bool_]]:
    """Per proxy column, which of the architectures its predictor was trained on, functional twins included."""
    seen = catalog.query(
        """
        SELECT DISTINCT proxy."column" AS name, twin.id
        FROM training_member JOIN proxy ON proxy.id = proxy_id
        JOIN architecture AS member ON member.id = architecture_id
        JOIN architecture AS twin ON twin.space = member.space AND twin.canonical_digest = member.canonical_digest
        WHERE member.space = ?
        """,
        [space],
    )
    return {
        str(name): np.isin(ids, group["id"].to_numpy())
        for (name,), group in seen.group_by(["name"], maintain_order=True)
    }
