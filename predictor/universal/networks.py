"""The whole networks that are read: those that are known, and one made of a cell of which no network is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.computation.arrays import ComputationBatch, batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.computation.sized_plan import SizedPlans
from catalog.architecture.graph import ArchitectureGraph, is_traced
from catalog.architecture.sizes import REFERENCE_CHANNELS, NetworkInput, Size
from catalog.errors import GraphError, UsageError
from catalog.spaces import SPACES
from predictor.door import Given
from predictor.universal.unknown_operators import (
    NEIGHBOURS,
    Nearest,
    extended,
    may_be_unknown,
    nearest_known,
    stood_in,
    unknown_in,
)

PIXELS = 16
"""Edge of the image that a cell of which no network is known is given."""

Places = NDArray[np.int64]


@dataclass(frozen=True)
class Read:
    """Networks of some architectures; where one has several, its score is their mean.

    Parameters
    ----------
    networks
        G of them.
    owners
        (G,) which of the architectures each belongs to.
    """

    networks: ComputationBatch
    owners: Places


def networks_of(given: Given, rows: Places) -> Iterator[Read]:
    """The networks of some architectures.

    Of cells without a network each is one, applied to one image. Where an operator is known by a sentence alone, there
    is one network with each of the known operators that are described alike (`predictor.universal.unknown_operators`).
    """
    if given.space in SPACES:
        yield Read(given.networks(rows), np.arange(len(rows)))
        return
    among = may_be_unknown(given.vocabulary)
    used = [unknown_in(given.native.graphs[row], among) if among else among for row in rows.tolist()]
    named = frozenset[str]().union(*used)
    unknown = np.array([bool(one) for one in used], dtype=bool)
    if named:
        nearest = nearest_known([given.vocabulary[name] for name in sorted(named)])
        places = np.flatnonzero(unknown)
        yield _owned_by(places, of_cells(_graphs(given, rows[places]), nearest))
    places = np.flatnonzero(~unknown)
    if len(places):
        yield from _without_unknown(given, rows[places], places)


def _without_unknown(given: Given, rows: Places, places: Places) -> Iterator[Read]:
    """The networks that are known; where some are not, cells are framed, and what was traced is read alone."""
    try:
        read = Read(given.networks(rows), places)
    except UsageError:
        graphs = _graphs(given, rows)
        traced = np.array([any(is_traced(cell.name) for cell in graph.cells) for graph in graphs], dtype=bool)
        if traced.all():
            raise
        yield _owned_by(places[~traced], of_cells([graphs[place] for place in np.flatnonzero(~traced).tolist()]))
        if not traced.any():
            return
        read = Read(given.networks(rows[traced]), places[traced])
    yield read


def _graphs(given: Given, rows: Places) -> list[ArchitectureGraph]:
    return [given.native.graphs[row] for row in rows.tolist()]


def _owned_by(places: Places, read: Read) -> Read:
    return replace(read, owners=places[read.owners])


def of_cells(graphs: Sequence[ArchitectureGraph], nearest: Nearest | None = None) -> Read:
    """Networks of graphs of one space: of one without an input each cell is a network."""
    plans = SizedPlans(extended(graphs[0].vocabulary))
    found = [_plans_of(plans, graph, nearest or {}) for graph in graphs]
    owners = np.repeat(np.arange(len(graphs)), [len(one) for one in found])
    return Read(fused(batch_of_plans(list(chain.from_iterable(found)))), owners)


def _plans_of(plans: SizedPlans, graph: ArchitectureGraph, nearest: Nearest) -> list[NetworkPlan | None]:
    """The networks of one graph; a known operator that cannot stand at its place is left out."""
    told = [graph] if not nearest else _stood_in(plans, graph, nearest)
    return [plans.plan(part) for one in told for part in _parts(one)]


def _stood_in(plans: SizedPlans, graph: ArchitectureGraph, nearest: Nearest) -> list[ArchitectureGraph]:
    found = []
    for rank in range(NEIGHBOURS):
        for project in (False, True):
            told = stood_in(graph, nearest, rank, project=project)
            if _fits(plans, told):
                found.append(told)
                break
    return found or [graph]


def _fits(plans: SizedPlans, graph: ArchitectureGraph) -> bool:
    try:
        for part in _parts(graph):
            plans.plan(part)
    except GraphError:
        return False
    return True


def _parts(graph: ArchitectureGraph) -> list[ArchitectureGraph]:
    return [graph] if graph.input else _placed(graph)


def _placed(graph: ArchitectureGraph) -> list[ArchitectureGraph]:
    """Each cell in a network of its own: what it calls one width are `REFERENCE_CHANNELS` channels."""
    taken = NetworkInput(shape=(REFERENCE_CHANNELS, PIXELS, PIXELS))
    cells = [replace(cell, sizes=tuple(map(_absolute, cell.sizes))) for cell in graph.as_cells()]
    return [replace(graph, cells=(cell,), input=taken) for cell in cells]


def _absolute(size: Size | None) -> Size | None:
    if size is None or size.channels is None:
        return size
    return replace(size, channels=max(1, round(size.channels * REFERENCE_CHANNELS)))
