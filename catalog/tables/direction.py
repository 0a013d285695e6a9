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
    proxies = catalog.arrow('SELECT "column" AS name, direction FROM proxy').to_pylist()
    related = [proxy for proxy in proxies if column == proxy["name"] or column.startswith(proxy["name"] + "_")]
    if related:
        return bool(max(related, key=lambda proxy: len(proxy["name"]))["direction"] < 0)
    return not COSTS.isdisjoint(column.split("_"))
