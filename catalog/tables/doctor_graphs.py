"""Whether everything that follows from native graphs is what follows from them: all of a space is derived anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.errors import CatalogError, UnknownSpaceError
from catalog.tables.derived_graphs import derived, differing
from catalog.tables.finding import Finding

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SHOWN = 5
_LOST = "fill a new catalog from their files"


def examine_graphs(catalog: Store, space: str) -> Finding:
    """Digests, canonical forms, counts and structural scores of a whole space, computed anew and compared."""
    check = f"{space} digests"
    wrong: dict[int, list[str]] = {}
    count = 0
    try:
        for part in derived(catalog, space):
            wrong |= differing(catalog, part)
            count += len(part.ids)
    except UnknownSpaceError:
        return Finding(check, "failed", "the space has no row in space, and nothing is known of its graphs")
    except CatalogError as error:
        return Finding(check, "failed", f"the stored graphs cannot be read: {error} {_LOST}")
    if not wrong:
        return Finding(check, "ok", f"{count:,} computed anew, with their counts, forms and structural scores")
    names = dict(
        catalog.rows("SELECT id, native_id FROM architecture WHERE list_contains(?, id)", [list(wrong)[:_SHOWN]])
    )
    shown = "; ".join(f"{number} ({names[number]!s:.60}): {', '.join(wrong[number])}" for number in names)
    lost = sum("native graph" in what for what in wrong.values())
    remedy = "catalog doctor --repair derives them anew"
    if lost:
        remedy += f", but for {lost:,} whose native graph is damaged: {_LOST}"
    return Finding(check, "failed", f"{len(wrong):,} architectures do not match their graph: {shown}. {remedy}")
