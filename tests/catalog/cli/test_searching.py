"""`catalog search` and `catalog search-bench`, as a user meets them."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from catalog.spaces import space_named
from catalog.store import Catalog
from tests.catalog.cli.commands import Answer, call_catalog

DEEP = "depth + 0.1*n_conv"


@pytest.fixture(scope="module")
def database(measured_database: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAS-Bench-201 with accuracies, for all searches of this file."""
    return Path(shutil.copy(measured_database, tmp_path_factory.mktemp("searched") / "catalog.duckdb"))


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.returncode == 0, answer.stderr
    return list(csv.DictReader(io.StringIO(answer.stdout)))


def run_of(answer: Answer) -> int:
    """The run that an answer's notes name."""
    return int(answer.stderr.partition("run ")[2].partition(":")[0])


def test_searching_everything_gives_the_best_with_ids_to_paste(database: Path) -> None:
    rows = rows_of(call_catalog("search", "nb201", "--by", "cifar10_valid_accuracy", "--top", "3", database=database))
    with Catalog.open(database) as catalog:
        best = catalog.query("SELECT max(cifar10_valid_accuracy) FROM nb201").item()
        found = catalog.lookup([row["cell"] for row in rows], space="nb201")
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert float(rows[0]["cifar10_valid_accuracy"]) == best == found["cifar10_valid_accuracy"][0]


def test_of_functional_twins_the_one_with_the_best_stored_score_is_the_answer(database: Path) -> None:
    arguments = ("search", "nb201", "--by", "cifar10_test_accuracy", "--where", "conv_depth = 0", "--top", "20")
    rows = rows_of(call_catalog(*arguments, database=database))
    with Catalog.open(database) as catalog:
        best = catalog.query(
            "SELECT max(cifar10_test_accuracy) AS best FROM nb201 WHERE conv_depth = 0 GROUP BY canonical_digest"
            " ORDER BY best DESC LIMIT 20"
        )
        twins = catalog.query(
            "SELECT count(*) / count(DISTINCT canonical_digest) FROM nb201 WHERE conv_depth = 0"
        ).item()
    assert twins > 2
    assert [float(row["cifar10_test_accuracy"]) for row in rows] == best["best"].to_list()


def test_what_is_visited_is_stored_with_its_run(database: Path) -> None:
    answer = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "regularized-evolution"),
        *("--budget", "150", "--seed", "5"),
        database=database,
    )
    rows = rows_of(answer)
    run_id = run_of(answer)
    with Catalog.open(database) as catalog:
        run = catalog.query("SELECT kind, outcome, detail, parameters FROM run WHERE id = ?", [run_id]).row(
            0, named=True
        )
        visits = catalog.query(
            'SELECT evaluation, "values"[1] AS value, cell, seconds, is_feasible, canonical_digest,'
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
    assert visits["canonical_digest"].n_unique() == 150  # no function is scored twice
    assert visits["is_feasible"].all()
    assert visits["seconds"].is_sorted()
    best = visits.sort("value", descending=True, maintain_order=True).row(0, named=True)
    assert rows[0]["cell"] == best["cell"]


def test_the_same_seed_gives_the_same_answer_and_another_one_another_search(database: Path) -> None:
    arguments = ("search", "nb201", "--by", "live_params", "--method", "random", "--budget", "30", "--top", "30")
    first, again, other = (
        call_catalog(*arguments, "--seed", seed, database=database).stdout for seed in ("1", "1", "2")
    )
    assert first == again != other


def test_constraints_hold_for_every_answer_and_every_visit(database: Path) -> None:
    answer = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "local-search", "--budget", "200"),
        *("--max", "params=5e5", "--min", "log10(flops)=7.6", "--where", "n_skip >= 1"),
        database=database,
    )
    rows = rows_of(answer)
    assert all(float(row["params"]) <= 5e5 and float(row["flops"]) >= 10**7.6 for row in rows)
    with Catalog.open(database) as catalog:
        worst = catalog.query(
            "SELECT max(params), min(flops), min(n_skip) FROM search_visit JOIN nb201 USING (architecture_id)"
            " WHERE run_id = ?",
            [run_of(answer)],
        ).row(0)
    assert worst[0] <= 5e5
    assert worst[1] >= 10**7.6
    assert worst[2] >= 1


