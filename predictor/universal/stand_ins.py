"""Operators that stand in for one of which nothing is known but a sentence: the three that are described alike."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from catalog.architecture.graph import ArchitectureGraph, CellGraph, is_traced
from catalog.architecture.operators import BUILT_IN, Operator, Vocabulary
from catalog.architecture.sizes import Size

STAND_INS = 3
"""Known operators whose mean an unknown one scores."""

StandIns = Mapping[str, tuple[str, ...]]


def stand_ins(graphs: Iterable[ArchitectureGraph], vocabulary: Vocabulary) -> StandIns:
    """By unknown operator of graphs the known ones whose sentences have the largest cosine with its own.

    Known are the built-in operators of cells, which need no size; of those that are described in one way, one. What a
    traced network calls its operators is no word of a space.
    """
    names = {name for graph in graphs if not _was_traced(graph) for cell in graph.cells for name in cell.operators}
    unknown = [vocabulary[name] for name in sorted(names) if _is_unknown(vocabulary[name])]
    if not unknown:
        return {}
    from predictor.encoding.embedding import embed, sentence_of

    known = list({sentence_of(one): one for one in reversed(BUILT_IN) if _needs_no_size(one)}.values())
    vectors = embed([*unknown, *known])
    nearness = vectors[: len(unknown)] @ vectors[len(unknown) :].T  # (unknown, known)
    order = np.argsort(-nearness, axis=1, kind="stable")[:, :STAND_INS].tolist()
    return {one.name: tuple(known[place].name for place in places) for one, places in zip(unknown, order, strict=True)}


def replaced(graph: ArchitectureGraph, found: StandIns) -> list[ArchitectureGraph]:
    """The graph with each of the operators that stand in for its unknown ones; none where all are known."""
    if _was_traced(graph) or not any(_unknown_nodes(cell, found) for cell in graph.cells):
        return []
    return [
        replace(graph, cells=tuple(_with_stand_ins(cell, found, rank) for cell in graph.cells))
        for rank in range(STAND_INS)
    ]


def _was_traced(graph: ArchitectureGraph) -> bool:
    return any(is_traced(cell.name) for cell in graph.cells)


def _is_unknown(operator: Operator) -> bool:
    return operator.kind == "other" and operator.generic is None


def _needs_no_size(operator: Operator) -> bool:
    return operator.is_identity or (operator.kernel is not None and operator.kind in ("conv", "pool"))


def _unknown_nodes(cell: CellGraph, found: StandIns) -> list[int]:
    """Nodes of unknown operators that do not say themselves what they cost."""
    said = [cell.size(node) for node in range(len(cell.operators))]
    return [
        node
        for node, name in enumerate(cell.operators)
        if name in found and ((size := said[node]) is None or size.macs is None)
    ]


def _with_stand_ins(cell: CellGraph, found: StandIns, rank: int) -> CellGraph:
    operators, sizes = list(cell.operators), list(cell.sizes)
    for node in _unknown_nodes(cell, found):
        operators[node] = found[operators[node]][rank]
        if sizes:
            sizes[node] = _of_the_place(sizes[node])
    return replace(cell, operators=tuple(operators), sizes=tuple(sizes))


def _of_the_place(size: Size | None) -> Size | None:
    """What a node says of its place: heads or a window belong to the unknown operator, and a stand-in has its own."""
    return None if size is None else Size(channels=size.channels, stride=size.stride, repeats=size.repeats)
