"""A verb that is killed at any moment leaves the catalog as it was or as it was to become, and nothing between."""

from __future__ import annotations

import random
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

import catalog
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.doctor import examine
from catalog.tables.enumeration import enter_drawn
from tests.catalog.processes import kill_group, python
from tests.catalog.tables.states import exported, rows_of

ROUNDS = 4
PROGRAM = """
import sys, catalog
from pathlib import Path
with catalog.open(sys.argv[1], mode="write") as c:
    c.query("SELECT 1")
    folder = Path(sys.argv[1]).parent
    print("ready", flush=True)
    sys.stdin.readline()
    {}
"""
VERBS = {
    "remove a source": 'c.remove("source", "first")',
    "remove a space": 'c.remove("space", "nb201")',
    "replace": 'c.ingest("nasbench201", folder / "first.csv", epochs=200, replace=True)',
    "rename": 'c.rename("source", "first", "lab")',
    "merge": 'c.merge(folder / "other.duckdb")',
    "compact": "c.compact()",
}


@dataclass(frozen=True)
class Files:
    """A catalog, another one, and a table that was read wrongly and is right now."""

    folder: Path

    def copied(self, folder: Path) -> Path:
        shutil.copytree(self.folder, folder)
        return folder / "catalog.duckdb"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Files:
    folder = tmp_path_factory.mktemp("killed")
    for name, seed in (("catalog.duckdb", 0), ("other.duckdb", 1)):
        path = Path(shutil.copy(empty_catalog, folder / name))
        with Store.open(path, mode="write") as store:
            enter_drawn(store, space_named("nb201"), 400, seed)
        table = folder / f"{'first' if seed == 0 else 'second'}.csv"
        table.write_text("nb201_index,cifar10_test_acc\n" + "".join(f"{place},{60 + seed}\n" for place in range(300)))
        with catalog.open(path, mode="write") as c:
            c.ingest("nasbench201", table, epochs=200)
    (folder / "first.csv").write_text("nb201_index,cifar10_test_acc\n0,12\n7,70\n")
    return Files(folder)


def state(path: Path) -> tuple[object, ...]:
    """What a catalog holds; how it opens after a kill is DuckDB's affair."""
    with Store.open(path) as store:
        assert [one.check for one in examine(store) if one.result == "failed"] == []
        return rows_of(store), exported(store, path.parent / "out"), store.rows("FROM source")


def without_times(found: tuple[object, ...]) -> tuple[object, ...]:
    """A source is stamped with the time at which it was read."""
    *rest, sources = found
    return (*rest, [row[:9] + row[10:] for row in sources])  # type: ignore[index, attr-defined]


@pytest.mark.parametrize("verb", VERBS)
def test_a_killed_verb_leaves_the_old_or_the_new(verb: str, files: Files, tmp_path: Path) -> None:
    program = PROGRAM.format(VERBS[verb])
    path = files.copied(tmp_path / "whole")
    old = without_times(state(path))
    with python(program, path) as process:
        assert process.stdin is not None
        began = time.monotonic()
        process.communicate("go\n")
        lasted = time.monotonic() - began
        assert process.returncode == 0
    new = without_times(state(path))
    assert (new == old) == (verb == "compact")
    moments = random.Random(verb)
    for number in range(ROUNDS):
        path = files.copied(tmp_path / str(number))
        with python(program, path) as process:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
            time.sleep(lasted * moments.uniform(0, 1))
            kill_group(process.pid)
            process.wait()
        assert without_times(state(path)) in (old, new), f"{verb}, killed the {number}. time"