def test_the_truth_is_told_apart_from_what_the_search_saw(database: Path) -> None:
    blind = call_catalog("search", "nb201", "--by", "live_params", "--max", "flops=5e7", database=database)
    assert "ground truth, not used by the search: cifar10_test_accuracy" in blind.stderr
    assert "regret" in blind.stderr
    assert "cifar10_test_accuracy" not in blind.stdout
    seeing = call_catalog("search", "nb201", "--by", "cifar10_test_accuracy", database=database)
    assert "ground truth, USED by the search" in seeing.stderr
    assert "(regret 0.00)" in seeing.stderr
    other = call_catalog("search", "nb201", "--by", "n_conv", "--truth", "cifar100_test_accuracy", database=database)
    assert "cifar100_test_accuracy" in other.stderr


def test_low_values_are_sought_where_low_is_better_and_the_user_is_told(database: Path) -> None:
    answer = call_catalog("search", "nb201", "--by", "shortest_path", "--top", "2", database=database)
    assert [float(row["shortest_path"]) for row in rows_of(answer)] == [0, 0]
    assert "shortest_path: lower is better" in answer.stderr
    formula = call_catalog("search", "nb201", "--by", "0 + shortest_path", "--top", "1", database=database)
    assert float(rows_of(formula)[0]["shortest_path"]) > 0
    assert "lower is better" not in formula.stderr


@pytest.mark.parametrize("method", ["exhaustive", "nsga2"])
def test_two_scores_give_a_front(method: str, database: Path) -> None:
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
            "6000",
        ),
        *("--seconds", "20"),
        database=database,
    )
    points = [(float(row["cifar10_valid_accuracy"]), float(row["-params"])) for row in rows_of(answer)]
    assert len(points) > 3
    assert points == sorted(points, reverse=True)
    assert [cost for _, cost in points] == sorted(cost for _, cost in points)  # what is less accurate is smaller
    with Catalog.open(database) as catalog:
        values = catalog.query('SELECT "values" FROM search_visit WHERE run_id = ?', [run_of(answer)])["values"]
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
    with Catalog.open(path) as catalog:
        counts = catalog.query("SELECT count(*), count(depth), count(DISTINCT canonical_digest) FROM darts").row(0)
        visits = catalog.query("SELECT count(*), count(DISTINCT architecture_id) FROM search_visit").row(0)
    assert counts == (120, 120, 120)
    assert visits == (120, 120)
    checked = call_catalog("doctor", "--full", database=path)
    assert checked.returncode == 0, checked.stdout
    shown = call_catalog("search", "darts", "--by", DEEP, "--budget", "30", "--format", "table", database=path)
    assert "reduce_concat=[2, 3, 4, 5])" in shown.stdout  # an id is never cut


def test_predictions_are_computed_on_the_fly_and_stored_as_scores(database: Path, tmp_path: Path) -> None:
    own = Path(shutil.copy(database, tmp_path / "catalog.duckdb"))
    arguments = ("search", "nb201", "--by", "tg_nas_multi - 0.3*log10(params)", "--max", "params=3e5", "--top", "5")
    first = rows_of(call_catalog(*arguments, database=own))
    with Catalog.open(own) as catalog:
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
    with Catalog.open(own) as catalog:
        assert catalog.query("SELECT count(tg_nas_multi) FROM nb201").item() == scored[0]  # nothing is scored twice
        assert not len(
            catalog.arrow("SELECT 1 FROM score GROUP BY architecture_id, proxy_id, input, seed HAVING count(*) > 1")
        )


