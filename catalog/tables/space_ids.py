"""The ids of a space's architectures, as a condition on the long tables that costs as little as it can."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.quoting import literal

if TYPE_CHECKING:
    from catalog.storage.store import Store


def is_of_space(catalog: Store, space: str) -> str:
    """The SQL condition that ``architecture_id`` is one of a space.

    A space that was entered at once has numbers without a gap, which two comparisons tell; looking up every row of a
    long table in a set of ids costs several times as much.
    """
    ((first, last, count),) = catalog.rows(
        "SELECT min(id), max(id), count(*) FROM architecture WHERE space = ?", [space]
    )
    if count and last - first + 1 == count:
        return f"architecture_id BETWEEN {first:d} AND {last:d}"
    return f"architecture_id IN (SELECT id FROM architecture WHERE space = {literal(space)})"
