"""Taking a source's numbers out of the catalog, so that its file, or the right one, can be read again."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.errors import UsageError
from catalog.storage.store import Store
from catalog.tables import views
from catalog.tables.own_proxies import OWN_VERSION
from catalog.tables.proxies import PUBLISHED_VERSION


def command(catalog: Store, source_id: int) -> str:
    """A command line that takes a source out of the catalog, to be pasted, also from a table that doubles quotes."""
    return _pasted(["catalog", "db", "forget", str(source_id), "--db", str(catalog.path)])


def upgrade_command(catalog: Store) -> str:
    """A command line that derives and seals the catalog anew."""
    return _pasted(["catalog", "db", "upgrade", "--db", str(catalog.path)])


def _pasted(words: list[str]) -> str:
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def forget_source(path: str | Path, source_id: int, *, wait: float | None = None) -> int:
    """Delete a source with its metrics, curves and published scores, and bring the wide views up to date.

    Architectures stay, with what follows from their graphs; the run that read the source stays as a record.

    Parameters
    ----------
    path
        The catalog.
    source_id
        ``source.id``.
    wait
        Seconds to wait for another process to let go of the file.

    Returns
    -------
    int
        Rows of metrics, curves and scores that were deleted.

    Raises
    ------
    UsageError
        There is no such source.
    """
    with Store.open(path, mode="write", wait=wait) as store:
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
                store.delete_part(table, "source_id", source_id) for table in ("metric", "training_curve", "score")
            )
            store.execute("DELETE FROM source WHERE id = ?", [source_id])
            for (space,) in spaces:
                views.rebuild(store, space)
    return deleted


def forget_scores(path: str | Path, column: str, *, wait: float | None = None) -> int:
    """Delete all scores of our own that a column shows, with their layers, so that they can be measured again.

    Parameters
    ----------
    path
        The catalog.
    column
        ``proxy.column`` of a proxy or predictor that was measured here.
    wait
        Seconds to wait for another process to let go of the file.

    Returns
    -------
    int
        Rows of scores that were deleted.

    Raises
    ------
    UsageError
        There are no such scores, or they follow from the graphs alone.
    """
    with Store.open(path, mode="write", wait=wait) as store:
        structural = {proxy.name for proxy in STRUCTURAL_PROXIES}
        proxies = [
            number
            for number, name in store.rows(
                'SELECT id, name FROM proxy WHERE "column" = ? AND version NOT IN (?, ?) ORDER BY id',
                [column, PUBLISHED_VERSION, OWN_VERSION],
            )
            if name not in structural
        ]
        if not proxies:
            what = "follows from the graphs" if column in structural else "is no column of scores measured here"
            raise UsageError(f"{column!r:.120} {what}; nothing was deleted. See: catalog doctor, catalog measures.")
        spaces = store.rows(
            "SELECT DISTINCT space FROM score JOIN architecture ON architecture.id = architecture_id "
            "WHERE list_contains(?, proxy_id) ORDER BY space",
            [proxies],
        )
        with store.transaction():
            deleted = sum(store.delete_part("score", "proxy_id", number) for number in proxies)
            for number in proxies:
                store.delete_part("layer_score", "proxy_id", number)
            for (space,) in spaces:
                views.rebuild(store, space)
    return deleted
