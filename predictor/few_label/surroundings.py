"""Where operators stand: what they read, and how near an input they are. Counts by cell.

Of both forms of a graph: the canonical one says what is computed, the native one keeps apart what a space's authors
chose, for example a skip connection.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import is_traced
from catalog.architecture.graph_tables import PlacedCells
from catalog.architecture.operators import Vocabulary
from predictor.door import Given, Graphs

Values = NDArray[np.float64]
Codes = NDArray[np.int64]

FARTHEST = 6
"""Operators between an input and a node from which on a node is as far as any other."""
_NOT_NEAR = 10**6


def kind_of(cell: str) -> str:
    """What cells of one name are counted under; traced networks have names of their own and are one kind."""
    return "network" if is_traced(cell) else cell


def sources(given: Given) -> dict[str, Values]:
    """By name, (A,) how often an operator reads these inputs of its cell, other operators, or both."""
    return _of_both_forms(given, _sources)


def distances(given: Given) -> dict[str, Values]:
    """By name, (A,) how often an operator stands so many operators after the nearest input; joining is no operator."""
    return _of_both_forms(given, _distances)


def edges(given: Given) -> dict[str, Values]:
    """By name, (A,) how often data flows from one operator to another in the canonical graph."""
    found: defaultdict[str, Values] = defaultdict(lambda: np.zeros(len(given)))
    for part in given.canonical.cells:
        cells, before, after = np.nonzero(part.cells.adjacency)
        names, count = part.cells.vocabulary, np.int64(len(part.cells.vocabulary))
        pairs = part.cells.operators[cells, before] * count + part.cells.operators[cells, after]
        copies = part.cells.adjacency[cells, before, after].astype(np.float64)
        for pair in np.unique(pairs).tolist():
            source, target = divmod(pair, len(names))
            one = pairs == pair
            counts = np.bincount(cells[one], copies[one], len(part.cells)).astype(np.float64)
            name = f"{kind_of(part.cells.name)}:{names[source]}>{names[target]}"
            found[name] += _summed(part, counts, len(given))
    return dict(found)


def _of_both_forms(given: Given, count: Callable[[Graphs, Given], dict[str, Values]]) -> dict[str, Values]:
    canonical, native = count(given.canonical, given), count(given.native, given)
    if native.keys() == canonical.keys() and all(np.array_equal(native[name], canonical[name]) for name in native):
        return canonical
    return canonical | {f"native {name}": values for name, values in native.items()}


def _sources(graphs: Graphs, given: Given) -> dict[str, Values]:
    found: defaultdict[str, Values] = defaultdict(lambda: np.zeros(len(given)))
    for part in graphs.cells:
        inputs = _inputs(part.cells, given.vocabulary)
        linked = part.cells.adjacency > 0
        read = np.zeros(part.cells.operators.shape, dtype=np.int64)
        for bit, index in enumerate([*inputs, None]):
            is_source = ~np.isin(part.cells.operators, inputs) if index is None else part.cells.operators == index
            read |= (linked & is_source[:, :, None]).any(axis=1).astype(np.int64) << bit
        words = [*(part.cells.vocabulary[index] for index in inputs), "operator"]
        for name, code, counts in _counted(part, read):
            which = "+".join(word for bit, word in enumerate(words) if code >> bit & 1)
            found[f"{kind_of(part.cells.name)}:{name}<{which}"] += _summed(part, counts, len(given))
    return dict(found)


def _distances(graphs: Graphs, given: Given) -> dict[str, Values]:
    found: defaultdict[str, Values] = defaultdict(lambda: np.zeros(len(given)))
    for part in graphs.cells:
        nearest = np.minimum(_nearest(part.cells, given.vocabulary), FARTHEST)
        for name, code, counts in _counted(part, nearest):
            found[f"{kind_of(part.cells.name)}:{name}#{code}"] += _summed(part, counts, len(given))
    return dict(found)


def _inputs(cells: CellArrays, vocabulary: Vocabulary) -> list[int]:
    named = [(name, index) for index, name in enumerate(cells.vocabulary) if vocabulary[name].kind == "input"]
    return [index for _, index in sorted(named)]


def _nearest(cells: CellArrays, vocabulary: Vocabulary) -> Codes:
    """(B, N) operators on the shortest way from an input to a node, the node's own among them."""
    free = [index for index, name in enumerate(cells.vocabulary) if vocabulary[name].family in ("merge", "output")]
    own = np.where(np.isin(cells.operators, free), 0, cells.applications())
    is_input = np.isin(cells.operators, _inputs(cells, vocabulary))
    linked = cells.adjacency > 0
    nearest = np.where(is_input, 0, _NOT_NEAR).astype(np.int64)
    for node in range(1, nearest.shape[1]):
        before = np.where(linked[:, :node, node], nearest[:, :node], _NOT_NEAR).min(axis=1)
        nearest[:, node] = np.where(is_input[:, node], 0, before + own[:, node])
    return nearest


def _counted(part: PlacedCells, codes: Codes) -> Iterator[tuple[str, int, Values]]:
    """For each operator and code that occur together: both, and (B,) how often they do in each cell."""
    for index, name in enumerate(part.cells.vocabulary):
        is_one = part.cells.operators == index
        for code in np.unique(codes[is_one]).tolist():
            yield name, code, ((codes == code) & is_one).sum(axis=1).astype(np.float64)


def _summed(part: PlacedCells, counts: Values, architectures: int) -> Values:
    return np.asarray(np.bincount(part.rows, part.repeated(counts), architectures), dtype=np.float64)
