"""Servers in front of small catalogs: one of NAS-Bench-201, one whose every name tries to break out of its page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen
from typing import TYPE_CHECKING

import numpy as np
import pytest
from starlette.testclient import TestClient

from catalog.serving.application import application
from catalog.serving.catalog_reader import CatalogReader
from catalog.serving.worker_tasks import Limits
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog, running_catalog
from tests.catalog.processes import first_line

if TYPE_CHECKING:
    from predictor.scoring.architecture_vectors import Embedding

PORT = 8642
ADDRESS = f"http://127.0.0.1:{PORT}"
HOSTILE = "</script><img src=x onerror=alert(1)>"


def embedding_of(catalog: Store, space: str) -> Embedding | str:
    """A stand-in for a predictor: the place on a half circle is the number of the architecture."""
    ids = catalog.arrow("SELECT id FROM architecture WHERE space = ? ORDER BY id", [space])["id"].to_numpy()
    angles = np.linspace(0, np.pi, len(ids), dtype=np.float32)
    return ids, np.stack([np.cos(angles), np.sin(angles)], axis=1)


def client_of(path: Path, limits: Limits | None = None) -> TestClient:
    reader = CatalogReader(path, limits or Limits(), embedding_of)
    return TestClient(application(reader, PORT), base_url=ADDRESS, follow_redirects=False)


@pytest.fixture(scope="session")
def client(nb201_path: Path) -> Iterator[TestClient]:
    """The pages of all NAS-Bench-201 cells with structural proxies and no metrics."""
    with client_of(nb201_path) as client:
        yield client


@pytest.fixture(scope="session")
def hostile_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A space of a user's own in which ids, operators, sources and meanings are markup."""
    folder = tmp_path_factory.mktemp("hostile")
    operators = {HOSTILE: {"kind": "attention", "weights": True, "description": HOSTILE}}
    metric = {"dataset": "cifar10", "split": "test", "name": "accuracy", "epochs": 200, "seed": 0}
    rows = [
        {
            "id": f"{HOSTILE}{number}",
            "ops": ["input", "conv3x3", HOSTILE if number else "conv1x1", "output"],
            "edges": [[0, 1], [1, 2], [2, 3]],
            "metrics": [{**metric, "value": 90.0 + number}],
            "proxies": {HOSTILE: {"value": float(number), "direction": "higher"}},
        }
        for number in range(3)
    ]
    (folder / f"{HOSTILE.replace('/', '')}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
    (folder / "ops.json").write_text(json.dumps(operators))
    database = folder / "catalog.duckdb"
    answer = call_catalog(
        "ingest", "graphs", str(next(folder.glob("*.jsonl"))), "--space", "mine", "--operators",
        str(folder / "ops.json"), database=database,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr
    return database


@contextmanager
def server(database: Path, *options: str) -> Iterator[tuple[Popen[str], str]]:
    """`catalog serve` on a free port, and its address."""
    with running_catalog("serve", "--port", "0", *options, database=database) as process:
        yield process, first_line(process).strip()
