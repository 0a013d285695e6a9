"""What few labels are learned from: what `predictor.few_label` reads, and encoders' vectors, with frozen scales."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from catalog.architecture.graph import is_traced
from catalog.spaces import SPACES
from predictor.computation_graph.encoder import NetworkEncoder, Rows, Values
from predictor.computation_graph.vectors import vectors_of
from predictor.door import Given
from predictor.few_label.groups import NAMES, Frozen, Group, Inputs
from predictor.few_label.tables import TERMS, ZERO_SHOT, Table

NETWORK = "network_"
"""Before the name of a read-out: the group of its vectors."""
SIZES = "network_sizes"
BESIDE = (f"{NETWORK}end",)
"""The groups that are read beside those of plain numbers: on the development spaces more took more than they gave."""
MOST_FROZEN = 2_000
"""Architectures that the scales of vectors are of."""
_SIZES = ("log_parameters", "log_multiply_accumulates")


def left_out(*, blind: bool, structure: bool) -> frozenset[str]:
    """The groups of `predictor.few_label` that are not read; without structure all but the zero-shot scores."""
    without = set() if structure else set(NAMES) - {ZERO_SHOT}
    return frozenset(without | ({ZERO_SHOT, TERMS} if blind else set()))


def was_traced(given: Given, rows: Rows) -> bool:
    """Whether some architectures are networks that were traced or read from files."""
    if given.space in SPACES:
        return False
    graphs = given.native.graphs
    return any(is_traced(cell.name) for row in rows.tolist() for cell in graphs[row].cells)


def tables(encoders: Sequence[NetworkEncoder], given: Given, rows: Rows) -> Mapping[str, Table]:
    """By group: the vectors and sizes of the networks of some architectures."""
    return tables_of(*vectors_of(encoders, given, rows))


def tables_of(vectors: Mapping[str, Values], sizes: Values) -> Mapping[str, Table]:
    """By group: vectors and sizes that were made."""
    found = {
        NETWORK + name: Table(tuple(f"v{place:04}" for place in range(values.shape[1])), values)
        for name, values in vectors.items()
    }
    return found | {SIZES: Table(_SIZES, sizes)}


def frozen(encoders: Sequence[NetworkEncoder], given: Given, labelled: Rows, *, blind: bool, structure: bool) -> Frozen:
    """Scales and distributions of what computes something; those of vectors of an even part of a large space."""
    rows = np.flatnonzero(given.connected).astype(np.int64)
    rows = rows[:: -(-len(rows) // MOST_FROZEN) or 1]
    without = left_out(blind=blind, structure=structure)
    return with_vectors(Frozen.of(given, labelled, without), tables(encoders, given, rows), structure=structure)


def with_vectors(plain: Frozen, found: Mapping[str, Table], *, structure: bool) -> Frozen:
    """The groups of plain numbers, and those of vectors with the scales of some networks."""
    groups = {name: _group(table) for name, table in found.items() if name in BESIDE or not structure}
    return replace(plain, vectors={name: group for name, group in groups.items() if group is not None})


def inputs_of(encoders: Sequence[NetworkEncoder], scales: Frozen, given: Given, rows: Rows) -> Inputs:
    """What is read of some architectures that compute something.

    Raises
    ------
    UsageError
        A column that the training read is missing.
    """
    return scales.read(given.taken(rows), tables(encoders, given, rows))


def _group(table: Table) -> Group | None:
    return Group.of(table, np.arange(len(table.values)), ranked=False, counted=False)
