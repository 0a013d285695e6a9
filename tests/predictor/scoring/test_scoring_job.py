"""Zero-cost proxies as a job: what is measured, what is shared, what a stop leaves behind, and which column it is."""

from __future__ import annotations

import json
import multiprocessing
import re
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from catalog.errors import CatalogError, UsageError, WorkerError
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables import views
from ingest.formats.graphs_jsonl import GraphsJSONL
from ingest.formats.operator_file import read_operators
from ingest.reading.job import ingest
from predictor.networks import NetworkConfig, build
from predictor.scoring.entry import ScoreOptions, score
from predictor.zero_cost import MeasureConfig, measure, proxies_named
from predictor.zero_cost.engine import LocalEngine, one_thread
from tests.catalog.cli.commands import run_catalog
from tests.catalog.processes import PATIENCE, is_running, python
from tests.predictor.scored_cells import (
    CELLS,
    CONV,
    CONV_AFTER_SKIP,
    CONV_AND_DEAD,
    CUT,
    POOL,
    SKIP,
    SMALL,
    TWINS,
    TWO,
    assert_view_agrees,
    enter_cells,
    scores,
)

HERE = ScoreOptions(config=SMALL, engine=LocalEngine(1), batch_seconds=0.0)


def count(catalog: Store, condition: str) -> int:
    return int(catalog.query(f"SELECT count(*) FROM score WHERE {condition}").item())


# What is measured, and what is shared


def test_equal_functions_are_measured_once_and_say_whose_score_they_share(catalog: Store) -> None:
    (snip,) = score(catalog, "nb201", ["snip"], HERE)
    found = scores(catalog, "snip")
    with one_thread():
        (direct,) = measure(space_named("nb201").graph(CONV), proxies_named(["snip"]), SMALL)
    assert found[CONV] == (direct.value, "ok", None)
    assert found[CONV_AND_DEAD] == found[CONV_AFTER_SKIP] == (direct.value, "ok", CONV)
    assert found[CUT] == (None, "disconnected", None)
    assert (snip.ok, snip.disconnected, snip.measured, snip.shared) == (6, 1, 4, 2)
    assert count(catalog, "seconds > 0 AND shared_from IS NULL AND run_id = 2") == 4
    assert count(catalog, "seconds IS NOT NULL AND shared_from IS NOT NULL") == 0
    assert_view_agrees(catalog)


def test_what_counts_dead_operators_is_measured_on_each_architecture(catalog: Store) -> None:
    score(catalog, "nb201", ["params"], HERE)
    found = scores(catalog, "params")
    assert [found[cell][2] for cell in TWINS] == [None, None, None]
    assert found[CONV_AND_DEAD][0] > found[CONV][0] == found[CONV_AFTER_SKIP][0]


def test_only_what_is_missing_is_measured(catalog: Store) -> None:
    score(catalog, "nb201", ["snip"], HERE)
    before = scores(catalog, "snip")
    seen: list[tuple[int, int]] = []
    snip, _ = score(catalog, "nb201", ["snip", "nwot"], replace(HERE, progress=lambda *at: seen.append(at)))
    assert scores(catalog, "snip") == before
    assert (snip.measured, snip.shared) == (0, 0)
    assert seen[-1] == (4, 4)
    assert (
        catalog.query("SELECT count(*) FROM score GROUP BY architecture_id, proxy_id, seed HAVING count(*) > 1").rows()
        == []
    )
    again: list[tuple[int, int]] = []
    score(catalog, "nb201", ["snip", "nwot"], replace(HERE, progress=lambda *at: again.append(at)))
    assert again == [(0, 0)]


def test_a_failed_score_has_a_reason_and_is_measured_again_only_on_request(catalog: Store) -> None:
    (first,) = score(catalog, "nb201", ["az_trainability"], HERE)
    assert scores(catalog, "az_trainability")[SKIP] == (None, "failed", None)
    assert (first.failed, first.measured) == (1, 4)
    assert "unchanged" in (first.reason or "")
    (second,) = score(catalog, "nb201", ["az_trainability"], HERE)
    (third,) = score(catalog, "nb201", ["az_trainability"], replace(HERE, retry_failed=True))
    assert (second.measured, third.measured, third.failed) == (0, 1, 1)
    assert count(catalog, "status = 'failed' AND run_id > 1") == 1
    assert_view_agrees(catalog)


