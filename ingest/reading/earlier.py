"""Which source of the catalog a file is read in place of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.tables.official_sources import is_reserved

if TYPE_CHECKING:
    from catalog.storage.store import Store
    from ingest.reading.batch import SourceFacts


def earlier_reading(
    catalog: Store, space: str, facts: SourceFacts, file: str, digest: str, mapping: str | None = None
) -> int | None:
    """``source.id`` of the earlier reading of a file; None where there is none.

    It has the same bytes, else the same file name, else, among users' tables, whose names are theirs alone, the same
    name. Several files stand under the name of one benchmark: another file of it is no earlier reading. Where a file
    was read by several mappings, the one with this `mapping` is meant.

    Raises
    ------
    UsageError
        Several sources could be meant.
    """
    rows = catalog.rows(
        """
        SELECT source.id, path, sha256, parameters->>'$.read_with.mapping' FROM source LEFT JOIN run ON run.id = run_id
        WHERE source.kind = $1 AND source.name = $2 AND coalesce(parameters->>'$.space', $3) = $3 ORDER BY source.id
        """,
        [facts.kind, facts.name, space],
    )
    found = [row for row in rows if row[2] == digest] or [row for row in rows if row[1] == file]
    if not found and not is_reserved(facts.name):
        found = list(rows)
    if len(found) > 1 and mapping is not None:
        found = [row for row in found if row[3] == mapping] or found
    if len(found) > 1:
        listed = ", ".join(f"{row[0]} ({row[1]})" for row in found[:20])
        raise UsageError(
            f"{file} could replace each of the sources {listed}; nothing was stored. Take out the one that is wrong, "
            "catalog remove source ID, and read the file without --replace."
        )
    return int(found[0][0]) if found else None
