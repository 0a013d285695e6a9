"""The modules of NAS-Bench-101 that are one edit away from a module."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.spaces.nb101_enumeration import CELL, MAXIMUM_EDGES, MAXIMUM_VERTICES, cells, first_forms, keys
from catalog.spaces.nb101_hash import NODE_OPERATORS

Links = NDArray[np.bool_]
Labels = NDArray[np.int16]
Module = tuple[Links, Labels]

_INTERIOR = (0, 1, 2)  # operators of an interior vertex, in NODE_OPERATORS


def neighbours(module: CellArrays) -> list[CellArrays]:
    """The modules one edit away, each once and in its first form, smallest first.

    An edit changes one operator or adds or removes one edge of a specification, whose vertices that lie on no path from
    input to output do not count. So an edge that is removed may take one vertex with it, and an edge that is added may
    bring one to life. The relation is symmetric and does not depend on the order of the vertices.

    Parameters
    ----------
    module
        A batch of one.
    """
    links, labels = module.adjacency[0] != 0, module.operators[0]
    found: defaultdict[int, list[Module]] = defaultdict(list)
    for edit in (_relabelled, _with_edge, _without_edge, _with_vertex):
        for edited in edit(links, labels):
            found[len(edited[1])].append(edited)
    own = keys(first_forms(module))
    batches = []
    for vertices, modules in sorted(found.items()):
        adjacency = np.array([edited[0] for edited in modules]).astype(np.uint8)
        operators = np.array([edited[1] for edited in modules], dtype=np.int16)
        numbers = np.unique(keys(first_forms(CellArrays(CELL, NODE_OPERATORS, operators, adjacency))))
        if vertices == len(labels):
            numbers = np.setdiff1d(numbers, own)
        if len(numbers):
            batches.append(cells(numbers, vertices))
    return batches


def _relabelled(links: Links, labels: Labels) -> Iterator[Module]:
    for vertex in range(1, len(labels) - 1):
        for operator in _INTERIOR:
            if operator != labels[vertex]:
                changed = labels.copy()
                changed[vertex] = operator
                yield links, changed


def _reachable(links: Links) -> Links:
    """Whether a path leads from one vertex to another, (N, N); every vertex reaches itself."""
    reached = links | np.eye(len(links), dtype=bool)
    for _ in range(MAXIMUM_VERTICES.bit_length()):
        reached = reached @ reached
    return reached


def _with_edge(links: Links, labels: Labels) -> Iterator[Module]:
    if links.sum() >= MAXIMUM_EDGES:
        return
    closes_cycle = _reachable(links).T
    for source, target in np.argwhere(~links & ~closes_cycle).tolist():
        changed = links.copy()
        changed[source, target] = True
        yield changed, labels


def _without_edge(links: Links, labels: Labels) -> Iterator[Module]:
    last = len(labels) - 1
    for source, target in np.argwhere(links).tolist():
        changed = links.copy()
        changed[source, target] = False
        dead = [vertex for vertex in (source, target) if _is_dead(changed, vertex)]
        if not dead:
            yield changed, labels
        elif len(dead) == 1 and dead[0] not in (0, last):
            kept = np.delete(np.delete(changed, dead, axis=0), dead, axis=1)
            if kept[:-1].any(axis=1).all() and kept[:, 1:].any(axis=0).all():
                yield kept, np.delete(labels, dead)


def _is_dead(links: Links, vertex: int) -> bool:
    has_input = vertex == 0 or bool(links[:, vertex].any())
    has_output = vertex == len(links) - 1 or bool(links[vertex].any())
    return not (has_input and has_output)


def _with_vertex(links: Links, labels: Labels) -> Iterator[Module]:
    """A vertex brought to life: the added edge is its only one on one side, on the other side it had edges already."""
    if len(labels) == MAXIMUM_VERTICES:
        return
    reached = _reachable(links)
    for sources, targets in _attachments(len(labels), MAXIMUM_EDGES - int(links.sum())):
        if reached[np.ix_(targets, sources)].any():  # a cycle
            continue
        # The new vertex takes place 1; the old interior moves up.
        grown = np.insert(np.insert(links, 1, False, axis=0), 1, False, axis=1)
        grown[[source + (source > 0) for source in sources], 1] = True
        grown[1, [target + 1 for target in targets]] = True
        for operator in _INTERIOR:
            yield grown, np.insert(labels, 1, operator)


def _attachments(vertices: int, room: int) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Sources and targets of a new vertex, one of them single, with at most `room` edges."""
    before, after = range(vertices - 1), range(1, vertices)
    for count in range(1, room):
        for one in before:
            yield from (((one,), many) for many in combinations(after, count))
        if count > 1:
            for one in after:
                yield from ((many, (one,)) for many in combinations(before, count))
