"""What a catalog gives to a predictor: graphs in the forms that it reads, columns, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import Form, read_cells, read_graphs, read_vocabulary
from predictor.door import Given, Graphs, Labelled, Needs
from predictor.scoring.reading_layers import read_layers

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]
Identifiers = NDArray[np.int64]


def read_given(
    catalog: Store, space: str, needs: Needs, columns: Sequence[str] | None = None
) -> tuple[Identifiers, Given]:
    """All architectures of a stored space, as a predictor is given them.

    Parameters
    ----------
    needs
        What it reads.
    columns
        The columns of the wide view that hold what it calls its columns; by default those of the same names.

    Returns
    -------
    tuple
        (A,) the ``architecture.id`` of each, in ascending order, and the rest.
    """
    view = SpaceView.of(catalog, space)
    names = list(needs.columns if columns is None else columns)
    frame = view.frame(list(dict.fromkeys(["architecture_id", "is_connected", *names])))
    ids = frame["architecture_id"].to_numpy()
    for name in names:
        if not (frame[name].dtype.is_numeric() or frame[name].dtype == pl.Boolean):
            raise UsageError(f"the column {name!r} of {space} holds no numbers ({frame[name].dtype}).")
    values = np.stack([frame[name].cast(pl.Float64).to_numpy() for name in names], axis=1) if names else None
    return ids, Given(
        space,
        len(ids),
        read_vocabulary(catalog, space),
        {form: _graphs(catalog, space, ids, form) for form in needs.graphs},
        np.empty((len(ids), 0)) if values is None else values,
        frame["is_connected"].to_numpy(),
        read_layers(catalog, space, ids, needs.layers) if needs.layers else None,
    )


def _graphs(catalog: Store, space: str, ids: Identifiers, form: Form) -> Graphs:
    return Graphs(lambda: read_cells(catalog, space, form)[1], lambda: read_graphs(catalog, space, ids.tolist(), form))


def read_labelled(
    catalog: Store, space: str, target: str, needs: Needs, *, sample: int | None = None, seed: int = 0
) -> Labelled:
    """The architectures of a stored space with labels, each function once.

    Parameters
    ----------
    target
        Column of the wide view that is the label; turned round where lower is better.
    needs
        What the predictor reads.
    sample
        Draw so many of the labels; all if None.
    seed
        Seed of the draw.

    Raises
    ------
    UnknownSpaceError, UnknownColumnError
        The catalog holds no such space, or its wide view no such column.
    UsageError
        No architecture has the label, or it is no number.
    """
    view = SpaceView.of(catalog, space)
    frame = view.frame(list(dict.fromkeys(["canonical_id", "is_connected", target, view.native_id_name])))
    if not frame[target].dtype.is_numeric():
        raise UsageError(f"the column {target!r} of {space} holds no numbers ({frame[target].dtype}); name a metric.")
    labels = frame[target].cast(pl.Float64).to_numpy().copy()
    usable = np.isfinite(labels) & frame["is_connected"].to_numpy()
    labels = _means_of_twins(labels, frame["canonical_id"].to_numpy(), usable)
    labelled = np.flatnonzero(np.isfinite(labels))
    if not len(labelled):
        raise UsageError(f"no architecture of {space} has a value of {target}; ingest its metrics first.")
    if sample is not None and sample < len(labelled):
        chosen = np.sort(np.random.default_rng(seed).choice(labelled, size=sample, replace=False))
        labels[np.setdiff1d(labelled, chosen)] = np.nan
        labelled = chosen
    if is_cost(catalog, space, target):
        labels = -labels
    names = frame[view.native_id_name].to_list()
    functions = len(np.unique(frame.filter("is_connected")["canonical_id"].to_numpy()))
    native_ids = None if len(labelled) == functions else tuple(names[row] for row in labelled.tolist())
    return Labelled(f"{space} {target}", read_given(catalog, space, needs)[1], labels, native_ids)


def _means_of_twins(labels: Values, twins: Identifiers, usable: NDArray[np.bool_]) -> Values:
    """Labels of representatives: the mean over all architectures that compute the same function; NaN elsewhere."""
    _, first, place = np.unique(twins, return_index=True, return_inverse=True)
    counts = np.bincount(place, weights=usable)
    sums = np.bincount(place, weights=np.where(usable, labels, 0.0))
    means = np.full(len(labels), np.nan)
    known = counts > 0
    means[first[known]] = sums[known] / counts[known]
    return means
