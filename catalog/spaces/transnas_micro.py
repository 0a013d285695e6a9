"""TransNAS-Bench-101's micro space: a cell of four nodes and six edges, one of four operators on each edge."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import IdentifierError
from catalog.spaces.base import SearchSpace, network_scores
from catalog.spaces.nb201 import CELL_EDGES, GRAPH_EDGES

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

OPERATORS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3")
"""In the order of the digits of an id."""

_MACRO = "64-41414-"
_ID = re.compile(r"64-41414-(\d)_(\d{2})_(\d{3})", re.ASCII)
_TUPLE = re.compile(r"[(\[]\s*(\d)\s*(?:,\s*(\d)\s*){5}[)\]]", re.ASCII)
_EDGES = tuple((source, target, 1) for source, target in GRAPH_EDGES)
_DIGITS = {operator: digit for digit, operator in enumerate(OPERATORS)}

Cell = tuple[int, ...]
"""The six digits of an id."""


class TransNASMicro(SearchSpace):
    """TransNAS-Bench-101's micro space: 4,096 cells, each trained on seven tasks of Taskonomy.

    Duan et al., "TransNAS-Bench-101: Improving transferability and generalizability of cross-task neural architecture
    search", 2021 (arXiv 2105.11871). The native id is ``64-41414-A_BC_DEF``: 64 channels, five modules of two cells of
    which the first, third and fifth double the channels and halve the resolution in their first cell, and one digit an
    edge in NAS-Bench-201's order. NASLib's tuple of the six digits is read too.

    An architecture has two cells of the same operators: ``normal``, and ``reduce``, in which what the input feeds has
    stride 2. There a skip has weights, and so no function loses it.
    """

    name = "transnas_micro"
    description = "TransNAS-Bench-101 micro: cells of 4 nodes with one of 4 operators on each of 6 edges, for 7 tasks"
    citation = "Duan et al., TransNAS-Bench-101, CVPR 2021, arXiv 2105.11871"
    native_id_name = "arch"
    operators = OPERATORS
    size = len(OPERATORS) ** len(CELL_EDGES)

    def locate(self, identifier: object) -> str:
        return format_cell(parse(identifier))

    def graph(self, identifier: object) -> ArchitectureGraph:
        return self._graph_of(parse(identifier))

    def native_id(self, graph: ArchitectureGraph) -> str:
        return format_cell(_cell_of(graph))

    def enumerate(self) -> Iterator[ArchitectureGraph]:
        return map(self._graph_of, itertools.product(range(len(OPERATORS)), repeat=len(CELL_EDGES)))

    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        drawn = np.random.default_rng(seed).integers(len(OPERATORS), size=(count, len(CELL_EDGES)))
        return [self._graph_of(tuple(row)) for row in drawn.tolist()]

    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        cell = _cell_of(graph)
        return [
            self._graph_of((*cell[:place], other, *cell[place + 1 :]))
            for place in range(len(CELL_EDGES))
            for other in range(len(OPERATORS))
            if other != cell[place]
        ]

    def structural_scores(
        self, native: Sequence[ArchitectureGraph], canonical: Sequence[ArchitectureGraph]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Parameters and multiply-accumulates of the network for ``class_object``: 256 pixels, 75 classes."""
        from catalog.spaces.transnas_network import network_costs

        return network_scores(network_costs(native), network_costs(canonical))

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        from catalog.spaces import transnas_network

        return transnas_network.network_plan(graph, compressed=compressed)

    def _graph_of(self, cell: Cell) -> ArchitectureGraph:
        operators = ("input", *(OPERATORS[digit] for digit in cell), "output")
        cells = (CellGraph("normal", operators, _EDGES), CellGraph("reduce", operators, _EDGES, reduction=True))
        return ArchitectureGraph(self.name, cells, self.vocabulary)


def _cell_of(graph: ArchitectureGraph) -> Cell:
    operators = graph.cells[0].operators[1:-1]
    if (
        [cell.name for cell in graph.cells] != ["normal", "reduce"]
        or any(cell.edges != _EDGES or cell.operators[1:-1] != operators for cell in graph.cells)
        or not set(operators) <= set(OPERATORS)
    ):
        raise IdentifierError(
            f"{graph!r} is no native graph of TransNAS-Bench-101's micro space: two cells of the same 8 nodes and 10 "
            "edges; pass its native form."
        )
    return tuple(_DIGITS[operator] for operator in operators)


def format_cell(cell: Sequence[int]) -> str:
    """The id of six digits in the order of the edges."""
    one, two, three, four, five, six = cell
    return f"{_MACRO}{one}_{two}{three}_{four}{five}{six}"


def parse(identifier: object) -> Cell:
    """The six digits of a native id: the benchmark's text, or NASLib's tuple, also as text.

    Raises
    ------
    IdentifierError
        The value is neither.
    """
    if isinstance(identifier, tuple | list):
        return _checked(identifier, identifier)
    if isinstance(identifier, str):
        text = identifier.strip()
        if match := _ID.fullmatch(text):
            return _checked([int(digit) for digits in match.groups() for digit in digits], text)
        if _TUPLE.fullmatch(text):
            return _checked([int(digit) for digit in re.findall(r"\d", text)], text)
        if re.fullmatch(r"64-[1-4]{4,6}-basic", text):
            raise IdentifierError(f"{text!r} is an architecture of the benchmark's macro space. {_ALLOWED}")
    raise IdentifierError(f"{identifier!r} names no cell of TransNAS-Bench-101's micro space. {_ALLOWED}")


_ALLOWED = (
    "Give an id such as '64-41414-1_02_333', of which the last six digits are 0 none, 1 skip, 2 convolution 1x1 or 3 "
    "convolution 3x3, or NASLib's tuple of them such as '(1, 0, 2, 3, 3, 3)'."
)


def _checked(digits: Sequence[object], given: object) -> Cell:
    found = tuple(
        int(digit)
        for digit in digits
        if isinstance(digit, int | np.integer) and not isinstance(digit, bool) and 0 <= digit < len(OPERATORS)
    )
    if len(found) != len(digits) or len(found) != len(CELL_EDGES):
        raise IdentifierError(f"{given!r} names no cell of TransNAS-Bench-101's micro space. {_ALLOWED}")
    return found
