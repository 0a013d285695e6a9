"""The DARTS search space: a normal and a reduction cell, two weighted inputs for each of four nodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph, CellGraph, Edge
from catalog.errors import IdentifierError
from catalog.spaces.base import SearchSpace, network_scores
from catalog.spaces.genotype import ALL_STATES, ALLOWED, OPERATORS, STATES, Genotype, Pair, parse

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

_CONCAT = 2 + 3 * STATES
_OUTPUT = _CONCAT + 1


class DARTS(SearchSpace):
    """DARTS: about 10^18 pairs of cells; NAS-Bench-301 and NDS are sources of metrics over it.

    Liu, Simonyan and Yang, "DARTS: Differentiable architecture search", 2019 (arXiv 1806.09055).

    Each cell is a graph of 16 nodes: ``input_0`` and ``input_1`` (the outputs of the two cells before), then for each
    of the nodes 2 to 5 two operators and the ``sum`` that adds them, a ``concat`` of the sums named in the genotype,
    and ``output``. The native id is the normalised ``Genotype(...)`` text; `catalog.spaces.genotype.parse` tells what
    else is read.

    A search draws two different predecessors and one of seven operators for each input, as DARTS derives its cells;
    genotypes from files may also use ``none``, the same predecessor twice, and concatenate fewer nodes.
    """

    name = "darts"
    description = "DARTS: a normal and a reduction cell of 4 nodes with two inputs each, one of 7 operators on an input"
    citation = "Liu et al., DARTS, ICLR 2019, arXiv 1806.09055"
    native_id_name = "genotype"
    operators = OPERATORS

    def locate(self, identifier: object) -> str:
        return str(parse(identifier))

    def graph(self, identifier: object) -> ArchitectureGraph:
        genotype = parse(identifier)
        cells = (
            genotype_cell("normal", genotype.normal, genotype.normal_concat),
            genotype_cell("reduce", genotype.reduce, genotype.reduce_concat),
        )
        return ArchitectureGraph(self.name, cells, self.vocabulary)

    def native_id(self, graph: ArchitectureGraph) -> str:
        return str(genotype_of(graph))

    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        generator = np.random.default_rng(seed)
        pairs_a_cell = 2 * STATES
        operators = generator.integers(len(OPERATORS), size=(count, 2, pairs_a_cell)).tolist()
        # Two different predecessors: the second is drawn from the remaining ones and steps over the first.
        lower = np.stack([generator.integers(node, size=(count, 2)) for node in ALL_STATES], axis=2)
        upper = np.stack([generator.integers(node - 1, size=(count, 2)) for node in ALL_STATES], axis=2)
        upper += upper >= lower
        predecessors = np.stack([lower, upper], axis=3).reshape(count, 2, pairs_a_cell).tolist()
        return [
            self.graph([list(zip(froms, numbers, strict=True)) for froms, numbers in zip(rows, choices, strict=True)])
            for rows, choices in zip(predecessors, operators, strict=True)
        ]

    def structural_scores(
        self, native: Sequence[ArchitectureGraph], canonical: Sequence[ArchitectureGraph]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Parameters and multiply-accumulates of the CIFAR-10 network of 36 channels and 20 cells."""
        from catalog.spaces.darts_network import network_costs

        return network_scores(network_costs(native, native), network_costs(canonical, native))

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        from catalog.spaces import darts_computation

        return darts_computation.network_plan(graph, compressed=compressed)

    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        """Genotypes that differ in the operator or in the predecessor of one input."""
        own = genotype_of(graph)
        found: dict[Genotype, None] = {}
        for cell in ("normal", "reduce"):
            pairs: tuple[Pair, ...] = getattr(own, cell)
            for place, pair in enumerate(pairs):
                for changed in _variations(pairs, place, pair):
                    fields = {**vars(own), cell: [*pairs[:place], changed, *pairs[place + 1 :]]}
                    found[parse(fields)] = None
        found.pop(own, None)
        return [self.graph(genotype) for genotype in found]


def _variations(pairs: Sequence[Pair], place: int, pair: Pair) -> list[Pair]:
    operator, predecessor = pair
    node = 2 + place // 2
    other = pairs[place ^ 1][1]
    return [(choice, predecessor) for choice in OPERATORS if choice != operator] + [
        (operator, choice) for choice in range(node) if choice not in (predecessor, other)
    ]


def _state(number: int) -> int:
    """Position of input 0 or 1, or of the sum of an intermediate node, in a cell's graph."""
    return number if number < 2 else 4 + 3 * (number - 2)


def genotype_cell(name: str, pairs: Sequence[Pair], concat: Sequence[int]) -> CellGraph:
    """The native graph of one cell of a genotype, with as many nodes as it has pairs of inputs."""
    operators = ["input_0", "input_1"]
    edges: list[Edge] = []
    for place, (operator, predecessor) in enumerate(pairs):
        position = len(operators)
        operators.append(operator)
        edges += [(_state(predecessor), position, 1), (position, _state(2 + place // 2), 1)]
        if place % 2:
            operators.append("sum")
    joined = len(operators)
    operators += ["concat", "output"]
    edges += [(_state(node), joined, 1) for node in concat]
    edges.append((joined, joined + 1, 1))
    return CellGraph(name, tuple(operators), tuple(sorted(edges)), reduction=name == "reduce")


def genotype_of(graph: ArchitectureGraph) -> Genotype:
    """The genotype of a native graph; the inverse of `DARTS.graph`.

    Raises
    ------
    IdentifierError
        The graph is no native DARTS graph, for example a canonical one.
    """
    if [cell.name for cell in graph.cells] != ["normal", "reduce"]:
        raise _not_native(graph)
    normal, reduce = graph.cells
    genotype = Genotype(*_read_cell(graph, normal), *_read_cell(graph, reduce))
    if any(cell != genotype_cell(cell.name, *_read_cell(graph, cell)) for cell in graph.cells):
        raise _not_native(graph)
    return genotype


def _read_cell(graph: ArchitectureGraph, cell: CellGraph) -> tuple[tuple[Pair, ...], tuple[int, ...]]:
    if cell.node_count != _OUTPUT + 1:
        raise _not_native(graph)
    numbers = {_state(number): number for number in (0, 1, *ALL_STATES)}
    source_of = {target: source for source, target, _ in cell.edges if source in numbers}
    pairs = []
    for node in ALL_STATES:
        for position in (_state(node) - 2, _state(node) - 1):
            operator = cell.operators[position]
            if operator not in ALLOWED or position not in source_of:
                raise _not_native(graph)
            pairs.append((operator, numbers[source_of[position]]))
    concat = tuple(numbers[source] for source, target, _ in cell.edges if target == _CONCAT and source in numbers)
    return tuple(pairs), concat


def _not_native(graph: ArchitectureGraph) -> IdentifierError:
    return IdentifierError(
        f"{graph!r} is no native DARTS graph: it needs the cells normal and reduce of {_OUTPUT + 1} nodes; pass its "
        "native form."
    )