def test_a_zero_cost_proxy_is_measured_on_the_fly(tmp_path: Path) -> None:
    path = tmp_path / "mine.duckdb"
    answer = call_catalog("search", "nb101", "--by", "synflow", "--method", "random", "--budget", "3", database=path)
    rows = rows_of(answer)
    with Catalog.open(path) as catalog:
        name = catalog.space("nb101").native_id_name
        stored = catalog.query(f"SELECT {name}, synflow FROM nb101 ORDER BY synflow DESC NULLS LAST").drop_nulls()
        assert catalog.query("SELECT DISTINCT form FROM node")["form"].to_list() == ["both"]  # as all of its modules
    assert len(rows) > 0
    assert [row[name] for row in rows] == stored[name].to_list()
    assert [float(row["synflow"]) for row in rows] == stored["synflow"].to_list()


def started(path: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "CATALOG_DB": str(path)}
    command = [sys.executable, "-m", "catalog.cli.main", "search", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_a_writing(path: Path, process: subprocess.Popen[str]) -> None:
    """Until visits have reached the file: its log grows beyond the row of the run, and then rests."""
    log = path.with_name(path.name + ".wal")
    deadline = time.monotonic() + 120
    before = 0
    while not (before > 100_000 and log.stat().st_size == before):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        before = log.stat().st_size if log.exists() else 0
        time.sleep(0.5)


COURSE = """
    SELECT evaluation, canonical_digest, "values"
    FROM search_visit JOIN architecture ON id = architecture_id ORDER BY evaluation
"""


def test_a_killed_search_keeps_its_batches_and_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = tmp_path / "killed.duckdb"
    arguments = ("darts", "--by", DEEP, "--method", "regularized-evolution", "--seed", "3")
    process = started(path, *arguments, "--budget", "1000000")
    wait_for_a_writing(path, process)
    process.kill()
    process.communicate()
    with Catalog.open(path) as catalog:
        kept = catalog.query(COURSE)
        assert catalog.query("SELECT outcome FROM run").item() == "running"
        assert catalog.space("darts").count == len(kept) > 50  # the wide view never disagrees
    budget = str(len(kept) + 100)
    resumed = call_catalog("search", "darts", "--resume", "1", "--budget", budget, database=path)
    whole = call_catalog("search", *arguments, "--budget", budget, database=tmp_path / "whole.duckdb")
    assert rows_of(resumed) == rows_of(whole)
    with Catalog.open(path) as catalog, Catalog.open(tmp_path / "whole.duckdb") as other:
        assert catalog.query(COURSE).equals(other.query(COURSE))
        assert catalog.query("SELECT outcome FROM run").to_series().to_list() == ["done"]
    assert call_catalog("doctor", "--full", database=path).returncode == 0


def test_ctrl_c_prints_the_best_so_far_and_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "stopped.duckdb"
    process = started(path, "darts", "--by", DEEP, "--method", "random", "--budget", "1000000", "--top", "2")
    wait_for_a_writing(path, process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    rows = list(csv.DictReader(io.StringIO(stdout)))
    assert len(rows) == 2
    assert "interrupted" in stderr
    assert "go on with: catalog search darts --resume 1\n" in stderr
    with Catalog.open(path) as catalog:
        assert catalog.query("SELECT outcome FROM run").item() == "interrupted"
        best = catalog.query('SELECT max("values"[1]) FROM search_visit').item()
        evaluations = catalog.query("SELECT count(*), max(evaluation) FROM search_visit").row(0)
    assert float(rows[0][DEEP]) == best
    assert evaluations[0] == evaluations[1]


def test_a_finished_search_can_be_continued_but_not_changed(database: Path) -> None:
    first = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "local-search", "--budget", "60"),
        database=database,
    )
    run_id = str(run_of(first))
    longer = call_catalog("search", "nb201", "--resume", run_id, "--budget", "90", database=database)
    assert "90 evaluations" in longer.stderr
    fresh = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "local-search", "--budget", "90"),
        database=database,
    )
    assert rows_of(longer) == rows_of(fresh)
    again = call_catalog("search", "nb201", "--resume", run_id, database=database)
    assert rows_of(again) == rows_of(longer)
    for option, value in (("--by", "params"), ("--method", "random"), ("--seed", "4"), ("--max", "params=1")):
        refused = call_catalog("search", "nb201", "--resume", run_id, option, value, database=database)
        assert refused.returncode == 2
        assert option in refused.stderr
    assert call_catalog("search", "darts", "--resume", run_id, database=database).returncode == 2


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
def test_a_mistake_is_told_before_anything_is_stored(arguments: tuple[str, ...], said: str, database: Path) -> None:
    with Catalog.open(database) as catalog:
        before = catalog.query("SELECT count(*) FROM run").item()
    answer = call_catalog("search", "nb201", *arguments, database=database)
    assert answer.returncode == 2, answer.stderr
    assert said in answer.stderr
    assert answer.stdout == ""
    with Catalog.open(database) as catalog:
        assert catalog.query("SELECT count(*) FROM run").item() == before


