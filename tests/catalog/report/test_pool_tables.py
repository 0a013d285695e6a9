"""What the page says about a pool beside its main table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from catalog.analysis.seeds import seed_spread
from catalog.report.pool_analysis import PoolAnalysis
from catalog.report.pool_tables import correlation_table, seeds_table, sources_table
from catalog.report.report import Report


@pytest.fixture
def found(built: Report) -> PoolAnalysis:
    """1,700 cells whose accuracy follows `good`; `noise` says nothing."""
    return built.pools[0]


def page(built: Report, found: PoolAnalysis) -> str:
    return replace(built, pools=(found,)).page(plotly="none")


def test_the_seeds_of_a_proxy_are_told_apart(built: Report, found: PoolAnalysis) -> None:
    assert "Seeds of the proxies" not in page(built, found)
    noise = np.random.default_rng(0).normal(0, 1, (len(found.pool), 3))
    scores = found.pool.scores["good_published"][:, None] + noise
    seeded = replace(found, seeds=seed_spread({"good_published": scores}, found.pool.truth))
    (row,) = seeds_table(seeded).rows
    assert [cell.text for cell in row.cells[:2]] == ["good_published", "3"]
    assert row.cells[2].order is not None
    assert 0 < row.cells[2].order < found.table["kendall_tau"][0]
    assert "Seeds of the proxies" in page(built, seeded)


def test_what_was_trained_on_is_not_also_called_unscored(built: Report, found: PoolAnalysis) -> None:
    assert "without a score" not in page(built, found)
    table = found.table.with_columns(missing=pl.when(pl.col("proxy") == "good_published").then(30).otherwise(0))
    guarded = replace(found.pool, left_out={**found.pool.left_out, "good_published": 30})
    assert "without a score" not in page(built, replace(found, table=table, pool=guarded))
    some = replace(found.pool, left_out={**found.pool.left_out, "good_published": 10})
    assert "<dd>good_published 20: no proxy is judged on these" in page(built, replace(found, table=table, pool=some))


def test_flops_are_a_reference_as_params_are(found: PoolAnalysis) -> None:
    shown = [column.name for column in correlation_table(found).columns]
    assert {"difference_params", "p_params", "verdict_params", "difference_flops", "p_flops"} <= set(shown)


def test_the_reference_lines_have_their_sources(found: PoolAnalysis) -> None:
    named = set(sources_table(found).frame["column"])
    assert set(found.lines.values()) <= named
    assert found.pool.target in named
