"""Taking a source's numbers out of the catalog, so that its file, or the right one, can be read again."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from catalog.errors import CatalogError, UsageError
from catalog.storage.store import Store
from catalog.tables import views

_MODULE = "catalog.tables.forgetting"


def command(catalog: Store, source_id: int) -> str:
    """A command line that takes a source out of the catalog, to be pasted, also from a table that doubles quotes."""
    words = ["python", "-m", _MODULE, str(catalog.path), str(source_id)]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def forget_source(path: str | Path, source_id: int) -> int:
    """Delete a source with its metrics, curves and published scores, and bring the wide views up to date.

    Architectures stay, with what follows from their graphs; the run that read the source stays as a record.

    Parameters
    ----------
    path
        The catalog.
    source_id
        ``source.id``.

    Returns
    -------
    int
        Rows of metrics, curves and scores that were deleted.

    Raises
    ------
    UsageError
        There is no such source.
    """
    with Store.open(path, mode="write") as store:
        if not store.rows("SELECT 1 FROM source WHERE id = ?", [source_id]):
            raise UsageError(
                f"{path} has no source {source_id}; see: catalog query 'SELECT id, name, path FROM source'"
            )
        spaces = store.rows(
            """
            SELECT DISTINCT space FROM architecture WHERE id IN (
                SELECT architecture_id FROM metric WHERE source_id = $1
                UNION ALL SELECT architecture_id FROM score WHERE source_id = $1
            ) ORDER BY space
            """,
            [source_id],
        )
        with store.transaction():
            deleted = sum(
                store.execute(f"DELETE FROM {table} WHERE source_id = ?", [source_id])
                for table in ("metric", "training_curve", "score")
            )
            store.execute("DELETE FROM source WHERE id = ?", [source_id])
            for (space,) in spaces:
                views.rebuild(store, space)
    return deleted


def main(arguments: Sequence[str]) -> None:
    """``python -m catalog.tables.forgetting CATALOG SOURCE_ID``, which the doctor names."""
    if len(arguments) != 2 or not arguments[1].isdecimal():
        sys.exit("usage: python -m catalog.tables.forgetting CATALOG SOURCE_ID")
    try:
        deleted = forget_source(arguments[0], int(arguments[1]))
    except CatalogError as error:
        sys.exit(f"error: {error}")
    sys.stderr.write(f"{deleted:,} rows of source {arguments[1]} were deleted.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
