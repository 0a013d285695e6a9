"""NAS-Bench-101: modules of up to seven vertices and nine edges, an operator on each vertex."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph, CellGraph
from catalog.architecture.graph_tables import placed_cells
from catalog.architecture.members import Members
from catalog.errors import IdentifierError
from catalog.spaces import nb101_identifiers, nb101_neighbours, nb101_network
from catalog.spaces.base import SearchSpace, network_scores
from catalog.spaces.nb101_enumeration import first_forms
from catalog.spaces.nb101_hash import NODE_OPERATORS, module_hashes
from catalog.spaces.nb101_population import Population

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

_BATCH = 50_000


class NASBench101(SearchSpace):
    """NAS-Bench-101: 423,624 modules, no two of them isomorphic, each stacked nine times into a CIFAR-10 network.

    Ying et al., "NAS-Bench-101: Towards reproducible neural architecture search", 2019 (arXiv 1902.09635). Native ids
    are the module hash and the benchmark's ``ModelSpec``; the native index counts the hashes in ascending order.

    ======== ======= ====== ======= ======= ======= =======
    vertices       2      3       4       5       6       7
    ======== ======= ====== ======= ======= ======= =======
    modules        1      6      84   2,441  62,010 359,082
    ======== ======= ====== ======= ======= ======= =======

    Isomorphic specifications are one architecture, but the order of the vertices can change how channels are shared
    out. What is counted belongs to the first form, the one that the benchmark's enumeration meets first and trained.
    """

    name = "nb101"
    description = "NAS-Bench-101: modules of at most 7 vertices and 9 edges with one of 3 operators on each vertex"
    citation = "Ying et al., NAS-Bench-101, ICML 2019, arXiv 1902.09635"
    native_id_name = "hash"
    operators = NODE_OPERATORS[:3]
    size = nb101_identifiers.SIZE
    forms_are_equal = True

    def locate(self, identifier: object) -> str | int:
        module_hash = nb101_identifiers.module_hash(identifier)
        if module_hash is not None:
            return module_hash
        index = nb101_identifiers.native_index(identifier)
        return index if index is not None else _hash_of(nb101_identifiers.parse(identifier))

    def graph(self, identifier: object) -> ArchitectureGraph:
        is_hash = nb101_identifiers.module_hash(identifier) is not None
        if is_hash or nb101_identifiers.native_index(identifier) is not None:
            raise IdentifierError(
                f"the {'module hash' if is_hash else 'index'} {identifier} does not determine its NAS-Bench-101 module "
                f"on its own; look it up in a catalog: catalog show nb101 {identifier}."
            )
        return self._graph_of(nb101_identifiers.parse(identifier))

    def native_id(self, graph: ArchitectureGraph) -> str:
        return _hash_of(nb101_identifiers.parse(graph))

    def native_index(self, graph: ArchitectureGraph) -> int:
        """The place of the module's hash among all in ascending order; the first call hashes the whole space."""
        return int(np.searchsorted(self._population.hashes, self.native_id(graph).encode()))

    def first_form(self, graph: ArchitectureGraph) -> ArchitectureGraph:
        """The isomorphic module that the benchmark's enumeration meets first, and therefore stores."""
        return self._graph_of(first_forms(_arrays([nb101_identifiers.parse(graph)])).cell(0))

    def enumerate(self) -> Iterator[ArchitectureGraph]:
        order = self._population.order
        for start in range(0, len(order), _BATCH):
            yield from self._at_places(order[start : start + _BATCH])

    def enumerate_members(self) -> Iterator[Members]:
        hashes, order = self._population.hashes, self._population.order
        for start in range(0, len(order), _BATCH):
            part = slice(start, start + _BATCH)
            names = hashes[part].astype(str).tolist()
            modules = self._population.modules(order[part])
            yield Members(names, native_indices=range(start, start + len(names)), cells=modules)

    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        return self._at_places(np.random.default_rng(seed).integers(self.size, size=count))

    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        """Modules one operator or one edge away, in first form; `catalog.spaces.nb101_neighbours` says what counts."""
        batches = nb101_neighbours.neighbours(_arrays([nb101_identifiers.parse(graph)]))
        return [self._graph_of(batch.cell(row)) for batch in batches for row in range(len(batch))]

    def structural_scores(
        self, native: Sequence[ArchitectureGraph], canonical: Sequence[ArchitectureGraph]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Parameters and multiply-accumulates of the CIFAR-10 network of each module's first form."""
        scores: dict[str, NDArray[np.float64]] = {}
        for part in placed_cells(native):
            for name, values in self.structural_scores_of_cells(part.cells).items():
                scores.setdefault(name, np.empty(len(native)))[part.rows] = values
        return scores or network_scores(np.empty((4, 0)), np.empty((4, 0)))

    def structural_scores_of_cells(self, cells: CellArrays) -> Mapping[str, NDArray[np.float64]]:
        """The same of arrays. Every vertex of a module is on a path, so all that there is lives."""
        ordered = first_forms(_in_our_vocabulary(cells))
        costs = nb101_network.costs(ordered.adjacency, ordered.operators)
        return network_scores(costs, costs)

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        """The network of the module's first form, which the benchmark trained."""
        return self.network_plans([graph], compressed=compressed)[0]

    def network_plans(
        self, graphs: Sequence[ArchitectureGraph], *, compressed: bool = True
    ) -> list[NetworkPlan | None]:
        from catalog.spaces import nb101_computation

        plans: list[NetworkPlan | None] = [None] * len(graphs)
        for part in placed_cells(graphs):
            ordered = first_forms(_in_our_vocabulary(part.cells))
            for place, row in enumerate(part.rows.tolist()):
                graph = self._graph_of(ordered.cell(place))
                plans[row] = nb101_computation.network_plan(graph, compressed=compressed)
        return plans

    def _graph_of(self, cell: CellGraph) -> ArchitectureGraph:
        return ArchitectureGraph(self.name, (cell,), self.vocabulary)

    def _at_places(self, places: NDArray[np.int64]) -> list[ArchitectureGraph]:
        graphs = {
            row: self._graph_of(part.cells.cell(index))
            for part in self._population.modules(places)
            for index, row in enumerate(part.rows.tolist())
        }
        return [graphs[row] for row in range(len(places))]

    @cached_property
    def _population(self) -> Population:
        return Population()


def parameters_as_drawn(cells: CellArrays) -> NDArray[np.int64]:
    """Trainable parameters of each module's network with its vertices as they stand, (B,).

    Isomorphic modules may differ here; the benchmark trained the first form.
    """
    modules = _in_our_vocabulary(cells)
    return nb101_network.parameters(modules.adjacency, modules.operators)


def _hash_of(cell: CellGraph) -> str:
    modules = _arrays([cell])
    return module_hashes(modules.adjacency, modules.operators)[0]


def _arrays(modules: Sequence[CellGraph]) -> CellArrays:
    return CellArrays.of(modules, NODE_OPERATORS)


def _in_our_vocabulary(modules: CellArrays) -> CellArrays:
    if modules.vocabulary == NODE_OPERATORS:
        return modules
    places = np.array([NODE_OPERATORS.index(name) for name in modules.vocabulary], dtype=np.int16)
    return CellArrays(modules.name, NODE_OPERATORS, places[modules.operators], modules.adjacency)
