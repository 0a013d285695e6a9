"""What few labels are learned from: the encoder's vectors, sizes and zero-shot scores, with frozen scales."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from catalog.errors import UsageError
from predictor.computation_graph.encoder import NetworkEncoder, Rows
from predictor.computation_graph.vectors import vectors_of
from predictor.door import Given
from predictor.few_label.groups import Frozen, Group, Inputs
from predictor.few_label.tables import ZERO_SHOT, Table

VECTORS, SIZES = "network", "sizes"
_SIZES = ("log_parameters", "log_multiply_accumulates")
MOST_FROZEN = 2_000
"""Architectures that scales are of."""


def tables(encoder: NetworkEncoder, given: Given, rows: Rows, *, blind: bool) -> Mapping[str, Table]:
    """By group: what is known of some architectures."""
    vectors, sizes = vectors_of(encoder, given, rows)
    found = {
        VECTORS: Table(tuple(f"v{place:04}" for place in range(vectors.shape[1])), vectors),
        SIZES: Table(_SIZES, sizes),
    }
    if given.zero_shot and not blind:
        found[ZERO_SHOT] = Table.of({name: values[rows] for name, values in given.zero_shot.items()}, len(rows))
    return found


def frozen(encoder: NetworkEncoder, given: Given, *, blind: bool) -> Frozen:
    """Scales and distributions of the architectures that compute something, evenly drawn from a large space."""
    rows = np.flatnonzero(given.connected).astype(np.int64)
    rows = rows[:: -(-len(rows) // MOST_FROZEN) or 1]
    every = np.arange(len(rows))
    groups = {
        name: group
        for name, table in tables(encoder, given, rows, blind=blind).items()
        if (group := Group.of(table, every, ranked=name == ZERO_SHOT, counted=False)) is not None
    }
    return Frozen(groups)


def inputs_of(encoder: NetworkEncoder, scales: Frozen, given: Given, rows: Rows) -> Inputs:
    """What the process reads of some architectures.

    Raises
    ------
    UsageError
        A zero-shot score that it was trained with is missing.
    """
    require(scales, given)
    found = tables(encoder, given, rows, blind=ZERO_SHOT not in scales.groups)
    dense = {name: group.read(found[name]) for name, group in scales.groups.items()}
    scores = dense.get(ZERO_SHOT)
    if scores is None:
        return Inputs(dense, {}, np.empty((0, len(rows))))
    return Inputs(dense, {}, scores[:, : len(scales.groups[ZERO_SHOT].names)].T)


def require(scales: Frozen, given: Given) -> None:
    """Refuse a space without the zero-shot scores of the training.

    Raises
    ------
    UsageError
        One is missing.
    """
    group = scales.groups.get(ZERO_SHOT)
    lacking = [name for name in group.names if name not in given.zero_shot] if group else []
    if lacking:
        raise UsageError(
            f"{given.space} has no scores of {', '.join(lacking)}, which the training read. Store them with "
            f"catalog score {given.space} --proxy {lacking[0]}, or train with --set blind=true."
        )
