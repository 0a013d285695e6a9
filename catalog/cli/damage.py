"""An error that nobody expected in a command on a catalog comes from the file, or it is a bug.

The file is looked at only then, so an intact one pays nothing, and a bug on an intact file stays one: it goes on, and
`catalog.cli.outcome` tells it as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.errors import CatalogError, ConditionError, GraphError, QueryError, StoreError

if TYPE_CHECKING:
    from catalog.storage.store import Store

_COLUMNS = """
    SELECT table_name, column_name, data_type, table_name IN (SELECT table_name FROM duckdb_tables()) AS is_table
    FROM duckdb_columns() WHERE NOT internal
"""


def require_intact(path: Path, error: Exception) -> None:
    """Raise the damage of a catalog that may be why a command failed; return if there is none.

    Errors that say themselves what is wrong are left alone.

    Raises
    ------
    StoreError
        The catalog is damaged.
    """
    if not _may_be_damage(error):
        return
    reason = None
    with suppress(CatalogError):  # a file that cannot be opened has been told already
        reason = _damage_of(path)
    if reason is not None:
        raise StoreError(
            f"{path} is damaged: {reason}. Nothing of this step was stored. Look closer with `catalog doctor --db "
            f"{path}`; restore the file from a copy, or create a new catalog and ingest again."
        ) from error


def _may_be_damage(error: Exception) -> bool:
    if isinstance(error, CatalogError):
        return isinstance(error, QueryError | GraphError) and not isinstance(error, ConditionError)
    return not isinstance(error, OSError) and not type(error).__module__.startswith(("click", "typer"))


def _damage_of(path: Path) -> str | None:
    """The first thing that is wrong with a catalog; None if nothing is found."""
    from catalog.storage.store import Store

    with Store.open(path) as store:
        for fault in _schema_faults(store):
            return fault
        return _finding(store)


def _schema_faults(store: Store) -> Iterator[str]:
    """Where tables and columns are not those of an empty catalog of this version."""
    from catalog.storage.migration import newest_schema

    with newest_schema() as empty:
        wanted = {row[:2]: row[2:] for row in empty.execute(_COLUMNS).fetchall()}
    found = {row[:2]: row[2:] for row in store.rows(_COLUMNS)}
    tables = {table for table, _ in found}
    for (table, column), (kind, _) in wanted.items():
        if table not in tables:
            yield f"its table {table} is missing"
        elif (table, column) not in found:
            yield f"its table {table} has no column {column}"
        elif not found[table, column][1]:
            yield f"{table} is a view, not a table"
        elif found[table, column][0] != kind:
            yield f"{table}.{column} is {found[table, column][0]}, not {kind}"


def _finding(store: Store) -> str | None:
    """What `catalog doctor` finds first; that it cannot look is a finding too."""
    from catalog.tables.doctor import examine

    with suppress(Exception):
        for finding in examine(store):
            if finding.result == "failed":
                return f"{finding.check}: {finding.detail}"
        return None
    return "its rows cannot be examined"
