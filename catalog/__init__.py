"""Neural-architecture-search spaces as graphs in one DuckDB file, asked in SQL.

>>> import catalog
>>> with catalog.open("catalog.duckdb") as c:
...     c.top("nb201", by="live_params", k=5)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from catalog.session.catalog import Catalog

    open = Catalog.open  # noqa: A001 - `catalog.open(path)` reads as what it does
    __version__: str

__all__ = ["Catalog", "__version__", "open"]


def __dir__() -> list[str]:
    """What a session offers to complete, loaded or not."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    """Load what is asked for only then: importing a room must not import the rooms above it."""
    if name in ("Catalog", "open"):
        from catalog.session.catalog import Catalog

        return Catalog if name == "Catalog" else Catalog.open
    if name == "__version__":
        from importlib.metadata import version

        return version("nas-catalog")
    raise AttributeError(f"module 'catalog' has no attribute {name!r}")
