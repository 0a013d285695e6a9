"""A search space that a user brought: its architectures are known by the names in the user's file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NoReturn

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.operators import SHARED, SIZED_VOCABULARY, Operator
from catalog.errors import IdentifierError, UsageError
from catalog.spaces.base import SearchSpace

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

DESCRIPTION = "architectures from the user's own files"


class OwnSpace(SearchSpace):
    """A space made of the architectures that were ingested into it.

    Parameters
    ----------
    name
        Its name.
    operators
        The operators that it has besides the built-in ones, or instead of some of them.
    description
        What it is, in one sentence.
    """

    citation = "the user's own files"
    native_id_name = "id"
    ids_determine_graphs = False
    sizes_are_all = True
    operators = ()

    def __init__(self, name: str, operators: Iterable[Operator] = (), description: str = DESCRIPTION) -> None:
        self.name = name
        self.description = description
        self.own_operators = tuple(operators)
        self.vocabulary = SIZED_VOCABULARY.extended(self.own_operators) if self.own_operators else SIZED_VOCABULARY

    def locate(self, identifier: object) -> str:
        if not isinstance(identifier, str) or not identifier:
            raise IdentifierError(
                f"{identifier!r} is no id of the space {self.name!r}; ids are the texts of its files."
            )
        return identifier

    def graph(self, identifier: object) -> ArchitectureGraph:
        raise IdentifierError(
            f"the id {identifier!r} does not determine its graph on its own; look it up in a catalog: "
            f"catalog show {self.name} {identifier}."
        )

    def native_id(self, graph: ArchitectureGraph) -> str:
        raise IdentifierError(f"a graph of the space {self.name!r} does not know its id; look it up by its digest.")

    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        self._undefined("drawn from")

    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        self._undefined("varied")

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        """The network of a graph that is a whole one."""
        return self.network_plans([graph], compressed=compressed)[0]

    def network_plans(
        self, graphs: Sequence[ArchitectureGraph], *, compressed: bool = True
    ) -> list[NetworkPlan | None]:
        without = sum(graph.input is None for graph in graphs)
        if without:
            raise UsageError(
                f"{without:,} of {len(graphs):,} architectures of the space {self.name!r} are cells or graphs without "
                "an input, and nothing says what network is around them, so they have no computation graphs."
            )
        from catalog.architecture.computation.sized_plan import SizedPlans

        plans = SizedPlans(self.vocabulary)
        return [plans.plan(graph, compressed=compressed) for graph in graphs]

    def _undefined(self, what: str) -> NoReturn:
        raise UsageError(
            f"the space {self.name!r} is a list of {len(SHARED) + len(self.own_operators)} operators and the "
            f"ingested graphs; it has no rule by which it could be {what}. Search among its stored architectures."
        )
