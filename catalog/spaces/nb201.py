"""NAS-Bench-201: a cell of four nodes and six edges, one of five operators on each edge."""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.skeleton import CIFAR10
from catalog.errors import IdentifierError
from catalog.spaces.base import SearchSpace, network_scores

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

OPERATORS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

CELL_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
"""(source, target) of the benchmark's six edges in the order of the architecture string."""

_NASLIB_OPERATORS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
_NASLIB_EDGES = tuple(sorted(CELL_EDGES))

GRAPH_EDGES = tuple(
    sorted(
        [(0, 1 + place) for place, (source, _) in enumerate(CELL_EDGES) if source == 0]
        + [(1 + place, 7) for place, (_, target) in enumerate(CELL_EDGES) if target == 3]
        + [
            (1 + before, 1 + after)
            for before, (_, target) in enumerate(CELL_EDGES)
            for after, (source, _) in enumerate(CELL_EDGES)
            if target == source
        ]
    )
)
"""Data flow of every native graph: node 0 the input, 1 to 6 the edge operators, 7 the output."""

_INDEX_SHUFFLE_SEED = 88  # the published order of all strings; checked against it in all 15,625 places
_LONGEST_INDEX = 18  # digits; Python refuses to read numbers of thousands
_STRING = re.compile(r"\|(\w+)~0\|\+\|(\w+)~0\|(\w+)~1\|\+\|(\w+)~0\|(\w+)~1\|(\w+)~2\|")

Operators = tuple[str, str, str, str, str, str]


