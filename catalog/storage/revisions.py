"""The schema revisions that this version of the catalog knows, readable without SQLAlchemy or Alembic."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import duckdb

from catalog.errors import SchemaVersionError, StoreError
from catalog.storage.foreign import require_harmless_views

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008", "0009", "0010", "0011")
"""Every revision from the oldest to the newest, as the files in ``migrations/versions`` name themselves."""

NEWEST = REVISIONS[-1]

_REVISION = re.compile(r"\d{4}")


@dataclass(frozen=True)
class SchemaStatus:
    """Where a file stands among the schema revisions.

    Parameters
    ----------
    path
        The catalog file.
    current
        The revision the file has.
    newest
        The newest revision that this version of the catalog knows.
    """

    path: Path
    current: str
    newest: str = NEWEST

    @property
    def word(self) -> str:
        """``current``, ``older`` (an upgrade is offered) or ``newer`` (another version of the catalog wrote it)."""
        if self.current not in REVISIONS:
            return "newer"
        return "current" if self.current == self.newest else "older"

    @property
    def pending(self) -> tuple[str, ...]:
        """Revisions that an upgrade would apply."""
        return REVISIONS[REVISIONS.index(self.current) + 1 :] if self.word == "older" else ()

    def require_known(self) -> None:
        """Refuse a file from a newer version.

        Raises
        ------
        SchemaVersionError
            The file's revision is unknown here.
        """
        if self.word == "newer":
            raise SchemaVersionError(
                f"{self.path} has schema revision {self.current}, but this version of the catalog knows no revision "
                f"after {self.newest}: a newer version wrote the file. Upgrade with `pip install -U nas-catalog`."
            )

    def require_current(self) -> None:
        """Refuse a file that is not at the newest revision.

        Raises
        ------
        SchemaVersionError
            The file is older, and the message offers the upgrade, or newer.
        """
        self.require_known()
        if self.word == "older":
            raise SchemaVersionError(
                f"{self.path} has schema revision {self.current}; this version of the catalog needs {self.newest}. "
                f"Upgrade the file with `catalog db upgrade --db {self.path}`."
            )


def status_of(connection: duckdb.DuckDBPyConnection, path: Path) -> SchemaStatus:
    """The schema status of an open file.

    Raises
    ------
    StoreError
        The file holds no catalog, or it holds views that do more than read.
    """
    require_harmless_views(connection, path)
    try:
        rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except duckdb.CatalogException:
        rows = None
    if rows is None:
        raise StoreError(
            f"{path} is a DuckDB database but not a catalog: it names no schema revision. "
            "Choose another file with --db, or create one with `catalog db init --db NEW.duckdb`."
        )
    named = [str(revision) for (revision,) in rows]
    if len(named) != 1 or not _REVISION.fullmatch(named[0]):
        shown = [*(repr(name[:20]) for name in named[:3]), *(["more"] if len(named) > 3 else [])]
        raise StoreError(
            f"{path} is damaged: its table alembic_version has to name one schema revision, such as {NEWEST}, and "
            f"names {' and '.join(shown) or 'none'}. Nothing was changed. "
            "Restore the file from a copy, or create a new catalog and ingest again."
        )
    return SchemaStatus(path, named[0])
