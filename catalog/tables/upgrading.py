"""Bringing a file to the newest schema, and what is derived from its rows to this version's rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.derivation import VERSIONS
from catalog.spaces import SPACES, space_named
from catalog.storage import migration
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables import views
from catalog.tables.rederiving import rederive
from catalog.tables.registration import ensure_shared_operators, renew_operators
from catalog.tables.regrouping import Regrouped, as_detail, digests_of, listing, regrouped

_OWN_SCORES = """
    source_id IS NULL AND (list_contains($1, architecture_id) OR list_contains($1, shared_from))
    AND proxy_id IN (
        SELECT id FROM proxy WHERE NOT (configuration = '{}' AND checkpoint_digest IS NULL AND list_contains($2, name))
    )
"""


@dataclass(frozen=True)
class Upgraded:
    """What an upgrade did.

    Parameters
    ----------
    before, after
        Schema revisions.
    notes
        What was derived anew, and what has to be measured again, a sentence each.
    """

    before: str
    after: str
    notes: tuple[str, ...] = ()


def upgrade(path: str | Path, *, wait: float | None = None) -> Upgraded:
    """Upgrade a file: its schema, then what other rules derived, then its seals; it is sealed as it then is.

    Raises
    ------
    SchemaVersionError
        A newer version of the catalog wrote the file.
    StoreError
        There is no catalog at `path`, or it is in use or cannot be written.
    """
    before = migration.upgrade(path, wait=wait)
    notes: list[str] = []
    with Store.open(path, mode="write", wait=wait, to_derive=True) as store:
        outdated = store.outdated()
        spaces = [
            str(space)
            for (space,) in store.rows("SELECT name FROM space SEMI JOIN architecture ON space = name ORDER BY 1")
        ]
        if "canonical form" in outdated:
            with Run.start(store, "upgrade", {"rules": VERSIONS}) as run:
                notes += _derive_anew(store, spaces, run)
        elif outdated or not store.is_sealed():
            with store.transaction():
                for space in spaces:
                    views.rebuild(store, space)
                store.seal()
        else:
            known = {str(space) for (space,) in store.rows("SELECT DISTINCT space FROM wide_column")}
            for space in spaces:  # one by one: a view that is finished stays so, whatever happens to the next
                if space not in known:
                    with store.transaction():
                        views.rebuild(store, space)
    return Upgraded(before.current, before.newest, tuple(notes))


def _derive_anew(store: Store, spaces: Sequence[str], run: Run) -> list[str]:
    """Derive the spaces anew and seal the file; the run's detail says which functions joined or parted."""
    notes: list[str] = []
    changes: list[Regrouped] = []
    with store.transaction():
        ensure_shared_operators(store)
        for space in spaces:
            if space in SPACES:
                renew_operators(store, space_named(space))
            before = digests_of(store, space)
            notes += _derived_anew(store, space)
            change = regrouped(space, before, digests_of(store, space))
            notes += change.notes()
            changes += [change] if change else []
            views.rebuild(store, space)
        store.seal()
    if changes:
        run.detail = as_detail(changes)
        notes.append(f'all of these functions: catalog query "{listing(run.id)}"')
    return notes


def _derived_anew(store: Store, space: str) -> list[str]:
    """Derive a space anew, and drop our own scores of architectures whose canonical form is another one now."""
    made = rederive(store, space)
    notes = []
    if made.written:
        notes.append(
            f"{space}: derived {len(made.written):,} architectures anew; {len(made.digests):,} digests changed."
        )
    if made.digests:
        structural = [proxy.name for proxy in STRUCTURAL_PROXIES]
        columns = store.rows(
            'SELECT DISTINCT "column" FROM proxy '
            f"WHERE id IN (SELECT proxy_id FROM score WHERE {_OWN_SCORES}) ORDER BY 1",
            [made.digests, structural],
        )
        dropped = store.execute(f"DELETE FROM score WHERE {_OWN_SCORES}", [made.digests, structural])
        store.execute("DELETE FROM layer_score WHERE list_contains(?, architecture_id)", [made.digests])
        if dropped:
            notes.append(
                f"{space}: dropped {dropped:,} scores of architectures whose form changed, of "
                f"{', '.join(str(column) for (column,) in columns)}; score these again."
            )
    if made.unreadable:
        notes.append(
            f"{space}: {len(made.unreadable):,} architectures have a damaged native graph and were left as they are; "
            "see `catalog doctor`."
        )
    return notes
