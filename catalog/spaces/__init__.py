"""The search spaces that the catalog knows without being told: skeleton, native ids, neighbours, counts.

A space is a matter of graphs alone; it knows no database and no network of any library.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from catalog.errors import UnknownSpaceError
from catalog.nearest import did_you_mean
from catalog.spaces import staged

if TYPE_CHECKING:
    from catalog.spaces.base import SearchSpace

SPACES = ("nb101", "nb201", "darts", "nats-sss", "transnas_micro", *staged.NAMES)

NATIVE_NETWORKS = frozenset({"nb101"})
"""Spaces whose networks depend on more than the function: NAS-Bench-101's channels depend on the vertices' order."""


@cache
def space_named(name: str) -> SearchSpace:
    """The built-in search space of this name.

    Raises
    ------
    UnknownSpaceError
        There is none.
    """
    if name == "nb101":
        from catalog.spaces.nb101 import NASBench101

        return NASBench101()
    if name == "nb201":
        from catalog.spaces.nb201 import NASBench201

        return NASBench201()
    if name == "darts":
        from catalog.spaces.darts import DARTS

        return DARTS()
    if name == "nats-sss":
        from catalog.spaces.nats_sss import NATSSize

        return NATSSize()
    if name == "transnas_micro":
        from catalog.spaces.transnas_micro import TransNASMicro

        return TransNASMicro()
    if name in staged.NAMES:
        return staged.built_in(name)
    hint = did_you_mean(name, SPACES)
    raise UnknownSpaceError(f"unknown search space {name!r}. {hint}Built in are {', '.join(SPACES)}.")
