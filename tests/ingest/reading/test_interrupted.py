"""A real ingest that is killed or stopped: what was there stays, and nothing of the source is left."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from catalog.storage.store import Store
from tests.catalog.cli.commands import run_catalog, running_catalog
from tests.catalog.processes import wait_until

SMALL = "nb201_index,cifar10_test_acc\n0,85.86\n1,93.66\n"
RUNNING = "SELECT outcome FROM run ORDER BY id DESC LIMIT 1"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    table = tmp_path / "small.csv"
    table.write_text(SMALL)
    options = ("--source", "mine", "--epochs", "200")
    answer = run_catalog("ingest", "nasbench201", str(table), *options, database=tmp_path / "catalog.duckdb")
    assert answer.returncode == 0, answer.stderr
    return tmp_path / "catalog.duckdb"


@contextmanager
def writing(database: Path, table: Path) -> Iterator[Popen[str]]:
    """NAS-Bench-101 as it is read, once rows are being written: the file grows inside the transaction."""
    before = database.stat().st_size
    with running_catalog("ingest", "nasbench101", str(table), database=database) as process:
        wait_until(lambda: database.stat().st_size >= before + 5_000_000, process, patience=300)
        yield process


def contents(database: Path) -> tuple[list[tuple[object, ...]], ...]:
    with Store.open(database) as catalog:
        return (
            catalog.query("SELECT name, row_count FROM source").rows(),
            catalog.query("SELECT space, count(*) FROM architecture GROUP BY 1").rows(),
            catalog.query(
                "SELECT count(*) FROM node JOIN architecture ON id = architecture_id WHERE space != 'nb201'"
            ).rows(),
            catalog.query("SELECT index, cifar10_test_accuracy_mine FROM nb201 ORDER BY index").rows(),
        )


@pytest.mark.parametrize(("how", "last"), [(signal.SIGKILL, "running"), (signal.SIGINT, "interrupted")])
def test_an_ingest_that_is_stopped_leaves_no_partial_source(
    database: Path, data_dir: Path, how: signal.Signals, last: str
) -> None:
    before = contents(database)
    with writing(database, data_dir / "nb101/nb101_108ep_mean_test.csv.gz") as process:
        other = run_catalog("spaces", database=database)
        assert other.returncode == 1
        assert str(process.pid) in other.stderr  # the second process is told who holds the file
        process.send_signal(how)
        said = process.communicate(timeout=120)[1]
    assert process.returncode != 0
    assert "Traceback" not in said
    assert contents(database) == before
    with Store.open(database) as catalog:
        assert catalog.query(RUNNING).item() == last
