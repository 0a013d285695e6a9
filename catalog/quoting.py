"""Names and values as SQL text."""

from __future__ import annotations


def identifier(name: str) -> str:
    """A table or column name, quoted so that whatever it holds stays a name."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | float | None) -> str:
    """A value as a SQL literal, quoted so that whatever it holds stays a value."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)
