"""`catalog search`: what it answers, what it stores, and what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from catalog.asking.lookup import lookup
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView
from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.searches import DEEP, rows_of, run_of


def test_searching_everything_gives_the_best_with_ids_to_paste(searched: Path) -> None:
    rows = rows_of(call_catalog("search", "nb201", "--by", "cifar10_valid_accuracy", "--top", "3", database=searched))
    with Store.open(searched) as catalog:
        best = catalog.query("SELECT max(cifar10_valid_accuracy) FROM nb201").item()
        found = lookup(catalog, [row["cell"] for row in rows], space="nb201")
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["cifar10_valid_accuracy"]) == best == found["cifar10_valid_accuracy"][0]


def test_functional_twins_of_different_scores_are_all_answers(searched: Path) -> None:
    arguments = ("search", "nb201", "--by", "cifar10_test_accuracy", "--where", "conv_depth = 0", "--top", "20")
    answer = call_catalog(*arguments, database=searched)
    assert "for itself: cifar10_test_accuracy can differ" in answer.stderr
    rows = rows_of(answer)
    with Store.open(searched) as catalog:
        best = catalog.query(
            "SELECT cifar10_test_accuracy AS best FROM nb201 WHERE conv_depth = 0 ORDER BY best DESC LIMIT 20"
        )
        twins = catalog.query(
            "SELECT count(*) / count(DISTINCT canonical_digest) FROM nb201 WHERE conv_depth = 0"
        ).item()
    assert twins > 2
    assert [float(row["cifar10_test_accuracy"]) for row in rows] == best["best"].to_list()


def test_what_is_visited_is_stored_with_its_run(searched: Path) -> None:
    answer = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "regularized-evolution"),
        *("--budget", "150", "--seed", "5"),
        database=searched,
    )
    rows = rows_of(answer)
    run_id = run_of(answer)
    with Store.open(searched) as catalog:
        run = catalog.query("SELECT kind, outcome, detail, parameters FROM run WHERE id = ?", [run_id]).row(
            0, named=True
        )
        visits = catalog.query(
            'SELECT evaluation, "values"[1] AS value, cell, seconds, is_feasible,'
            " cifar10_valid_accuracy FROM search_visit JOIN nb201 USING (architecture_id)"
            " WHERE run_id = ? ORDER BY evaluation",
            [run_id],
        )
    assert (run["kind"], run["outcome"]) == ("search", "done")
    assert "150 evaluations" in run["detail"]
    assert f"{float(rows[0]['cifar10_valid_accuracy']):.6g} at evaluation {rows[0]['evaluation']}" in run["detail"]
    assert json.loads(run["parameters"])["seed"] == 5
    assert visits["evaluation"].to_list() == list(range(1, 151))
    assert visits["value"].to_list() == visits["cifar10_valid_accuracy"].to_list()
    assert visits["cell"].n_unique() == 150  # no cell is scored twice
    assert visits["is_feasible"].all()
    assert visits["seconds"].is_sorted()
    best = visits.sort("value", descending=True, maintain_order=True).row(0, named=True)
    assert rows[0]["cell"] == best["cell"]


def test_the_same_seed_gives_the_same_answer_and_another_one_another_search(searched: Path) -> None:
    arguments = ("search", "nb201", "--by", "live_params", "--method", "random", "--budget", "30", "--top", "30")
    first, again, other = (
        call_catalog(*arguments, "--seed", seed, database=searched).stdout for seed in ("1", "1", "2")
    )
    assert first == again != other


def test_constraints_hold_for_every_answer_and_every_visit(searched: Path) -> None:
    answer = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "local-search", "--budget", "200"),
        *("--max", "params=5e5", "--min", "log10(flops)=7.6", "--where", "n_skip >= 1"),
        database=searched,
    )
    rows = rows_of(answer)
    assert all(float(row["params"]) <= 5e5 and float(row["flops"]) >= 10**7.6 for row in rows)
    with Store.open(searched) as catalog:
        worst = catalog.query(
            "SELECT max(params), min(flops), min(n_skip) FROM search_visit JOIN nb201 USING (architecture_id)"
            " WHERE run_id = ?",
            [run_of(answer)],
        ).row(0)
    assert worst[0] <= 5e5
    assert worst[1] >= 10**7.6
    assert worst[2] >= 1


def test_the_truth_is_told_apart_from_what_the_search_saw(searched: Path) -> None:
    blind = call_catalog("search", "nb201", "--by", "live_params", "--max", "flops=5e7", database=searched)
    assert "ground truth, not used by the search: cifar10_test_accuracy" in blind.stderr
    assert "regret" in blind.stderr
    assert "cifar10_test_accuracy" not in blind.stdout
    seeing = call_catalog("search", "nb201", "--by", "cifar10_test_accuracy", database=searched)
    assert "ground truth, USED by the search" in seeing.stderr
    assert "(regret 0.00)" in seeing.stderr
    other = call_catalog("search", "nb201", "--by", "n_conv", "--truth", "cifar100_test_accuracy", database=searched)
    assert "cifar100_test_accuracy" in other.stderr


def test_low_values_are_sought_where_low_is_better_and_the_user_is_told(searched: Path) -> None:
    answer = call_catalog("search", "nb201", "--by", "shortest_path", "--top", "2", database=searched)
    assert [float(row["shortest_path"]) for row in rows_of(answer)] == [0, 0]
    assert "shortest_path: lower is better" in answer.stderr
    formula = call_catalog("search", "nb201", "--by", "0 + shortest_path", "--top", "1", database=searched)
    assert float(rows_of(formula)[0]["shortest_path"]) > 0
    assert "lower is better" not in formula.stderr


@pytest.mark.parametrize("method", ["exhaustive", "nsga2"])
def test_two_scores_give_a_front(method: str, searched: Path) -> None:
    answer = call_catalog(
        *(
            "search",
            "nb201",
            "--by",
            "cifar10_valid_accuracy",
            "--by",
            "-params",
            "--method",
            method,
            "--budget",
            "16000" if method == "exhaustive" else "3000",
        ),
        *("--seconds", "20"),
        database=searched,
    )
    points = [(float(row["cifar10_valid_accuracy"]), float(row["-params"])) for row in rows_of(answer)]
    assert len(points) > 3
    assert points == sorted(points, reverse=True)
    assert [cost for _, cost in points] == sorted(cost for _, cost in points)  # what is less accurate is smaller
    with Store.open(searched) as catalog:
        values = catalog.query('SELECT "values" FROM search_visit WHERE run_id = ?', [run_of(answer)])["values"]
        truth = catalog.query(
            "SELECT DISTINCT cifar10_valid_accuracy, -params FROM nb201 AS own WHERE NOT EXISTS (FROM nb201 AS other"
            " WHERE other.cifar10_valid_accuracy >= own.cifar10_valid_accuracy AND other.params <= own.params"
            " AND (other.cifar10_valid_accuracy > own.cifar10_valid_accuracy OR other.params < own.params))"
            " ORDER BY 1 DESC"
        ).rows()
    assert method != "exhaustive" or points == truth
    beaten = [any(v[0] >= a and v[1] >= c and (v[0], v[1]) != (a, c) for v in values.to_list()) for a, c in points]
    assert not any(beaten)


def test_a_space_that_is_not_stored_is_registered_and_its_visits_entered(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    answer = call_catalog("search", "darts", "--by", DEEP, "--budget", "120", "--top", "3", database=path)
    rows = rows_of(answer)
    assert "prune-evolve" in answer.stderr
    definition = space_named("darts")
    for row in rows:
        assert row["genotype"].startswith("Genotype(normal=[")
        assert definition.native_id(definition.graph(row["genotype"])) == row["genotype"]
    with Store.open(path) as catalog:
        counts = catalog.query("SELECT count(*), count(depth), count(DISTINCT canonical_digest) FROM darts").row(0)
        visits = catalog.query("SELECT count(*), count(DISTINCT architecture_id) FROM search_visit").row(0)
    assert counts == (120, 120, 120)
    assert visits == (120, 120)
    checked = call_catalog("doctor", "--full", database=path)
    assert checked.returncode == 0, checked.stdout
    shown = call_catalog("search", "darts", "--by", DEEP, "--budget", "30", "--format", "table", database=path)
    assert "reduce_concat=[2, 3, 4, 5])" in shown.stdout  # an id is never cut


def test_predictions_are_computed_on_the_fly_and_stored_as_scores(searched: Path, tmp_path: Path) -> None:
    own = Path(shutil.copy(searched, tmp_path / "catalog.duckdb"))
    arguments = ("search", "nb201", "--by", "tg_nas_multi - 0.3*log10(params)", "--max", "params=3e5", "--top", "5")
    first = rows_of(call_catalog(*arguments, database=own))
    with Store.open(own) as catalog:
        scored = catalog.query("SELECT count(tg_nas_multi), count(tg_nas_multi) FILTER (params > 3e5) FROM nb201").row(
            0
        )
        status = catalog.query(
            "SELECT DISTINCT status FROM score JOIN proxy ON proxy.id = proxy_id WHERE proxy.name = 'tg_nas_multi'"
        )["status"].to_list()
    assert scored[0] > 100
    assert scored[1] == 0  # what breaks a constraint is not scored
    assert set(status) <= {"ok", "disconnected"}
    again = rows_of(call_catalog(*arguments, database=own))
    assert [row["cell"] for row in again] == [row["cell"] for row in first]
    with Store.open(own) as catalog:
        assert catalog.query("SELECT count(tg_nas_multi) FROM nb201").item() == scored[0]  # nothing is scored twice
        assert not len(
            catalog.arrow("SELECT 1 FROM score GROUP BY architecture_id, proxy_id, input, seed HAVING count(*) > 1")
        )


def test_a_zero_cost_proxy_is_measured_on_the_fly(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    answer = call_catalog("search", "nb101", "--by", "synflow", "--method", "random", "--budget", "3", database=path)
    rows = rows_of(answer)
    with Store.open(path) as catalog:
        name = SpaceView.of(catalog, "nb101").native_id_name
        stored = catalog.query(f"SELECT {name}, synflow FROM nb101 ORDER BY synflow DESC NULLS LAST").drop_nulls()
        assert catalog.query("SELECT DISTINCT form FROM node")["form"].to_list() == ["both"]  # as all of its modules
    assert len(rows) > 0
    assert [row[name] for row in rows] == stored[name].to_list()
    assert [float(row["synflow"]) for row in rows] == stored["synflow"].to_list()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--by"),
        (("--by", "accuracy"), "no proxy"),
        (("--by", "cifar10_test_acuracy"), "Did you mean cifar10_test_accuracy"),
        (("--by", "cell"), "no numbers"),
        (("--by", "params +"), "at character 9"),
        (("--by", "__import__('os')"), "at character 1"),
        (("--by", "params", "--method", "magic"), "unknown search method 'magic'"),
        (("--by", "params", "--method", "nsga2"), "nsga2"),
        (("--by", "params", "--budget", "0"), "0 evaluations"),
        (("--by", "params", "--budget", "-5"), "-5 evaluations"),
        (("--by", "params", "--seconds", "0"), "0 seconds"),
        (("--by", "params", "--seconds", "nan"), "nan seconds"),
        (("--by", "params", "--max", "params"), "no bound"),
        (("--by", "params", "--max", "=3"), "no bound"),
        (("--by", "params", "--max", "params=nan"), "no bound"),
        (("--by", "params", "--max", "bogus=3"), "bogus"),
        (("--by", "params", "--where", "params <"), "condition"),
        (("--by", "params", "--where", "1; DROP TABLE nb201"), "condition"),
        (("--by", "params", "--resume", "999"), "no run 999"),
        (("--by", "params", "--resume", "1"), "run 1 is no search"),
        (("--by", "params", "--plot", "curve.gif"), "ending"),
        (("--by", "params", "--plot", "nowhere/curve.png"), "no folder"),
        (("--by", "params", "--truth", "bogus"), "bogus"),
        (("--by", "params", "--by", "flops", "--by", "depth", "--by", "n_conv"), "4 scores"),
    ],
)
def test_a_mistake_is_told_before_anything_is_stored(arguments: tuple[str, ...], said: str, searched: Path) -> None:
    with Store.open(searched) as catalog:
        before = catalog.query("SELECT count(*) FROM run").item()
    answer = call_catalog("search", "nb201", *arguments, database=searched)
    assert answer.returncode == 2, answer.stderr
    assert said in answer.stderr
    assert answer.stdout == ""
    with Store.open(searched) as catalog:
        assert catalog.query("SELECT count(*) FROM run").item() == before


def test_an_unknown_space_is_refused_and_no_file_made(searched: Path, tmp_path: Path) -> None:
    assert call_catalog("search", "nb2001", "--by", "params", database=searched).returncode == 2
    missing = tmp_path / "none.duckdb"
    assert call_catalog("search", "nb2001", "--by", "params", database=missing).returncode == 1
    assert not missing.exists()


@pytest.mark.parametrize(
    "arguments", [("--max", "params=1"), ("--where", "false"), ("--min", "cifar10_test_accuracy=100")]
)
def test_constraints_that_nothing_keeps_are_told(arguments: tuple[str, str], searched: Path) -> None:
    answer = call_catalog("search", "nb201", "--by", "params", *arguments, database=searched)
    assert answer.returncode == 1
    assert "error:" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_stored_columns_cannot_rank_what_nobody_measured(tmp_path: Path, searched: Path) -> None:
    path = Path(shutil.copy(searched, tmp_path / "catalog.duckdb"))
    assert call_catalog("search", "darts", "--by", DEEP, "--budget", "40", database=path).returncode == 0
    with Store.open(path, mode="write") as catalog:
        catalog.execute("ALTER TABLE darts ADD COLUMN measured_accuracy DOUBLE")
        catalog.execute("UPDATE darts SET measured_accuracy = depth")
    refused = call_catalog("search", "darts", "--by", "measured_accuracy", "--budget", "20", database=path)
    assert refused.returncode == 2
    assert "--method exhaustive" in refused.stderr
    listed = call_catalog("search", "darts", "--by", "measured_accuracy", "--method", "exhaustive", database=path)
    assert len(rows_of(listed)) == 10
    assert "40 stored architectures of darts" in listed.stderr
    where = ("search", "darts", "--by", "depth", "--where", "n_skip <= 3", "--budget", "20")
    chosen = call_catalog(*where, database=path)
    assert chosen.returncode == 0
    assert "exhaustive" in chosen.stderr
    made = call_catalog(*where, "--method", "random", database=path)
    assert made.returncode == 0  # among the stored ones
    bred = call_catalog(*where, "--method", "regularized-evolution", database=path)
    assert bred.returncode == 2
    assert "--where" in bred.stderr


def test_a_space_of_the_user_s_own_is_searched_among_its_members(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    lines = [
        {
            "id": f"net{depth}",
            "ops": ["input", *["conv3x3"] * depth, "output"],
            "edges": [[n, n + 1] for n in range(depth + 1)],
        }
        for depth in range(1, 6)
    ]
    (tmp_path / "mine.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    ingested = call_catalog("ingest", "graphs", str(tmp_path / "mine.jsonl"), "--space", "mine", database=path)
    assert ingested.returncode == 0, ingested.stderr
    rows = rows_of(
        call_catalog("search", "mine", "--by", "conv_depth", "--max", "n_conv=3", "--top", "1", database=path)
    )
    assert rows[0]["id"] == "net3"
    refused = call_catalog("search", "mine", "--by", "depth", "--method", "local-search", database=path)
    assert refused.returncode == 2
    assert "search its stored architectures, with --method exhaustive or random" in refused.stderr
