"""Labelled architectures out of a catalog, as TG-NAS trains on them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.architecture.graph import halves_resolution
from catalog.errors import UsageError
from catalog.progress import Listener
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_cells
from predictor.encoding.padded_graphs import NORMAL_CELL_WEIGHT, CellBatch, from_arrays
from predictor.tg_nas.config import TGNASConfig
from predictor.tg_nas.job import Source, train_ensemble
from predictor.tg_nas.nb101_modules import module_cells

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]

NB101 = "nb101"


def read_source(catalog: Store, space: str, target: str, *, sample: int | None = None, seed: int = 0) -> Source:
    """The architectures of a stored space that have a label, each function once.

    Parameters
    ----------
    target
        Column of the wide view that is the label; higher is better.
    sample
        Draw so many of them; all if None.
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
    columns = ["canonical_id", "is_connected", target, view.native_id_name]
    frame = view.frame(columns=list(dict.fromkeys(columns)))
    if not frame[target].dtype.is_numeric():
        raise UsageError(f"the column {target!r} of {space} holds no numbers ({frame[target].dtype}); name a metric.")
    labels = frame[target].cast(pl.Float64).to_numpy().copy()
    twins = frame["canonical_id"].to_numpy()
    usable = np.isfinite(labels) & frame["is_connected"].to_numpy()
    labels = _means_of_twins(labels, twins, usable)
    labelled = np.flatnonzero(np.isfinite(labels))
    if not len(labelled):
        raise UsageError(f"no architecture of {space} has a value of {target}; ingest its metrics first.")
    if sample is not None and sample < len(labelled):
        chosen = np.sort(np.random.default_rng(seed).choice(labelled, size=sample, replace=False))
        labels[np.setdiff1d(labelled, chosen)] = np.nan
        labelled = chosen
    _, placed = read_cells(catalog, space, "canonical")
    cells: list[CellBatch] = []
    for part in placed:
        if space == NB101:
            arrays = part.cells
            cells.append(module_cells(arrays.vocabulary, arrays.operators, arrays.adjacency, part.rows))
        else:
            weight = 1.0 if halves_resolution(part.cells.name) else NORMAL_CELL_WEIGHT
            cells.append(from_arrays(part.cells, part.rows, weight))
    names = frame[view.native_id_name].to_list()
    native_ids = None if sample is None else tuple(names[row] for row in labelled.tolist())
    return Source(f"{space} {target}", tuple(cells), labels, native_ids)


def train_on_spaces(
    catalog: Store,
    spaces: Sequence[str],
    target: str,
    out: Path,
    *,
    sample: int | None = None,
    seeds: range,
    listener: Listener,
) -> dict[str, Any]:
    """Train an ensemble on stored spaces; gives its card. For the arguments see `read_source` and `train_ensemble`.

    Raises
    ------
    UsageError
        A space or a column is unknown, or there are too few labels.
    """
    read = [read_source(catalog, space, target, sample=sample, seed=seeds.start) for space in spaces]
    with listener.watch(f"training {len(seeds)} members") as advance:
        return train_ensemble(
            read,
            TGNASConfig(),
            seeds,
            out,
            progress=lambda member, step, steps, _: advance((member - seeds.start) * steps + step, len(seeds) * steps),
        )


def _means_of_twins(labels: Values, twins: NDArray[np.int64], usable: NDArray[np.bool_]) -> Values:
    """Labels of representatives: the mean over all architectures that compute the same function; NaN elsewhere."""
    _, first, place = np.unique(twins, return_index=True, return_inverse=True)
    counts = np.bincount(place, weights=usable)
    sums = np.bincount(place, weights=np.where(usable, labels, 0.0))
    means = np.full(len(labels), np.nan)
    known = counts > 0
    means[first[known]] = sums[known] / counts[known]
    return means