def test_a_failure_that_was_shared_ends_for_every_architecture_of_the_function(catalog: Store) -> None:
    """Also for those that the repeated call does not select; scores of other functions and other proxies stay."""
    score(catalog, "nb201", ["nwot", "snip"], HERE)
    expected = scores(catalog, "nwot")[CONV][0]
    catalog.execute("UPDATE score SET value = NULL, status = 'failed', reason = 'memory' WHERE input = 'photos'")
    with catalog.transaction():
        views.rebuild(catalog, "nb201")
    only = replace(HERE, where=f"cell = '{CONV_AND_DEAD}'", retry_failed=True)
    (nwot,) = score(catalog, "nb201", ["nwot"], only)
    found = scores(catalog, "nwot")
    assert found[CONV_AND_DEAD] == (expected, "ok", None)  # the one that was asked for is the one that is measured
    assert found[CONV] == found[CONV_AFTER_SKIP] == (expected, "ok", CONV_AND_DEAD)
    assert (nwot.ok, nwot.failed, nwot.measured, nwot.shared) == (1, 0, 1, 0)
    assert found[TWO] == (None, "failed", None)
    assert {status for _, status, _ in scores(catalog, "snip").values()} == {"failed"}
    assert count(catalog, "status = 'ok' AND input = 'photos'") == len(TWINS)
    assert_view_agrees(catalog)


def test_a_failure_that_is_repeated_is_told_of_the_whole_function_again(tmp_path: Path) -> None:
    skip_twice = "|skip_connect~0|+|none~0|none~1|+|none~0|skip_connect~1|none~2|"
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        enter_cells(catalog, [SKIP, skip_twice])
        score(catalog, "nb201", ["az_trainability"], HERE)
        catalog.execute("UPDATE score SET reason = 'memory' WHERE status = 'failed'")
        score(catalog, "nb201", ["az_trainability"], replace(HERE, sample=1, retry_failed=True))
        rows = catalog.query("SELECT reason, run_id FROM score WHERE status = 'failed'").rows()
        last = catalog.query("SELECT max(id) FROM run").item()
    assert len(rows) == 2
    assert all("unchanged" in reason and run == last for reason, run in rows)


def test_a_value_goes_before_a_failure_where_equal_functions_have_both(catalog: Store) -> None:
    """As files of earlier versions have them, which repeated only the selected one."""
    score(catalog, "nb201", ["nwot"], replace(HERE, where=f"cell IN ('{CONV}', '{CONV_AND_DEAD}')"))
    catalog.execute(
        """
        UPDATE score SET value = NULL, status = 'failed', reason = 'memory' FROM architecture
        WHERE input = 'photos' AND id = architecture_id AND native_id = ?
        """,
        [CONV],
    )
    score(catalog, "nb201", ["nwot"], replace(HERE, where=f"cell = '{CONV_AFTER_SKIP}'"))
    found = scores(catalog, "nwot")
    value, status, _ = found[CONV_AFTER_SKIP]
    assert status == "ok"
    assert value == found[CONV_AND_DEAD][0]


def test_a_sample_is_stored_alone_and_the_rest_takes_over_what_it_measured(catalog: Store) -> None:
    one = replace(HERE, where=f"cell = '{CONV_AND_DEAD}'")
    score(catalog, "nb201", ["nwot"], one)
    assert list(scores(catalog, "nwot")) == [CONV_AND_DEAD]
    seen: list[tuple[int, int]] = []
    score(catalog, "nb201", ["nwot"], replace(HERE, progress=lambda *at: seen.append(at)))
    found = scores(catalog, "nwot")
    assert found[CONV] == found[CONV_AFTER_SKIP] == (found[CONV_AND_DEAD][0], "ok", CONV_AND_DEAD)
    assert seen[-1] == (3, 3)


def test_a_larger_sample_holds_the_smaller_one(catalog: Store) -> None:
    drawn = []
    for size in (2, 4, 100):
        score(catalog, "nb201", ["l2_norm"], replace(HERE, sample=size, sample_seed=3))
        drawn.append(set(scores(catalog, "l2_norm")))
    assert [len(cells) for cells in drawn] == [2, 4, len(CELLS)]
    assert drawn[0] < drawn[1]


def test_seeds_have_rows_of_their_own_and_a_column_in_common(catalog: Store) -> None:
    options = replace(HERE, seeds=2, where=f"cell = '{TWO}'")
    snip, params = score(catalog, "nb201", ["snip", "params"], options)
    rows = catalog.query("SELECT seed, value FROM score WHERE seed IS NOT NULL ORDER BY seed").rows()
    assert [seed for seed, _ in rows] == [0, 1]
    mean = sum(value for _, value in rows) / 2
    wide = catalog.query(f"SELECT {snip.column} FROM nb201 WHERE {snip.column} IS NOT NULL").item()
    assert wide == pytest.approx(mean)
    assert rows[0][1] != rows[1][1]
    assert (snip.measured, params.measured) == (2, 1)  # counting needs no seed
    (more,) = score(catalog, "nb201", ["snip"], replace(options, seeds=3))
    assert more.measured == 1


# Columns


