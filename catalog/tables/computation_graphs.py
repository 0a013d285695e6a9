"""Computation graphs of stored architectures: built for the spaces whose network is known, read for traced networks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from catalog.architecture.computation.arrays import ComputationBatch, batch_of_graphs, batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.computation.graph import ComputationGraph, ComputationNode
from catalog.architecture.computation.primitives import Primitive
from catalog.architecture.operators import Vocabulary
from catalog.errors import UsageError
from catalog.spaces import SPACES
from catalog.tables.stored_graphs import read_graphs, read_vocabulary
from catalog.tables.stored_spaces import space_of

if TYPE_CHECKING:
    from catalog.storage.store import Store

NOTHING = ComputationGraph(())
"""What an architecture that computes nothing is."""


def computation_batch(
    catalog: Store, space: str, ids: Sequence[int], *, fuse: bool = True, compress: bool = True
) -> ComputationBatch:
    """The computation graphs of architectures given by ``architecture.id``, in their order.

    Parameters
    ----------
    fuse
        Whether the graphs are in fused form (`catalog.architecture.computation.fusing.fused`).
    compress
        Whether equal cells in a row are one, with `repeats`; what was traced is as it was traced.

    Raises
    ------
    UsageError
        The catalog does not know the networks of the space's architectures.
    """
    known = space_of(catalog, space)
    whole = list(ids) if space in SPACES else _whole_networks(catalog, ids)
    plans = known.network_plans(read_graphs(catalog, space, whole, "native"), compressed=compress)
    if len(whole) == len(ids):
        batch = batch_of_plans(plans)
    else:
        built = dict(zip(whole, plans, strict=True))
        others = [owner for owner in ids if owner not in built]
        graphs = dict(zip(others, read_traced(catalog, space, others), strict=True))
        graphs |= {owner: NOTHING if plan is None else plan.graph() for owner, plan in built.items()}
        batch = batch_of_graphs([graphs[owner] for owner in ids])
    batch = replace(batch, ids=np.array(ids, dtype=np.int64))
    return fused(batch) if fuse else batch


def _whole_networks(catalog: Store, ids: Sequence[int]) -> list[int]:
    """Those of some architectures whose graphs are whole networks by their sizes, in their order."""
    rows = catalog.rows(
        "SELECT id FROM architecture SEMI JOIN wanted ON architecture_id = id WHERE network_input IS NOT NULL",
        tables={"wanted": pa.table({"architecture_id": pa.array(ids, pa.int64())})},
    )
    found = {int(row[0]) for row in rows}
    return [owner for owner in ids if owner in found]


def read_traced(catalog: Store, space: str, ids: Sequence[int]) -> list[ComputationGraph]:
    """Networks that were traced or read from files, as they were stored.

    The tables keep no order of operands: those of a node come in the order of the nodes that compute them.

    Raises
    ------
    UsageError
        An architecture is no traced network.
    """
    wanted = {"wanted": pa.table({"architecture_id": pa.array(ids, pa.int64())})}
    nodes = catalog.arrow(
        "SELECT node.architecture_id, node.operator, name, shape, kernel, stride, groups, parameters, "
        "multiply_accumulates, settings FROM node_attribute JOIN node USING (architecture_id, cell, position) "
        "SEMI JOIN wanted USING (architecture_id) WHERE node_attribute.name IS NOT NULL AND node_attribute.form = "
        "'native' AND node.form IN ('native', 'both') ORDER BY node.architecture_id, node.cell, node.position",
        tables=wanted,
    )
    edges = catalog.rows(
        "SELECT architecture_id, source, target, multiplicity FROM edge SEMI JOIN wanted USING (architecture_id) "
        "WHERE form IN ('native', 'both') ORDER BY architecture_id, source",
        tables=wanted,
    )
    taken: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for owner, source, target, copies in edges:
        taken[owner, target] += [source] * copies
    vocabulary = read_vocabulary(catalog, space)
    found: defaultdict[int, list[ComputationNode]] = defaultdict(list)
    for owner, *told in zip(*(column.to_pylist() for column in nodes.columns), strict=True):
        found[owner].append(_node(vocabulary, taken[owner, len(found[owner])], *told))
    missing = [owner for owner in ids if owner not in found]
    if missing:
        raise UsageError(
            f"{len(missing):,} of {len(ids):,} architectures of the space {space!r} are cells or graphs without an "
            "input, and nothing says what network is around them. Computation graphs are known of "
            f"{', '.join(SPACES)}, of whole networks with sizes, and of those that catalog ingest model traced."
        )
    return [ComputationGraph(tuple(found[owner])) for owner in ids]


def _node(
    vocabulary: Vocabulary,
    inputs: Iterable[int],
    operator: str,
    name: str | None,
    shape: Sequence[int] | None,
    kernel: Sequence[int] | None,
    stride: Sequence[int] | None,
    groups: int | None,
    parameters: int | None,
    multiply_accumulates: int | None,
    settings: str | None,
) -> ComputationNode:
    primitive = Primitive(
        vocabulary[operator],
        None if kernel is None else tuple(kernel),
        None if stride is None else tuple(stride),
        groups,
        multiply_accumulates,
    )
    place = None if shape is None else tuple(shape)
    return ComputationNode(primitive, tuple(inputs), name or "", place, parameters, settings or "")