def test_an_unknown_space_is_refused_and_no_file_made(database: Path, tmp_path: Path) -> None:
    assert call_catalog("search", "nb2001", "--by", "params", database=database).returncode == 2
    missing = tmp_path / "none.duckdb"
    assert call_catalog("search", "nb2001", "--by", "params", database=missing).returncode == 1
    assert not missing.exists()


@pytest.mark.parametrize(
    "arguments", [("--max", "params=1"), ("--where", "false"), ("--min", "cifar10_test_accuracy=100")]
)
def test_constraints_that_nothing_keeps_are_told(arguments: tuple[str, str], database: Path) -> None:
    answer = call_catalog("search", "nb201", "--by", "params", *arguments, database=database)
    assert answer.returncode == 1
    assert "error:" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_stored_columns_cannot_rank_what_nobody_measured(tmp_path: Path, database: Path) -> None:
    path = Path(shutil.copy(database, tmp_path / "catalog.duckdb"))
    assert call_catalog("search", "darts", "--by", DEEP, "--budget", "40", database=path).returncode == 0
    with Catalog.open(path, mode="write") as catalog:
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
    assert "search a pool of its stored architectures" in refused.stderr


def test_a_file_that_is_held_or_damaged_is_told(database: Path, tmp_path: Path) -> None:
    junk = tmp_path / "junk.duckdb"
    junk.write_bytes(b"no database" * 1000)
    answer = call_catalog("search", "nb201", "--by", "params", database=junk)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error:")
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(database)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    held = call_catalog("search", "nb201", "--by", "params", database=database)
    holder.communicate("")
    assert held.returncode == 1
    assert str(holder.pid) in held.stderr