def test_the_default_is_the_plain_name_and_anything_else_has_a_name_of_its_own(catalog: Store) -> None:
    one = replace(HERE, where=f"cell = '{POOL}'")

    def column(**changes: object) -> str:
        (report,) = score(catalog, "nb201", ["nwot"], replace(one, config=MeasureConfig(**changes)))
        return report.column

    assert column() == "nwot"
    assert column(input="noise") == "nwot_noise"
    assert column(input="digits") == "nwot_digits"
    other = column(batch_size=4)
    assert re.fullmatch("nwot_[0-9a-f]{8}", other)
    assert column(batch_size=4) == other
    assert column(batch_size=4, input="noise") == f"{other}_noise"
    assert column(network=NetworkConfig(16, 5)) == "nwot"  # the default's size, given in full


def test_a_proxy_without_images_has_one_column_whatever_the_input(catalog: Store) -> None:
    noise = replace(HERE, config=replace(SMALL, input="noise"))
    first = score(catalog, "nb201", ["synflow"], HERE)
    second = score(catalog, "nb201", ["synflow"], noise)
    assert [one.column for one in first] == [one.column for one in second]
    assert [one.measured for one in second] == [0, 0]
    assert [one.column.rpartition("_")[0] for one in first] == ["synflow", "logsynflow"]  # both are stored
    values = catalog.query(f"SELECT {first[0].column}, {first[1].column} FROM nb201 WHERE cell = '{TWO}'").row(0)
    assert np.log(values[0]) == pytest.approx(values[1])


def test_what_follows_from_the_graph_is_not_measured_again(catalog: Store) -> None:
    both = score(catalog, "nb201", ["params", "az_complexity"], replace(HERE, config=MeasureConfig()))
    assert [(one.column, one.measured, one.ok) for one in both] == [("params", 0, len(CELLS)), ("flops", 0, len(CELLS))]
    network = build(space_named("nb201").graph(CONV_AND_DEAD))
    assert catalog.query(f"SELECT params FROM nb201 WHERE cell = '{CONV_AND_DEAD}'").item() == network.parameter_count()
    (smaller,) = score(catalog, "nb201", ["params"], HERE)
    assert re.fullmatch("params_[0-9a-f]{8}", smaller.column)


# Whatever stops it


def test_ctrl_c_stores_what_is_finished(catalog: Store) -> None:
    def stop(done: int, _: int) -> None:
        if done > 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        score(catalog, "nb201", ["snip"], replace(HERE, batch_seconds=3600.0, progress=stop))
    assert count(catalog, "run_id > 1 AND seconds > 0") > 1
    assert catalog.query("SELECT outcome FROM run ORDER BY id DESC LIMIT 1").item() == "interrupted"
    assert_view_agrees(catalog)


CHILD = """
import multiprocessing, pathlib, sys
from catalog.storage.store import Store
from predictor.scoring.entry import ScoreOptions, score
from predictor.zero_cost.engine import LocalEngine, one_thread
from tests.predictor.scored_cells import SMALL

def report(done, total):
    if done == 2:
        workers = [str(child.pid) for child in multiprocessing.active_children()]
        pathlib.Path(sys.argv[2]).write_text(" ".join(workers))
        print("measuring", flush=True)
        sys.stdin.readline()  # until it is killed

with Store.open(sys.argv[1], mode="write") as catalog:
    score(catalog, "nb201", ["snip", "nwot"],
          ScoreOptions(config=SMALL, engine=LocalEngine(2), batch_seconds=0.0, progress=report))
"""


def test_a_job_that_is_killed_goes_on_where_it_was(cells_database: Path, tmp_path: Path) -> None:
    """The same values as without a stop, no score twice, a view that agrees, and no worker left behind."""
    whole, killed = (Path(shutil.copy(cells_database, tmp_path / name)) for name in ("whole.duckdb", "killed.duckdb"))
    with Store.open(whole, mode="write") as catalog:
        score(catalog, "nb201", ["snip", "nwot"], HERE)
        expected = [scores(catalog, name) for name in ("snip", "nwot")]
    with python(CHILD, killed, tmp_path / "workers.txt") as process:
        workers = [int(word) for word in (tmp_path / "workers.txt").read_text().split()]
        assert [is_running(worker) for worker in workers] == [True, True]
        refused = run_catalog("score", "nb201", "--proxy", "snip", database=killed)
        assert refused.returncode == 1
        assert f"in use by process {process.pid}" in refused.stderr
        process.send_signal(signal.SIGKILL)
        deadline = time.monotonic() + PATIENCE
        while any(is_running(worker) for worker in workers):
            assert time.monotonic() < deadline, "the workers outlived their driver"
            time.sleep(0.1)
    with Store.open(killed, mode="write") as catalog:
        assert catalog.query("SELECT outcome FROM run ORDER BY id DESC LIMIT 1").item() == "running"
        assert count(catalog, "status = 'ok' AND seconds > 0") == 4
        assert_view_agrees(catalog)
        seen: list[tuple[int, int]] = []
        score(catalog, "nb201", ["snip", "nwot"], replace(HERE, progress=lambda *at: seen.append(at)))
        assert seen[-1] == (2, 2)
        assert [scores(catalog, name) for name in ("snip", "nwot")] == expected
        assert count(catalog, "run_id > 1") == 2 * len(CELLS)


