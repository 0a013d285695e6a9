"""Small tables of one's own, and catalogs to read them into."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import catalog
from catalog.session.catalog import Catalog
from catalog.spaces import nb201

CELLS = [nb201.format_cell(operators) for operators in nb201.index_order()[:6]]
"""The first cells of NAS-Bench-201, by index."""

ROBUST = {"metric": "robust_accuracy", "dataset": "cifar10", "split": "test", "direction": "higher"}
"""What says a metric that no benchmark has."""

NORM = {"proxy": "path_norm", "direction": "lower"}
"""What says a proxy that nobody else has."""


def written(folder: Path, *lines: str, name: str = "mine.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def opened(folder: Path) -> Catalog:
    return catalog.open(folder / "catalog.duckdb", mode="write")


def column_of(c: Catalog, column: str, space: str = "nb201") -> dict[Any, Any]:
    """Native index, or id, to the value of a wide column."""
    native = "index" if space in ("nb201", "nb101") else "id"
    return dict(c.query(f'SELECT {native}, "{column}" FROM "{space}" ORDER BY ALL').iter_rows())
