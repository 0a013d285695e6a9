"""The computation graph of the network that DARTS builds from a pair of cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from catalog.architecture.computation import blocks
from catalog.architecture.computation.blocks import Block
from catalog.architecture.computation.cells import LiveCell, Operators, add_cell, live_cell
from catalog.architecture.computation.plan import NetworkPlan
from catalog.architecture.computation.primitives import Shape
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.skeleton import CIFAR10, Skeleton
from catalog.spaces.darts_network import SKELETON, PlacedCell, operator_block, placed_cells, stem_blocks


def network_plan(
    graph: ArchitectureGraph, skeleton: Skeleton = SKELETON, dataset: str = CIFAR10, *, compressed: bool = True
) -> NetworkPlan | None:
    """The live part of the network of a native pair of cells; None where a cell computes nothing.

    Parameters
    ----------
    skeleton, dataset
        The network's size, and what it is trained on.
    compressed
        Whether the first of equal cells in a row stands for all of them. The others may take states of other widths;
        the costs of the convolutions in front of the cell are those of all, counted as the first one's are made.
    """
    normal, reduction = (live_cell(cell, graph.vocabulary) for cell in graph.cells)
    if normal is None or reduction is None:
        return None
    plan = NetworkPlan(skeleton.image(dataset))
    states = [plan.add(block, max(place, 0)) for place, block in enumerate(stem_blocks(skeleton, dataset))]
    before, last = states[0], states[-1]
    for group in _groups(skeleton, dataset, _joined(normal), _joined(reduction), compressed):
        prepared = [plan.add(block, state) for block, state in zip(group.preparing, (before, last), strict=True)]
        output = add_cell(plan, reduction if group.reduces else normal, prepared, group.operators, group.repeats)
        before, last = output if group.repeats > 1 else last, output
    plan.add(blocks.classifier(plan.blocks[last].shape, skeleton.datasets[dataset].classes), last)
    return plan


def _joined(cell: LiveCell) -> int:
    """How many states the cell's output is made of."""
    name, _, sources = cell[-2]
    return len(sources) if name == "concat" else 1


class _Group:
    """Equal cells in a row as one, with the blocks of its operators."""

    def __init__(self, cells: Sequence[PlacedCell]) -> None:
        first = cells[0]
        self.reduces = first.reduces
        self.repeats = len(cells)
        self.preparing = tuple(
            blocks.together(column)
            for column in zip(*(_as_first(first, cell).preparing for cell in cells), strict=True)
        )
        self.operators: Operators = _Operators(first, self.repeats)


def _as_first(first: PlacedCell, cell: PlacedCell) -> PlacedCell:
    """A cell whose older state has the resolution that the first one's has; that costs the same."""
    older, newer = cell.entering
    return PlacedCell(cell.reduces, cell.channels, ((*older[:2], *first.entering[0][2:]), newer), cell.image)


class _Operators(dict[tuple[str, bool], Block | None]):
    """The blocks of a group's operators, made when they are first asked for."""

    def __init__(self, cell: PlacedCell, repeats: int) -> None:
        super().__init__()
        self._inner: Shape = (1, cell.channels, *cell.image)
        self._outer: Shape = (1, cell.channels, *cell.entering[1][2:])
        self._repeats = repeats

    def __missing__(self, key: tuple[str, bool]) -> Block | None:
        name, halves = key
        block = operator_block(name, self._outer if halves else self._inner, halves=halves)
        self[key] = None if block is None else blocks.times(block, self._repeats)
        return self[key]


@cache
def _groups(skeleton: Skeleton, dataset: str, normal: int, reduce: int, compressed: bool) -> tuple[_Group, ...]:
    groups = placed_cells(skeleton, dataset, normal, reduce)
    return tuple(_Group(part) for group in groups for part in ([group] if compressed else [[cell] for cell in group]))
