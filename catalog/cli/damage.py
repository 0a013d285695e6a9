"""What an error that may come from a damaged file says of it; a bug on an intact file stays one.

The file is looked at only after an error, so an intact one pays nothing. After an error that a typing mistake may be,
only what takes a moment on the largest space is asked; after one that nobody expected, all that `catalog doctor` asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.cli.outcome import shows_tracebacks
from catalog.errors import (
    CatalogError,
    ConditionError,
    GraphError,
    LimitError,
    QueryError,
    StoreError,
    UsageError,
    UserCodeError,
)
from catalog.quoting import identifier

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SMALL = ("space", "operator", "measure", "proxy", "source", "run")
"""Sealed tables whose seals are compared in a moment."""

_COUNTS = {
    "{} architectures belong to no stored space": """
        SELECT count(*) FROM architecture WHERE space NOT IN (SELECT name FROM space)
    """,
    "{} columns of wide views belong to no stored proxy": """
        SELECT count(*) FROM wide_column WHERE proxy_id NOT IN (SELECT id FROM proxy)
    """,
    "{} spaces have architectures, and no column of a wide view is theirs": """
        SELECT count(DISTINCT space) FROM architecture WHERE space NOT IN (SELECT space FROM wide_column)
            AND EXISTS (FROM proxy)
    """,
    "{} operators of nodes are not stored and not built in": """
        SELECT count(*) FROM (SELECT DISTINCT operator FROM node)
        WHERE NOT list_contains($built_in, operator) AND operator NOT IN (SELECT name FROM operator)
    """,
    **{
        f"{{}} {table}s too many or too few for the architectures": f"""
            WITH unrolled AS (SELECT DISTINCT architecture_id FROM node_attribute WHERE repeats > 1)
            SELECT abs(
                (SELECT coalesce(sum({table}s), 0) FROM architecture ANTI JOIN unrolled ON architecture_id = id)
                - count(*)
            ) FROM {table} ANTI JOIN unrolled USING (architecture_id) WHERE form != 'native'
        """
        for table in ("node", "edge")
    },
}
"""What can be wrong with rows, how many of them there are, and SQL that is quick on the largest space.

An architecture counts the nodes and edges of every repeat, of which the tables have the first.
"""

_ROWS = {
    "{} architectures have no graph": """
        SELECT count(*) FROM architecture WHERE nodes > 0 AND id NOT IN (SELECT architecture_id FROM node)
    """,
    "{} edges begin or end at no node": """
        SELECT count(*) FROM edge WHERE
            (architecture_id, form, cell, source) NOT IN (SELECT (architecture_id, form, cell, position) FROM node)
            OR (architecture_id, form, cell, target) NOT IN (SELECT (architecture_id, form, cell, position) FROM node)
    """,
    "{} edges lead backwards": "SELECT count(*) FROM edge WHERE source >= target",
}
"""The same, with SQL that takes seconds there."""

_VIEW_ROWS = """
    SELECT count(*) FROM (SELECT architecture_id AS id FROM {view}) AS wide
    FULL JOIN (SELECT id FROM architecture WHERE space = $space) AS stored USING (id)
    WHERE wide.id IS NULL OR stored.id IS NULL
"""


def require_intact(path: Path, error: Exception) -> None:
    """Raise the damage of a catalog that may be why a command failed; return if there is none.

    Errors that say themselves what is wrong with a file are left alone. One that may be a mistake of the user stays
    what it is, and says that too.

    Raises
    ------
    StoreError
        The catalog is damaged.
    """
    if shows_tracebacks() or not _may_be_damage(error):
        return
    reason = None
    with suppress(CatalogError):  # a file that cannot be opened has been told already
        reason = _damage_of(path, error)
    if reason is None:
        return
    words = f"{path} is damaged: {reason}"
    remedy = (
        f"Look closer with `catalog doctor --db {path}`; restore the file from a copy, or create a new catalog and "
        "ingest again."
    )
    if isinstance(error, UsageError | ConditionError):
        error.args = (f"{error}\nThis may be why: {words}. {remedy}",)
        return
    raise StoreError(f"{words}. Nothing of this step was stored. {remedy}") from error


def _may_be_damage(error: Exception) -> bool:
    if isinstance(error, CatalogError):
        kinds = UsageError | QueryError | GraphError | UserCodeError
        return type(error) is CatalogError or (isinstance(error, kinds) and not isinstance(error, LimitError))
    return not isinstance(error, OSError) and not type(error).__module__.startswith(("click", "typer"))


def _damage_of(path: Path, error: Exception) -> str | None:
    """The first thing that is wrong with a catalog; None if nothing is found."""
    from catalog.storage.store import Store

    with Store.open(path) as store:
        if isinstance(error, UsageError | QueryError):
            return next(_quick_faults(store, with_columns=type(error) is QueryError), None)
        quick = _quick_faults(store, with_columns=False)
        return next(chain(_schema_faults(store), _counted(store, _ROWS), quick, _findings(store)), None)


def _quick_faults(store: Store, *, with_columns: bool) -> Iterator[str]:
    """What is found in a moment: tables that are missing, counts that disagree, small tables that were changed."""
    from catalog.storage.seals import PARTS

    held = {name for (name,) in store.rows("SELECT table_name FROM duckdb_tables()")}
    yield from (f"its table {table} is missing" for table in (*PARTS, "wide_column", "seal") if table not in held)
    if with_columns:  # which takes a third of a second for the import of SQLAlchemy
        yield from _schema_faults(store)
    yield from _counted(store, _COUNTS)
    yield from _view_faults(store)
    if store.is_sealed():
        for table, parts in store.broken_parts(_SMALL).items():
            if parts:
                yield f"rows of its table {table} are not those that were stored"


def _schema_faults(store: Store) -> Iterator[str]:
    """Where tables and columns are not those of a catalog of this version."""
    from catalog.tables.doctor import examine_tables

    yield from (f"its {one.check} {one.detail}" for one in examine_tables(store) if one.result == "failed")


def _counted(store: Store, faults: dict[str, str]) -> Iterator[str]:
    from catalog.architecture.operators import SHARED

    built_in = [operator.name for operator in SHARED]
    for words, sql in faults.items():
        ((count,),) = store.rows(sql, {"built_in": built_in} if "$built_in" in sql else None)
        if count:
            yield words.format(f"{count:,}")


def _view_faults(store: Store) -> Iterator[str]:
    """Wide views that are not those of their spaces."""
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
