"""Judging SQL that a user typed: DuckDB's own parser shows what a text would do, before anything runs.

Two walls stand between a user's SQL and the machine. This is the first: only statements that read, only table
functions that touch no file. The second is the locked configuration of `catalog.storage.sandbox`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import duckdb

from catalog.errors import ConditionError, LimitError, QueryError
from catalog.nearest import did_you_mean
from catalog.storage.allowed_functions import FUNCTIONS, OPERATORS
from catalog.storage.duckdb_errors import first_line, raise_interrupt, readable

TABLE_FUNCTIONS = frozenset(
    {
        "duckdb_columns",
        "duckdb_constraints",
        "duckdb_functions",
        "duckdb_keywords",
        "duckdb_tables",
        "duckdb_types",
        "duckdb_views",
        "generate_series",
        "json_each",
        "json_tree",
        "pragma_table_info",
        "pragma_version",
        "range",
        "repeat",
        "repeat_row",
        "unnest",
    }
)
"""Table functions that a user may call. Everything that reads a file, a pointer or SQL in a string is missing."""

SCHEMAS = frozenset({"", "main", "catalog", "information_schema", "pg_catalog"})
"""Qualifiers that a table's name may have: DuckDB reads ``folder.csv`` as a file if there is no such schema."""

REFUSED_TABLES = frozenset({"duckdb_databases", "duckdb_logs", "duckdb_secrets", "pg_settings", "pragma_database_list"})
"""System views that reveal the machine."""

_ALLOWED = "allowed is one statement that reads: SELECT, FROM, WITH, VALUES, DESCRIBE, SHOW, SUMMARIZE or EXPLAIN"
_PURPOSE = "a query reads the catalog, not the machine"
_FILE = re.compile(r"[./\\:*?]")  # DuckDB opens a file if a table's name looks like one, and that needs an ending
_EXPLAIN = re.compile(r"\s*EXPLAIN\s+(?:ANALYZE\s+)?(?:\([^()]*\)\s*)?", re.IGNORECASE)
_REMEDIES = {
    "COPY": " To write a file, use `catalog export` or --format.",
    "CREATE": " A PIVOT needs its columns listed with IN (...).",
    "CALL": " Ask with SELECT or FROM.",
    "PRAGMA": " Ask with DESCRIBE or SHOW.",
}


@dataclass(frozen=True)
class Condition:
    """One boolean SQL expression that has been judged harmless.

    Parameters
    ----------
    sql
        The text.
    columns
        Names of the columns it mentions, in order and each once; those inside subqueries are among them.
    tables
        Names of the tables that its subqueries read, in lower case.
    has_star
        Whether it mentions columns without their names, as ``*`` does.
    """

    sql: str
    columns: tuple[str, ...]
    tables: frozenset[str] = frozenset()
    has_star: bool = False


def check_statement(sql: str) -> None:
    """Refuse anything but one statement that only reads the catalog.

    Raises
    ------
    QueryError
        The text cannot be parsed, holds several statements or none, or does more than read.
    """
    with _parser() as parser:
        kinds = _statement_kinds(parser, sql)
        if not kinds:
            raise QueryError(f"there is no statement in this query; {_ALLOWED}.")
        if len(kinds) > 1 and kinds[0] != "CREATE":  # DuckDB turns a PIVOT without its columns into CREATE and SELECT
            raise QueryError(f"this query holds {len(kinds)} statements; {_ALLOWED}.")
        if kinds[0] not in ("SELECT", "EXPLAIN"):
            raise _refused(kinds[0])
        inner = _EXPLAIN.sub("", sql, count=1) if kinds[0] == "EXPLAIN" else sql
        tree = _parsed(parser, inner)
    if tree is None:
        raise _refused("EXPLAIN of a statement that writes" if kinds[0] == "EXPLAIN" else "PRAGMA")
    _check_nodes(tree)


@contextmanager
def judging(condition: str | None) -> Iterator[None]:
    """Make the failure of a query that holds a user's condition the condition's failure.

    Raises
    ------
    ConditionError
        The block raised a `QueryError`, and there is a condition.
    """
    try:
        yield
    except ConditionError:
        raise
    except LimitError as error:
        if condition is None:
            raise
        raise ConditionError(
            f"the condition {condition!r} failed: {error.what} Ask for less, or use it in `catalog query`, "
            "which takes --timeout and --memory-limit."
        ) from error
    except QueryError as error:
        if condition is None:
            raise
        raise ConditionError(f"the condition {condition!r} failed: {error}") from error


def check_condition(condition: str) -> Condition:
    """Refuse anything but one boolean expression over a table's columns.

    Raises
    ------
    ConditionError
        The text cannot be parsed, is more than one expression, or does more than read.
    """
    with judging(condition):
        return _checked_condition(condition)


