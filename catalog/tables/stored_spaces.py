"""Search spaces by the name under which a catalog holds them: built in, or a user's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING

from catalog.architecture.operators import SIZED_VOCABULARY, VOCABULARY, Operator
from catalog.errors import UnknownSpaceError, UsageError
from catalog.nearest import did_you_mean
from catalog.spaces import SPACES, space_named
from catalog.spaces.base import SearchSpace
from catalog.spaces.own import OwnSpace
from catalog.storage.runs import Run
from catalog.tables import registration, views
from catalog.tables.stored_operators import stored_operators

if TYPE_CHECKING:
    from catalog.spaces.staged.space import StagedSpace
    from catalog.storage.store import Store

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_SYSTEM_PREFIXES = ("duckdb_", "sqlite_", "pragma_", "pg_", "information_schema")
_IN_FILES = {"has_weights": "weights"}
"""Facts that an operators file calls otherwise."""

_DESCRIPTIVE = ("short", "medium", "long")


def space_of(catalog: Store, name: str) -> SearchSpace:
    """The definition of a stored space: the built-in one, or a user's own with the operators that were stored.

    Raises
    ------
    UnknownSpaceError
        The space is neither built in nor stored.
    """
    if name in SPACES:
        return space_named(name)
    rows = catalog.arrow("SELECT name, description, definition FROM space ORDER BY name").to_pylist()
    stored = {row["name"]: row for row in rows}
    if name not in stored:
        known = sorted({*SPACES, *stored})
        raise UnknownSpaceError(
            f"{catalog.path} holds no search space {name!r}; built in or stored are {', '.join(known)}. "
            f"{did_you_mean(name, known)}".rstrip()
        )
    if (definition := stored[name]["definition"]) is not None:
        return _defined(definition, f"the description of {name} in {catalog.path}")
    return OwnSpace(name, stored_operators(catalog, name), stored[name]["description"])


@lru_cache(maxsize=8)
def _defined(definition: str, where: str) -> StagedSpace:
    from catalog.spaces.staged.space import StagedSpace

    return StagedSpace.from_text(definition, where, checked=False)


def add_space(catalog: Store, space: StagedSpace) -> bool:
    """Store what a user's staged space is; returns whether it is new.

    Raises
    ------
    UsageError
        The name cannot be a table of its own, or the catalog holds another space under it.
    """
    stored = catalog.rows("SELECT definition FROM space WHERE name = ?", [space.name])
    if not stored:
        check_name(catalog, space.name)
        with Run.start(catalog, "add_space", {"space": space.name}) as run, catalog.transaction():
            registration.ensure_space(catalog, space)
            views.rebuild(catalog, space.name)
            run.detail = f"{space.assignments.counted} architectures"
        return True
    if stored[0][0] != space.definition:
        raise UsageError(
            f"{catalog.path} holds another space {space.name!r} already; what is stored of it rests on its "
            "description, which never changes. Nothing was stored. Give the new space another name."
        )
    return False


def admitted(catalog: Store, space: OwnSpace) -> Sequence[Operator]:
    """Check that a user's own space can be stored, or go on growing, under its name.

    Returns
    -------
    Sequence[Operator]
        The operators of the space that the catalog does not hold yet.

    Raises
    ------
    UsageError
        The name cannot be a table of its own, or an operator is stored with other facts. What a stored graph computes,
        its scores and embeddings rest on them, so they never change.
    """
    stored = catalog.rows("SELECT definition FROM space WHERE name = ?", [space.name])
    if stored and stored[0][0] is not None:
        raise UsageError(
            f"the space {space.name!r} is described by a file: its architectures are what the description says, and "
            "no graphs can be added. Nothing was stored. Give your graphs a space of another name."
        )
    if not stored or space.name in SPACES:
        check_name(catalog, space.name)
    known = {operator.name: operator for operator in stored_operators(catalog, space.name)}
    in_use = _operators_in_use(catalog, space.name)
    for operator in space.own_operators:
        if operator.name in known:
            _check_facts(operator, known[operator.name], f"in the space {space.name!r}")
        elif operator.name in VOCABULARY or (operator.name in SIZED_VOCABULARY and operator.name in in_use):
            used = operator.name in in_use
            owner = "as a built-in operator" + (f" in stored graphs of {space.name!r}" if used else "")
            _check_facts(operator, SIZED_VOCABULARY[operator.name], owner, may_be_described=not used)
    return [operator for operator in space.own_operators if operator.name not in known]


def check_name(catalog: Store, name: str) -> None:
    """Refuse a name for a space of a user's own.

    A space's wide view is a table that carries its name, so the name must be free and usable without quotes.

    Raises
    ------
    UsageError
        It is not.
    """
    refused = f"{name!r} cannot be the name of a space of your own: "
    if name in SPACES:
        raise UsageError(f"{refused}it is built in. Choose another name.")
    if not _NAME.fullmatch(name):
        raise UsageError(f"{refused}a name is a lower-case letter, then up to 62 lower-case letters, digits and _.")
    tables = catalog.arrow("SELECT table_name FROM duckdb_tables() UNION SELECT view_name FROM duckdb_views()")
    if name in tables.column(0).to_pylist() or name.startswith(_SYSTEM_PREFIXES):
        raise UsageError(f"{refused}the catalog has a table of that name. Choose another name.")
    words = catalog.arrow("SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category != 'unreserved'")
    if name in words.column(0).to_pylist():
        raise UsageError(f"{refused}it is a word of SQL, which would need quotes in every query. Choose another name.")


def _operators_in_use(catalog: Store, space: str) -> frozenset[str]:
    """The operators of the stored graphs of a space."""
    found = catalog.arrow(
        "SELECT DISTINCT operator FROM node JOIN architecture ON architecture.id = architecture_id WHERE space = ?",
        [space],
    )
    return frozenset(found["operator"].to_pylist())


def _check_facts(operator: Operator, before: Operator, owner: str, *, may_be_described: bool = False) -> None:
    """One name is one operator; a built-in one may be described anew by a space that has no graph with it yet."""
    facts = [field.name for field in fields(Operator) if not (may_be_described and field.name in _DESCRIPTIVE)]
    changed = [fact for fact in facts if getattr(operator, fact) != getattr(before, fact)]
    if changed:
        told = ", ".join(
            f"{_IN_FILES.get(fact, fact)} {getattr(before, fact)!r} and not {getattr(operator, fact)!r}"
            for fact in changed
        )
        raise UsageError(
            f"operator {operator.name!r} is known {owner} with {told}; nothing was stored. Give it the known facts to "
            "go on with the stored one, or give the new operator another name, or bring its graphs into another space."
        )
