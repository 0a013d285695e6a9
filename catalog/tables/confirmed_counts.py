"""Published counts against the catalog's own: where they are equal in every row they need no column beside ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.tables.space_ids import is_of_space

if TYPE_CHECKING:
    from catalog.storage.store import Store


@dataclass(frozen=True)
class Comparison:
    """A structural proxy as one source publishes it, against ours.

    Parameters
    ----------
    proxy_id, source_id
        Of the published scores.
    name
        The proxy's.
    both
        Architectures that have both values.
    differing
        Those of them whose values differ.
    alone
        Architectures that have the published value and none of ours.
    """

    proxy_id: int
    source_id: int
    name: str
    both: int
    differing: int
    alone: int

    @property
    def is_equal(self) -> bool:
        """Whether ours says all that the source says."""
        return self.both > 0 and self.differing == self.alone == 0

    def __str__(self) -> str:
        if self.is_equal:
            return f"{self.name} equals what is counted here in all {self.both:,} rows: one column shows both."
        return f"{self.name} differs from what is counted here in {self.differing:,} of {self.both:,} rows."


def compared(catalog: Store, space: str) -> list[Comparison]:
    """The structural proxies that sources publish for a space, where ours have values too."""
    names = [proxy.name for proxy in STRUCTURAL_PROXIES]
    published = catalog.rows(
        "SELECT DISTINCT proxy_id FROM score JOIN proxy ON proxy.id = proxy_id "
        "WHERE source_id IS NOT NULL AND list_contains($names, proxy.name) AND input IS NULL",
        {"names": names},
    )
    if not published:
        return []
    rows = catalog.rows(
        f"""
        SELECT told.proxy_id, told.source_id, any_value(proxy.name), count(ours.value),
            count(*) FILTER (ours.value != told.value), count(*) FILTER (ours.value IS NULL)
        FROM score AS told JOIN proxy ON proxy.id = told.proxy_id
        LEFT JOIN (
            SELECT architecture_id, name, value FROM score JOIN proxy ON proxy.id = proxy_id
            WHERE source_id IS NULL AND configuration = '{{}}' AND checkpoint_digest IS NULL AND input IS NULL
                AND list_contains($names, name) AND {is_of_space(catalog, space)}
        ) AS ours ON ours.architecture_id = told.architecture_id AND ours.name = proxy.name
        WHERE told.source_id IS NOT NULL AND told.input IS NULL AND told.value IS NOT NULL
            AND list_contains($published, told.proxy_id) AND told.{is_of_space(catalog, space)}
        GROUP BY told.proxy_id, told.source_id HAVING count(ours.value) > 0 ORDER BY ALL
        """,
        {"names": names, "published": [number for (number,) in published]},
    )
    return [Comparison(int(proxy), int(source), str(name), *map(int, counts)) for proxy, source, name, *counts in rows]
