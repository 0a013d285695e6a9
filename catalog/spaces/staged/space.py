"""A staged space: all that a search space can do, from its description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.members import Members
from catalog.architecture.operators import SIZED_VOCABULARY
from catalog.errors import GraphError, IdentifierError, SpaceFileError, UsageError
from catalog.spaces.base import SearchSpace
from catalog.spaces.staged.assignment import Assignment, Assignments, Read
from catalog.spaces.staged.building import Networks
from catalog.spaces.staged.checking import check_space
from catalog.spaces.staged.description import Description
from catalog.spaces.staged.identifiers import Identifiers
from catalog.spaces.staged.public_table import PublicTable, public_table
from catalog.spaces.staged.reading import read_description

if TYPE_CHECKING:
    from catalog.architecture.computation.plan import NetworkPlan

MOST_ENUMERATED = 2_000_000
"""Architectures of the largest space that can be listed as a whole."""

_BATCH = 5_000


class StagedSpace(SearchSpace):
    """A space of networks made of stages of blocks, as a file describes it.

    Parameters
    ----------
    description
        What the file says.
    """

    native_id_name = "arch"
    operators = ()
    sizes_are_all = True
    has_whole_networks = True
    vocabulary = SIZED_VOCABULARY

    def __init__(self, description: Description) -> None:
        self.description_of = description
        self.name = description.name
        self.description = description.description
        self.citation = description.citation
        self.assignments = Assignments(description)
        self._ids = Identifiers(self.assignments)
        self._networks = Networks(self.assignments)
        self.size = self.assignments.count if self.assignments.count <= MOST_ENUMERATED else None

    @classmethod
    def from_text(cls, text: str, file: str, *, checked: bool = True) -> StagedSpace:
        """The space that a file describes.

        Parameters
        ----------
        text
            The file's text.
        file
            What messages call the file.
        checked
            Whether to find out that it is sound: that ids can be read back and networks fit together. A description
            that is stored was.

        Raises
        ------
        SpaceFileError
            It describes none.
        """
        described = read_description(text, file)
        public_table(described, file)
        try:
            space = cls(described)
            if checked:
                space.check()
        except (SpaceFileError, GraphError) as error:
            raise SpaceFileError(f"{file}: {error} Nothing was stored.") from None
        space.definition = text
        return space

    def check(self) -> None:
        """Check that ids can be read back, and that networks of the space fit together.

        Raises
        ------
        SpaceFileError
            They do not.
        """
        check_space(self.assignments, self._ids, self._networks)

    def locate(self, identifier: object) -> str:
        return self._ids.written(self._read(identifier))

    def graph(self, identifier: object) -> ArchitectureGraph:
        return self._networks.graph(self._read(identifier))

    def graph_of(self, one: Assignment) -> ArchitectureGraph:
        """The native graph of what is chosen."""
        return self._networks.graph(one)

    def id_of(self, one: Assignment) -> str:
        """The native id of what is chosen."""
        return self._ids.written(one)

    def assignment_of(self, native_id: str) -> Assignment:
        """What is chosen in the architecture of a native id.

        Raises
        ------
        IdentifierError
            There is none.
        """
        return self._ids.read(native_id.strip())

    def stage_of(self, stage: int, text: str, networks: Sequence[int]) -> Read:
        """What the id of one stage, counted from 0, says of it in networks of some options.

        Raises
        ------
        IdentifierError
            It is none.
        """
        return self._ids.read_stage(stage, text.strip(), networks)

    def native_id(self, graph: ArchitectureGraph) -> str:
        return self._ids.written(self._assignment(graph))

    def enumerate(self) -> Iterator[ArchitectureGraph]:
        self._require_few()
        return (self._networks.graph(one) for one in self.assignments)

    def enumerate_members(self) -> Iterator[Members]:
        self._require_few()
        return self._members(iter(self.assignments))

    def drawn_members(self, count: int, seed: int) -> Iterator[Members]:
        return self._members(iter(self.assignments.distinct(count, seed)))

    def _members(self, every: Iterator[Assignment]) -> Iterator[Members]:
        while batch := list(islice(every, _BATCH)):
            graphs = [self._networks.graph(one) for one in batch]
            yield Members([self._ids.written(one) for one in batch], graphs=graphs)

    def sample(self, count: int, seed: int) -> list[ArchitectureGraph]:
        return [self._networks.graph(one) for one in self.assignments.drawn(count, np.random.default_rng(seed))]

    def neighbours(self, graph: ArchitectureGraph) -> list[ArchitectureGraph]:
        found = [self._networks.graph(one) for one in self.assignments.neighbours(self._assignment(graph))]
        return [other for other in dict.fromkeys(found) if other != graph]

    def network_plan(self, graph: ArchitectureGraph, *, compressed: bool = True) -> NetworkPlan | None:
        return self.network_plans([graph], compressed=compressed)[0]

    def network_plans(
        self, graphs: Sequence[ArchitectureGraph], *, compressed: bool = True
    ) -> list[NetworkPlan | None]:
        from catalog.architecture.computation.sized_plan import SizedPlans

        plans = SizedPlans(self.vocabulary)
        return [plans.plan(graph, compressed=compressed) for graph in graphs]

    @cached_property
    def table(self) -> PublicTable | None:
        """What the space's public table looks like; None where it has none."""
        return public_table(self.description_of, f"the description of {self.name}")

    def _read(self, identifier: object) -> Assignment:
        if not isinstance(identifier, str):
            raise IdentifierError(
                f"{identifier!r:.80} is no id of the space {self.name!r}; a text such as {self._ids.example!r} is."
            )
        return self.assignment_of(identifier)

    def _assignment(self, graph: ArchitectureGraph) -> Assignment:
        found = self._networks.assignment(graph)
        if found is None:
            raise IdentifierError(
                f"{graph!r:.200} is no native graph of the space {self.name!r}; pass the native form of one of its "
                f"architectures, such as {self._ids.example!r}."
            )
        return found

    def _require_few(self) -> None:
        if self.size is None:
            raise UsageError(
                f"the space {self.name!r} has {self.assignments.counted} architectures, too many to "
                f"list; draw from it: catalog spaces draw {self.name}."
            )
