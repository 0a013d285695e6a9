"""The public table of a staged space, read by what the space's file says of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from catalog.architecture.computation.sized import NetworkFacts, SizedNetworks
from catalog.architecture.graph import ArchitectureGraph
from catalog.architecture.members import Members
from catalog.errors import GraphError, IngestError, UsageError
from catalog.spaces.staged import NAMES
from catalog.spaces.staged.public_table import PublicTable
from catalog.spaces.staged.space import StagedSpace
from catalog.tables.measures import direction_in
from ingest.formats.staged_content import Content
from ingest.formats.staged_records import number, read_rows
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.directions import Directions
from ingest.reading.known_tables import own_source, source_is_known
from ingest.reading.sources import DEFAULT_SIZE_LIMIT


def _table_of(space: StagedSpace) -> PublicTable:
    if space.table is None:
        raise UsageError(
            f"the file of the space {space.name!r} does not say what its tables look like; nothing was stored. Add "
            "[table] to it, as docs/spaces.md shows."
        )
    return space.table


class StagedTable:
    """Reads one file of one staged space.

    A file is a benchmark's if the space comes with the catalog and all numbers are the benchmark's: the SHA-256 of its
    sorted lines ``id, column, training, value`` is the one that the space's file names.

    Parameters
    ----------
    space
        The space, whose file says what its table looks like.
    source
        The user's name for the source of a table that is not the benchmark's.
    """

    def __init__(
        self,
        space: StagedSpace,
        *,
        source: str | None = None,
        size_limit: int = DEFAULT_SIZE_LIMIT,
    ) -> None:
        self.space = space.name
        self._staged = space
        self._table = table = _table_of(space)
        self._source = source
        self._size_limit = size_limit
        self._content: tuple[Path, Content] | None = None
        self.directions = Directions()
        for metric in table.metrics:
            if metric.direction is not None and (direction := direction_in(metric.direction)) is not None:
                self.directions.metrics[metric.name] = direction

    def facts(self, path: Path) -> SourceFacts:
        kind = "staged-table"
        is_benchmarks = self.space in NAMES and self.digest(path) == self._table.values
        if not is_benchmarks:
            name = own_source(path, self._source)
            return SourceFacts(name, kind, is_named_by_user=self._source is not None)
        if self._source is not None:
            raise source_is_known(path)
        return SourceFacts(self.space, kind, None, self._table.licence, self._staged.citation)

    def digest(self, path: Path) -> str:
        """SHA-256 of all that a file says was measured, whatever its form and order."""
        return self._read(path).digest

    def read(self, path: Path) -> Iterator[Batch]:
        content = self._read(path)
        graphs = [self._staged.graph_of(one) for one in content.assignments]
        networks = self._counted(content, graphs)
        members = Members(content.native_ids, graphs=graphs, networks=networks)
        yield Batch(members, len(content.rows), content.metrics(self._table), notes=tuple(content.notes))

    def _read(self, path: Path) -> Content:
        if self._content is None or self._content[0] != path:
            rows = read_rows(path, self._table.arch or "id", self._size_limit)
            self._content = (path, Content(path, self._staged, self._table, rows))
        return self._content[1]

    def _counted(self, content: Content, graphs: Sequence[ArchitectureGraph]) -> list[NetworkFacts]:
        """What follows from the sizes, which has to be what the table says where it counts alike."""
        sized = SizedNetworks(self._staged.vocabulary)
        found: list[NetworkFacts] = []
        for native_id, graph in zip(content.native_ids, graphs, strict=True):
            try:
                found.append(sized.facts(graph))
            except GraphError as error:
                raise IngestError(
                    f"{content.path.name}: the network of {native_id} cannot be: {error} Nothing was stored."
                ) from None
        for row, member in zip(content.rows, content.members, strict=True):
            native_id, facts = content.native_ids[member], found[member]
            for count in self._table.counts:
                counted = facts.parameters if count.name == "parameters" else facts.multiply_accumulates
                if not count.exact or row.get(count.column) is None:
                    continue
                said = number(row, count.column, count.times)
                if counted is not None and not math.isclose(said, counted, rel_tol=1e-9):
                    row.fail(f"{count.column} is {said:,.0f}, but the network of {native_id} has {counted:,}.")
        return found
