"""The reader of a user's table: architectures by any of their names, and the numbers that the mapping explains."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from catalog.architecture.members import Members
from catalog.errors import IngestError
from catalog.spaces.base import SearchSpace
from catalog.tables.column_names import OWN_TABLE
from catalog.tables.measures import direction_in
from catalog.tables.own_proxies import own_proxy
from catalog.tables.proxies import ProxyFacts, known_direction
from ingest.reading.batch import Batch, SourceFacts
from ingest.reading.directions import Directions
from ingest.reading.known_tables import own_source
from ingest.reading.pickled_values import described
from ingest.reading.shown import shown, shown_names
from ingest.table import units
from ingest.table.draft import Draft
from ingest.table.held_values import refuse_other_values
from ingest.table.keys import Keys, Named
from ingest.table.mapping import MetricColumn, ProxyColumn
from ingest.table.rows import Rows
from ingest.table.values import Values

if TYPE_CHECKING:
    from catalog.storage.store import Store

_LISTED = 5
_SPLIT_WORDS = {"valid": ("val", "valid", "validation"), "test": ("test",)}


class OwnTable:
    """Reads one table into one space.

    Parameters
    ----------
    store
        The open catalog.
    space
        Whose architectures the table names.
    rows
        The table.
    draft
        What its columns mean, with nothing missing.
    keys
        Finds its architectures.
    skip_unknown
        Whether rows are left out whose architectures nobody knows; otherwise they are refused.
    """

    def __init__(
        self, store: Store, space: SearchSpace, rows: Rows, draft: Draft, keys: Keys, *, skip_unknown: bool = False
    ) -> None:
        self.space = space.name
        self._store = store
        self._rows = rows
        self._draft = draft
        self._keys = keys
        self._skip_unknown = skip_unknown
        unknown = sum(one.native_id is None for one in keys.named(rows.columns[str(draft.mapping.key)]))
        self.mapping = f"{draft.mapping.identity}, {unknown} unknown"
        path = Path(rows.name)
        self._facts = SourceFacts(
            own_source(path, draft.mapping.source), OWN_TABLE, is_named_by_user=draft.mapping.source is not None
        )
        self.directions = Directions()
        self.proxies = {one.proxy: self._proxy(one) for one in draft.mapping.columns if isinstance(one, ProxyColumn)}
        for one in draft.mapping.columns:
            if isinstance(one, MetricColumn):
                if (unit := units.unit_of(one.metric, one.unit)) is not None:
                    self.directions.units[one.metric] = unit
                found = self.directions.metrics
                name = one.metric
            else:
                found, name = self.directions.proxies, one.proxy
            if one.direction:
                self.directions.add(found, f"{rows.name}, column {shown(one.column)}", name, one.direction)

    def _proxy(self, one: ProxyColumn) -> ProxyFacts:
        direction = direction_in(one.direction) or known_direction(one.proxy) or 1
        description = one.description or f"{one.proxy} as {self._facts.name} measured it"
        return own_proxy(one.proxy, self._facts.name, direction, description)

    def facts(self, path: Path) -> SourceFacts:
        return self._facts

    def read(self, path: Path) -> Iterator[Batch]:
        named = self._known()
        owners = [one.native_id for one in named]
        values = Values(self._rows, owners, self._draft.mapping.columns)
        refuse_other_values(self._store, self.space, self._facts.name, self._rows, values, self.proxies)
        notes = [*values.notes, *self._notes(named)]
        for is_held in (True, False):
            found = {one.native_id: one.graph for one in named if one.native_id and one.is_held is is_held}
            if not found:
                continue
            count = sum(one.native_id in found for one in named)
            graphs = None if is_held else [graph for graph in found.values() if graph is not None]
            metrics, scores = values.tables({name: place for place, name in enumerate(found)})
            yield Batch(Members(list(found), graphs=graphs), count, metrics, scores, notes=tuple(notes))
            notes = []

    def _known(self) -> Sequence[Named]:
        """The architecture of each row; rows without one are refused, or left out where the user says so."""
        key = str(self._draft.mapping.key)
        cells = self._rows.columns[key]
        named = self._keys.named(cells)
        for row, one in enumerate(named):
            if one.is_ambiguous:
                self._rows.fail(row, f"{shown(key)} is {described(cells[row])}: {one.fault}.")
        unknown = [row for row, one in enumerate(named) if one.native_id is None]
        if len(unknown) == len(named) or (unknown and not self._skip_unknown):
            remedy = "Correct them." if self._skip_unknown else "Correct them, or leave them out with --skip-unknown."
            raise IngestError(
                f"{self._rows.name}: {len(unknown):,} of {len(named):,} rows name no known architecture of "
                f"{self.space}: {self._listed(unknown)}. The first: {named[unknown[0]].fault.rstrip('.')}. Nothing was "
                f"stored. {remedy}"
            )
        return named

    def _listed(self, rows: Sequence[int]) -> str:
        cells = self._rows.columns[str(self._draft.mapping.key)]
        told = ", ".join(f"{self._rows.labels[row]} ({described(cells[row])})" for row in rows[:_LISTED])
        return f"{told} and {len(rows) - _LISTED:,} more" if len(rows) > _LISTED else told

    def _notes(self, named: Sequence[Named]) -> Iterator[str]:
        """What was left out, and what a person should look at."""
        if unknown := [row for row, one in enumerate(named) if one.native_id is None]:
            yield f"left out, because {self.space} has no such architecture: {self._listed(unknown)}."
        if self._draft.left_out:
            yield f"columns that are not read: {shown_names(self._draft.left_out)}."
        for facts in self.proxies.values():
            if facts.column is not None:
                yield (
                    f"{facts.name} is a proxy of the catalog's own; these scores are the column {facts.column} beside "
                    "it."
                )
        for one in self._draft.mapping.columns:
            if isinstance(one, MetricColumn) and (other := _other_split(one)):
                yield (
                    f"the column {shown(one.column)} is stored as the split {one.split}, though its name says {other}. "
                    "Look whether that is meant."
                )


def _other_split(one: MetricColumn) -> str | None:
    """The split that the name of a column says, where it is not the one that it is stored as."""
    words = one.column.lower().replace("-", "_").split("_")
    said = [split for split, spelt in _SPLIT_WORDS.items() if set(spelt) & set(words)]
    return said[0] if len(said) == 1 and one.split not in (None, said[0]) else None
