"""The size space of NATS-Bench: one cell, five stages, eight widths a stage."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.operators import VOCABULARY, Operator
from catalog.architecture.sizes import NetworkInput, Size
from catalog.architecture.skeleton import CIFAR10
from catalog.errors import IdentifierError
from catalog.spaces.base import SearchSpace, network_scores

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

STAGES = 5
WIDTHS = tuple(range(8, 65, 8))

_EDGES = tuple((node, node + 1, 1) for node in range(STAGES + 1))
_WORDS = "Stage of convolutions 3 by 3"

STAGE = Operator("stage", "conv", _WORDS, _WORDS, _WORDS, kernel=3, dilation=1, has_weights=True)
"""A node is a whole stage of the network; its size says the channels."""

_SIZES = {width: Size.of({"channels": width}) for width in WIDTHS}


@cache
def _ends() -> tuple[NetworkInput, int]:
    """What the network takes, and its number of classes."""
    from catalog.spaces.nats_network import SKELETON

    _, *image = SKELETON.image(CIFAR10)
    return NetworkInput.of({"shape": image}), SKELETON.datasets[CIFAR10].classes


class NATSSize(SearchSpace):
    """NATS-Bench's size space: 32,768 networks of one fixed cell whose five stages have 8, 16, ... 64 channels.

    Dong et al., "NATS-Bench: Benchmarking NAS algorithms for architecture topology and size", 2021
    (arXiv 2009.00437). The native id lists the channels of the stages, ``64:40:16:24:8``; the native index counts the
    lists in order, the last stage changing fastest. The graph is a chain with one node a stage.
    """

    name = "nats-sss"
    description = "NATS-Bench size space: one of 8 widths in each of 5 stages"
    citation = "Dong et al., NATS-Bench, TPAMI 2021, arXiv 2009.00437"
    native_id_name = "channels"
    operators = (STAGE.name,)
    size = len(WIDTHS) ** STAGES
    own_operators = (STAGE,)
    vocabulary = VOCABULARY.extended(own_operators)

    def locate(self, identifier: object) -> str:
        return _format(_parse(identifier))

    def graph(self, identifier: object) -> ArchitectureGraph:
        return self._graph_of(_parse(identifier))

    def native_id(self, graph: ArchitectureGraph) -> str:
        return _format(_widths_of(graph))

    def native_index(self, graph: ArchitectureGraph) -> int:
        index = 0
        for width in _widths_of(graph):
            index = index * len(WIDTHS) + WIDTHS.index(width)
        return index

    def enumerate(self) -> Iterator[ArchitectureGraph]:
        return (self._graph_of(widths) for widths in itertools.product(WIDTHS, repeat=STAGES))

    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        drawn = np.random.default_rng(seed).integers(len(WIDTHS), size=(count, STAGES)).tolist()
        return [self._graph_of([WIDTHS[choice] for choice in row]) for row in drawn]

    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        widths = _widths_of(graph)
        return [
            self._graph_of([*widths[:stage], other, *widths[stage + 1 :]])
            for stage in range(STAGES)
            for other in WIDTHS
            if other != widths[stage]
        ]

    def structural_scores(
        self, native: Sequence[ArchitectureGraph], canonical: Sequence[ArchitectureGraph]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Costs of the CIFAR-10 network, all of which lives."""
        from catalog.spaces.nats_network import costs

        found = np.array([costs(_widths_of(graph)) for graph in native], dtype=np.float64).reshape(-1, 4).T
        return network_scores(found, found)

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan:
        from catalog.spaces import nats_network

        return nats_network.network_plan(_widths_of(graph))

    def _graph_of(self, widths: Sequence[int]) -> ArchitectureGraph:
        cell = CellGraph(
            "network",
            ("input", *(STAGE.name for _ in widths), "output"),
            _EDGES,
            sizes=(None, *(_SIZES[width] for width in widths), None),
        )
        return ArchitectureGraph(self.name, (cell,), self.vocabulary, *_ends())


def _format(widths: Sequence[int]) -> str:
    return ":".join(map(str, widths))


def _parse(identifier: object) -> list[int]:
    text = identifier.strip() if isinstance(identifier, str) and identifier.isascii() else ""
    if text.isdecimal() and len(text) < 10:
        identifier = int(text)
    if isinstance(identifier, int | np.integer) and not isinstance(identifier, bool):
        return _at_index(int(identifier))
    parts = text.split(":")
    widths = [int(part) for part in parts if part.isdecimal() and len(part) < 4]
    if len(parts) != STAGES or len(widths) != STAGES or not set(widths) <= set(WIDTHS):
        raise IdentifierError(
            f"{identifier!r} names no architecture of NATS-Bench's size space; give {STAGES} channel numbers out of "
            f"{', '.join(map(str, WIDTHS))}, for example '64:40:16:24:8', or an index from 0 to {NATSSize.size - 1}."
        )
    return widths


def _at_index(index: int) -> list[int]:
    if not 0 <= index < NATSSize.size:
        raise IdentifierError(
            f"NATS-Bench's size space has no architecture with index {index}; the indices are 0 to {NATSSize.size - 1}."
        )
    return [WIDTHS[index // len(WIDTHS) ** stage % len(WIDTHS)] for stage in reversed(range(STAGES))]


def _widths_of(graph: ArchitectureGraph) -> list[int]:
    (cell, *others) = graph.cells
    sizes = [cell.size(node) for node in range(1, cell.node_count - 1)]
    widths = [int(size.channels) for size in sizes if size is not None and size.channels in WIDTHS]
    if others or cell.edges != _EDGES or len(widths) != STAGES:
        raise IdentifierError(
            f"{graph!r} is no graph of NATS-Bench's size space: a chain of {STAGES} stages with channels is needed."
        )
    return widths
