"""NAS-Bench-101 modules by hash: what a file that names modules needs to hand over their graphs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph_tables import PlacedCells
from catalog.architecture.members import Members
from catalog.spaces.nb101_population import Population

Fail = Callable[[int, str], NoReturn]
"""Raises the caller's error for a row, counted from 0, and what is wrong with it."""


@cache
def _population() -> Population:
    """One for the process: hashing all modules takes some seconds."""
    return Population()


class Modules:
    """All modules of the space."""

    def __init__(self) -> None:
        self._population = _population()

    def __len__(self) -> int:
        return len(self._population.hashes)

    def places(self, hashes: Sequence[str], fail: Fail) -> NDArray[np.intp]:
        """The native index of each hash; `fail` is called with the first that belongs to no module."""
        known = self._population.hashes
        texts = [name if len(name) == 32 and name.isascii() else "" for name in hashes]
        wanted = np.array(texts, dtype="S32")
        places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        unknown = np.flatnonzero(known[places] != wanted)
        if len(unknown):
            row = int(unknown[0])
            fail(row, f"the hash {hashes[row][:80]!r} is of none of the {len(known)} modules of the space")
        return places

    def cells(self, places: NDArray[np.intp]) -> list[PlacedCells]:
        """The modules at `places` as the benchmark stores them, grouped by their number of vertices."""
        return self._population.modules(self._population.order[places])

    def members(self, places: NDArray[np.intp]) -> Members:
        """The modules at `places`, which differ from each other, as members of a batch."""
        names = self._population.hashes[places].astype(str).tolist()
        return Members(names, places.tolist(), cells=self.cells(places))