def _checked_condition(condition: str) -> Condition:
    with _parser() as parser:
        sql = f"SELECT * FROM t WHERE (\n{condition}\n)"  # the line breaks end a trailing comment
        try:
            kinds = _statement_kinds(parser, sql)
        except duckdb.ParserException as error:
            raise _not_a_condition(condition, f" ({first_line(error)})") from error
        tree = _parsed(parser, sql) if kinds == ["SELECT"] else None
        bare = _parsed(parser, "SELECT * FROM t WHERE true")
    if tree is None or bare is None:
        raise _not_a_condition(condition)
    where = tree["node"].pop("where_clause", None)
    bare["node"].pop("where_clause")
    if where is None or _without_locations(tree) != _without_locations(bare):
        raise _not_a_condition(condition)
    _check_nodes(where)
    for node in _nodes(where):
        if node.get("type") == "BASE_TABLE" and (node["schema_name"] or node["catalog_name"]):
            raise QueryError(f"name the table {node['table_name']!r} in a condition without its schema.")
    names = (node["column_names"][-1] for node in _nodes(where) if node.get("class") == "COLUMN_REF")
    tables = (node["table_name"].lower() for node in _nodes(where) if node.get("type") == "BASE_TABLE")
    has_star = any(node.get("class") == "STAR" for node in _nodes(where))
    return Condition(condition, tuple(dict.fromkeys(names)), frozenset(tables), has_star)


@contextmanager
def _parser() -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB without a database, to parse with."""
    try:
        with duckdb.connect() as parser:
            yield parser
    except duckdb.Error as error:
        raise_interrupt(error, None)
        raise QueryError(readable(error)) from error


def _statement_kinds(parser: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    if "\0" in sql:
        raise QueryError("the query holds a NUL character; remove it.")
    if any("\ud800" <= character <= "\udfff" for character in sql):
        raise QueryError("the query holds bytes that are no text in UTF-8; remove them.")
    return [statement.type.name for statement in parser.extract_statements(sql)]


def _parsed(parser: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any] | None:
    """The one statement of `sql` as DuckDB's syntax tree; None unless it is a SELECT in one of its forms."""
    row = parser.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    assert row is not None
    try:
        answer = json.loads(row[0])
    except RecursionError as error:
        raise QueryError("the query is nested too deeply; use WITH to take it apart.") from error
    if answer["error"] or len(answer["statements"]) != 1:
        return None
    statement: dict[str, Any] = answer["statements"][0]
    return statement


def _without_locations(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_locations(part) for key, part in value.items() if key != "query_location"}
    if isinstance(value, list):
        return [_without_locations(part) for part in value]
    return value


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Every node of a syntax tree, each before its parts and these in order; without recursion."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(reversed(list(value.values())))
        elif isinstance(value, list):
            waiting.extend(reversed(value))


def _check_nodes(tree: dict[str, Any]) -> None:
    called_as_tables = set()
    for node in _nodes(tree):
        kind = node.get("type")
        if kind == "TABLE_FUNCTION":
            function = node["function"]
            called_as_tables.add(id(function))
            _check_function(function.get("function_name", ""), TABLE_FUNCTIONS)
        elif kind == "BASE_TABLE":
            _check_table(node["table_name"], node["schema_name"], node["catalog_name"])
        elif kind == "FUNCTION" and id(node) not in called_as_tables:
            _check_function(node["function_name"], FUNCTIONS | OPERATORS)


def _check_table(name: str, schema: str, database: str) -> None:
    if _FILE.search(name) or not {schema.lower(), database.lower()} <= SCHEMAS:
        full = ".".join(part for part in (database, schema, name) if part)
        raise QueryError(f"{full!r} is refused: it names a file or another database, and {_PURPOSE}.")
    if name.lower() in REFUSED_TABLES:
        raise QueryError(f"the system view {name!r} is refused: {_PURPOSE}.")


def _check_function(name: str, allowed: frozenset[str]) -> None:
    if name.lower() in allowed:
        return
    if allowed is TABLE_FUNCTIONS:
        choice = f"Allowed table functions: {', '.join(sorted(allowed))}."
    else:
        choice = did_you_mean(name.lower(), FUNCTIONS)
    raise QueryError(f"the function {name!r} is refused: {_PURPOSE}. {choice}".rstrip())


def _refused(kind: str) -> QueryError:
    return QueryError(f"{kind.replace('_', ' ')} is refused: {_ALLOWED}.{_REMEDIES.get(kind, '')}")


def _not_a_condition(condition: str, reason: str = "") -> ConditionError:
    return ConditionError(
        f"{condition!r} is not one condition{reason}; allowed is one SQL expression over the columns, "
        "for example `params < 1e6 AND depth > 2`."
    )
