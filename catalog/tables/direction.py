"""Whether high or low values of a wide column are good."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from catalog.errors import UsageError

if TYPE_CHECKING:
    from catalog.storage.store import Store


def is_cost(store: Store, space: str, column: str) -> bool:
    """Whether small values of a wide column are good: the direction of the metric or proxy that it shows.

    Settings, and columns that describe the graph, have no direction and are listed from the largest.

    Raises
    ------
    UsageError
        Nobody said whether high is good of the column's metric or proxy.
    """
    rows = store.rows(
        """
        SELECT coalesce(metric, proxy.name), coalesce(measure.direction, proxy.direction) FROM wide_column
        LEFT JOIN measure ON measure.name = metric LEFT JOIN proxy ON proxy.id = proxy_id
        WHERE space = ? AND wide_column.name = ? ORDER BY proxy_id LIMIT 1
        """,
        [space, column],
    )
    if not rows:
        return False
    ((name, direction),) = rows
    if direction is None:
        raise UsageError(
            f"whether high or low values of {column} are good is not known: nobody said it of {name!r:.120}. Say it "
            f"once: catalog measures --direction {shlex.quote(str(name))}=higher|lower."
        )
    return bool(direction < 0)
