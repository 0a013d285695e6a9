"""Sources, proxies, runs and spaces by the names under which users know them; what is ambiguous is never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.errors import UnknownProxyError, UnknownSpaceError, UsageError
from catalog.nearest import did_you_mean
from catalog.tables.column_names import PUBLISHED
from catalog.tables.proxies import PUBLISHED_VERSION

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SHOWN = 20


def structural_ids(store: Store) -> list[int]:
    """``proxy.id`` of the structural proxies, whose scores follow from the graphs."""
    names = [proxy.name for proxy in STRUCTURAL_PROXIES]
    rows = store.rows(
        "SELECT id FROM proxy WHERE version != ? AND configuration = '{}' AND checkpoint_digest IS NULL "
        "AND list_contains(?, name) ORDER BY id",
        [PUBLISHED_VERSION, names],
    )
    return [int(number) for (number,) in rows]


def source_named(store: Store, name: str) -> int:
    """``source.id`` of the one source of a name, or with this id.

    Raises
    ------
    UsageError
        There is none, or the name is that of several files.
    """
    rows = store.rows("SELECT id, name, path FROM source ORDER BY id")
    found = [row for row in rows if row[1] == name] or [row for row in rows if str(row[0]) == name]
    if len(found) == 1:
        return int(found[0][0])
    if found:
        listed = ", ".join(f"{number} ({path})" for number, _, path in found[:_SHOWN])
        raise UsageError(f"{len(found)} sources are called {name!r}; name one by its id: {listed}.")
    known = [str(row[1]) for row in rows]
    raise UsageError(
        f"{store.path} has no source {name!r:.120}. {did_you_mean(name, known)}"
        "All of them: catalog query 'SELECT id, name, path FROM source'"
    )


def space_named_in(store: Store, name: str) -> str:
    """The name of a stored space.

    Raises
    ------
    UnknownSpaceError
        The catalog holds none of this name.
    """
    known = [str(one) for (one,) in store.rows("SELECT name FROM space ORDER BY name")]
    if name not in known:
        listed = f"Stored are {', '.join(known)}." if known else "It holds no space yet."
        raise UnknownSpaceError(
            f"{store.path} holds no search space {name!r:.120}. {did_you_mean(name, known)}{listed}"
        )
    return name


def run_named(store: Store, name: str) -> int:
    """``run.id`` of a run.

    Raises
    ------
    UsageError
        There is no such run.
    """
    known = {str(number): int(number) for (number,) in store.rows("SELECT id FROM run ORDER BY id")}
    if name not in known:
        raise UsageError(
            f"{store.path} has no run {name!r:.120}; a run is named by its id: catalog query "
            "'SELECT id, kind, started_at, outcome FROM run'"
        )
    return known[name]


def proxies_named(store: Store, name: str) -> list[int]:
    """``proxy.id`` of what stands under one column: scores measured here, or with ``_published`` those of files.

    Raises
    ------
    UnknownProxyError
        There is no such proxy.
    UsageError
        The scores follow from the graphs, or the name is that of several columns.
    """
    rows = store.rows('SELECT id, name, "column", version FROM proxy ORDER BY id')
    own = [row for row in rows if row[3] != PUBLISHED_VERSION]
    published = [row for row in rows if row[3] == PUBLISHED_VERSION]
    bare = name.removesuffix(f"_{PUBLISHED}")
    found = (
        [row for row in own if row[2] == name]
        or [row for row in own if row[1] == name]
        or [row for row in published if row[2] in (name, bare)]
    )
    if not found:
        known = [str(row[2]) for row in rows] + [f"{row[2]}_{PUBLISHED}" for row in published]
        raise UnknownProxyError(
            f"{store.path} has no proxy {name!r:.120}. {did_you_mean(name, known)}{_of_a_source(store, name)}"
            "Every proxy: catalog query 'SELECT name, \"column\", version FROM proxy'"
        )
    if {int(row[0]) for row in found} & set(structural_ids(store)):
        raise UsageError(f"{name!r} follows from the graphs; it is there as long as they are.")
    if len(columns := sorted({str(row[2]) for row in found})) > 1:
        raise UsageError(f"the scores of {name!r} are several columns; name one of them: {', '.join(columns)}.")
    return [int(row[0]) for row in found]


def _of_a_source(store: Store, name: str) -> str:
    """Whose scores a wide column of this name shows: they go with their source."""
    rows = store.rows(
        "SELECT DISTINCT source.name FROM wide_column JOIN score USING (proxy_id) JOIN source ON source.id = source_id "
        "WHERE wide_column.name = ? ORDER BY 1",
        [name],
    )
    told = ", ".join(f"catalog remove source {source}" for (source,) in rows[:3])
    return f"The column shows scores of a file; take the file out: {told}. " if told else ""
