"""Where columns come from that follow from the stored graphs: identifiers and counts of operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.asking.origin_parts import Facts

if TYPE_CHECKING:
    from catalog.storage.store import Store

_STORED = {"architecture_id": "id", "index": "native_index"}


def graph_facts(catalog: Store, space: str, column: str) -> Facts:
    """What is known of a column that no source and no proxy gives."""
    ((native, citation),) = catalog.rows("SELECT native_id_name, citation FROM space WHERE name = ?", [space])
    rules = dict(catalog.rows("SELECT part, value FROM seal WHERE subject = 'version'"))
    stored = "native_id" if column == native else _STORED.get(column, column)
    if (meaning := _meaning(stored)) is not None:
        how = f"stored with the architecture, in architecture.{stored}: {meaning}"
    else:
        how = "derived: counted from the stored graph when the architecture was entered, without a file"
    return {
        "unit": None if meaning is not None else "nodes",
        "how it came about": how,
        "rules": f"canonical form {rules['canonical form']}" if "canonical form" in rules else None,
        "the space": citation,
    }


def _meaning(column: str) -> str | None:
    """What the schema says of a column of the table ``architecture``."""
    from catalog.storage.schema import Architecture

    found = Architecture.__table__.columns.get(column)
    return None if found is None else str(found.comment or column)
