"""What a predictor is given: architectures of one space in the forms and with the numbers that it asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch, batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.graph_tables import PlacedCells, placed_cells
from catalog.architecture.operators import Vocabulary
from catalog.errors import UsageError
from catalog.progress import Advance, ignore
from catalog.spaces.base import SearchSpace
from predictor.door.layers import Layers

Values = NDArray[np.float64]
ReadNetworks = Callable[[NDArray[np.int64]], ComputationBatch]
"""Gives the whole networks of architectures, told by their places among the given ones, as fused computation graphs."""


def networks_of(space: SearchSpace, native: Sequence[ArchitectureGraph]) -> ReadNetworks:
    """Reads the networks of graphs that are at hand."""
    return lambda rows: fused(batch_of_plans(space.network_plans([native[row] for row in rows.tolist()])))


@dataclass(frozen=True)
class Graphs:
    """The graphs of some architectures in one form, read when they are looked at.

    Parameters
    ----------
    read_cells
        Gives them as arrays, by cell and size: the fast way through a whole space.
    read_graphs
        Gives them as objects, in the order of the architectures.
    """

    read_cells: Callable[[], Sequence[PlacedCells]]
    read_graphs: Callable[[], Sequence[ArchitectureGraph]]

    @classmethod
    def of(cls, graphs: Sequence[ArchitectureGraph]) -> Graphs:
        """Graphs that are at hand."""
        return cls(
            lambda: list(placed_cells([replace(graph, cells=graph.as_cells()) for graph in graphs])), lambda: graphs
        )

    def taken(self, rows: NDArray[np.int64], new: NDArray[np.int64]) -> Graphs:
        """Those of some architectures; `new` is the place of each in `rows`, or -1."""

        def cells() -> list[PlacedCells]:
            found = []
            for one in self.cells:
                kept = new[one.rows] >= 0
                if not kept.any():
                    continue
                repeats = None if one.repeats is None else one.repeats[kept]
                found.append(PlacedCells(new[one.rows[kept]], one.cells.taken(kept), repeats))
            return found

        return Graphs(cells, lambda: [self.graphs[row] for row in rows.tolist()])

    @cached_property
    def cells(self) -> Sequence[PlacedCells]:
        """All cells as arrays; each part says by ``rows`` which architectures its cells belong to."""
        return self.read_cells()

    @cached_property
    def graphs(self) -> Sequence[ArchitectureGraph]:
        """(A,) one graph an architecture."""
        return self.read_graphs()


@dataclass(frozen=True)
class Given:
    """A architectures of one space.

    Parameters
    ----------
    space
        Its name.
    count
        A.
    vocabulary
        What the operators' names mean, those that the space brought among them.
    forms
        By the forms that were asked for: their graphs.
    columns
        (A, C) the columns that were asked for, in that order; NaN where an architecture has no value.
    connected
        (A,) whether a path leads from input to output.
    layers
        The layers of the proxies that were asked for; None where none were.
    optional
        By name: (A,) the columns of those that were asked for that the space has, NaN where neither an architecture
        nor one that computes the same function has a value.
    optional_layers
        By proxy: the layers of those that were asked for that some architecture has.
    zero_shot
        As `optional`, of the scores of predictors that come with weights.
    read_networks
        Gives computation graphs; None where they were not asked for.
    """

    space: str
    count: int
    vocabulary: Vocabulary
    forms: Mapping[str, Graphs]
    columns: Values
    connected: NDArray[np.bool_]
    layers: Layers | None = None
    optional: Mapping[str, Values] = field(default_factory=dict)
    optional_layers: Mapping[str, Layers] = field(default_factory=dict)
    zero_shot: Mapping[str, Values] = field(default_factory=dict)
    read_networks: ReadNetworks | None = None

    def networks(self, rows: NDArray[np.int64]) -> ComputationBatch:
        """The whole networks of some architectures as fused computation graphs, one cell a stage."""
        assert self.read_networks is not None
        return self.read_networks(rows)

    @property
    def native(self) -> Graphs:
        """The graphs as the benchmark defines them."""
        return self.forms["native"]

    @property
    def canonical(self) -> Graphs:
        """The graphs as what they compute."""
        return self.forms["canonical"]

    def taken(self, rows: NDArray[np.int64]) -> Given:
        """Some of the architectures, each once, in the order of `rows`."""
        new = np.full(self.count, -1, dtype=np.int64)
        new[rows] = np.arange(len(rows))
        read = self.read_networks
        return replace(
            self,
            count=len(rows),
            forms={form: graphs.taken(rows, new) for form, graphs in self.forms.items()},
            columns=self.columns[rows],
            connected=self.connected[rows],
            layers=None if self.layers is None else self.layers.of(rows),
            optional_layers={name: layers.of(rows) for name, layers in self.optional_layers.items()},
            optional={name: values[rows] for name, values in self.optional.items()},
            zero_shot={name: values[rows] for name, values in self.zero_shot.items()},
            read_networks=None if read is None else lambda places: read(rows[places]),
        )

    def __len__(self) -> int:
        return self.count


@dataclass(frozen=True)
class Labelled:
    """Architectures with labels to learn from.

    Parameters
    ----------
    name
        Space and column, for example ``nb101 cifar10_test_accuracy``.
    given
        All architectures of the space.
    labels
        (A,) higher is better; NaN where an architecture has none. Of architectures that compute the same function one
        has the mean of their labels, and the others have none.
    native_ids
        What the catalog calls the labelled ones, for the record of what was seen; None if they are all that have one.
    """

    name: str
    given: Given
    labels: Values
    native_ids: tuple[str, ...] | None = None

    def require(self, fewest: int = 2) -> Labelled:
        """These labels, if one can learn from them; a predictor asks for that first thing in ``fit``.

        Raises
        ------
        UsageError
            There are not as many labels as architectures, one of them is infinite, fewer than `fewest` are known, or
            all are equal.
        """
        if self.labels.shape != (len(self.given),):
            raise UsageError(f"{self.name}: labels of shape {self.labels.shape} for {len(self.given)} architectures.")
        if np.isinf(self.labels).any():
            raise UsageError(f"{self.name}: {int(np.isinf(self.labels).sum())} labels are infinite.")
        known = self.labels[~np.isnan(self.labels)]
        if len(known) < fewest:
            raise UsageError(
                f"{self.name} has {len(known)} labels of functions that compute something; training needs at least "
                f"{fewest}. Ingest more of them, or draw a larger sample."
            )
        if len(np.unique(known)) < 2:
            raise UsageError(f"{self.name}: all {len(known)} labels are {known[0]:g}; there is nothing to rank.")
        return self


@dataclass(frozen=True)
class Training:
    """How to learn.

    Parameters
    ----------
    seed
        Decides everything random.
    folder
        Where a long training may keep finished parts, so that an interrupted one goes on; None for nowhere.
    progress
        Told how far it is.
    """

    seed: int = 0
    folder: Path | None = None
    progress: Advance = field(default_factory=lambda: ignore)
