"""The Ray engine gives what the local one gives, also when a worker is killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest

from catalog.architecture.members import Members
from catalog.errors import MissingExtraError, UsageError
from catalog.spaces.nb201 import NASBench201
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import registration, views
from predictor.networks import NetworkConfig
from predictor.scoring.entry import ScoreOptions, score
from predictor.scoring.job import ignore_progress
from predictor.zero_cost.engine import LocalEngine
from predictor.zero_cost.measuring import MeasureConfig
from predictor.zero_cost.ray_engine import RayEngine, _own_signals
from predictor.zero_cost.work import Finished, Task, Work

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="ray is not installed: pip install 'nas-catalog[ray]'")

CONFIG = MeasureConfig(batch_size=8, network=NetworkConfig(channels=8, cells=1))
PROXIES = ("nwot", "snip", "params")


def work(count: int) -> list[Work]:
    space = NASBench201()
    tasks = [Task(space.graph(str(1000 + 977 * number)), PROXIES, number % 2) for number in range(count)]
    return [Work(number, (task,)) for number, task in enumerate(tasks)]


def without_seconds(finished: list[Finished]) -> list[Finished]:
    return sorted(
        (
            replace(
                one,
                measurements=tuple(tuple(replace(score, seconds=None) for score in row) for row in one.measurements),
            )
            for one in finished
        ),
        key=lambda one: one.number,
    )


def children(process: int) -> Iterator[int]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended since it was listed
            continue
        if parent == process:
            yield int(folder.name)
            yield from children(int(folder.name))


def measuring() -> list[int]:
    """Workers of our own Ray that are measuring at this moment; Ray writes it into their title."""
    found = []
    for process in children(os.getpid()):
        try:
            title = Path(f"/proc/{process}/cmdline").read_text()
        except OSError:
            continue
        if title.startswith("ray::_measure"):
            found.append(process)
    return found


def kill_one() -> int:
    """Kill one worker while it measures, if one can be caught within a second; says how many were killed."""
    until = time.monotonic() + 1
    while time.monotonic() < until:
        for process in measuring()[:1]:
            os.kill(process, signal.SIGKILL)
            return 1
    return 0


@needs_ray
def test_a_killed_worker_changes_nothing() -> None:
    import ray

    pieces = work(10)
    local = without_seconds(list(LocalEngine(1).run(pieces, CONFIG)))
    before = signal.getsignal(signal.SIGTERM)
    running = set(children(os.getpid()))  # what other tests in this process started
    found: list[Finished] = []
    killed = 0
    with closing(RayEngine(workers=2).run(pieces, CONFIG)) as results:
        for finished in results:
            found.append(finished)
            killed += 0 if killed else kill_one()
    assert killed == 1
    assert without_seconds(found) == local
    assert not ray.is_initialized()
    assert set(children(os.getpid())) <= running  # everything that Ray started has ended
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a cluster that runs already, as `ray start` makes it."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    from ray.cluster_utils import Cluster

    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield running.address
    running.shutdown()


@needs_ray
def test_a_job_on_a_cluster_stores_what_a_local_one_does(catalog_path: Path, cluster: str) -> None:
    """Its driver alone writes; a worker is killed in the middle, and no score is missing or there twice."""
    killed = 0

    def kill_the_first(done: int, total: int) -> None:
        nonlocal killed
        if done and not killed:
            killed += kill_one()

    config = MeasureConfig(batch_size=16)  # a network large enough to be caught while it is measured
    stored = []
    for engine, progress in ((LocalEngine(1), ignore_progress), (RayEngine(cluster), kill_the_first)):
        path = catalog_path.with_name(f"{type(engine).__name__}.duckdb")
        path.write_bytes(catalog_path.read_bytes())
        with Store.open(path, mode="write") as catalog:
            enter_cells(catalog)
            score(catalog, "nb201", ["snip"], ScoreOptions(config, engine=engine, progress=progress))
            stored.append(
                catalog.query(
                    "SELECT native_index, value, status, shared_from FROM score "
                    "JOIN proxy ON proxy.id = proxy_id JOIN architecture ON architecture.id = architecture_id "
                    "WHERE proxy.name = 'snip' ORDER BY native_index"
                ).rows()
            )
    assert killed == 1
    assert engine.workers == 2  # the cluster's processors
    assert len(stored[0]) == 14
    assert stored[1] == stored[0]


def enter_cells(catalog: Store) -> None:
    space = NASBench201()
    with Run.start(catalog, "ingest", {}) as run, catalog.transaction():
        registration.ensure_space(catalog, space)
        names = [space.native_id(space.graph(str(1000 + 577 * number))) for number in range(14)]
        registration.enter(catalog, space, Members(names), run.id)
        registration.link_twins(catalog, space.name)
        views.rebuild(catalog, space.name)


@needs_ray
def test_a_cluster_that_is_not_there_is_told() -> None:
    with pytest.raises(UsageError, match=r"ray start --head"):
        list(RayEngine("127.0.0.1:1").run(work(1), CONFIG))


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("predictor.zero_cost.ray_engine.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"nas-catalog\[ray\]"):
        RayEngine()


def test_sigterm_while_ray_starts_is_an_interruption() -> None:
    """Ray's own handler would end the program in its middle, and leave what it has started."""
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), _own_signals():
        signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(number))
        os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) == before
