"""Entering what a search looked at into the catalog, where it is not there already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from catalog.architecture.graph_tables import placed_cells
from catalog.architecture.members import Members
from catalog.search.methods.problem import Candidate
from catalog.search.stored_values import Rows, StoredSpace
from catalog.spaces.base import SearchSpace
from catalog.tables import registration

if TYPE_CHECKING:
    from catalog.storage.store import Store


def enter(
    catalog: Store, space: SearchSpace, stored: StoredSpace, candidates: Sequence[Candidate], rows: Rows, run_id: int
) -> tuple[Rows, int]:
    """The ``architecture.id`` of each candidate, and how many are new; inside a transaction.

    Parameters
    ----------
    rows
        The candidates' own rows of `stored`; -1 for one that was not stored when the search began.
    """
    ids = np.full(len(candidates), -1, dtype=np.int64)
    ids[rows >= 0] = stored.ids[rows[rows >= 0]]
    places = np.flatnonzero(rows < 0)
    if not len(places):
        return ids, 0
    graphs = [graph for place in places.tolist() if (graph := candidates[place].graph) is not None]
    native_ids = [space.native_id(graph) for graph in graphs]
    members = (
        Members(native_ids, cells=list(placed_cells(graphs)))
        if space.forms_are_equal
        else Members(native_ids, graphs=graphs)
    )
    registration.ensure_space(catalog, space)
    ids[places], new = registration.enter(catalog, space, members, run_id)
    if new:
        registration.link_twins(catalog, space.name)
    return ids, new
