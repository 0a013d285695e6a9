"""What Alembic runs for every command: all pending revisions on one open connection, in one transaction.

`catalog.storage.migration` hands the connection over; there is no ``alembic.ini``.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy.sql.schema import SchemaItem

from catalog.storage.schema import TABLES, Base


def is_ours(_item: SchemaItem, name: str | None, kind: str, reflected: bool, _other: SchemaItem | None) -> bool:
    """Whether autogenerate looks at an object: the wide views are tables too, but they follow the data."""
    return not (kind == "table" and reflected and name not in TABLES)


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    include_object=is_ours,
    compare_server_default=False,  # the dialect reports differences that are none
    transaction_per_migration=False,  # a revision that fails takes those before it back, too
)

with context.begin_transaction():
    context.run_migrations()
