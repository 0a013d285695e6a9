"""What the doctor says of sources: names that the bytes do not prove, fractions among percents, disagreements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from catalog.tables.disagreements import disagreements
from catalog.tables.finding import Finding
from catalog.tables.forgetting import command
from catalog.tables.official_sources import KNOWN_TABLES, OFFICIAL_SOURCES

if TYPE_CHECKING:
    from catalog.storage.store import Store

_KINDS_OF_TABLES = ("nb101-table", "nb201-table", "darts-genotypes")
"""Readers of files that anybody can write; what they read is a benchmark's only if its digest says so."""


def source_findings(catalog: Store) -> Iterator[Finding]:
    """All findings about sources."""
    yield from _misnamed(catalog)
    yield from _fractions(catalog)
    yield from _disagreeing(catalog)


def _misnamed(catalog: Store) -> Iterator[Finding]:
    rows = catalog.arrow(
        "SELECT id, name, path, sha256 FROM source WHERE name IN (SELECT unnest($names)) "
        "AND kind IN (SELECT unnest($kinds)) ORDER BY id",
        {"names": list(OFFICIAL_SOURCES), "kinds": list(_KINDS_OF_TABLES)},
    ).to_pylist()
    wrong = [
        row for row in rows if row["sha256"] not in KNOWN_TABLES or KNOWN_TABLES[row["sha256"]].source != row["name"]
    ]
    for row in wrong:
        yield Finding(
            f"name of source {row['id']}",
            "failed",
            f"it is called {row['name']}, but the digest of {row['path']} is none of {row['name']}'s tables: a user's "
            f"numbers under a benchmark's name. Take them out with: {command(catalog, row['id'])} -- then ingest the "
            f"file again, with --source my_{row['name']}",
        )
    if not wrong:
        yield Finding("names of sources", "ok", "tables under a benchmark's name are the benchmark's, by their digests")


def _fractions(catalog: Store) -> Iterator[Finding]:
    """Accuracies that were taken for percents before the readers refused them."""
    rows = catalog.arrow(
        """
        SELECT source.id, source.name, source.path, dataset, split, max(value) AS largest, count(*) AS count
        FROM metric JOIN source ON source.id = source_id
        WHERE metric.name = 'accuracy' AND (stage IS NULL OR stage NOT LIKE 'of %')
        GROUP BY source.id, source.name, source.path, metric.kind, dataset, split, epochs, stage, device
        HAVING largest > 0 AND largest <= 1 ORDER BY ALL
        """
    ).to_pylist()
    for row in rows:
        where = " ".join(str(word) for word in (row["dataset"], row["split"]) if word)
        yield Finding(
            f"percents of source {row['id']}",
            "failed",
            f"the largest of {row['count']:,} accuracies of {row['name']} ({row['path']}; {where or 'no data set'}) is "
            f"{row['largest']:.6g}: fractions that were taken for percents. Take them out with: "
            f"{command(catalog, row['id'])} -- then multiply the file's accuracies by 100 and ingest it again",
        )


def _disagreeing(catalog: Store) -> Iterator[Finding]:
    """Two sources may differ for good reasons, such as other seeds: a fact to know, and no failure."""
    for found in disagreements(catalog):
        yield Finding(f"{found.space}: {found.source} and {found.other_source}", "note", str(found))
