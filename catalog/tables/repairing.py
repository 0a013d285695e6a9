"""Bringing back what follows from other rows or what the catalog knows itself; the seals tell whether it succeeded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.architecture.operators import SHARED
from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.errors import CatalogError
from catalog.quoting import identifier
from catalog.spaces import SPACES, space_named
from catalog.tables import measures, views
from catalog.tables.doctor_views import examine_twins, examine_view
from catalog.tables.forgetting import upgrade_command
from catalog.tables.proxies import ProxyFacts, proxy_rows
from catalog.tables.rederiving import rederive
from catalog.tables.registration import ANY_SPACE, link_twins, space_rows
from catalog.tables.stored_operators import operator_rows

if TYPE_CHECKING:
    from catalog.storage.seals import Broken
    from catalog.storage.store import Store

_KEYS = {"operator": ("space", "name"), "space": ("name",), "proxy": ("id",), "measure": ("name",)}
"""The tables of which the catalog knows rows by itself, and their keys, which are their parts too."""


def repair(catalog: Store) -> list[str]:
    """Derive anew what is not as it follows from the rest; returns what was done, a sentence each.

    Seals are left as they are: what was brought back matches them again, and what `doctor` finds afterwards cannot be
    derived.

    Raises
    ------
    CatalogError
        The file has no seals to go by, or other rules derived it.
    """
    if not catalog.is_sealed() or catalog.outdated():
        raise CatalogError(
            f"{catalog.path} is not sealed by this version's rules, so that nobody could tell what to repair. Derive "
            f"and seal it first: {upgrade_command(catalog)}"
        )
    done: list[str] = []
    with catalog.transaction(keeps_seals=True):
        for table in _KEYS:
            done += _known_rows(catalog, table)
        broken = catalog.broken_parts()
        suspicious = any(broken[table] for table in ("architecture", "node", "edge", "node_attribute", "score"))
        for (space,) in catalog.rows("SELECT name FROM space ORDER BY 1"):
            if not catalog.rows("SELECT 1 FROM architecture WHERE space = ? LIMIT 1", [space]):
                continue
            if suspicious:
                made = rederive(catalog, space, digests_hold=_digests_hold(space, broken["architecture"]))
                if made.written:
                    done.append(f"{space}: derived {len(made.written):,} architectures anew from their native graphs.")
            done += _twins_and_view(catalog, space)
    return done


def _digests_hold(space: str, broken: Sequence[Broken]) -> bool:
    """Whether the architectures of a space that is the user's own are as they were stored, so that graphs are not."""
    return space not in SPACES and not any(part.values == (space,) for part in broken)


def _twins_and_view(catalog: Store, space: str) -> Iterator[str]:
    if examine_twins(catalog, space).result == "failed":
        link_twins(catalog, space)
        yield f"{space}: linked twins to their representatives anew."
    if any(finding.result == "failed" for finding in examine_view(catalog, space)):
        views.rebuild(catalog, space)
        yield f"{space}: built the wide view anew."


def _known_rows(catalog: Store, table: str) -> Iterator[str]:
    """Put back rows that the catalog knows by itself, where one of them is what the seal says."""
    written: list[str] = []
    for part in catalog.broken_parts()[table]:
        if part.sealed.rows != 1 or part.now.rows > 1:
            continue
        key = part.values if part.now.rows else tuple(part.values[0].split(", ", len(_KEYS[table]) - 1))
        for rows in _candidates(catalog, table, key):
            if part.sealed in catalog.seals_of(table, rows).values():
                _put(catalog, table, rows, is_there=part.now.rows == 1)
                written.append(" ".join(map(str, key)))
                break
    if written:
        yield f"{table}: wrote {len(written):,} rows anew: {', '.join(written)}."


def _put(catalog: Store, table: str, rows: pa.Table, *, is_there: bool) -> None:
    if not is_there:
        catalog.append(table, rows)
        return
    keys = _KEYS[table]
    same = " AND ".join(f"{table}.{identifier(name)} = made.{identifier(name)}" for name in keys)
    values = ", ".join(
        f"{identifier(name)} = made.{identifier(name)}" for name in rows.column_names if name not in keys
    )
    catalog.execute(f"UPDATE {table} SET {values} FROM made WHERE {same}", tables={"made": rows})


def _candidates(catalog: Store, table: str, key: tuple[Any, ...]) -> Iterator[pa.Table]:
    """Rows that could have stood under a key."""
    if table == "operator" and key[0] == ANY_SPACE:
        yield operator_rows(ANY_SPACE, [operator for operator in SHARED if operator.name == key[1]])
    elif table == "space" and key[0] in SPACES:
        yield space_rows(space_named(key[0]))
    elif table == "measure":
        for direction in (-1, 0, 1, None):
            yield measures.rows_of([measures.Measure(key[0], measures.known_measure(key[0]).unit, direction)])
    elif table == "proxy":
        for proxy in STRUCTURAL_PROXIES:
            yield proxy_rows(int(key[0]), [ProxyFacts(proxy.name, proxy.version, proxy.direction, proxy.description)])
        held = catalog.arrow("SELECT * REPLACE (-direction AS direction) FROM proxy WHERE id = ?", [int(key[0])])
        yield held
