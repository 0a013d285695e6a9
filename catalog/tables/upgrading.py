"""Bringing a file to the newest schema, and what is derived from its rows with it."""

from __future__ import annotations

from pathlib import Path

from catalog.storage import migration
from catalog.storage.store import Store
from catalog.tables import views


def upgrade(path: str | Path, *, wait: float | None = None) -> tuple[str, str]:
    """Upgrade a file, and build the wide views that an older version built without saying what their columns show.

    Returns
    -------
    tuple of str
        The revisions before and after.

    Raises
    ------
    SchemaVersionError
        A newer version of the catalog wrote the file.
    StoreError
        There is no catalog at `path`, or it is in use or cannot be written.
    """
    before = migration.upgrade(path, wait=wait)
    with Store.open(path, mode="write", wait=wait) as store:
        stale = store.rows(
            "SELECT DISTINCT space FROM architecture WHERE space NOT IN (SELECT space FROM wide_column) ORDER BY space"
        )
        for (space,) in stale:  # one by one: a view that is finished stays so, whatever happens to the next
            with store.transaction():
                views.rebuild(store, str(space))
    return before.current, before.newest
