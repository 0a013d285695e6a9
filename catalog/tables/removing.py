"""Taking a source, a space, a proxy or a run out of a catalog, with all that nobody needs once it is gone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from catalog.errors import UsageError
from catalog.nearest import did_you_mean
from catalog.quoting import identifier
from catalog.storage.runs import REMOVED, Run
from catalog.tables import views
from catalog.tables.named_things import proxies_named, run_named, source_named, space_named_in
from catalog.tables.registration import link_twins
from catalog.tables.removal_scope import (
    Scope,
    columns_lost,
    left_without_rows,
    of_proxy,
    of_run,
    of_source,
    of_space,
    touched_spaces,
)

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SHOWN = 12


@dataclass(frozen=True)
class Removal:
    """What goes, or went, with one thing.

    Parameters
    ----------
    what, name
        ``source``, ``space``, ``proxy`` or ``run``, and its name.
    rows
        Table to the number of its rows that go; tables that lose none are left out.
    sources, spaces, proxies
        Names of what goes whole; of a proxy its column.
    columns
        Space to the columns of its wide view that go, where the space stays.
    runs
        ``run.id`` of the runs of which nothing is left; their rows stay and say that they were removed.
    partly
        Names of sources of which other numbers stay.
    """

    what: str
    name: str
    rows: Mapping[str, int]
    sources: tuple[str, ...]
    spaces: tuple[str, ...]
    proxies: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    runs: tuple[int, ...]
    partly: tuple[str, ...]

    def as_json(self) -> dict[str, object]:
        """The same as values that JSON can hold."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [f"{self.what} {self.name}:"]
        lines += [f"  {count:>12,}  rows of {table}" for table, count in self.rows.items()]
        for word, names in (("source", self.sources), ("space", self.spaces), ("proxy", self.proxies)):
            if names:
                lines.append(f"  with the {word} {_listed(names)}")
        for space, columns in self.columns.items():
            lines.append(f"  columns of {space}: {_listed(columns)}")
        if self.runs:
            lines.append(f"  run {_listed(tuple(map(str, self.runs)))} stays and is marked as removed")
        if self.partly:
            lines.append(
                f"  of the source {_listed(self.partly)} other numbers stay; `catalog ingest --replace` reads it whole"
            )
        return "\n".join(lines)


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _run_scope(store: Store, name: str) -> Scope:
    run = run_named(store, name)
    ((kind, outcome),) = store.rows("SELECT kind, outcome FROM run WHERE id = ?", [run])
    if outcome == REMOVED:
        raise UsageError(f"run {run} was removed already.")
    if kind == "evaluate":
        raise UsageError(
            f"run {run} added trainings to a source that other runs add to as well; take the source out whole: catalog "
            "query \"SELECT id, name FROM source WHERE kind = 'own-training'\", then catalog remove source ID."
        )
    return of_run(store, run)


_SCOPES: Mapping[str, Callable[[Store, str], Scope]] = {
    "source": lambda store, name: of_source(store, source_named(store, name)),
    "space": lambda store, name: of_space(store, space_named_in(store, name)),
    "proxy": lambda store, name: of_proxy(store, proxies_named(store, name)),
    "run": _run_scope,
}

KINDS = tuple(_SCOPES)
"""What can be taken out."""


def removal_of(store: Store, what: str, name: str) -> Removal:
    """What would go; nothing is changed.

    Raises
    ------
    UsageError
        There is no such thing, the name is that of several, or nothing of it is stored.
    """
    return _told(store, what, name, _scope(store, what, name))


def remove(store: Store, what: str, name: str) -> Removal:
    """Take a thing out, in one transaction; gives what went.

    Raises
    ------
    UsageError
        As of `removal_of`; nothing was removed.
    """
    scope = _scope(store, what, name)
    told = _told(store, what, name, scope)
    with Run.start(store, "remove", {"what": what, "name": name}) as run:
        with store.transaction():
            take_out(store, scope, run.id)
        run.detail = f"{sum(told.rows.values()):,} rows of {what} {name}"
    return told


def take_out(store: Store, scope: Scope, by_run: int) -> None:
    """Delete what a scope holds, inside a transaction, and leave views, twins and runs as they are without it.

    Parameters
    ----------
    by_run
        ``run.id`` of the job that does it.
    """
    spaces = touched_spaces(store, scope)
    runs = left_without_rows(store, scope)
    conditions = scope.conditions()
    for table, condition in conditions.items():
        if condition != "false":
            store.delete(table, condition, tables=scope.tables)
    for source in scope.sources:  # seals too of parts whose rows a stranger had deleted already
        for table in ("metric", "training_curve", "score"):
            store.delete_part(table, "source_id", source)
    for run in runs:
        store.execute(
            "UPDATE run SET outcome = ?, detail = concat_ws('; ', ?, 'it was ' || outcome, detail) WHERE id = ?",
            [REMOVED, f"removed by run {by_run}", run],
        )
    for space in scope.spaces:
        store.execute("DELETE FROM wide_column WHERE space = ?", [space])
        store.execute(f"DROP TABLE IF EXISTS {identifier(space)}")
    for space in spaces:
        if len(scope.architectures):
            link_twins(store, space)
        views.rebuild(store, space)


def _scope(store: Store, what: str, name: str) -> Scope:
    if what not in _SCOPES:
        raise UsageError(
            f"{what!r:.120} is nothing that can be removed. {did_you_mean(what, KINDS)}Give one of {', '.join(KINDS)}."
        )
    return _SCOPES[what](store, name)


def _told(store: Store, what: str, name: str, scope: Scope) -> Removal:
    conditions = scope.conditions()
    rows = {
        table: int(store.rows(f"SELECT count(*) FROM {table} WHERE {condition}", tables=scope.tables)[0][0])
        for table, condition in conditions.items()
        if condition != "false"
    }
    rows = {table: count for table, count in rows.items() if count}
    if not rows:
        raise UsageError(f"nothing of {what} {name!r:.120} is stored; nothing was removed.")
    groups = {
        space: {**views.metric_groups(store, space), **views.proxy_groups(store, space)}
        for space in touched_spaces(store, scope)
    }
    columns = {space: tuple(columns_lost(found, scope)) for space, found in groups.items()}
    partly = " UNION ".join(
        f"SELECT source_id FROM {table} WHERE {conditions[table]}" for table in ("metric", "score", "training_curve")
    )
    return Removal(
        what,
        name,
        rows,
        _names(store, scope, f"SELECT name FROM source WHERE {conditions['source']} ORDER BY id"),
        scope.spaces,
        _names(store, scope, f'SELECT "column" FROM proxy WHERE {conditions["proxy"]} ORDER BY id'),
        {space: lost for space, lost in columns.items() if lost},
        left_without_rows(store, scope),
        _names(
            store,
            scope,
            f"SELECT name FROM source WHERE id IN ({partly}) AND NOT {conditions['source']} ORDER BY id",
        ),
    )


def _names(store: Store, scope: Scope, sql: str) -> tuple[str, ...]:
    return tuple(str(name) for (name,) in store.rows(sql, tables=scope.tables))