class NASBench201(SearchSpace):
    """NAS-Bench-201, and the topology space of NATS-Bench: 15,625 cells, 5,260 functions by canonical form.

    Dong and Yang, "NAS-Bench-201: Extending the scope of reproducible neural architecture search", 2020
    (arXiv 2001.00326). Native ids are the architecture string, the index 0 to 15624 that NAS-Bench-201, NATS-Bench
    and HW-NAS-Bench share, and NASLib's tuple of six operator numbers.
    """

    name = "nb201"
    description = "NAS-Bench-201: cells of 4 nodes with one of 5 operators on each of 6 edges"
    citation = "Dong and Yang, NAS-Bench-201, ICLR 2020, arXiv 2001.00326"
    native_id_name = "cell"
    operators = OPERATORS
    size = len(OPERATORS) ** len(CELL_EDGES)

    def locate(self, identifier: object) -> str:
        return format_cell(parse(identifier))

    def graph(self, identifier: object) -> ArchitectureGraph:
        return self._graph_of(parse(identifier))

    def native_id(self, graph: ArchitectureGraph) -> str:
        return format_cell(_operators_of(graph))

    def native_index(self, graph: ArchitectureGraph) -> int:
        return index_of(_operators_of(graph))

    def enumerate(self) -> Iterator[ArchitectureGraph]:
        return (self._graph_of(operators) for operators in index_order())

    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        drawn = np.random.default_rng(seed).integers(len(OPERATORS), size=(count, len(CELL_EDGES)))
        return [self._graph_of(_six([OPERATORS[choice] for choice in row])) for row in drawn.tolist()]

    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        operators = _operators_of(graph)
        return [
            self._graph_of(_six([*operators[:place], other, *operators[place + 1 :]]))
            for place in range(len(CELL_EDGES))
            for other in OPERATORS
            if other != operators[place]
        ]

    def structural_scores(
        self, native: Sequence[ArchitectureGraph], canonical: Sequence[ArchitectureGraph]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Parameters and multiply-accumulates of the CIFAR-10 network (C = 16, N = 5), counted from its layers."""
        from catalog.spaces import nb201_network

        return network_scores(nb201_network.costs(_counts_of(native)), nb201_network.costs(_counts_of(canonical)))

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        from catalog.spaces import nb201_network

        return nb201_network.network_plan(graph, compressed=compressed)

    def _graph_of(self, operators: Operators) -> ArchitectureGraph:
        cell = CellGraph("cell", ("input", *operators, "output"), _NATIVE_EDGES)
        return ArchitectureGraph(self.name, (cell,), self.vocabulary)


_NATIVE_EDGES = tuple((source, target, 1) for source, target in GRAPH_EDGES)


def _counts_of(graphs: Sequence[ArchitectureGraph]) -> NDArray[np.float64]:
    from catalog.spaces import nb201_network

    return nb201_network.convolution_counts([graph.cells[0].operators for graph in graphs])


def parameters(cells: Sequence[str], dataset: str = CIFAR10) -> NDArray[np.float64]:
    """(B,) trainable parameters of the network of each architecture string, with the data set's classifier."""
    from catalog.spaces import nb201_network

    return np.asarray(nb201_network.costs(_counts_in(cells), dataset)[0])


def multiply_accumulates(cells: Sequence[str], dataset: str = CIFAR10) -> NDArray[np.float64]:
    """(B,) multiply-accumulates of one image of the data set in the network of each architecture string."""
    from catalog.spaces import nb201_network

    return np.asarray(nb201_network.costs(_counts_in(cells), dataset)[1])


def _counts_in(cells: Sequence[str]) -> NDArray[np.float64]:
    """(B, 2) numbers of 1x1 and of 3x3 convolutions in architecture strings."""
    from catalog.spaces import nb201_network

    return nb201_network.convolution_counts([re.split(r"[|~]", cell) for cell in cells])


def _six(operators: Sequence[str]) -> Operators:
    one, two, three, four, five, six = operators
    return one, two, three, four, five, six


def _operators_of(graph: ArchitectureGraph) -> Operators:
    operators = graph.cells[0].operators
    if len(graph.cells) != 1 or len(operators) != 8 or graph.cells[0].edges != _NATIVE_EDGES:
        raise IdentifierError(
            f"{graph!r} is no native NAS-Bench-201 graph of 8 nodes and 10 edges; pass its native form."
        )
    return _six(operators[1:-1])


def format_cell(operators: Sequence[str]) -> str:
    """The architecture string of six operators given in string order."""
    one, two, three, four, five, six = operators
    return f"|{one}~0|+|{two}~0|{three}~1|+|{four}~0|{five}~1|{six}~2|"


def parse(identifier: object) -> Operators:
    """Six operators in string order from any native id: string, index, or NASLib's tuple (also as text).

    Raises
    ------
    IdentifierError
        The value is none of these.
    """
    if isinstance(identifier, int | np.integer) and not isinstance(identifier, bool):
        return _at_index(int(identifier))
    if isinstance(identifier, tuple | list):
        return _from_naslib(identifier)
    if not isinstance(identifier, str):
        raise _unknown(identifier)
    text = identifier.strip()
    if text.isascii() and text.isdecimal() and len(text) <= _LONGEST_INDEX:
        return _at_index(int(text))
    if text[:1] in "([":
        return _from_naslib(_literal(text))
    match = _STRING.fullmatch(text)
    if match is None:
        raise _unknown(identifier)
    operators = _six(match.groups())
    for operator in operators:
        if operator not in OPERATORS:
            raise IdentifierError(
                f"unknown operator {operator!r} in the NAS-Bench-201 cell {text!r}; allowed: {', '.join(OPERATORS)}."
            )
    return operators


def _literal(text: str) -> Sequence[object]:
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        raise _unknown(text) from None
    if not isinstance(value, tuple | list):
        raise _unknown(text)
    return value


def _from_naslib(numbers: Sequence[object]) -> Operators:
    """NASLib's operator numbers, by its own operator order and by source node first."""
    valid = len(numbers) == len(CELL_EDGES) and all(
        isinstance(number, int | np.integer) and not isinstance(number, bool) and 0 <= number < len(OPERATORS)
        for number in numbers
    )
    if not valid:
        raise IdentifierError(
            f"{numbers!r} is no NASLib tuple of a NAS-Bench-201 cell: six operator numbers, 0 to 4, are needed."
        )
    by_edge = {edge: _NASLIB_OPERATORS[int(str(number))] for edge, number in zip(_NASLIB_EDGES, numbers, strict=True)}
    return _six([by_edge[edge] for edge in CELL_EDGES])


def to_naslib(identifier: object) -> tuple[int, ...]:
    """NASLib's tuple of a cell, the inverse of reading it."""
    by_edge = dict(zip(CELL_EDGES, parse(identifier), strict=True))
    return tuple(_NASLIB_OPERATORS.index(by_edge[edge]) for edge in _NASLIB_EDGES)


def _unknown(identifier: object) -> IdentifierError:
    return IdentifierError(
        f"{identifier!r} names no NAS-Bench-201 cell; give a string such as "
        "'|nor_conv_3x3~0|+|none~0|skip_connect~1|+|nor_conv_1x1~0|avg_pool_3x3~1|nor_conv_3x3~2|', "
        "an index from 0 to 15624, or NASLib's tuple of six operator numbers such as '(4, 3, 3, 0, 0, 0)'."
    )


@cache
def index_order() -> tuple[Operators, ...]:
    """All cells in the order of the index that the benchmark's files share."""
    cells = [_six(choice) for choice in itertools.product(OPERATORS, repeat=len(CELL_EDGES))]
    random.Random(_INDEX_SHUFFLE_SEED).shuffle(cells)
    return tuple(cells)


@cache
def _positions() -> dict[Operators, int]:
    return {operators: index for index, operators in enumerate(index_order())}


def index_of(operators: Operators) -> int:
    """The benchmark's index of six operators given in string order."""
    return _positions()[operators]


def _at_index(index: int) -> Operators:
    order = index_order()
    if not 0 <= index < len(order):
        raise IdentifierError(f"NAS-Bench-201 has no cell with index {index}; the indices are 0 to {len(order) - 1}.")
    return order[index]
