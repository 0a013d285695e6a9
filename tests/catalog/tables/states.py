"""What a catalog says, to be compared before and after it was changed."""

from __future__ import annotations

from pathlib import Path

from catalog.storage.store import Store
from catalog.tables.doctor import examine
from catalog.tables.exporting import export_space

LASTING = ("operator", "architecture", "node", "edge", "node_attribute", "metric", "measure", "score", "layer_score")


def exported(store: Store, folder: Path) -> dict[str, bytes]:
    """Space to the bytes of its export."""
    folder.mkdir(exist_ok=True)
    found = {}
    for (space,) in store.rows("SELECT name FROM space ORDER BY name"):
        export_space(store, space, folder / "export.csv", "csv")
        found[space] = (folder / "export.csv").read_bytes()
    return found


def rows_of(store: Store) -> dict[str, list[tuple[object, ...]]]:
    """The rows of the tables that hold what was read and measured, in an order of their own."""
    return {table: sorted(store.rows(f"FROM {table}"), key=repr) for table in LASTING}


def failures(store: Store) -> list[str]:
    """The checks of the doctor that fail."""
    return [f"{one.check}: {one.detail}" for one in examine(store, full=True) if one.result == "failed"]