@pytest.mark.parametrize("name", ["curve.png", "curve.svg", "curve.pdf", "curve.html"])
def test_the_curve_is_drawn(name: str, database: Path, tmp_path: Path) -> None:
    path = tmp_path / name
    answer = call_catalog(
        *(
            "search",
            "nb201",
            "--by",
            "cifar10_valid_accuracy",
            "--method",
            "random",
            "--budget",
            "20",
            "--plot",
            str(path),
        ),
        database=database,
    )
    assert answer.returncode == 0, answer.stderr
    start = path.read_bytes()[:400]
    assert {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF", "html": b"<html"}[path.suffix[1:]] in start


def test_a_front_is_drawn_with_hostile_names_escaped(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "front.html"
    with Catalog.open(database, mode="write") as catalog:
        catalog.execute('ALTER TABLE nb201 ADD COLUMN IF NOT EXISTS "<img src=x onerror=alert(1)>" DOUBLE DEFAULT 1')
    answer = call_catalog(
        *("search", "nb201", "--by", "params", "--by", '"<img src=x onerror=alert(1)>"', "--plot", str(path)),
        database=database,
    )
    assert answer.returncode == 0, answer.stderr
    assert "<img src=x" not in path.read_text(encoding="utf-8")


def test_methods_are_compared_with_random_search_and_the_oracle(database: Path, tmp_path: Path) -> None:
    arguments = ("search-bench", "nb201", "--budget", "100", "--seeds", "3", "--methods", "local-search")
    answer = call_catalog(*arguments, "--plot", str(tmp_path / "bench.svg"), database=database)
    rows = rows_of(answer)
    assert {row["method"] for row in rows} == {"random", "local-search", "best-by-score", "oracle"}
    assert "cifar10_valid_accuracy" in answer.stderr
    last = {row["method"]: row for row in rows}
    with Catalog.open(database) as catalog:
        oracle = catalog.query("SELECT max(cifar10_test_accuracy) FROM nb201").item()
        chosen = catalog.query("SELECT arg_max(cifar10_test_accuracy, cifar10_valid_accuracy) FROM nb201").item()
    assert float(last["oracle"]["mean"]) == pytest.approx(oracle)
    assert float(last["best-by-score"]["mean"]) == pytest.approx(chosen)
    for method in ("random", "local-search"):
        assert last[method]["evaluations"] == "100"
        assert float(last[method]["regret"]) == pytest.approx(oracle - float(last[method]["mean"]), abs=1e-5)
        assert float(last[method]["sd"]) >= 0
    assert float(last["local-search"]["mean"]) > float(last["random"]["mean"])
    assert (tmp_path / "bench.svg").exists()
    assert "seconds a search: random" in answer.stderr
    assert call_catalog(*arguments, database=database).stdout == answer.stdout


def test_a_bench_s_curve_is_the_truth_about_the_best_so_far(database: Path) -> None:
    answer = call_catalog(
        *("search-bench", "nb201", "--budget", "50", "--seeds", "1", "--methods", "regularized-evolution"),
        *("--by", "live_params"),
        database=database,
    )
    rows = [row for row in rows_of(answer) if row["method"] == "regularized-evolution"]
    search = call_catalog(
        *(
            "search",
            "nb201",
            "--by",
            "live_params",
            "--method",
            "regularized-evolution",
            "--budget",
            "50",
            "--top",
            "1",
        ),
        database=database,
    )
    with Catalog.open(database) as catalog:
        truth = catalog.lookup([rows_of(search)[0]["cell"]], space="nb201")["cifar10_test_accuracy"].item()
    assert [int(row["evaluations"]) for row in rows] == [1, 2, 5, 10, 20, 50]
    assert float(rows[-1]["mean"]) == pytest.approx(truth)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("nb2",), "nb2"),
        (("nb201", "--by", "bogus"), "bogus"),
        (("nb201", "--truth", "bogus"), "bogus"),
        (("nb201", "--methods", "exhaustive"), "choose among random"),
        (("nb201", "--budget", "0"), "0 evaluations"),
    ],
)
def test_a_bench_that_cannot_be_is_refused(arguments: tuple[str, ...], said: str, database: Path) -> None:
    answer = call_catalog("search-bench", *arguments, database=database)
    assert answer.returncode == 2, answer.stderr
    assert said in answer.stderr


def test_a_bench_needs_the_whole_space(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    assert call_catalog("search", "nb201", "--by", "depth", "--budget", "10", database=path).returncode == 0
    answer = call_catalog("search-bench", "nb201", "--by", "depth", "--truth", "depth", database=path)
    assert answer.returncode == 2
    assert "catalog spaces --enumerate nb201" in answer.stderr


def test_the_bench_measures_no_network(measured_database: Path) -> None:
    answer = call_catalog("search-bench", "nb201", "--by", "meco", "--budget", "10", database=measured_database)
    assert answer.returncode == 2
    assert "catalog score nb201 --proxy meco" in answer.stderr
