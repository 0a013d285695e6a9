"""Other names for a source, a space, a proxy or a metric; the columns of wide views follow."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from catalog.errors import SpaceFileError, UsageError
from catalog.nearest import did_you_mean
from catalog.quoting import identifier
from catalog.spaces import SPACES
from catalog.storage.runs import Run
from catalog.tables import measures, views
from catalog.tables.column_names import PUBLISHED, word
from catalog.tables.name_gate import checked_name
from catalog.tables.named_things import proxies_named, source_named, space_named_in
from catalog.tables.official_sources import checked_source, is_reserved
from catalog.tables.own_proxies import OWN_VERSION, is_built_in, own_proxy
from catalog.tables.proxies import PUBLISHED_VERSION
from catalog.tables.stored_spaces import check_name

if TYPE_CHECKING:
    from catalog.storage.store import Store

_SPREAD = "_std"  # the column beside a predictor's that has the spread of its scores
_TOML_NAME = re.compile(r"""^(\s*name\s*=\s*)(["'])(?:[a-z0-9_]+)\2""", re.MULTILINE)


@dataclass(frozen=True)
class Renamed:
    """A thing that has another name now, and the spaces whose columns followed."""

    what: str
    old: str
    new: str
    spaces: tuple[str, ...]

    def __str__(self) -> str:
        followed = f"; the columns of {', '.join(self.spaces)} follow" if self.spaces else ""
        return f"the {self.what} {self.old} is called {self.new} now{followed}."


def rename(store: Store, what: str, old: str, new: str) -> Renamed:
    """Give a thing another name, in one transaction.

    Parameters
    ----------
    what
        One of `KINDS`.
    old
        Its name; of a source also its id, of a proxy its column.
    new
        The name it gets, which nothing else may have.

    Raises
    ------
    UsageError
        There is no such thing, its name is not the user's to change, or the new one is taken or is no name.
    """
    if what not in _VERBS:
        raise UsageError(
            f"{what!r:.120} is nothing that can be renamed. {did_you_mean(what, KINDS)}Give one of {', '.join(KINDS)}."
        )
    checked_name("the new name", new)
    change = _VERBS[what](store, old, new)
    with Run.start(store, "rename", {"what": what, "old": old, "new": new}) as run, store.transaction():
        spaces = change()
        for space in spaces:
            views.rebuild(store, space)
        run.detail = f"{what} {old} to {new}"
    return Renamed(what, old, new, tuple(spaces))


Change = Callable[[], list[str]]
"""Writes the new name, inside a transaction; gives the spaces whose views have to be built anew."""


def _source(store: Store, old: str, new: str) -> Change:
    number = source_named(store, old)
    ((name,),) = store.rows("SELECT name FROM source WHERE id = ?", [number])
    _require_own(f"the source {name!r}", [str(name)])
    checked_source(new)
    for (other,) in store.rows("SELECT name FROM source WHERE id != ?", [number]):
        if word(other) == word(new):
            raise _taken("source", new, f"the source {other!r}")
    if new == name:
        raise _same("source", new)

    def change() -> list[str]:
        store.execute("UPDATE source SET name = ? WHERE id = ?", [new, number])
        for proxy, called in store.rows(
            "SELECT id, name FROM proxy WHERE version = ? AND (configuration->>'$.source') = ?", [OWN_VERSION, name]
        ):
            own = own_proxy(str(called), new, 1, "")
            store.execute(
                'UPDATE proxy SET "column" = ?, configuration = ? WHERE id = ?', [own.column, own.configuration, proxy]
            )
        return _spaces_of(store, f"source_id = {number:d}", "metric", "score")

    return change


def _space(store: Store, old: str, new: str) -> Change:
    space_named_in(store, old)
    if old in SPACES:
        raise UsageError(f"the space {old!r} is built in and keeps its name.")
    if new == old:
        raise _same("space", new)
    check_name(store, new)
    ((definition,),) = store.rows("SELECT definition FROM space WHERE name = ?", [old])
    described = None if definition is None else _described(definition, old, new)

    def change() -> list[str]:
        for table, column in (("architecture", "space"), ("operator", "space"), ("space", "name")):
            store.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", [new, old])
        if described is not None:
            store.execute("UPDATE space SET definition = ? WHERE name = ?", [described, new])
        _rename_in_runs(store, old, new)
        store.execute("DELETE FROM wide_column WHERE space = ?", [old])
        store.execute(f"DROP TABLE IF EXISTS {identifier(old)}")
        return [new]

    return change


def _described(definition: str, old: str, new: str) -> str:
    """The description of a staged space with its new name, which stands in front of the first table."""
    from catalog.spaces.staged.space import StagedSpace

    top = re.search(r"^\s*\[", definition, re.MULTILINE)
    end = top.start() if top else len(definition)
    changed = _TOML_NAME.sub(lambda found: f'{found[1]}"{new}"', definition[:end], count=1) + definition[end:]
    try:
        space = StagedSpace.from_text(changed, f"the description of {old}", checked=False)
    except SpaceFileError:
        space = None
    if space is None or space.name != new:
        raise UsageError(
            f"the description of the space {old!r} writes its name in a way that cannot be changed here; nothing was "
            "stored. Add the space under the new name, catalog spaces add FILE, and read its files again."
        )
    return changed


def _rename_in_runs(store: Store, old: str, new: str) -> None:
    """Searches are resumed, and files known again, by the space that their run names."""
    rows = store.rows("SELECT id, parameters FROM run WHERE parameters->>'$.space' = ? ORDER BY id", [old])
    if not rows:
        return
    changed = [json.dumps(json.loads(parameters) | {"space": new}, sort_keys=True) for _, parameters in rows]
    store.execute(
        "UPDATE run SET parameters = changed.parameters FROM changed WHERE run.id = changed.id",
        tables={"changed": pa.table({"id": [number for number, _ in rows], "parameters": changed})},
    )


def _proxy(store: Store, old: str, new: str) -> Change:
    numbers = proxies_named(store, old)
    ((column, version),) = store.rows(
        f'SELECT DISTINCT "column", CASE WHEN version IN (?, ?) THEN version END FROM proxy WHERE {_among(numbers)}',
        [PUBLISHED_VERSION, OWN_VERSION],
    )
    if version:
        sources = store.rows(
            f"SELECT DISTINCT name FROM source JOIN score ON source_id = source.id WHERE {_scores(numbers)}"
        )
        _require_own(f"the proxy {column!r}", [str(name) for (name,) in sources])
    if new == column:
        raise _same("proxy", new)
    if word(new) != new or new.endswith(f"_{PUBLISHED}"):
        raise UsageError(f"{new!r:.120} is no plain name for a column; write it, for example, as {word(new)!r:.120}.")
    if is_built_in(new):
        raise _taken("proxy", new, "a proxy that the catalog knows")
    _require_free_column(store, new)
    ids = _with_spread(store, numbers, str(column))

    def change() -> list[str]:
        for number, suffix in ids.items():
            store.execute('UPDATE proxy SET "column" = ? WHERE id = ?', [new + suffix, number])
            if (
                version is not None
            ):  # of what was measured here the name says by which code, and only the column changes
                store.execute("UPDATE proxy SET name = ?, configuration = '{}' WHERE id = ?", [new, number])
        return _spaces_of(store, _scores(list(ids)), "score")

    return change


def _with_spread(store: Store, numbers: list[int], column: str) -> dict[int, str]:
    """``proxy.id`` to the end of its column, of the proxies and of the spread of their scores."""
    spread = store.rows('SELECT id FROM proxy WHERE "column" = ? ORDER BY id', [column + _SPREAD])
    return {**dict.fromkeys(numbers, ""), **{int(number): _SPREAD for (number,) in spread}}


def _require_free_column(store: Store, new: str) -> None:
    for name, column in store.rows('SELECT name, "column" FROM proxy ORDER BY id'):
        if new in (word(name), column):
            raise _taken("proxy", new, f"the proxy {name!r}")
    for (space,) in store.rows("SELECT name FROM space ORDER BY name"):
        held = store.rows("SELECT 1 FROM duckdb_columns() WHERE table_name = ? AND column_name = ?", [space, new])
        if held:
            raise _taken("proxy", new, f"a column of {space}")


def _metric(store: Store, old: str, new: str) -> Change:
    known = [str(name) for (name,) in store.rows("SELECT name FROM measure ORDER BY name")]
    if old not in known:
        raise UsageError(
            f"{store.path} has no metric {old!r:.120}. {did_you_mean(old, known)}`catalog measures` lists them."
        )
    if measures.is_fixed(old):
        raise UsageError(f"the metric {old!r} means the same in every catalog and keeps its name.")
    sources = store.rows(
        "SELECT DISTINCT source.name FROM source JOIN metric ON source_id = id WHERE metric.name = ?", [old]
    )
    _require_own(f"the metric {old!r}", [str(name) for (name,) in sources])
    if new == old:
        raise _same("metric", new)
    if measures.is_fixed(new):
        raise _taken("metric", new, "a metric with a unit of its own; read the file again with its values in that unit")
    for name in known:
        if name != old and word(name) == word(new):
            raise _taken("metric", new, f"the metric {name!r}")

    def change() -> list[str]:
        spaces = _spaces_of(store, "name = $name", "metric", name=old)
        store.execute("UPDATE metric SET name = ? WHERE name = ?", [new, old])
        store.execute("UPDATE measure SET name = ? WHERE name = ?", [new, old])
        return spaces

    return change


_VERBS: Mapping[str, Callable[[Store, str, str], Change]] = {
    "source": _source,
    "space": _space,
    "proxy": _proxy,
    "metric": _metric,
}

KINDS = tuple(_VERBS)
"""What can be renamed."""


def _among(numbers: list[int], column: str = "id") -> str:
    return f"{column} IN ({', '.join(map(str, numbers))})"


def _scores(numbers: list[int]) -> str:
    return _among(numbers, "proxy_id")


def _spaces_of(store: Store, where: str, *tables: str, **parameters: object) -> list[str]:
    """The spaces that have rows for which a condition holds."""
    found = " UNION ".join(f"SELECT architecture_id AS id FROM {table} WHERE {where}" for table in tables)
    rows = store.rows(
        f"SELECT DISTINCT space FROM architecture SEMI JOIN ({found}) USING (id) ORDER BY 1", parameters or None
    )
    return [str(space) for (space,) in rows]


def _sources_of(store: Store, table: str, where: str, **parameters: object) -> list[str]:
    """The names of the sources of rows for which a condition holds."""
    rows = store.rows(
        f"SELECT DISTINCT source.name FROM source JOIN {table} ON source_id = source.id WHERE {where} ORDER BY 1",
        parameters or None,
    )
    return [str(name) for (name,) in rows]


def _require_own(what: str, sources: list[str]) -> None:
    """A benchmark's name belongs to what its bytes prove to be the benchmark's, and to all of that."""
    if official := [name for name in sources if is_reserved(name)]:
        raise UsageError(f"{what} is of {official[0]}, whose names are a benchmark's or the catalog's own and stay.")


def _taken(what: str, new: str, by: str) -> UsageError:
    return UsageError(f"the {what} cannot be called {new!r:.120}: {by} is. Nothing was stored; choose another name.")


def _same(what: str, new: str) -> UsageError:
    return UsageError(f"the {what} is called {new!r:.120} already; nothing was stored.")
