"""An error that nobody expected in a command on a catalog comes from the file, or it is a bug.

The file is looked at only then, so an intact one pays nothing, and a bug on an intact file stays one: it goes on, and
`catalog.cli.outcome` tells it as such.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.cli.outcome import shows_tracebacks
from catalog.errors import CatalogError, ConditionError, GraphError, QueryError, StoreError
from catalog.quoting import identifier

if TYPE_CHECKING:
    from catalog.storage.store import Store

_COLUMNS = """
    SELECT table_name, column_name, data_type, table_name IN (SELECT table_name FROM duckdb_tables()) AS is_table
    FROM duckdb_columns() WHERE NOT internal
"""

_ROWS = {
    "{} architectures belong to no stored space": """
        SELECT count(*) FROM architecture WHERE space NOT IN (SELECT name FROM space)
    """,
    "{} architectures have no graph": """
        SELECT count(*) FROM architecture WHERE nodes > 0 AND id NOT IN (SELECT architecture_id FROM node)
    """,
    "{} edges begin or end at no node": """
        SELECT count(*) FROM edge WHERE
            (architecture_id, form, cell, source) NOT IN (SELECT (architecture_id, form, cell, position) FROM node)
            OR (architecture_id, form, cell, target) NOT IN (SELECT (architecture_id, form, cell, position) FROM node)
    """,
    "{} edges lead backwards": "SELECT count(*) FROM edge WHERE source >= target",
    "{} nodes have an operator that is not stored and not built in": """
        SELECT count(*) FROM node WHERE NOT list_contains($built_in, operator)
            AND operator NOT IN (SELECT name FROM operator)
    """,
}
"""What can be wrong with rows, and how many of them there are."""

_VIEW_ROWS = """
    SELECT count(*) FROM (SELECT architecture_id AS id FROM {view}) AS wide
    FULL JOIN (SELECT id FROM architecture WHERE space = $space) AS stored USING (id)
    WHERE wide.id IS NULL OR stored.id IS NULL
"""


def require_intact(path: Path, error: Exception) -> None:
    """Raise the damage of a catalog that may be why a command failed; return if there is none.

    Errors that say themselves what is wrong are left alone.

    Raises
    ------
    StoreError
        The catalog is damaged.
    """
    if shows_tracebacks() or not _may_be_damage(error):
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
        return next(chain(_schema_faults(store), _row_faults(store), _findings(store)), None)


def _schema_faults(store: Store) -> Iterator[str]:
    """Where tables and columns are not those of an empty catalog of this version."""
    wanted = _newest_columns()
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


@cache
def _newest_columns() -> dict[tuple[Any, ...], tuple[Any, ...]]:
    from catalog.storage.migration import newest_schema

    with newest_schema() as empty:
        return {row[:2]: row[2:] for row in empty.execute(_COLUMNS).fetchall()}


def _row_faults(store: Store) -> Iterator[str]:
    """Rows that point nowhere, and wide views that are not those of their spaces."""
    from catalog.architecture.operators import SHARED

    built_in = [operator.name for operator in SHARED]
    for words, sql in _ROWS.items():
        ((count,),) = store.rows(sql, {"built_in": built_in} if "$built_in" in sql else None)
        if count:
            yield words.format(f"{count:,}")
    views = {name for (name,) in store.rows("SELECT DISTINCT table_name FROM duckdb_columns()")}
    for (space,) in store.rows("SELECT DISTINCT space FROM architecture ORDER BY space"):
        if space not in views:
            yield f"the wide view of {space} is missing"
            continue
        ((count,),) = store.rows(_VIEW_ROWS.format(view=identifier(space)), {"space": space})
        if count:
            yield f"the wide view of {space} and its architectures differ in {count:,} rows"


def _findings(store: Store) -> Iterator[str]:
    """What `catalog doctor` finds; that it cannot look is a finding too."""
    from catalog.tables.doctor import examine

    with suppress(Exception):
        yield from (f"{one.check}: {one.detail}" for one in examine(store) if one.result == "failed")
        return
    yield "its rows cannot be examined"


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Raise what a block raises, or the damage of the catalog at `path` that may be why; see `require_intact`."""
    try:
        yield
    except Exception as error:
        require_intact(path, error)
        raise
