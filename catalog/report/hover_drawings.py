"""The architectures that figures show at the pointer: their names and cells, small enough for a page to carry.

A cell is laid out here and drawn by the page's script. Layouts are shared by all cells of one shape: every cell of
NAS-Bench-201 has the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.drawing import node_label
from catalog.architecture.graph import CellGraph
from catalog.architecture.layout import layered_layout
from catalog.architecture.operators import Operator, Vocabulary
from catalog.tables.stored_graphs import read_graphs

if TYPE_CHECKING:
    from catalog.analysis.pool import Pool
    from catalog.storage.store import Store

MOST = 1500
"""Architectures of one pool whose cells a page carries."""

_WIDTH = 88.0
_GAP = 8.0
_LAYER_HEIGHT = 40.0
_LONGEST_WORD = 14


@dataclass
class HoverDrawings:
    """The architectures of one space that a page can draw, in the order in which figures asked for them.

    Parameters
    ----------
    identifier
        Of the page's element that holds it.
    """

    identifier: str
    _places: dict[int, int] = field(default_factory=dict)
    _names: dict[int, str] = field(default_factory=dict)

    def places(self, pool: Pool, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The place of each row's architecture in the drawings; -1 where they are full."""
        found = np.full(len(rows), -1, dtype=np.int64)
        for at, (row, architecture) in enumerate(zip(rows.tolist(), pool.ids[rows].tolist(), strict=True)):
            if architecture not in self._places and len(self._places) < MOST:
                self._places[architecture] = len(self._places)
                self._names[architecture] = str(pool.native_ids[row])
            found[at] = self._places.get(architecture, -1)
        return found

    def content(self, catalog: Store, space: str) -> dict[str, Any]:
        """What the page's script reads: ``words``, ``shapes`` and ``architectures``."""
        graphs = read_graphs(catalog, space, list(self._places), "native")
        codes: dict[str, int] = {}
        words: list[tuple[str, str]] = []
        shapes: dict[tuple[object, ...], int] = {}
        layouts: list[dict[str, Any]] = []
        architectures = []
        for architecture, graph in zip(self._places, graphs, strict=True):
            cells = []
            for cell in graph.cells:
                shape = (cell.node_count, cell.edges, tuple(sorted(_inputs(cell, graph.vocabulary))))
                if shape not in shapes:
                    shapes[shape] = len(layouts)
                    layouts.append(_layout(cell, graph.vocabulary))
                labels = [node_label(name, cell.size(node)) for node, name in enumerate(cell.operators)]
                for name, label in zip(cell.operators, labels, strict=True):
                    if label not in codes:
                        codes[label] = len(words)
                        words.append(_word(graph.vocabulary[name], label))
                cells.append([shapes[shape], [codes[label] for label in labels]])
            architectures.append([self._names[architecture], cells])
        return {"words": words, "shapes": layouts, "architectures": architectures}

    def __repr__(self) -> str:
        return f"HoverDrawings({self.identifier!r}, {len(self._places)} architectures)"


def _inputs(cell: CellGraph, vocabulary: Vocabulary) -> set[int]:
    return {node for node, name in enumerate(cell.operators) if vocabulary[name].kind == "input"}


def _layout(cell: CellGraph, vocabulary: Vocabulary) -> dict[str, Any]:
    """Whole pixels: the size, the centre of each node, and of each edge its multiplicity and the points it passes."""
    inputs = _inputs(cell, vocabulary)
    layout = layered_layout(cell, [_WIDTH] * cell.node_count, inputs, layer_height=_LAYER_HEIGHT, gap=_GAP)
    return {
        "size": [round(layout.width), round(layout.height)],
        "nodes": [[round(x), round(y)] for x, y in layout.centres],
        "edges": [
            [edge[2], *(round(coordinate) for point in route for coordinate in point)]
            for edge, route in layout.routes.items()
        ],
    }


def _word(operator: Operator, label: str) -> tuple[str, str]:
    kind = operator.kind
    short = label if len(label) <= _LONGEST_WORD else f"{label[: _LONGEST_WORD - 1]}…"
    if kind == "conv" and ((operator.dilation or 1) > 1 or operator.depthwise):
        kind = "dilated" if (operator.dilation or 1) > 1 else "depthwise"
    return short, kind
