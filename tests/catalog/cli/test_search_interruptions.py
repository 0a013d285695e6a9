"""A search that is killed, stopped or goes on: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import csv
import io
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView
from tests.catalog.cli.commands import call_catalog, running_catalog
from tests.catalog.cli.searches import DEEP, rows_of, run_of
from tests.catalog.processes import PATIENCE, python, wait_until


@contextmanager
def searching(path: Path, *arguments: str) -> Iterator[Popen[str]]:
    """A search whose visits have reached the file: its log grows beyond the row of the run, and then rests."""
    log = path.with_name(path.name + ".wal")
    before = 0

    def is_at_rest() -> bool:
        nonlocal before
        last, before = before, log.stat().st_size if log.exists() else 0
        return last == before > 100_000

    with running_catalog("search", *arguments, database=path) as process:
        wait_until(is_at_rest, process, patience=120, pause=0.5)
        yield process


COURSE = """
    SELECT evaluation, canonical_digest, "values"
    FROM search_visit JOIN architecture ON id = architecture_id ORDER BY evaluation
"""


def test_a_killed_search_keeps_its_batches_and_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    path = tmp_path / "killed.duckdb"
    arguments = ("darts", "--by", DEEP, "--method", "regularized-evolution", "--seed", "3")
    with searching(path, *arguments, "--budget", "1000000") as process:
        process.kill()
    with Store.open(path) as catalog:
        kept = catalog.query(COURSE)
        assert catalog.query("SELECT outcome FROM run").item() == "running"
        assert SpaceView.of(catalog, "darts").count == len(kept) > 50  # the wide view never disagrees
    budget = str(len(kept) + 100)
    resumed = call_catalog("search", "darts", "--resume", "1", "--budget", budget, database=path)
    whole = call_catalog("search", *arguments, "--budget", budget, database=tmp_path / "whole.duckdb")
    assert rows_of(resumed) == rows_of(whole)
    with Store.open(path) as catalog, Store.open(tmp_path / "whole.duckdb") as other:
        assert catalog.query(COURSE).equals(other.query(COURSE))
        assert catalog.query("SELECT outcome FROM run").to_series().to_list() == ["done"]
    assert call_catalog("doctor", "--full", database=path).returncode == 0


def test_ctrl_c_prints_the_best_so_far_and_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "stopped.duckdb"
    arguments = ("darts", "--by", DEEP, "--method", "random", "--budget", "1000000", "--top", "2")
    with searching(path, *arguments) as process:
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, stderr
    rows = list(csv.DictReader(io.StringIO(stdout)))
    assert len(rows) == 2
    assert "interrupted" in stderr
    assert "go on with: catalog search darts --resume 1\n" in stderr
    with Store.open(path) as catalog:
        assert catalog.query("SELECT outcome FROM run").item() == "interrupted"
        best = catalog.query('SELECT max("values"[1]) FROM search_visit').item()
        evaluations = catalog.query("SELECT count(*), max(evaluation) FROM search_visit").row(0)
    assert float(rows[0][DEEP]) == best
    assert evaluations[0] == evaluations[1]


def test_a_finished_search_can_be_continued_but_not_changed(searched: Path) -> None:
    first = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "local-search", "--budget", "60"),
        database=searched,
    )
    run_id = str(run_of(first))
    longer = call_catalog("search", "nb201", "--resume", run_id, "--budget", "90", database=searched)
    assert "90 evaluations" in longer.stderr
    fresh = call_catalog(
        *("search", "nb201", "--by", "cifar10_valid_accuracy", "--method", "local-search", "--budget", "90"),
        database=searched,
    )
    assert rows_of(longer) == rows_of(fresh)
    again = call_catalog("search", "nb201", "--resume", run_id, database=searched)
    assert rows_of(again) == rows_of(longer)
    for option, value in (("--by", "params"), ("--method", "random"), ("--seed", "4"), ("--max", "params=1")):
        refused = call_catalog("search", "nb201", "--resume", run_id, option, value, database=searched)
        assert refused.returncode == 2
        assert option in refused.stderr
    assert call_catalog("search", "darts", "--resume", run_id, database=searched).returncode == 2


def test_a_file_that_is_held_or_damaged_is_told(searched: Path, tmp_path: Path) -> None:
    junk = tmp_path / "junk.duckdb"
    junk.write_bytes(b"no database" * 1000)
    answer = call_catalog("search", "nb201", "--by", "params", database=junk)
    assert answer.returncode == 1
    assert answer.stderr.startswith("error:")
    hold = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with python(hold, searched) as holder:
        held = call_catalog("search", "nb201", "--by", "params", database=searched)
    assert held.returncode == 1
    assert str(holder.pid) in held.stderr
