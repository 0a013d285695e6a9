"""Which architectures a proxy is judged on: those that it looked at, and no others."""

from __future__ import annotations

import pyarrow as pa

from catalog.analysis.space_correlation import correlate_space
from catalog.storage.store import Store


def test_only_what_a_proxy_refused_ranks_last(small_catalog: Store) -> None:
    """A published sample that lacks an architecture says nothing of it, not even of one without a path."""
    small_catalog.execute("UPDATE architecture SET is_connected = false WHERE id = 3")

    def counts() -> tuple[int, int, int]:
        row = correlate_space(small_catalog, "nb201", "shortest_path", ["params"]).frame.row(0, named=True)
        return row["n"], row["missing"], row["disconnected"]

    assert counts() == (3, 1, 0)
    number = small_catalog.arrow("SELECT id FROM proxy WHERE name = 'params'")["id"]
    refused = {
        "architecture_id": [3],
        "proxy_id": number,
        "status": ["disconnected"],
        "reason": ["no path"],
        "run_id": [1],
    }
    small_catalog.append("score", pa.table(refused))
    assert counts() == (4, 0, 1)
