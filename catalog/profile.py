"""Everything that the catalog knows about some architectures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from catalog.graph import ArchitectureGraph
from catalog.stored_graphs import read_graphs

if TYPE_CHECKING:
    from catalog.store import Catalog


@dataclass(frozen=True)
class Profile:
    """One architecture with its graphs, metrics, scores and functional twins.

    Parameters
    ----------
    facts
        The columns of ``architecture``.
    native, canonical
        The stored graphs; equal in a space whose forms are equal.
    metrics
        One row a number: source, kind, name, dataset, split, epochs, stage, device, seed, repeat, value.
    scores
        One row a score: proxy, source, input, seed, value, status, reason, and the percentile among the space's
        architectures that have a score (100 is the best by the proxy's direction).
    twins
        Native ids of the other architectures that compute the same function.
    """

    facts: dict[str, object]
    native: ArchitectureGraph
    canonical: ArchitectureGraph
    metrics: pl.DataFrame
    scores: pl.DataFrame
    twins: tuple[str, ...]

    def numbers(self) -> pl.DataFrame:
        """Metrics and scores in one long frame, for programs: ``what``, ``source``, ``name``, ..., ``value``."""
        metrics = self.metrics.with_columns(pl.lit("metric").alias("what"))
        scores = self.scores.rename({"proxy": "name", "input": "dataset"}).with_columns(pl.lit("score").alias("what"))
        return pl.concat([metrics, scores], how="diagonal_relaxed").select("what", pl.exclude("what"))


def read_profiles(catalog: Catalog, space: str, ids: Sequence[int]) -> list[Profile]:
    """Profiles of architectures given by ``architecture.id``, each table read once."""
    wanted = {"wanted": pa.table({"architecture_id": pa.array(ids, pa.int64())})}
    facts = catalog.arrow(
        "SELECT architecture.* FROM architecture JOIN wanted ON architecture_id = id", tables=wanted
    ).to_pylist()
    by_id = {int(row["id"]): row for row in facts}
    metrics = pl.from_arrow(
        catalog.arrow(
            """
            SELECT architecture_id, source.name AS source, source.version, metric.kind, metric.name, dataset, split,
                epochs, stage, device, seed, repeat, value
            FROM metric SEMI JOIN wanted USING (architecture_id) JOIN source ON source.id = source_id
            ORDER BY source_id, dataset, split, epochs, metric.name, device, seed NULLS FIRST, repeat NULLS FIRST
            """,
            tables=wanted,
        )
    )
    scores = pl.from_arrow(catalog.arrow(_SCORES, [space], tables=wanted))
    twins = catalog.arrow(
        """
        SELECT member.id AS architecture_id, list(other.native_id ORDER BY other.id) AS twins
        FROM architecture AS member JOIN wanted ON wanted.architecture_id = member.id
        JOIN architecture AS other ON other.space = member.space AND other.canonical_digest = member.canonical_digest
            AND other.id != member.id
        GROUP BY member.id
        """,
        tables=wanted,
    ).to_pylist()
    twins_by_id = {int(row["architecture_id"]): tuple(row["twins"]) for row in twins}
    native = read_graphs(catalog, space, ids, "native")
    canonical = read_graphs(catalog, space, ids, "canonical")
    return [
        Profile(
            by_id[number],
            native[place],
            canonical[place],
            _of(metrics, number),
            _of(scores, number),
            twins_by_id.get(number, ()),
        )
        for place, number in enumerate(ids)
    ]


_SCORES = """
    WITH named AS (
        SELECT architecture_id, proxy.name AS proxy, source.name AS source, input, seed, value, status, reason,
            proxy.direction, proxy_id, source_id
        FROM score JOIN proxy ON proxy.id = proxy_id LEFT JOIN source ON source.id = source_id
        WHERE architecture_id IN (SELECT id FROM architecture WHERE space = ?)
    ), ranked AS (
        SELECT *, CASE WHEN value IS NOT NULL THEN 100 * cume_dist() OVER (
            PARTITION BY proxy_id, source_id, input, seed, value IS NULL ORDER BY direction * value
        ) END AS percentile
        FROM named
    )
    SELECT architecture_id, proxy, source, input, seed, value, percentile, status, reason
    FROM ranked SEMI JOIN wanted USING (architecture_id)
    ORDER BY proxy_id, source_id NULLS FIRST, input, seed
"""


def _of(frame: pl.DataFrame | pl.Series, architecture: int) -> pl.DataFrame:
    if not isinstance(frame, pl.DataFrame):
        raise TypeError(f"expected a frame, got {type(frame).__name__}")
    return frame.filter(pl.col("architecture_id") == architecture).drop("architecture_id")
