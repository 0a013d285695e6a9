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


Chosen = tuple[tuple[str, Any], ...]
"""Choices of the network and their values."""

_First = tuple[str, Size | None]
"""The first node of a block: its operator and its size."""


class _Network(NamedTuple):
    """An option of the network: what it takes, and the choices that count in its parts, which then share cells."""

    taken: NetworkInput
    channels: int
    in_blocks: Chosen
    in_ends: Chosen


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
        settings = [value for stage in self.description.stages for _, value in stage.settings]
        self._in_blocks = _names(self.description.block, settings)
        self._in_ends = _names((*self.description.stem, *self.description.tail), ())
        self._counts_blocks = "blocks" in self._in_blocks
        self._in_first = _names(_first_parts(self.description.block), settings)
        self._alike = lru_cache(maxsize=None)(self._found_alike)
        self._firsts = lru_cache(maxsize=256)(self._found_firsts)
        self._block = lru_cache(maxsize=_CACHED)(self._made_block)
        self._cell = lru_cache(maxsize=_CACHED)(self._made_cell)
        self._end = lru_cache(maxsize=_CACHED)(self._made_end)
        self._found = lru_cache(maxsize=_CACHED)(self._searched)
        self._seen = lru_cache(maxsize=_CACHED)(self._network)

    def graph(self, one: Assignment) -> ArchitectureGraph:
        """The native graph of an architecture."""
        network = self._seen(one.network)
        cells = []
        channels = network.channels
        if self.description.stem:
            cell, channels = self._end("entry", network.in_ends, channels)
            cells.append(cell)
        for stage, own in enumerate(one.stages):
            cell, channels = self._cell(network.in_blocks, stage, own, channels)
            cells.append(cell)
        if self.description.tail:
            cells.append(self._end("tail", network.in_ends, channels)[0])
        return ArchitectureGraph(
            self.description.name, tuple(cells), SIZED_VOCABULARY, network.taken, self.description.classes
        )

    def assignment(self, graph: ArchitectureGraph) -> Assignment | None:
        """The first architecture that has this native graph; None where none has."""
        for number in range(len(self.assignments.network.options)):
            found = self._fitting(number, graph)
            if found is not None and self.graph(found) == graph:
                return found
        return None

    def _fitting(self, number: int, graph: ArchitectureGraph) -> Assignment | None:
        network = self._seen(number)
        if graph.input != network.taken or graph.classes != self.description.classes:
            return None
        cells = list(graph.cells)
        if len(cells) != len(self.description.stages) + bool(self.description.stem) + bool(self.description.tail):
            return None
        channels = network.channels
        if self.description.stem:
            channels = self._end("entry", network.in_ends, channels)[1]
            cells = cells[1:]
        stages = []
        for stage in range(len(self.description.stages)):
            own = self._found(network.in_blocks, number, stage, channels, cells[stage])
            if own is None:
                return None
            stages.append(own)
            channels = self._cell(network.in_blocks, stage, own, channels)[1]
        return Assignment(number, tuple(stages))

    def _found_alike(self, stage: int) -> list[int]:
        """For each option of a stage the first with the same values of all that formulas of blocks refer to."""
        first: dict[tuple[Any, ...], int] = {}
        values = self.description.stages[stage].level.values
        names = [name for name in self.description.stages[stage].level.names if name in self._in_blocks]
        return [first.setdefault(tuple(own[name] for name in names), option) for option, own in enumerate(values)]

    def _network(self, number: int) -> _Network:
        values = self.assignments.network.values[number]
        taken = self.description.input(values)
        return _Network(
            taken,
            taken.shape[0] if taken.shape is not None else taken.channels or 0,
            tuple((name, value) for name, value in values.items() if name in self._in_blocks),
            tuple((name, value) for name, value in values.items() if name in self._in_ends),
        )

    def _made_end(self, end: str, network: Chosen, channels: int) -> tuple[CellGraph, int]:
        parts = self.description.stem if end == "entry" else self.description.tail
        chain = _Chain(channels)
        chain.parts(parts, {**dict(network), "entering": channels})
        return _cell(end, [chain.fragment()])

    def _made_cell(self, network: Chosen, stage: int, own: StageOption, channels: int) -> tuple[CellGraph, int]:
        fragments = []
        option = self._alike(stage)[own.option]
        for place, block in enumerate(own.blocks):
            fragments.append(self._placed(network, stage, option, place, block, len(own.blocks), channels))
            channels = fragments[-1].channels
        return _cell(f"stage_{stage + 1:02}", fragments)

    def _placed(
        self, network: Chosen, stage: int, option: int, place: int, block: int, blocks: int, channels: int
    ) -> Fragment:
        """One block; those of which nothing that formulas refer to differs are made once."""
        told = place if "block" in self._in_blocks else min(place, 1)
        return self._block(network, stage, option, told, block, blocks if self._counts_blocks else 2, channels)

    def _made_block(
        self,
        network: Chosen,
        stage: int,
        option: int,
        place: int,
        block: int,
        blocks: int,
        channels: int,
    ) -> Fragment:
        names = self._named(network, stage, option, place, block, blocks, channels)
        chain = _Chain(channels)
        try:
            chain.parts(self.description.block, names)
        except SpaceFileError as error:
            where = f"the space {self.description.name!r}, stage {stage + 1}, block {place + 1}"
            raise SpaceFileError(f"{where}: {error}") from None
        return chain.fragment()

    def _named(
        self, network: Chosen, stage: int, option: int, place: int, block: int, blocks: int, channels: int
    ) -> dict[str, Any]:
        """What formulas of a block refer to."""
        described = self.description.stages[stage]
        names = described.named({**dict(network), "stage": stage + 1}, described.level.values[option])
        names |= described.block_level.values[block]
        return names | {"block": place + 1, "first": place == 0, "blocks": blocks, "entering": channels}

    def _searched(self, network: Chosen, number: int, stage: int, channels: int, cell: CellGraph) -> StageOption | None:
        """The first option of a stage that gives this cell."""
        depths = self.assignments.depths(number, stage)
        for option in self._beginning(network, stage, channels, (cell.operators[1], cell.size(1))):
            for blocks in self._blocks(network, stage, option, depths[option], channels, cell):
                own = StageOption(option, blocks)
                if self._cell(network, stage, own, channels)[0] == cell:
                    return own
        return None

    def _beginning(self, network: Chosen, stage: int, channels: int, begin: _First) -> Sequence[int]:
        """The options of a stage whose first block can begin with a node, in their order."""
        if self._counts_blocks:
            return range(len(self.description.stages[stage].level.options))
        found = self._firsts(network, stage, channels if "entering" in self._in_first else 0)
        return sorted((*found.get(begin, ()), *found.get(None, ())))

    def _found_firsts(self, network: Chosen, stage: int, channels: int) -> dict[_First | None, list[int]]:
        """The options of a stage by the first node of their first block; None stands for a block without nodes."""
        found: dict[_First | None, list[int]] = {}
        kinds: dict[int, set[_First | None]] = {}
        blocks = range(len(self.description.stages[stage].block_level.options))
        for option, like in enumerate(self._alike(stage)):
            if like not in kinds:
                every = (self._named(network, stage, like, 0, block, 2, channels) for block in blocks)
                kinds[like] = {_first_node(self.description.block, names) for names in every}
            for first in kinds[like]:
                found.setdefault(first, []).append(option)
        return found

    def _blocks(
        self,
        network: Chosen,
        stage: int,
        option: int,
        depth: int,
        channels: int,
        cell: CellGraph,
    ) -> Iterable[tuple[int, ...]]:
        """The options of blocks whose nodes are those of a cell, one block after the other."""
        options = range(len(self.description.stages[stage].block_level.options))
        option = self._alike(stage)[option]
        sizes = cell.sizes or (None,) * cell.node_count
        begun: list[tuple[tuple[int, ...], int, int]] = [((), 1, channels)]
        while begun:
            blocks, at, entering = begun.pop()
            if len(blocks) == depth:
                if at == cell.node_count - 1:
                    yield blocks
                continue
            for block in reversed(options):
                made = self._placed(network, stage, option, len(blocks), block, depth, entering)
                end = at + len(made.operators)
                if cell.operators[at:end] == made.operators and sizes[at:end] == made.sizes:
                    begun.append(((*blocks, block), end, made.channels))


