"""What a catalog gives to a predictor: graphs in the forms that it reads, columns, labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.errors import UsageError
from catalog.tables.computation_graphs import computation_batch
from catalog.tables.direction import is_cost
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import Form, read_cells, read_graphs, read_vocabulary
from predictor.door import Given, Graphs, Labelled, Needs
from predictor.door.given import ReadNetworks
from predictor.door.registry import zero_shot_names
from predictor.scoring.reading_layers import read_layers

if TYPE_CHECKING:
    from catalog.storage.store import Store

FIRST_DRAW = 1000
"""Added to the seed of a draw of labels, so that none is the seed of something else."""

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
        optional_layers={
            name: layers
            for name in needs.optional_layers
            if (layers := read_layers(catalog, space, ids, [name])).networks
        },
        optional=_optional(catalog, view, needs.optional),
        zero_shot=_optional(catalog, view, zero_shot_names() if needs.zero_shot else ()),
        read_networks=_networks(catalog, space, ids) if needs.networks else None,
    )


def _networks(catalog: Store, space: str, ids: Identifiers) -> ReadNetworks:
    return lambda rows: computation_batch(catalog, space, ids[rows].tolist())


def _optional(catalog: Store, view: SpaceView, names: Sequence[str]) -> dict[str, Values]:
    """Those of some columns that a space has, and that no predictor filled that was trained on architectures of it.

    An architecture without a value has the mean of those that compute the same function: a benchmark publishes scores
    of one of them.
    """
    trained = {
        name
        for (name,) in catalog.rows(
            """
            SELECT DISTINCT "column" FROM training_member JOIN proxy ON proxy.id = proxy_id
            JOIN architecture ON architecture.id = architecture_id WHERE space = ?
            """,
            [view.name],
        )
    }
    present = [name for name in dict.fromkeys(names) if name in view.columns and name not in trained]
    if not present:
        return {}
    frame = view.frame(["canonical_id", *present])
    filled = frame.select(
        pl.col(name).cast(pl.Float64).fill_null(pl.col(name).cast(pl.Float64).mean().over("canonical_id"))
        for name in present
    )
    return {name: filled[name].to_numpy() for name in present if filled[name].is_not_null().any()}


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
        Draw so many of the architectures with a label, each as likely as any other; all if None. A larger sample of
        the same seed holds the smaller one. What computes nothing, or the same function as another, may be drawn too:
        so there may be fewer labels than were drawn.
    seed
        Seed of the draw.

    Raises
    ------
    UnknownSpaceError, UnknownColumnError
        The catalog holds no such space, or its wide view no such column.
    UsageError
        No architecture has the label, fewer have it than are to be drawn, or one label is no finite number.
    """
    view = SpaceView.of(catalog, space)
    frame = view.frame(["canonical_id", "is_connected", "index", target, view.native_id_name])
    if not frame[target].dtype.is_numeric():
        raise UsageError(f"the column {target!r} of {space} holds no numbers ({frame[target].dtype}); name a metric.")
    names = frame[view.native_id_name].to_list()
    labels = frame[target].cast(pl.Float64).to_numpy().copy()
    if wrong := np.flatnonzero(~np.isfinite(labels) & frame[target].is_not_null().to_numpy()).tolist():
        raise UsageError(
            f"{target} of {space} is {labels[wrong[0]]} for {names[wrong[0]]!r:.80}, and no number for "
            f"{len(wrong)} architectures in all; nothing was learned. Correct the metric, or ingest it as missing."
        )
    pool = frame.with_row_index("row").filter(pl.col(target).is_not_null()).sort("index", "row", nulls_last=True)["row"]
    if not len(pool):
        raise UsageError(f"no architecture of {space} has a value of {target}; ingest its metrics first.")
    if sample is not None and sample > len(pool):
        raise UsageError(
            f"{len(pool)} architectures of {space} have {target}, and --sample asks for {sample}; write a smaller one, "
            "or leave it out to learn from all."
        )
    drawn = pool.to_numpy().astype(np.int64)
    if sample is not None and sample < len(drawn):
        drawn = np.random.default_rng(FIRST_DRAW + seed).permutation(drawn)[:sample]
    usable = np.zeros(len(labels), dtype=bool)
    usable[drawn] = frame["is_connected"].to_numpy()[drawn]
    labels = _means_of_twins(labels, frame["canonical_id"].to_numpy(), usable)
    if is_cost(catalog, space, target):
        labels = -labels
    functions = frame.filter("is_connected")["canonical_id"].n_unique()
    is_whole = np.isfinite(labels).sum() == functions
    seen = None if is_whole else tuple(names[row] for row in np.flatnonzero(usable).tolist())
    return Labelled(f"{space} {target}", read_given(catalog, space, needs)[1], labels, seen)


def _means_of_twins(labels: Values, twins: Identifiers, usable: NDArray[np.bool_]) -> Values:
    """Labels of representatives: the mean over all architectures that compute the same function; NaN elsewhere."""
    _, first, place = np.unique(twins, return_index=True, return_inverse=True)
    counts = np.bincount(place, weights=usable)
    sums = np.bincount(place, weights=np.where(usable, labels, 0.0))
    means = np.full(len(labels), np.nan)
    known = counts > 0
    means[first[known]] = sums[known] / counts[known]
    return means
