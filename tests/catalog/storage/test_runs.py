import json
import sys
from pathlib import Path

import pytest

from catalog.errors import StoreError
from catalog.storage.runs import Run
from catalog.storage.store import Store


def runs(catalog: Store) -> list[tuple[object, ...]]:
    return catalog.query("SELECT kind, outcome, detail, ended_at IS NOT NULL FROM run ORDER BY id").rows()


def test_a_run_says_how_it_ended(small_catalog: Store) -> None:
    with Run.start(small_catalog, "ingest", {"file": "a.csv"}) as run:
        run.detail = "3 rows"
    with pytest.raises(ValueError, match="line 7"), Run.start(small_catalog, "ingest", {}), small_catalog.transaction():
        raise ValueError("line 7")
    with pytest.raises(KeyboardInterrupt), Run.start(small_catalog, "score", {}):
        raise KeyboardInterrupt
    open_run = Run.start(small_catalog, "train", {})
    assert repr(open_run) == "Run(4)"
    assert runs(small_catalog) == [
        ("ingest", "done", "3 rows", True),
        ("ingest", "failed", "ValueError: line 7", True),
        ("score", "interrupted", "stopped by the user", True),
        ("train", "running", None, False),
    ]
    open_run.finish("weights")
    assert runs(small_catalog)[3] == ("train", "done", "weights", True)


def test_a_run_remembers_arguments_and_versions(small_catalog: Store) -> None:
    Run.start(small_catalog, "ingest", {"file": Path("a.csv"), "epochs": 200})
    row = small_catalog.arrow("SELECT parameters, versions FROM run").to_pylist()[0]
    assert json.loads(row["parameters"]) == {"epochs": 200, "file": "a.csv"}
    assert json.loads(row["versions"])["python"] == ".".join(map(str, sys.version_info[:3]))


def test_a_run_starts_outside_transactions(small_catalog: Store) -> None:
    with pytest.raises(StoreError, match="start it first"), small_catalog.transaction():
        Run.start(small_catalog, "ingest", {})
