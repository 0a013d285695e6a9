"""Operators of which nothing but a sentence says what they are: the known ones that are described alike stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from catalog.architecture.graph import ArchitectureGraph, CellGraph, is_traced
from catalog.architecture.operators import VOCABULARY, Operator, Vocabulary
from catalog.architecture.sizes import Size
from predictor.encoding.embedding import embed

NEIGHBOURS = 3
"""Known operators that stand in for one that is not."""

_KNOWN = tuple(
    VOCABULARY[name]
    for name in (
        "conv3x3",
        "conv1x1",
        "maxpool3x3",
        "avg_pool_3x3",
        "sep_conv_3x3",
        "dil_conv_3x3",
        "skip_connect",
        "sep_conv_5x5",
        "dil_conv_5x5",
    )
)
_REMARK = replace(VOCABULARY["sum"], name="stand-in remark")
"""The identity where a node says its channels: on a skip they would ask for a projection."""

Nearest = Mapping[str, Sequence[Operator]]
"""By name of an unknown operator: those that stand in, the nearest first."""


def nearest_known(operators: Sequence[Operator]) -> Nearest:
    """The known operators with the nearest sentences.

    Raises
    ------
    EncoderError, MissingExtraError
        A sentence is new, and no encoder is on this machine.
    """
    if not operators:
        return {}
    order = np.argsort(-(embed(operators) @ embed(_KNOWN).T), axis=1, kind="stable")[:, :NEIGHBOURS]
    return {
        one.name: [_stand_in(_KNOWN[place]) for place in places]
        for one, places in zip(operators, order.tolist(), strict=True)
    }


def may_be_unknown(vocabulary: Vocabulary) -> frozenset[str]:
    """The operators that are known by a sentence alone."""
    return frozenset(one.name for one in vocabulary if one.short and one.missing() == "generic")


def extended(vocabulary: Vocabulary) -> Vocabulary:
    """A vocabulary with all that may stand in, under names of their own."""
    return vocabulary.extended([*map(_stand_in, _KNOWN), _REMARK])


def unknown_in(graph: ArchitectureGraph, among: frozenset[str]) -> frozenset[str]:
    """Those of some operators that need a stand-in in a graph; what was traced, or has a cost, says what it costs."""
    return frozenset(
        name
        for cell in graph.cells
        if not is_traced(cell.name)
        for name, size in zip(cell.operators, _sizes(cell), strict=True)
        if name in among and not _says_cost(size)
    )


def stood_in(graph: ArchitectureGraph, nearest: Nearest, rank: int, *, project: bool) -> ArchitectureGraph:
    """The graph with one of the nearest known operators for each unknown one.

    Parameters
    ----------
    rank
        Which of the `NEIGHBOURS`.
    project
        Whether an identity is a projection where its node says channels, for nodes that take others than they give.
    """
    cells = tuple(_stood_in(cell, nearest, rank, project) for cell in graph.cells)
    return replace(graph, cells=cells, vocabulary=extended(graph.vocabulary))


def _stood_in(cell: CellGraph, nearest: Nearest, rank: int, project: bool) -> CellGraph:
    names, sizes = list(cell.operators), list(_sizes(cell))
    for node, (name, size) in enumerate(zip(cell.operators, sizes, strict=True)):
        if name not in nearest or _says_cost(size):
            continue
        known = nearest[name][rank]
        sizes[node] = kept = _kept(size)
        remarks = known.is_identity and kept is not None and kept.stride is None and not project
        names[node] = _REMARK.name if remarks else known.name
    return replace(cell, operators=tuple(names), sizes=tuple(sizes) if any(sizes) else ())


def _kept(size: Size | None) -> Size | None:
    """What holds of the place and not of the operator."""
    if size is None or (size.channels is None and size.stride is None and size.repeats is None):
        return None
    return Size(channels=size.channels, stride=size.stride, repeats=size.repeats)


def _says_cost(size: Size | None) -> bool:
    return size is not None and (size.params is not None or size.macs is not None)


def _sizes(cell: CellGraph) -> Sequence[Size | None]:
    return cell.sizes or (None,) * cell.node_count


def _stand_in(known: Operator) -> Operator:
    return replace(known, name=f"stand-in {known.name}")
