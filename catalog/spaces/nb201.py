"""NAS-Bench-201: a cell of four nodes and six edges, one of five operators on each edge."""

from __future__ import annotations

import ast
import itertools
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.errors import IdentifierError
from catalog.spaces.base import SearchSpace

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
    """NAS-Bench-201, and the topology space of NATS-Bench: 15,625 cells, 5,260 distinct functions.

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
        every = _convolution_counts([graph.cells[0] for graph in native])
        live = _convolution_counts([graph.cells[0] for graph in canonical])
        return {
            "params": _SKELETON_PARAMETERS + every @ _CELL_PARAMETERS,
            "flops": _SKELETON_MULTIPLY_ACCUMULATES + every @ _CELL_MULTIPLY_ACCUMULATES,
            "live_params": _SKELETON_PARAMETERS + live @ _CELL_PARAMETERS,
            "live_flops": _SKELETON_MULTIPLY_ACCUMULATES + live @ _CELL_MULTIPLY_ACCUMULATES,
        }

    def _graph_of(self, operators: Operators) -> ArchitectureGraph:
        cell = CellGraph("cell", ("input", *operators, "output"), _NATIVE_EDGES)
        return ArchitectureGraph(self.name, (cell,), self.vocabulary)


_NATIVE_EDGES = tuple((source, target, 1) for source, target in GRAPH_EDGES)

# The CIFAR-10 network: a 3x3 stem to 16 channels, three stages of five cells at 16, 32 and 64 channels on 32, 16 and 8
# pixels, a residual block that doubles the channels between stages, BatchNorm, pooling and a linear classifier.
_CHANNELS = (16, 32, 64)
_PIXELS = (32 * 32, 16 * 16, 8 * 8)
_CELLS_A_STAGE = 5

CLASSES = {"cifar10": 10, "cifar10-valid": 10, "cifar100": 100, "imagenet16-120": 120}
"""Classes of each data set that the benchmark trains on; the network is the same up to its classifier."""

_PIXELS_SHARE = {"imagenet16-120": 4}  # its images are 16 pixels wide, a quarter of CIFAR's 32 by 32


def _convolution_parameters(inputs: int, outputs: int, kernel: int) -> int:
    return inputs * outputs * kernel**2


def _cell_parameters(kernel: int) -> int:
    """Parameters that one convolution on one edge adds to the network: its weights and its BatchNorm's two vectors."""
    return sum(_CELLS_A_STAGE * (_convolution_parameters(c, c, kernel) + 2 * c) for c in _CHANNELS)


def _cell_multiply_accumulates(kernel: int) -> int:
    return sum(
        _CELLS_A_STAGE * _convolution_parameters(c, c, kernel) * pixels
        for c, pixels in zip(_CHANNELS, _PIXELS, strict=True)
    )


def _reduction_block(inputs: int, pixels: int) -> tuple[int, int]:
    """Parameters and multiply-accumulates of the residual block from `inputs` to twice the channels on `pixels`."""
    outputs = 2 * inputs
    convolutions = (
        _convolution_parameters(inputs, outputs, 3),
        _convolution_parameters(outputs, outputs, 3),
        _convolution_parameters(inputs, outputs, 1),
    )
    return sum(convolutions) + 2 * 2 * outputs, sum(convolutions) * pixels


def _classifier(dataset: str) -> int:
    """Parameters of the classifier, and its multiply-accumulates: the benchmark counts a bias as one operation."""
    return (_CHANNELS[-1] + 1) * CLASSES[dataset]


def _skeleton() -> tuple[int, int]:
    """Parameters and multiply-accumulates of everything outside the cells."""
    stem = _convolution_parameters(3, _CHANNELS[0], 3)
    blocks = [_reduction_block(inputs, pixels) for inputs, pixels in zip(_CHANNELS[:2], _PIXELS[1:], strict=True)]
    classifier = _classifier("cifar10")
    parameters = stem + 2 * _CHANNELS[0] + 2 * _CHANNELS[-1] + classifier
    return (
        parameters + sum(block[0] for block in blocks),
        stem * _PIXELS[0] + classifier + sum(block[1] for block in blocks),
    )


_SKELETON_PARAMETERS, _SKELETON_MULTIPLY_ACCUMULATES = _skeleton()
_CELL_PARAMETERS = np.array([_cell_parameters(1), _cell_parameters(3)], dtype=np.float64)
_CELL_MULTIPLY_ACCUMULATES = np.array([_cell_multiply_accumulates(1), _cell_multiply_accumulates(3)], dtype=np.float64)


def _convolution_counts(cells: Sequence[CellGraph]) -> NDArray[np.float64]:
    """(B, 2) numbers of 1x1 and of 3x3 convolutions."""
    return np.array(
        [(cell.operators.count("nor_conv_1x1"), cell.operators.count("nor_conv_3x3")) for cell in cells],
        dtype=np.float64,
    ).reshape(-1, 2)


def parameters(cells: Sequence[str], dataset: str = "cifar10") -> NDArray[np.float64]:
    """(B,) trainable parameters of the network of each architecture string, with the data set's classifier."""
    skeleton = _SKELETON_PARAMETERS - _classifier("cifar10") + _classifier(dataset)
    return np.asarray(skeleton + _counts_in(cells) @ _CELL_PARAMETERS)


def multiply_accumulates(cells: Sequence[str], dataset: str = "cifar10") -> NDArray[np.float64]:
    """(B,) multiply-accumulates of one image of the data set in the network of each architecture string."""
    skeleton = _SKELETON_MULTIPLY_ACCUMULATES - _classifier("cifar10")
    convolutions = skeleton + _counts_in(cells) @ _CELL_MULTIPLY_ACCUMULATES
    return np.asarray(convolutions / _PIXELS_SHARE.get(dataset, 1) + _classifier(dataset))


def _counts_in(cells: Sequence[str]) -> NDArray[np.float64]:
    """(B, 2) numbers of 1x1 and of 3x3 convolutions in architecture strings."""
    counts = [(cell.count("|nor_conv_1x1~"), cell.count("|nor_conv_3x3~")) for cell in cells]
    return np.array(counts, dtype=np.float64).reshape(-1, 2)


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
    if text.isdecimal() and len(text) <= _LONGEST_INDEX:
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
