"""What somebody else's file may bring along: a catalog holds tables, but any DuckDB file can hold views and macros.

A view or a macro is SQL that its author wrote and that runs when somebody reads the file. The connection keeps it from
other files (`catalog.storage.locking`); this refuses what does more than read before it runs.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from catalog.errors import QueryError, StoreError
from catalog.quoting import identifier

_VIEWS = "SELECT view_name, sql FROM system.main.duckdb_views() WHERE NOT internal ORDER BY view_name"
_NAME = r'(?:"(?:[^"]|"")*"|[A-Za-z_]\w*)'
_HEAD = re.compile(rf"CREATE VIEW (?:{_NAME}\.)*{_NAME}(?: ?\({_NAME}(?:, {_NAME})*\))? AS ")
"""How DuckDB begins the text of a view that it keeps."""
_MACROS = "SELECT DISTINCT lower(function_name) FROM system.main.duckdb_functions() WHERE NOT internal"


def require_harmless_views(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a file with a view that does what a user's query may not.

    Raises
    ------
    StoreError
        There is such a view, or views stand beside macros that are named like DuckDB's functions.
    """
    views = connection.execute(_VIEWS).fetchall()
    if not views:
        return
    from catalog.storage.user_sql import check_statement

    for name, sql in views:
        try:
            check_statement(_definition(sql))
        except QueryError as error:
            raise StoreError(
                f"{path} holds the view {name!r}, which does more than read the catalog: {error} "
                f"If you do not know the file, do not use it; else remove the view with DuckDB: "
                f"DROP VIEW {identifier(name)}."
            ) from error
    require_own_functions(connection, path)


def require_own_functions(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a file with a macro that stands in for a function of DuckDB: it would run instead of what was judged.

    Raises
    ------
    StoreError
        There is such a macro.
    """
    from catalog.storage.allowed_functions import FUNCTIONS, OPERATORS

    own = {name for (name,) in connection.execute(_MACROS).fetchall()}
    taken = sorted(own & {name.lower() for name in FUNCTIONS | OPERATORS})
    if taken:
        raise StoreError(
            f"{path} holds macros that stand in for functions of DuckDB: {', '.join(taken[:5])}. "
            "If you do not know the file, do not use it; else remove them with DuckDB: "
            f"DROP MACRO {identifier(taken[0])}."
        )


def _definition(sql: str) -> str:
    """The query of a view; all of its text, which is refused, where it does not begin as DuckDB writes it."""
    return _HEAD.sub("", sql, count=1)
