"""What a search leaves in the catalog."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalog.asking.lookup import lookup
from catalog.search.job import prepare
from catalog.search.methods.steps import candidates_of
from catalog.search.request import Request
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables import views
from predictor.tg_nas.paper import PaperScorer
from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.searches import rows_of
from tests.predictor.scored_cells import CONV, CONV_AND_DEAD, CUT, POOL, SKIP


def test_a_cell_that_computes_nothing_is_disconnected_and_not_failed(tmp_path: Path) -> None:
    database = tmp_path / "catalog.duckdb"
    answer = call_catalog(
        "search", "nb201", "--by", "tg_nas", "--method", "random", "--budget", "400", database=database
    )
    assert answer.returncode == 0, answer.stderr
    with Store.open(database) as catalog:
        found = catalog.query(
            """
            SELECT DISTINCT is_connected, status, reason IS NULL AS has_no_reason FROM score
            JOIN proxy ON proxy.id = proxy_id JOIN architecture ON architecture.id = architecture_id
            WHERE name = 'tg_nas' ORDER BY is_connected
            """
        ).rows()
    assert found == [(False, "disconnected", False), (True, "ok", True)]


def test_why_a_measurement_failed_is_stored_and_told(measured_database: Path, tmp_path: Path) -> None:
    """A cell that hands on its input has no trainability."""
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    where = f"cell IN ('{SKIP}', '{POOL}', '{CONV}', '{CUT}')"
    arguments = ("search", "nb201", "--by", "az_trainability", "--where", where)
    said = "az_trainability: measuring failed for 1 of 4 candidates, most often: ProxyError"
    answer = call_catalog(*arguments, database=database)
    assert answer.returncode == 0, answer.stderr
    assert said in answer.stderr
    with Store.open(database) as catalog:
        rows = catalog.query(
            """
            SELECT cell, status, reason FROM score JOIN proxy ON proxy.id = proxy_id JOIN nb201 USING (architecture_id)
            WHERE name = 'az_trainability'
            """
        ).rows()
    found = {cell: (status, reason) for cell, status, reason in rows}
    assert found[SKIP][0] == "failed"
    assert "unchanged" in found[SKIP][1]
    assert found[SKIP][1] in answer.stderr
    assert found[CUT] == ("disconnected", "no path from input to output")
    assert found[CONV] == ("ok", None)
    again = call_catalog(*arguments, database=database)  # nothing is measured now, and the reason is still told
    assert said in again.stderr
    other = call_catalog("search", "nb201", "--by", "params", "--where", where, database=database)
    assert "failed" not in other.stderr


def test_a_failure_of_a_function_is_told_for_its_twins_unless_one_has_a_value(
    measured_database: Path, tmp_path: Path
) -> None:
    """They are not measured again, and so have no row of their own."""
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    twin = "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    said = "az_trainability: measuring failed for 1 of 2 candidates, most often: ProxyError"

    def notes(cell: str) -> str:
        where = f"cell IN ('{cell}', '{CONV}')"
        answer = call_catalog("search", "nb201", "--by", "az_trainability", "--where", where, database=database)
        assert answer.returncode == 0, answer.stderr
        return answer.stderr

    assert said in notes(SKIP)
    assert said in notes(twin)
    with Store.open(database, mode="write") as catalog:
        assert catalog.query("SELECT count(*) FROM score WHERE status = 'failed'").item() == 1
        catalog.execute(
            """
            INSERT INTO score BY NAME SELECT * REPLACE ((SELECT id FROM architecture WHERE native_id = ?) AS
                architecture_id, 1.0 AS value, 'ok' AS status, NULL AS reason) FROM score WHERE status = 'failed'
            """,
            [twin],
        )
        with catalog.transaction():
            views.rebuild(catalog, "nb201")
    assert "failed" not in notes(twin)
    assert "failed" not in notes(SKIP)


def test_a_failure_that_keeps_a_candidate_out_is_told(measured_database: Path, tmp_path: Path) -> None:
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    arguments = ("--where", f"cell IN ('{SKIP}', '{CONV}')", "--max", "az_trainability=1e9")
    answer = call_catalog("search", "nb201", "--by", "params", *arguments, database=database)
    assert answer.returncode == 0, answer.stderr
    assert "az_trainability: measuring failed for 1 of 2 candidates" in answer.stderr
    assert "unchanged" in answer.stderr


def test_what_is_measured_of_a_function_is_not_measured_again_for_a_twin(
    measured_database: Path, tmp_path: Path
) -> None:
    """But what counts dead operators is."""
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    scored = {}
    for cell in (CONV_AND_DEAD, CONV):
        by = ("--by", "l2_norm", "--by", "az_complexity", "--where", f"cell = '{cell}'")
        answer = call_catalog("search", "nb201", *by, "--method", "random", "--budget", "1", database=database)
        (scored[cell],) = rows_of(answer)
    assert scored[CONV]["l2_norm"] == scored[CONV_AND_DEAD]["l2_norm"]
    assert float(scored[CONV]["az_complexity"]) < float(scored[CONV_AND_DEAD]["az_complexity"])
    with Store.open(database) as catalog:
        measured = catalog.query(
            "SELECT name, count(*) FROM score JOIN proxy ON proxy.id = proxy_id WHERE seconds > 0"
            " AND name IN ('l2_norm', 'az_complexity') GROUP BY name ORDER BY name"
        ).rows()
    assert measured == [("az_complexity", 2), ("l2_norm", 1)]


def test_what_stands_for_a_function_is_what_is_scored(demo_folder: Path, tmp_path: Path) -> None:
    """A cell whose dead convolution makes it too large gives way to a twin, unless the score tells the two apart."""
    database = Path(shutil.copy(demo_folder / "catalog.duckdb", tmp_path / "catalog.duckdb"))
    space = space_named("nb201")
    with Store.open(database, mode="write") as catalog:
        params = lookup(catalog, [CONV, CONV_AND_DEAD], space="nb201")["params"].to_list()
        limit = sum(params) / 2

        def standing(by: str) -> tuple[str, float, float]:
            """What stands for the cell, how far it breaks the bound, and its score."""
            bound = (f"params={limit}",)
            prepared = prepare(catalog, Request("nb201", (by,), "local-search", 10, maximum=bound))
            candidates = candidates_of([space.graph(CONV_AND_DEAD)], prepared.problem.named_by)
            (row,) = prepared.objectives.source.row_of(candidates).tolist()
            assert prepared.problem.violations is not None
            (violation,) = prepared.problem.violations(candidates)
            return prepared.stored.native_ids[row], violation, prepared.problem.score(candidates).item()

        twin, violation, _ = standing("tg_nas")
        assert violation == 0
        assert space.graph(twin).digest == space.graph(CONV_AND_DEAD).digest
        assert lookup(catalog, [twin], space="nb201")["params"].item() <= limit
        itself, violation, score = standing("tg_nas_paper")
    assert itself == CONV_AND_DEAD
    assert violation == pytest.approx(params[1] / limit - 1)
    of_both = PaperScorer.load().score([space.graph(CONV_AND_DEAD), space.graph(twin)])
    assert score == pytest.approx(of_both[0], rel=1e-6)
    assert of_both[0] != pytest.approx(of_both[1], rel=1e-3)


def test_what_has_to_be_measured_is_scored_a_few_at_a_time(measured_database: Path, tmp_path: Path) -> None:
    """Ctrl-C and --seconds wait for what is being scored: a thousand networks would be minutes."""
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    by = ["--by", "l2_norm", "--method", "random", "--where", "n_conv = 1", "--budget", "24"]
    answer = call_catalog("search", "nb201", *by, database=database)
    assert answer.returncode == 0, answer.stderr
    with Store.open(database) as catalog:
        together = catalog.query("SELECT max(n) FROM (SELECT count(*) AS n FROM search_visit GROUP BY seconds)").item()
    assert together <= 8


def test_nothing_is_measured_for_what_a_stored_bound_forbids(
    measured_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Path(shutil.copy(measured_database, tmp_path / "catalog.duckdb"))
    options = ("--where", f"cell IN ('{CONV}', '{POOL}')", "--workers", "1")
    answer = call_catalog("score", "nb201", "--proxy", "nwot", *options, database=database)
    assert answer.returncode == 0, answer.stderr
    monkeypatch.setattr("predictor.scoring.candidates.CandidateScorer.compute", lambda *_: pytest.fail("measured"))
    search = ("search", "nb201", "--by", "params", "--max", "nwot=1e9", "--method", "local-search")
    found = rows_of(call_catalog(*search, "--budget", "2", database=database))
    functions = {space_named("nb201").graph(cell).digest for cell in (CONV, POOL)}
    assert {space_named("nb201").graph(row["cell"]).digest for row in found} <= functions
    assert found