def _names(parts: Sequence[Part], settings: Sequence[Any]) -> frozenset[str]:
    """The names that formulas of some parts and settings refer to."""
    nodes = [node for part in parts for node in (*part.nodes, *part.shortcut)]
    given = [given for node in nodes for given in (node.when, *(field for _, field in node.fields))]
    given += [rule for part in parts for rule in (part.when, part.residual)]
    given += settings
    flat = [inner for one in given for inner in (one if isinstance(one, list) else [one])]
    return frozenset(name for one in flat if isinstance(one, Formula) for name in one.names)


def _first_parts(parts: Sequence[Part]) -> list[Part]:
    """The parts of a block that its first node can come from, and of the last of them the nodes."""
    found = []
    for part in parts:
        always = next((place for place, node in enumerate(part.nodes) if node.when is None), len(part.nodes))
        found.append(Part(part.nodes[: always + 1], part.when))
        if part.when is None and always < len(part.nodes):
            break
    return found


def _first_node(parts: Sequence[Part], names: Mapping[str, Any]) -> _First | None:
    """The first node of a block; None where it has none."""
    for part in parts:
        for node in part.nodes if part.when is None or part.when.value(names) else ():
            if node.when is None or node.when.value(names):
                return node.operator, node.size(names)
    return None


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
            if node.when is None or node.when.value(names):
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
