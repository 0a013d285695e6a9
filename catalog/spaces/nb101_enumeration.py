"""Every module of NAS-Bench-101, each in the form that the benchmark's own enumeration meets first."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import permutations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.spaces.nb101_hash import NODE_OPERATORS

Adjacency = NDArray[np.uint8]
Operators = NDArray[np.int16]
Numbers = NDArray[np.int64]

CELL = "cell"
MAXIMUM_VERTICES = 7
MAXIMUM_EDGES = 9

_INTERIOR = 3  # operators that an interior vertex can have: the first three of NODE_OPERATORS
_INPUT, _OUTPUT = NODE_OPERATORS.index("input"), NODE_OPERATORS.index("output")
_CHUNK = 4096  # modules whose vertex orders are compared at once: bounds the memory


def enumerate_arrays() -> Iterator[CellArrays]:
    """All 423,624 modules: one batch for each number of vertices, in the benchmark's enumeration order.

    The benchmark goes through the numbers of vertices, the adjacency matrices by their edge bits and the labelings in
    the order of the operators, and keeps the first module of every class of isomorphic ones. A matrix that another
    vertex order gives smaller bits never comes first, and of a matrix's labelings the smallest under its automorphisms
    does: so the representatives are found without comparing modules with each other.
    """
    for vertices in range(2, MAXIMUM_VERTICES + 1):
        bits = _pruned_matrices(vertices)
        orders = _permuted_bits(matrices(bits, vertices))
        first = orders.min(axis=1) == bits
        bits, automorphisms = bits[first], orders[first] == bits[first, None]
        labels = np.arange(_INTERIOR ** (vertices - 2))
        improves = _permuted_labels(labels, vertices) < labels[:, None]  # (labels, orders)
        kept = automorphisms.astype(np.int32) @ improves.T.astype(np.int32) == 0  # (matrices, labels)
        chosen, label = np.nonzero(kept)
        yield cells(bits[chosen] * len(labels) + label, vertices)


def first_forms(modules: CellArrays) -> CellArrays:
    """The form of each module that the benchmark's enumeration meets first; equal exactly for isomorphic modules."""
    keys = np.empty(len(modules), dtype=np.int64)
    vertices = modules.operators.shape[1]
    powers = _INTERIOR ** (vertices - 2)
    for start in range(0, len(modules), _CHUNK):
        part = slice(start, start + _CHUNK)
        labels = _label_numbers(modules.operators[part])
        numbers = _permuted_bits(modules.adjacency[part]) * powers + _permuted_labels(labels, vertices)
        keys[part] = numbers.min(axis=1)
    return cells(keys, vertices)


def keys(modules: CellArrays) -> Numbers:
    """One number a module, (B,): its place among all matrices and labelings of as many vertices."""
    rows, columns = _edge_places(modules.operators.shape[1])
    bits = modules.adjacency[:, rows, columns].astype(np.int64) @ (1 << np.arange(len(rows)))
    powers = _INTERIOR ** (modules.operators.shape[1] - 2)
    return np.asarray(bits * powers + _label_numbers(modules.operators))


def cells(numbers: Numbers, vertices: int) -> CellArrays:
    """The modules of so many vertices that have these `keys`."""
    bits, labels = np.divmod(numbers, _INTERIOR ** (vertices - 2))
    operators = np.full((len(numbers), vertices), _OUTPUT, dtype=np.int16)
    operators[:, 0] = _INPUT
    operators[:, 1:-1] = labels[:, None] // _label_powers(vertices) % _INTERIOR
    return CellArrays(CELL, NODE_OPERATORS, operators, matrices(bits, vertices))


def matrices(bits: Numbers, vertices: int) -> Adjacency:
    """Adjacency matrices from edge bits, (B, N, N).

    Bit k counts the places above the diagonal column by column: (0, 1), (0, 2), (1, 2), (0, 3), ...
    """
    rows, columns = _edge_places(vertices)
    adjacency = np.zeros((len(bits), vertices, vertices), dtype=np.uint8)
    adjacency[:, rows, columns] = bits[:, None] >> np.arange(len(rows)) & 1
    return adjacency


def _edge_places(vertices: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    columns, rows = np.tril_indices(vertices, -1)
    return rows, columns


def _pruned_matrices(vertices: int) -> Numbers:
    """Edge bits of the matrices with few enough edges in which every vertex is on a path from input to output.

    In an acyclic graph that holds when every vertex but the input has an in-edge and all but the output an out-edge.
    """
    rows, columns = _edge_places(vertices)
    weights = 1 << np.arange(len(rows))
    bits = np.arange(2 ** len(rows), dtype=np.int32)
    for vertex in range(vertices - 1):
        bits = bits[(bits & weights[rows == vertex].sum()) != 0]
        bits = bits[(bits & weights[columns == vertex + 1].sum()) != 0]
    edges = sum((bits >> place & 1 for place in range(len(rows))), start=np.zeros_like(bits))
    return bits[edges <= MAXIMUM_EDGES].astype(np.int64)


@cache
def _vertex_orders(vertices: int) -> NDArray[np.intp]:
    """All orders of the vertices that leave the input first and the output last, (P, N)."""
    return np.array([(0, *order, vertices - 1) for order in permutations(range(1, vertices - 1))], dtype=np.intp)


def _permuted_bits(adjacency: NDArray[np.unsignedinteger[Any]]) -> Numbers:
    """Edge bits of each matrix in every vertex order, (B, P); more than all bits where the order is not topological."""
    flat = (adjacency.reshape(len(adjacency), -1) != 0).astype(np.float64)
    return np.asarray((flat @ _edge_weights(adjacency.shape[1])).astype(np.int64))


@cache
def _edge_weights(vertices: int) -> NDArray[np.float64]:
    """What each place of a flattened matrix adds to the edge bits in every vertex order, (N * N, P)."""
    rows, columns = _edge_places(vertices)
    weights = np.full((vertices * vertices, len(_vertex_orders(vertices))), 2.0 ** len(rows))
    for number, order in enumerate(_vertex_orders(vertices)):
        weights[order[rows] * vertices + order[columns], number] = 2.0 ** np.arange(len(rows))
    return weights


def _label_powers(vertices: int) -> Numbers:
    """What a label counts at each interior vertex: the last changes fastest."""
    return _INTERIOR ** np.arange(vertices - 3, -1, -1, dtype=np.int64)


def _label_numbers(operators: NDArray[np.integer[Any]]) -> Numbers:
    """The place of each labeling, (B,), among all labelings of as many vertices."""
    return np.asarray(operators[:, 1:-1].astype(np.int64) @ _label_powers(operators.shape[1]))


def _permuted_labels(labels: Numbers, vertices: int) -> Numbers:
    """The labelings in every vertex order, (B, P)."""
    return _labels_by_order(vertices)[labels]


@cache
def _labels_by_order(vertices: int) -> Numbers:
    labelings = np.array(list(product(range(_INTERIOR), repeat=vertices - 2)), dtype=np.int64)
    orders = _vertex_orders(vertices)[:, 1:-1] - 1
    return np.asarray(labelings[:, orders] @ _label_powers(vertices))
