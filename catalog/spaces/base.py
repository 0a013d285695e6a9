"""What every search space can do: name its architectures, convert them to graphs, list and vary them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from catalog.architecture.cell_arrays import CellArrays
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.members import Members
from catalog.architecture.operators import VOCABULARY, Operator, Vocabulary
from catalog.errors import UsageError

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

_BATCH = 20_000


class SearchSpace(ABC):
    """One search space; a subclass for each, one file each."""

    name: str
    description: str
    citation: str
    native_id_name: str
    """The native id's column in the wide view."""
    operators: tuple[str, ...]
    """Operators that a search may choose among."""
    size: int | None = None
    """Architectures in the whole space; None where it cannot be enumerated."""
    forms_are_equal: bool = False
    """Whether the native and the canonical form hold the same nodes and edges, so that one is stored."""
    ids_determine_graphs: bool = True
    """Whether a native id cannot stand for two different graphs."""
    sizes_are_all: bool = False
    """Whether a whole network is what its nodes' sizes say and no more, so that its counts follow from them."""
    has_whole_networks: bool = False
    """Whether every graph is a whole network, so that its counts are known without anything else."""
    definition: str | None = None
    """What a catalog has to keep of a user's space to know it again; None where its name or its operators say it."""
    own_operators: tuple[Operator, ...] = ()
    """Operators that the space has besides the built-in ones, or instead of some of them."""
    vocabulary: Vocabulary = VOCABULARY

    @abstractmethod
    def locate(self, identifier: object) -> str | int:
        """What finds an architecture in the catalog: its native id, or its native index as an integer.

        Accepts every native id of the space, as text or as the benchmark's object.

        Raises
        ------
        IdentifierError
            `identifier` names no architecture of this space.
        """

    @abstractmethod
    def graph(self, identifier: object) -> ArchitectureGraph:
        """The native graph of an identifier that determines it.

        Raises
        ------
        IdentifierError
            `identifier` names no architecture, or (a hash) does not determine the graph on its own.
        """

    @abstractmethod
    def native_id(self, graph: ArchitectureGraph) -> str:
        """The benchmark's own identifier of a native graph; the inverse of `graph` where that exists."""

    def native_index(self, graph: ArchitectureGraph) -> int | None:
        """The benchmark's own number of a native graph; None where the space has none that can be computed."""
        return None

    def enumerate(self) -> Iterator[ArchitectureGraph]:
        """Every architecture of the space, in the order of the native index.

        Raises
        ------
        UsageError
            The space is too large to enumerate.
        """
        raise UsageError(
            f"the space {self.name!r} is too large to enumerate; draw from it: catalog spaces draw {self.name}."
        )

    def enumerate_members(self) -> Iterator[Members]:
        """Every architecture of the space in batches, as the catalog enters them."""
        return self._in_batches(self.enumerate())

    def drawn_members(self, count: int, seed: int) -> Iterator[Members]:
        """Different architectures, each set of them as likely as any other, in batches as the catalog enters them.

        Parameters
        ----------
        count
            How many; all there are where they are fewer.
        seed
            One seed, one draw.
        """
        generator = np.random.default_rng(seed)
        if self.size is not None and 2 * count >= self.size:
            chosen = set(generator.permutation(self.size)[:count].tolist())
            yield from self._in_batches(graph for place, graph in enumerate(self.enumerate()) if place in chosen)
            return
        found: dict[str, ArchitectureGraph] = {}
        while len(found) < count:
            for graph in self.sample(count - len(found), int(generator.integers(2**31))):
                found.setdefault(self.native_id(graph), graph)
        yield from self._in_batches(iter(found.values()))

    def _in_batches(self, graphs: Iterator[ArchitectureGraph]) -> Iterator[Members]:
        while batch := list(islice(graphs, _BATCH)):
            yield Members([self.native_id(graph) for graph in batch], graphs=batch)

    @abstractmethod
    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        """`count` architectures drawn uniformly, with replacement, from the native space; one seed, one draw."""

    @abstractmethod
    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        """Native graphs one edit away, each once, without `graph` itself."""

    def structural_scores(
        self, native: Sequence[ArchitectureGraph], canonical: Sequence[ArchitectureGraph]
    ) -> Mapping[str, NDArray[np.float64]]:
        """Structural proxies that only this space's network definition can give, such as ``params``; each (B,).

        Parameters
        ----------
        native, canonical
            The two forms of the same architectures, in the same order.
        """
        return {}

    def structural_scores_of_cells(self, cells: CellArrays) -> Mapping[str, NDArray[np.float64]]:
        """`structural_scores` of one-cell architectures given as arrays, in a space whose two forms are equal."""
        return {}

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        """The live part of the network around a native graph, for the data set of the space's `structural_scores`.

        Zero operators, and what only they feed or what reaches no output, have no part in it; identities hand on what
        they get.

        Parameters
        ----------
        graph
            The native graph.
        compressed
            Whether the first of equal cells in a row stands for all of them.

        Returns
        -------
        NetworkPlan or None
            None where a cell has no path from an input to its output, so that the network computes nothing.

        Raises
        ------
        UsageError
            The graph is all that is known of the space's architectures.
        """
        raise UsageError(
            f"the space {self.name!r} does not say what network is around its cells, so it has no computation graphs."
        )

    def network_plans(
        self, graphs: Sequence[ArchitectureGraph], *, compressed: bool = True
    ) -> list[NetworkPlan | None]:
        """`network_plan` of each of many native graphs."""
        return [self.network_plan(graph, compressed=compressed) for graph in graphs]

    def __repr__(self) -> str:
        size = "not enumerable" if self.size is None else f"{self.size:,} architectures"
        return f"{type(self).__name__}({self.name!r}, {size})"


def network_scores(
    native: NDArray[np.floating[Any]] | NDArray[np.integer[Any]],
    live: NDArray[np.floating[Any]] | NDArray[np.integer[Any]],
) -> dict[str, NDArray[np.float64]]:
    """The structural scores of networks, from their costs.

    Parameters
    ----------
    native, live
        (4, B) parameters, multiply-accumulates, square roots of the layers' multiply-accumulates, and activations: of
        the native network, and of its part that is on a path from input to output.
    """
    params, flops, _, _ = native.astype(np.float64)
    live_params, live_flops, root_macs, activations = live.astype(np.float64)
    return {
        "params": params,
        "flops": flops,
        "live_params": live_params,
        "live_flops": live_flops,
        "root_macs": root_macs,
        "activations": activations,
    }


def architecture(space: SearchSpace, *cells: Any) -> ArchitectureGraph:
    """An architecture of `space` made of `cells`."""
    return ArchitectureGraph(space.name, tuple(cells), space.vocabulary)
