"""The tables of the schema and their columns, without the half second that SQLAlchemy's import costs elsewhere."""

from __future__ import annotations

_SPELLED = {"DOUBLE PRECISION": "DOUBLE", "REAL": "FLOAT"}  # SQL's word to DuckDB's own


def table_columns() -> dict[str, dict[str, str]]:
    """The columns of every table with their types, as `catalog.storage.schema` declares them and DuckDB names them."""
    from duckdb_sqlalchemy import Dialect

    from catalog.storage.schema import Base

    dialect = Dialect()
    return {
        table.name: {column.name: _spelled(column.type.compile(dialect)) for column in table.columns}
        for table in Base.metadata.sorted_tables
    }


def _spelled(kind: str) -> str:
    base, brackets, rest = kind.partition("[")
    return _SPELLED.get(base, base) + brackets + rest
