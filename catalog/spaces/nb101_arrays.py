"""NAS-Bench-101 modules of a whole table as arrays, from the text that the table gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isqrt
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph_tables import PlacedCells
from catalog.errors import IdentifierError
from catalog.spaces.nb101_enumeration import CELL, MAXIMUM_EDGES, MAXIMUM_VERTICES
from catalog.spaces.nb101_hash import NODE_OPERATORS

Fail = Callable[[int, str], NoReturn]
"""Raises the caller's error for a row, counted from 0, and what is wrong with it."""


def _fail(row: int, what: str) -> NoReturn:
    raise IdentifierError(f"row {row}: {what}")


def read_arrays(adjacency: Sequence[str], operators: Sequence[str | None], fail: Fail = _fail) -> list[PlacedCells]:
    """The modules of a table, grouped by their number of vertices.

    Parameters
    ----------
    adjacency
        Adjacency matrices, row by row, as text of the digits 0 and 1.
    operators
        A digit an interior vertex: 0 is conv3x3, 1 conv1x1, 2 maxpool3x3; None or empty where there is none.
    fail
        Called with the first row that holds no module of the space, as the benchmark stores it: upper triangular, every
        vertex on a path from input to output, at most 7 vertices and 9 edges.

    Returns
    -------
    list of PlacedCells
        Smallest modules first; the vertices stand as the table has them.

    Raises
    ------
    IdentifierError
        A row is wrong and no other `fail` is given.
    """
    texts = ["" if text is None else text for text in operators]
    lengths = np.fromiter(map(len, adjacency), dtype=np.int64, count=len(adjacency))
    wrong: list[tuple[int, str]] = []
    parts = []
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        vertices = isqrt(length)
        if vertices**2 != length or not 2 <= vertices <= MAXIMUM_VERTICES:
            wrong.append(
                (
                    int(rows[0]),
                    f"an adjacency matrix of {length} digits; 4, 9, 16, 25, 36 or 49 are possible (2 to 7 vertices).",
                )
            )
            continue
        links = _digits([adjacency[row] for row in rows.tolist()], vertices**2)
        labels = _digits([texts[row] for row in rows.tolist()], vertices - 2)
        fault = _first_fault(links, labels, vertices)
        if fault is not None:
            wrong.append((int(rows[fault[0]]), fault[1]))
            continue
        codes = np.empty((len(rows), vertices), dtype=np.int16)
        codes[:, 0], codes[:, -1] = NODE_OPERATORS.index("input"), NODE_OPERATORS.index("output")
        codes[:, 1:-1] = labels
        matrices = links.astype(np.uint8).reshape(-1, vertices, vertices)
        parts.append(PlacedCells(rows, CellArrays(CELL, NODE_OPERATORS, codes, matrices)))
    if wrong:
        fail(*min(wrong))
    return parts


def _digits(texts: Iterable[str], width: int) -> NDArray[np.int16]:
    """The digits of texts, (B, width); -1 for any other character, and throughout where the length is another."""
    fitting = [text if len(text) == width and text.isascii() else "?" * width for text in texts]
    digits = np.frombuffer("".join(fitting).encode("ascii"), dtype=np.uint8).reshape(len(fitting), width)
    values = digits.astype(np.int16) - ord("0")
    return np.where((values >= 0) & (values <= 9), values, -1)


def _first_fault(links: NDArray[np.int16], labels: NDArray[np.int16], vertices: int) -> tuple[int, str] | None:
    """The first row that is no module, and why."""
    matrices = links.reshape(-1, vertices, vertices)
    below = np.tril(np.ones((vertices, vertices), dtype=bool))
    edges = (links != 0).sum(axis=1)
    faults = (
        (~np.isin(links, (0, 1)).all(axis=1), "the adjacency matrix has a character other than 0 and 1."),
        (
            (labels < 0).any(axis=1) | (labels > 2).any(axis=1),
            f"{vertices} vertices need {vertices - 2} operators, each 0 (conv3x3), 1 (conv1x1) or 2 (maxpool3x3).",
        ),
        ((matrices[:, below] != 0).any(axis=1), "the adjacency matrix is not upper triangular."),
        (edges > MAXIMUM_EDGES, f"more than {MAXIMUM_EDGES} edges."),
        (
            (matrices[:, :-1] == 0).all(axis=2).any(axis=1) | (matrices[:, :, 1:] == 0).all(axis=1).any(axis=1),
            "a vertex is on no path from input to output; the benchmark prunes such vertices.",
        ),
    )
    found = [(int(np.argmax(mask)), reason) for mask, reason in faults if mask.any()]
    return min(found, key=lambda fault: fault[0]) if found else None
