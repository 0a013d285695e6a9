"""Whether high or low values of a wide column are good."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.storage.store import Store

COSTS = frozenset({"latency", "energy", "time", "loss", "error"})
"""A metric column with one of these words in its name is better when it is smaller."""


def is_cost(catalog: Store, column: str) -> bool:
    """Whether small values of a wide column are good.

    A proxy says so by its direction, also in the columns that carry a suffix after its name; a metric by its name.
    """
    proxies = catalog.rows('SELECT "column", direction FROM proxy')
    related = [(name, direction) for name, direction in proxies if column == name or column.startswith(name + "_")]
    if related:
        return bool(max(related, key=lambda proxy: len(proxy[0]))[1] < 0)
    return not COSTS.isdisjoint(column.split("_"))
