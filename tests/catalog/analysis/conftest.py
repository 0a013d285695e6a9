"""A catalog whose metrics, scores and training members are known by heart."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest

from catalog.storage.store import Store
from catalog.tables import views

DIGEST = "ab" * 32


@pytest.fixture
def judged(small_catalog: Store) -> Store:
    """Four cells of NAS-Bench-201, the last two of them twins, with accuracies and four proxies.

    ``params`` is our own; ``zen`` was published without the second cell; ``shortest_path`` refused the third cell,
    which has no path; ``learned`` was trained on the third cell.
    """
    catalog = small_catalog
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    catalog.execute("UPDATE architecture SET canonical_digest = 'twin', canonical_id = 3 WHERE id IN (3, 4)")
    sources = {"id": [1, 2, 3], "name": ["nb201", "nb201", "suite_zero"], "kind": ["table", "table", "suite-zero"]}
    rows = {"sha256": [DIGEST] * 3, "row_count": [4, 4, 3], "ingested_at": [now] * 3, "run_id": [1] * 3}
    catalog.append("source", pa.table(sources | rows))
    metrics = [
        *(
            (cell, 1, "cifar10", "test", 200, repeat, 90.0 + cell + repeat / 10)
            for cell in (1, 2, 3)
            for repeat in (1, 2)
        ),
        *((cell, 1, "cifar10", "test", 200, None, 99.0) for cell in (1, 2, 3)),
        *((cell, 2, "cifar10-valid", "valid", 12, None, 60.0 + cell) for cell in (1, 2, 3, 4)),
        *((cell, 2, "cifar10", "test", 12, None, 50.0 + cell) for cell in (1, 2, 3, 4)),
        *((cell, 1, "cifar100", "test", 200, None, 70.0 + cell) for cell in (1, 2, 3, 4)),
    ]
    names = ("architecture_id", "source_id", "dataset", "split", "epochs", "repeat", "value")
    columns = {name: [row[place] for row in metrics] for place, name in enumerate(names)}
    constant = {"name": ["accuracy"] * len(metrics), "kind": ["trained"] * len(metrics)}
    catalog.append("metric", pa.table(columns | constant))
    catalog.append("metric", latencies())
    learned = "SELECT * REPLACE (4 AS id, 'learned' AS name, 'learned' AS \"column\") FROM proxy WHERE id = 1"
    catalog.execute(f"INSERT INTO proxy {learned}")
    scores = [
        *((cell, 1, None, None, "ok", 10.0 * cell, None) for cell in (1, 2, 3, 4)),
        *((cell, 3, 3, "cifar10", "ok", float(cell), None) for cell in (1, 3, 4)),
        *((cell, 2, None, None, "ok", float(cell), None) for cell in (1, 2, 4)),
        (3, 2, None, None, "disconnected", None, None),
        *((cell, 4, None, "photos", "ok", -float(cell), 0.5 * cell) for cell in (1, 2, 3, 4)),
    ]
    names = ("architecture_id", "proxy_id", "source_id", "input", "status", "value", "seconds")
    columns = {name: [row[place] for row in scores] for place, name in enumerate(names)}
    reasons = [None if row[4] == "ok" else "no path" for row in scores]
    catalog.append("score", pa.table(columns | {"reason": reasons, "run_id": [1] * len(scores)}))
    catalog.append("training_member", pa.table({"proxy_id": [4], "architecture_id": [3]}))
    with catalog.transaction():
        views.rebuild(catalog, "nb201")
    return catalog


def latencies() -> pa.Table:
    """Of all four cells on one device, from the second source."""
    constant = {"source_id": [2] * 4, "name": ["latency"] * 4, "kind": ["trained"] * 4, "device": ["edgegpu"] * 4}
    return pa.table({"architecture_id": [1, 2, 3, 4], "value": [4.0, 3.0, 2.0, 1.0]} | constant)