def test_a_worker_that_dies_ends_the_job_with_what_was_finished(catalog: Store) -> None:
    def kill(done: int, _: int) -> None:
        if done == 1:
            for child in multiprocessing.active_children():
                child.kill()

    with pytest.raises(WorkerError, match="--workers"):
        score(catalog, "nb201", ["snip"], replace(HERE, seeds=20, engine=LocalEngine(2), progress=kill))
    assert count(catalog, "status = 'ok' AND seconds > 0") >= 1
    assert catalog.query("SELECT outcome FROM run ORDER BY id DESC LIMIT 1").item() == "failed"
    assert_view_agrees(catalog)


# Users' own spaces and proxies


OPERATORS = {
    "my_conv": {"kind": "conv", "kernel": 5, "weights": True, "description": "Convolution 5 by 5"},
    "my_op": {"kind": "attention", "weights": True, "description": "Self attention"},
}


def own_space(path: Path, *operators: str) -> None:
    """A space of one chain an operator."""
    graphs, facts = path.parent / "mine.jsonl", path.parent / "ops.json"
    chains = [{"id": name, "ops": ["input", name, "output"], "edges": [[0, 1], [1, 2]]} for name in operators]
    graphs.write_text("".join(json.dumps(chain) + "\n" for chain in chains))
    facts.write_text(json.dumps({name: OPERATORS[name] for name in operators}))
    with Store.open(path, mode="write", create=True) as catalog:
        ingest(catalog, GraphsJSONL("mine", read_operators(facts)), graphs)


def test_a_space_of_ones_own_is_measured_as_far_as_its_operators_are_known(tmp_path: Path) -> None:
    path = tmp_path / "catalog.duckdb"
    own_space(path, "my_conv", "my_op")
    options = replace(HERE, config=MeasureConfig(batch_size=4))
    with Store.open(path, mode="write") as catalog:
        snip, synflow, logsynflow = score(catalog, "mine", ["snip", "synflow"], options)
        values = dict(catalog.query("SELECT id, synflow FROM mine").iter_rows())
        (lonely,) = score(catalog, "mine", ["nwot"], replace(options, where="id = 'my_op'"))
    assert (snip.ok, snip.failed, snip.is_worthless) == (1, 1, False)
    assert "my_op" in (snip.reason or "")
    assert synflow.column == "synflow"
    assert values["my_conv"] > 0
    assert values["my_op"] is None
    assert lonely.is_worthless
    assert logsynflow.ok == 1


# Mistakes, noticed before anything is measured


@pytest.mark.parametrize(
    ("names", "changes", "message"),
    [
        (["snipp"], {}, "snip, .*te_nas"),
        (["snip"], {"config": MeasureConfig(input="cats")}, "photos, noise, digits, cifar10:DIR"),
        (["snip"], {"config": MeasureConfig(device="toaster")}, "toaster"),
        (["snip"], {"config": MeasureConfig(input="digits", batch_size=2000)}, "1797"),
        (["snip"], {"where": "nodes >"}, "one condition"),
        (["snip"], {"where": "colour = 1"}, "colour"),
        (["snip"], {"where": "nodes > 1000"}, "no architecture"),
        (["snip"], {"seeds": 0}, "at least 1"),
        (["snip"], {"sample": 0}, "at least 1"),
        (["snip"], {"checkpoint": Path("weights")}, "predictor"),
    ],
)
def test_mistakes_are_told_before_anything_is_measured(
    catalog: Store, names: list[str], changes: dict[str, object], message: str
) -> None:
    with pytest.raises(CatalogError, match=message) as raised:
        score(catalog, "nb201", names, replace(HERE, **changes))  # type: ignore[arg-type]
    assert raised.value.exit_code == 2
    assert catalog.query("SELECT count(*) FROM run WHERE kind = 'score'").item() == 0


def test_a_space_whose_networks_nobody_builds_is_refused(tmp_path: Path) -> None:
    """Every architecture of NATS-Bench's size space would be the same generic network."""
    space = space_named("nats-sss")
    with Store.open(tmp_path / "catalog.duckdb", mode="write", create=True) as catalog:
        enter_cells(catalog, ["8:8:8:8:8", "8:8:8:8:64"], space)
        with pytest.raises(UsageError, match="channels of their stages"):
            score(catalog, space.name, ["snip"], HERE)
