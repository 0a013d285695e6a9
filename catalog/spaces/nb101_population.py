"""All modules of NAS-Bench-101 at once, held as numbers and unpacked where they are wanted."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph_tables import PlacedCells
from catalog.spaces.nb101_enumeration import cells, enumerate_arrays, keys
from catalog.spaces.nb101_hash import module_hashes

Numbers = NDArray[np.int64]

_SMALLEST = 2  # vertices


class Population:
    """The modules by their place in the benchmark's enumeration, and the order of their hashes.

    Nothing is computed before it is asked for: the modules take a fraction of a second, their hashes some seconds.
    """

    @cached_property
    def _keys_by_size(self) -> list[Numbers]:
        """Keys of the modules of 2, 3, ... vertices, in enumeration order."""
        return [keys(modules) for modules in enumerate_arrays()]

    @cached_property
    def _starts(self) -> Numbers:
        """The place of the first module of 2, 3, ... vertices."""
        return np.cumsum([0, *(len(numbers) for numbers in self._keys_by_size[:-1])])

    @cached_property
    def _unordered_hashes(self) -> NDArray[np.bytes_]:
        batches = [module_hashes(modules.adjacency, modules.operators) for modules in enumerate_arrays()]
        return np.array([text for batch in batches for text in batch], dtype="S32")

    @cached_property
    def order(self) -> Numbers:
        """The places of the modules in ascending order of their hashes, which is the order of the native index."""
        return np.argsort(self._unordered_hashes)

    @cached_property
    def hashes(self) -> NDArray[np.bytes_]:
        """All module hashes in ascending order, dtype ``S32``."""
        return np.sort(self._unordered_hashes)

    def modules(self, places: Numbers) -> list[PlacedCells]:
        """The modules at `places`, grouped by their number of vertices; rows count within `places`."""
        sizes = np.searchsorted(self._starts, places, side="right") - 1
        parts = []
        for size in np.unique(sizes).tolist():
            rows = np.flatnonzero(sizes == size)
            numbers = self._keys_by_size[size][places[rows] - self._starts[size]]
            parts.append(PlacedCells(rows, cells(numbers, size + _SMALLEST)))
        return parts

    def __repr__(self) -> str:
        return "Population(423,624 modules)"
