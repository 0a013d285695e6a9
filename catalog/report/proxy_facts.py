"""What the judged proxies are: version, configuration, checkpoint, and how many scores failed and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from catalog.analysis.pool import Pool
from catalog.report.table import Column
from catalog.tables.views import proxy_namer, published_as

if TYPE_CHECKING:
    from catalog.storage.store import Store

PROXY_COLUMNS = (
    Column("column", is_number=False),
    Column("description", is_number=False, is_long=True),
    Column("version", is_number=False),
    Column("direction", help="1 if higher is better, -1 if lower is better"),
    Column("configuration", is_number=False, is_long=True),
    Column("checkpoint_digest", "checkpoint", help="SHA-256 of the weights", is_number=False),
    Column("failed", "failed scores", help="Scores of the whole space that have no value because measuring failed"),
    Column("reason", "usual reason", is_number=False, is_long=True),
)
"""How `read_proxies` is shown."""


def read_proxies(catalog: Store, pool: Pool) -> pl.DataFrame:
    """One row for each proxy, input and kind (published or own) behind the judged columns.

    Returns
    -------
    polars.DataFrame
        ``column``, ``proxy``, ``version``, ``direction``, ``configuration`` (JSON), ``checkpoint_digest``, ``input``,
        ``description``, ``failed`` (scores of the space without a value for another reason than a missing path) and
        ``reason`` (the most frequent one).
    """
    groups = catalog.query(
        f"""
        SELECT proxy.id, proxy."column", {published_as(catalog)} AS published_as, input, proxy.name AS proxy, version,
            direction, configuration, checkpoint_digest, description, count(*) FILTER (status = 'failed') AS failed,
            mode(reason) FILTER (status = 'failed') AS reason
        FROM score JOIN proxy ON proxy.id = proxy_id
        WHERE architecture_id IN (SELECT id FROM architecture WHERE space = ?)
        GROUP BY ALL ORDER BY published_as IS NOT NULL, proxy.id, input NULLS FIRST
        """,
        [pool.space],
    )
    columns = list(map(proxy_namer(catalog, pool.space), groups.iter_rows(named=True)))
    frame = groups.drop("id", "column", "published_as").insert_column(0, pl.Series("column", columns, dtype=pl.String))
    return frame.filter(pl.col("column").is_in(list(pool.scores)))
