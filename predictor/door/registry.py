"""Predictors by name: ours and what other packages bring, all by the same entry point group."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from catalog.architecture.structural import STRUCTURAL_PROXIES
from catalog.errors import UnknownProxyError
from catalog.nearest import did_you_mean
from catalog.user_code import is_target, load
from predictor.door.predictor import DOOR_VERSION, Predictor

ENTRY_POINTS = "catalog.predictors"
"""Entry point group whose objects are `Predictor` classes; the entry's name is the predictor's."""

Kind = type[Predictor]


@cache
def _entries() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name in found and entry.value != found[entry.name].value:
            raise UnknownProxyError(
                f"two packages bring a predictor {entry.name!r}: {found[entry.name].value} and {entry.value}; "
                "remove one of them."
            )
        found[entry.name] = entry
    return found


def names() -> tuple[str, ...]:
    """The names of all predictors that are installed; nothing is imported for them."""
    return tuple(_entries())


def predictor_named(name: str) -> Kind:
    """The class of a predictor: by its name, or as ``module:Class`` of a file in the current folder.

    Raises
    ------
    UnknownProxyError
        There is none, or what is there is no predictor that fits this version of the door.
    """
    if is_target(name):
        kind = checked(load(name, Path.cwd()), name)
        _require_own_name(kind, name)
        return kind
    return _installed(name)


@cache
def _installed(name: str) -> Kind:
    if name not in _entries():
        hint = did_you_mean(name, names())
        raise UnknownProxyError(f"unknown predictor {name!r}. {hint}Known are {', '.join(names())}.")
    entry = _entries()[name]
    kind = checked(imported(entry), entry.value)
    if kind.name != name:
        raise UnknownProxyError(f"the entry point {name!r} of {ENTRY_POINTS} gives a predictor named {kind.name!r}.")
    if not entry.value.startswith("predictor."):
        _require_own_name(kind, entry.value, but=name)
    return kind


def imported(entry: EntryPoint) -> object:
    """What an entry point names.

    Raises
    ------
    UnknownProxyError
        Another package brings it, and it cannot be imported.
    """
    try:
        return entry.load()
    except (ImportError, AttributeError, SyntaxError) as error:
        if entry.value.startswith("predictor."):  # our own: what is missing is an extra, or this is a bug
            raise
        raise UnknownProxyError(
            f"the entry point {entry.name!r} of {entry.group} names {entry.value!r}, which cannot be imported: "
            f"{type(error).__name__}: {error}. Correct or remove the package that brings it; nothing was stored."
        ) from error


def _require_own_name(kind: Kind, where: str, but: str | None = None) -> None:
    """A predictor must not take the name of what others have filled columns with."""
    taken = {*_entries(), *(proxy.name for proxy in STRUCTURAL_PROXIES)} - {but}
    for column in kind.columns():
        if column in taken:
            raise UnknownProxyError(f"{where} takes the name {column!r}, which something else has; give it another.")


def is_predictor(name: str) -> bool:
    """Whether a name is an installed predictor's, or that of a predictor in a user's file."""
    if not is_target(name):
        return name in _entries()
    found = load(name, Path.cwd())
    return isinstance(found, type) and issubclass(found, Predictor)


def predictors() -> Mapping[str, Kind]:
    """All installed predictors by name."""
    return {name: predictor_named(name) for name in names()}


def zero_shot_names() -> tuple[str, ...]:
    """The predictors that come with weights and read graphs alone."""
    found = predictors().items()
    return tuple(name for name, kind in found if kind.shipped() is not None and kind.needs.reads_graphs_alone)


def checked(kind: object, where: str) -> Kind:
    """A class that was loaded from `where`, if it is a predictor.

    Raises
    ------
    UnknownProxyError
        It is none, or it was written for another version of the door.
    """
    if not (isinstance(kind, type) and issubclass(kind, Predictor)):
        raise UnknownProxyError(
            f"{where} gives {kind!r}, which is no subclass of predictor.door.Predictor; correct it, or remove the "
            "package that brings it."
        )
    if kind.door_version != DOOR_VERSION:
        raise UnknownProxyError(
            f"{where} was written for version {kind.door_version} of the door; this one has version {DOOR_VERSION}."
        )
    if not isinstance(getattr(kind, "name", None), str) or kind.direction not in (1, -1):
        raise UnknownProxyError(f"{where} states no name, or a direction that is neither 1 nor -1.")
    return kind
