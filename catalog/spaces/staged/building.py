"""The graph of each architecture of a staged space: one cell for the stem, for each stage, and for the tail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from catalog.architecture.graph import ArchitectureGraph, CellGraph, Edge
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.architecture.sizes import NetworkInput, Size
from catalog.errors import SpaceFileError
from catalog.spaces.staged.assignment import Assignment, Assignments, StageOption
from catalog.spaces.staged.description import Node, Part, worked_out
from catalog.spaces.staged.formula import Formula

_CACHED = 2**17


class Fragment(NamedTuple):
    """Nodes of a cell that follow one node: what they are, and from which they take.

    Parameters
    ----------
    edges
        Source and target; 0 is the node that they follow, 1 the first of them.
    last
        The one that hands on.
    channels
        That it gives.
    """

    operators: tuple[str, ...]
    sizes: tuple[Size | None, ...]
    edges: tuple[tuple[int, int], ...]
    last: int
    channels: int


class Networks:
    """Makes the graphs of one staged space, and finds out which architecture a graph is.

    Parameters
    ----------
    assignments
        The space.
    """

    def __init__(self, assignments: Assignments) -> None:
        self.assignments = assignments
        self.description = assignments.description
        self._used = self._used_choices()
        self._block = lru_cache(maxsize=_CACHED)(self._made_block)
        self._cell = lru_cache(maxsize=_CACHED)(self._made_cell)
        self._end = lru_cache(maxsize=_CACHED)(self._made_end)
        self._found = lru_cache(maxsize=_CACHED)(self._searched)

    def graph(self, one: Assignment) -> ArchitectureGraph:
        """The native graph of an architecture."""
        network = self._seen(one.network)
        taken = self._input(one.network)
        cells = []
        channels = taken.shape[0] if taken.shape is not None else taken.channels or 0
        if self.description.stem:
            cell, channels = self._end("entry", network, channels)
            cells.append(cell)
        for stage, own in enumerate(one.stages):
            cell, channels = self._cell(network, stage, own, channels)
            cells.append(cell)
        if self.description.tail:
            cells.append(self._end("tail", network, channels)[0])
        return ArchitectureGraph(self.description.name, tuple(cells), SIZED_VOCABULARY, taken, self.description.classes)

    def assignment(self, graph: ArchitectureGraph) -> Assignment | None:
        """The first architecture that has this native graph; None where none has."""
        for number in range(len(self.assignments.network.options)):
            found = self._fitting(number, graph)
            if found is not None and self.graph(found) == graph:
                return found
        return None

    def _fitting(self, number: int, graph: ArchitectureGraph) -> Assignment | None:
        if graph.input != self._input(number) or graph.classes != self.description.classes:
            return None
        cells = list(graph.cells)
        if len(cells) != len(self.description.stages) + bool(self.description.stem) + bool(self.description.tail):
            return None
        network, taken = self._seen(number), self._input(number)
        channels = taken.shape[0] if taken.shape is not None else taken.channels or 0
        if self.description.stem:
            channels = self._end("entry", network, channels)[1]
            cells = cells[1:]
        stages = []
        for stage in range(len(self.description.stages)):
            own = self._found(network, number, stage, channels, cells[stage])
            if own is None:
                return None
            stages.append(own)
            channels = self._cell(network, stage, own, channels)[1]
        return Assignment(number, tuple(stages))

    def _used_choices(self) -> frozenset[str]:
        """The choices of the network that the graph of a stage, stem or tail depends on."""
        parts = [*self.description.stem, *self.description.block, *self.description.tail]
        given: list[Any] = [
            field for part in parts for node in (*part.nodes, *part.shortcut) for _, field in node.fields
        ]
        given += [rule for part in parts for rule in (part.when, part.residual)]
        given += [value for stage in self.description.stages for _, value in stage.settings]
        flat = [inner for one in given for inner in (one if isinstance(one, list) else [one])]
        return frozenset(name for one in flat if isinstance(one, Formula) for name in one.names)

    def _seen(self, number: int) -> tuple[tuple[str, Any], ...]:
        """The choices of the network that count for its cells, so that architectures share them."""
        return tuple(
            (name, value) for name, value in self.assignments.network.values[number].items() if name in self._used
        )

    def _input(self, number: int) -> NetworkInput:
        return self.description.input(self.assignments.network.values[number])

    def _made_end(self, end: str, network: tuple[tuple[str, Any], ...], channels: int) -> tuple[CellGraph, int]:
        parts = self.description.stem if end == "entry" else self.description.tail
        chain = _Chain(channels)
        chain.parts(parts, {**dict(network), "entering": channels})
        return _cell(end, [chain.fragment()])

    def _made_cell(
        self, network: tuple[tuple[str, Any], ...], stage: int, own: StageOption, channels: int
    ) -> tuple[CellGraph, int]:
        fragments = []
        for place, block in enumerate(own.blocks):
            fragments.append(self._block(network, stage, own.option, place, block, len(own.blocks), channels))
            channels = fragments[-1].channels
        return _cell(f"stage_{stage + 1:02}", fragments)

    def _made_block(
        self,
        network: tuple[tuple[str, Any], ...],
        stage: int,
        option: int,
        place: int,
        block: int,
        blocks: int,
        channels: int,
    ) -> Fragment:
        described = self.description.stages[stage]
        names = described.named({**dict(network), "stage": stage + 1}, described.level.values[option])
        names |= described.block_level.values[block]
        names |= {"block": place + 1, "first": place == 0, "blocks": blocks, "entering": channels}
        chain = _Chain(channels)
        try:
            chain.parts(self.description.block, names)
        except SpaceFileError as error:
            where = f"the space {self.description.name!r}, stage {stage + 1}, block {place + 1}"
            raise SpaceFileError(f"{where}: {error}") from None
        return chain.fragment()

    def _searched(
        self, network: tuple[tuple[str, Any], ...], number: int, stage: int, channels: int, cell: CellGraph
    ) -> StageOption | None:
        """The first option of a stage that gives this cell."""
        for option, depth in enumerate(self.assignments.depths(number, stage)):
            for blocks in self._blocks(network, stage, option, depth, channels, cell):
                own = StageOption(option, blocks)
                if self._cell(network, stage, own, channels)[0] == cell:
                    return own
        return None

    def _blocks(
        self,
        network: tuple[tuple[str, Any], ...],
        stage: int,
        option: int,
        depth: int,
        channels: int,
        cell: CellGraph,
    ) -> Iterable[tuple[int, ...]]:
        """The options of blocks whose nodes are those of a cell, one block after the other."""
        options = range(len(self.description.stages[stage].block_level.options))
        sizes = cell.sizes or (None,) * cell.node_count
        begun: list[tuple[tuple[int, ...], int, int]] = [((), 1, channels)]
        while begun:
            blocks, at, entering = begun.pop()
            if len(blocks) == depth:
                if at == cell.node_count - 1:
                    yield blocks
                continue
            for block in reversed(options):
                made = self._block(network, stage, option, len(blocks), block, depth, entering)
                end = at + len(made.operators)
                if cell.operators[at:end] == made.operators and sizes[at:end] == made.sizes:
                    begun.append(((*blocks, block), end, made.channels))


class _Chain:
    """Nodes under construction, each after the one before it."""

    def __init__(self, channels: int) -> None:
        self._operators: list[str] = []
        self._sizes: list[Size | None] = []
        self._edges: list[tuple[int, int]] = []
        self._last = 0
        self._channels = channels

    def fragment(self) -> Fragment:
        return Fragment(tuple(self._operators), tuple(self._sizes), tuple(self._edges), self._last, self._channels)

    def parts(self, parts: Sequence[Part], names: Mapping[str, Any]) -> None:
        for part in parts:
            if part.when is None or part.when.value(names):
                self._part(part, names)

    def _part(self, part: Part, names: Mapping[str, Any]) -> None:
        begin, entering = self._last, self._channels
        self._nodes(part.nodes, names)
        if not worked_out(part.residual, names):
            return
        body, channels = self._last, self._channels
        self._last, self._channels = begin, entering
        self._nodes(part.shortcut, names)
        self._edges.append((self._last, len(self._operators) + 1))
        self._last, self._channels = body, channels
        self._add("sum", None)

    def _nodes(self, nodes: Sequence[Node], names: Mapping[str, Any]) -> None:
        for node in nodes:
            self._add(node.operator, node.size(names))

    def _add(self, operator: str, size: Size | None) -> None:
        self._operators.append(operator)
        self._sizes.append(size)
        self._edges.append((self._last, len(self._operators)))
        self._last = len(self._operators)
        if size is not None and size.channels is not None:
            self._channels = int(size.channels)


def _cell(name: str, fragments: Sequence[Fragment]) -> tuple[CellGraph, int]:
    """Fragments one after the other, between an input and an output."""
    operators = ["input"]
    sizes: list[Size | None] = [None]
    edges: list[tuple[int, int]] = []
    last = channels = 0
    for made in fragments:
        offset = len(operators) - 1
        for source, target in made.edges:
            edges.append((last if source == 0 else source + offset, target + offset))
        operators += made.operators
        sizes += made.sizes
        last, channels = (made.last + offset if made.last else last), made.channels
    operators.append("output")
    sizes.append(None)
    edges.append((last, len(operators) - 1))
    counted: dict[tuple[int, int], int] = {}
    for edge in edges:
        counted[edge] = counted.get(edge, 0) + 1
    flow: tuple[Edge, ...] = tuple((source, target, copies) for (source, target), copies in sorted(counted.items()))
    said = tuple(sizes) if any(size is not None for size in sizes) else ()
    return CellGraph(name, tuple(operators), flow, sizes=said), channels
