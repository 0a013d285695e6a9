"""The tables of the schema and their columns, without the half second that SQLAlchemy's import costs elsewhere."""

from __future__ import annotations


def table_columns() -> dict[str, list[str]]:
    """The columns of every table, as `catalog.storage.schema` declares them."""
    from catalog.storage.schema import Base

    return {table.name: [column.name for column in table.columns] for table in Base.metadata.sorted_tables}
