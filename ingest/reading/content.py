"""Whether a file says what a source in the catalog says already, under other bytes.

The same table may come compressed anew, laid out differently, with other line ends, in another order or as parquet.
What a source says are its rows in the catalog; a digest of them, which no order changes, tells it again.
"""

from __future__ import annotations

import hashlib
import json

import duckdb
import numpy as np
from numpy.typing import NDArray

from catalog.storage.store import Store
from ingest.reading.batch import Batch

_METRICS = "architecture_id, name, kind, dataset, split, epochs, stage, device, seed, repeat, value"
_SCORES = "architecture_id, proxy_id, input, seed, value, status, reason, seconds"
_SPLITMIX = tuple(map(np.uint64, (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)))


class Content:
    """What the batches of one file say, taken in one after the other."""

    def __init__(self) -> None:
        self._architectures = 0
        self._count = 0
        self._attributes: list[str] = []
        self._names: list[tuple[str, int]] = []

    def add(self, batch: Batch, ids: NDArray[np.int64]) -> None:
        """Take in a batch, whose architectures have the given ids in the catalog."""
        self._architectures += int(_mixed(ids).sum())
        self._count += len(ids)
        if len(batch.node_attributes):
            self._attributes.append(repr(batch.node_attributes.to_pylist()))
        if batch.aliases:
            self._names += [(name, int(ids[place])) for name, places in batch.aliases.items() for place in places]

    def digest(self, catalog: Store, source_id: int) -> str:
        """The digest of all of it, once the rows of the source are stored; equal in one catalog for equal content.

        DuckDB's hash may change with its version, so that its version belongs to the digest: a source of an earlier
        version is not recognised, and stands there a second time.
        """
        sums = catalog.rows(
            f"SELECT (SELECT (count(*), sum(hash({_METRICS})))::VARCHAR FROM metric WHERE source_id = $1), "
            f"(SELECT (count(*), sum(hash({_SCORES})))::VARCHAR FROM score WHERE source_id = $1)",
            [source_id],
        )
        parts = [
            duckdb.__version__,
            self._count,
            self._architectures % 2**64,
            sums[0][0],
            sums[0][1],
            *self._attributes,
            *map(repr, sorted(set(self._names))),
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def same_content(catalog: Store, space: str, kind: str, content: str) -> tuple[int, str, int] | None:
    """Id, name and records of the earliest source of a space and a reader that says the same; None if none does."""
    rows = catalog.rows(
        """
        SELECT source.id, source.name, row_count FROM source JOIN run ON run.id = run_id
        WHERE source.kind = $1 AND (parameters->>'$.space') = $2
            AND (parameters->>'$.content') = $3
        ORDER BY source.id
        """,
        [kind, space, content],
    )
    return (int(rows[0][0]), str(rows[0][1]), int(rows[0][2])) if rows else None


def _mixed(ids: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Numbers that differ in many bits where ids differ in few, so that sums tell sets of ids apart (splitmix64)."""
    mixed = ids.astype(np.uint64) * _SPLITMIX[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _SPLITMIX[1]
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SPLITMIX[2]
    return mixed ^ (mixed >> np.uint64(31))
