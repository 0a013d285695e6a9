"""Proxies of a pool: computed from stored components, over a pool that is recorded."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Generator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from catalog.analysis.space_correlation import correlate_space
from catalog.storage.store import Store
from ingest.formats.nb101_table import NB101Table
from ingest.reading.job import ingest
from predictor.door.registry import predictor_named
from predictor.pooled import ranks
from predictor.scoring.entry import ScoreOptions, score
from predictor.zero_cost.engine import LocalEngine
from tests.predictor.scored_cells import CELLS, CUT, SMALL, assert_view_agrees, database_of_cells, scores

HERE = ScoreOptions(config=SMALL, engine=LocalEngine(1))


@pytest.fixture(scope="module")
def cells_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return database_of_cells(tmp_path_factory.mktemp("cells") / "catalog.duckdb")


@pytest.fixture
def catalog(cells_database: Path, tmp_path: Path) -> Generator[Store, None, None]:
    with Store.open(shutil.copy(cells_database, tmp_path / "catalog.duckdb"), mode="write") as opened:
        yield opened


def test_a_proxy_of_a_pool_ranks_what_is_stored_and_says_which_pool(catalog: Store) -> None:
    *_, az_nas = score(catalog, "nb201", ["az_nas"], HERE)
    parts = [scores(catalog, name) for name in ranks.AZ_NAS]
    columns = (np.array([part[cell][0] for cell in CELLS], dtype=np.float64) for part in parts)
    expected = dict(zip(CELLS, ranks.az_nas(*columns).tolist(), strict=True))
    found = scores(catalog, "az_nas")
    assert {cell: value for cell, (value, *_) in found.items() if cell != CUT} == pytest.approx(
        {cell: value for cell, value in expected.items() if cell != CUT}
    )
    assert found[CUT] == (None, "disconnected", None)
    assert (az_nas.is_pooled, az_nas.ok, az_nas.disconnected) == (True, 6, 1)
    configuration = json.loads(catalog.query("SELECT configuration FROM proxy WHERE name = 'az_nas'").item())
    assert configuration["pool"]["size"] == len(CELLS)
    assert configuration["pool"]["where"] is None
    assert_view_agrees(catalog)


def test_ranks_of_nothing_are_no_scores(catalog: Store) -> None:
    """Of a single image ntk_cond has no value for anybody, and the sum of ranks would be that of linear_regions."""
    single = replace(HERE, config=replace(SMALL, batch_size=1))
    *_, report = score(catalog, "nb201", ["te_nas"], single)
    assert (report.ok, report.disconnected) == (0, 1)
    rows = catalog.rows(
        "SELECT DISTINCT value, status, reason FROM score JOIN proxy ON proxy.id = proxy_id"
        " WHERE proxy.name = 'te_nas' AND status != 'disconnected'"
    )
    assert rows == [(None, "failed", "no architecture of the pool has a value of ntk_cond, which it reads")]


def test_another_pool_replaces_the_scores_of_the_one_before(catalog: Store) -> None:
    *_, whole = score(catalog, "nb201", ["te_nas", "swap_reg"], HERE)
    where = "nodes > 2"
    *_, part = score(catalog, "nb201", ["swap_reg"], replace(HERE, where=where))
    assert part.column == whole.column
    assert len(scores(catalog, "swap_reg")) == part.ok + part.disconnected < len(CELLS)
    assert len(scores(catalog, "te_nas")) == len(CELLS)
    rows = catalog.query("SELECT configuration FROM proxy WHERE name = 'swap_reg'")["configuration"].to_list()
    assert [json.loads(row)["pool"]["where"] for row in rows] == [where]
    assert_view_agrees(catalog)


def test_tg_nas_zc_brings_the_predictor_it_needs(catalog: Store) -> None:
    *_, fused = score(catalog, "nb201", ["tg_nas_zc"], HERE)
    row = catalog.query(f"SELECT count({fused.column}), count(tg_nas) FROM nb201").row(0)
    assert row == (6, 6)
    configuration = json.loads(catalog.query("SELECT configuration FROM proxy WHERE name = 'tg_nas_zc'").item())
    assert list(configuration["pool"]["weights"]) == sorted(predictor_named("tg_nas_zc").needs.columns[1:])


def test_scores_of_older_weights_are_not_taken_for_those_that_tg_nas_zc_needs(catalog: Store) -> None:
    score(catalog, "nb201", ["tg_nas_zc"], HERE)
    of_these_weights = scores(catalog, "tg_nas")
    costs = "SELECT count(seconds) FROM score JOIN proxy ON proxy.id = proxy_id WHERE name = 'tg_nas_zc'"
    with_costs = catalog.query(costs).item()
    catalog.execute("UPDATE proxy SET checkpoint_digest = 'older' WHERE name IN ('tg_nas', 'tg_nas_std')")
    catalog.execute("UPDATE score SET value = -value WHERE proxy_id IN (SELECT id FROM proxy WHERE name = 'tg_nas')")
    score(catalog, "nb201", ["tg_nas_zc"], HERE)
    assert scores(catalog, "tg_nas") == of_these_weights
    assert catalog.query(costs).item() == with_costs > 0


def test_what_its_predictor_was_trained_on_is_left_out_of_a_fused_score_too(data_dir: Path, tmp_path: Path) -> None:
    table = tmp_path / "nb101_108ep_mean_test.csv"
    with gzip.open(data_dir / "nb101/nb101_108ep_mean_test.csv.gz", "rt") as whole:
        table.write_text("".join(islice(whole, 4)))
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        ingest(catalog, NB101Table(source="head"), table)
        nwot, *_, fused = score(catalog, "nb101", ["tg_nas_zc"], HERE)
        score(catalog, "nb101", ["tg_nas_zc"], HERE)
        found = correlate_space(
            catalog, "nb101", "cifar10_test_accuracy_head", [nwot.column, fused.column]
        ).frame.to_dicts()
        assert catalog.query("SELECT count(*) FROM training_member").item() == 3 * 3  # tg_nas, its spread, the fusion
    assert {row["proxy"]: row["left_out"] for row in found} == {nwot.column: 0, fused.column: 3}
