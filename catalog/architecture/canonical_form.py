"""Canonical forms of many architectures at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph


def canonical_graphs(graphs: Sequence[ArchitectureGraph]) -> list[ArchitectureGraph]:
    """`ArchitectureGraph.canonical` of each graph, about ten times as fast as one by one.

    Cells that contract to the same graph are put in canonical order once.
    """
    contracted = [graph.contracted() for graph in graphs]
    ordered = _canonically_ordered(list({cell for cells in contracted for cell in cells}))
    return [
        replace(graph, cells=tuple(ordered[cell] for cell in cells))
        for graph, cells in zip(graphs, contracted, strict=True)
    ]


def _canonically_ordered(cells: Sequence[CellGraph]) -> dict[CellGraph, CellGraph]:
    by_size: defaultdict[tuple[str, int, bool], list[CellGraph]] = defaultdict(list)
    for cell in cells:
        by_size[cell.name, cell.node_count, cell.reduction].append(cell)
    ordered: dict[CellGraph, CellGraph] = {}
    for (_, _, reduction), group in by_size.items():
        arrays = CellArrays.of(group).canonically_ordered()
        ordered.update(
            (cell, replace(arrays.cell(row, reduction=reduction), repeats=cell.repeats))
            for row, cell in enumerate(group)
        )
    return ordered
