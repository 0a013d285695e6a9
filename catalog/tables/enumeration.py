"""Entering every architecture of a space that can be enumerated."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catalog.spaces.base import SearchSpace
from catalog.storage.runs import Run
from catalog.tables import registration, views

if TYPE_CHECKING:
    from catalog.storage.store import Store


def enumerate_space(catalog: Store, space: SearchSpace, progress: Callable[[int], None] | None = None) -> int:
    """Enter the architectures of `space` that the catalog does not hold yet, in one transaction.

    Returns
    -------
    int
        Number of new architectures.

    Raises
    ------
    UsageError
        The space is too large to enumerate.
    """
    with Run.start(catalog, "enumerate", {"space": space.name}) as run, catalog.transaction():
        registration.ensure_space(catalog, space)
        new = done = 0
        for members in space.enumerate_members():
            new += registration.enter(catalog, space, members, run.id)[1]
            done += len(members)
            if progress is not None:
                progress(done)
        if new:
            registration.link_twins(catalog, space.name)
        views.rebuild(catalog, space.name)
        run.detail = f"{new} new architectures"
    return new
