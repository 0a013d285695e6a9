"""Entering architectures without a file: every one of a space, or so many drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from catalog.architecture.members import Members
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
    return _entered(catalog, space, "enumerate", {}, space.enumerate_members(), progress)


def enter_drawn(
    catalog: Store, space: SearchSpace, count: int, seed: int, progress: Callable[[int], None] | None = None
) -> int:
    """Enter different architectures drawn uniformly from `space`, in one transaction.

    Returns
    -------
    int
        Number of new architectures: those of the draw that the catalog does not hold yet.

    Raises
    ------
    UsageError
        Nothing is known of the space but what is stored.
    """
    drawn = space.drawn_members(count, seed)
    return _entered(catalog, space, "draw", {"count": count, "seed": seed}, drawn, progress)


def _entered(
    catalog: Store,
    space: SearchSpace,
    verb: str,
    parameters: Mapping[str, int],
    batches: Iterable[Members],
    progress: Callable[[int], None] | None,
) -> int:
    with Run.start(catalog, verb, {"space": space.name, **parameters}) as run, catalog.transaction():
        registration.ensure_space(catalog, space)
        new = done = 0
        for members in batches:
            new += registration.enter(catalog, space, members, run.id)[1]
            done += len(members)
            if progress is not None:
                progress(done)
        if new:
            registration.link_twins(catalog, space.name)
        views.rebuild(catalog, space.name)
        run.detail = f"{new} new architectures"
    return new
