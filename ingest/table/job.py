"""A user's table on its way into the catalog: read, explained, then stored whole or not at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.errors import UsageError
from catalog.progress import Listener
from catalog.spaces import SPACES, space_named
from catalog.tables.stored_spaces import space_of
from ingest.reading.sources import DEFAULT_SIZE_LIMIT
from ingest.reading.text_table import read_bytes
from ingest.table.draft import Draft, draft_of, incomplete
from ingest.table.keys import Keys, key_column
from ingest.table.mapping import TableMapping, mapping_of, read_mapping
from ingest.table.rows import Rows, frame_rows, read_rows

if TYPE_CHECKING:
    from catalog.spaces.base import SearchSpace
    from catalog.storage.store import Store
    from ingest.reading.job import IngestReport

_LARGEST_MAPPING = 2**20
_FRAME = "table"


class TableJob:
    """One table, read, and what its user says of it.

    Parameters
    ----------
    rows
        The table.
    mapping
        What its columns mean, as far as it is said.
    space
        The name of the space.
    skip_unknown
        Whether rows are left out whose architectures nobody knows.
    replace
        Whether the earlier reading of the table goes in the same step.
    """

    def __init__(
        self, rows: Rows, mapping: TableMapping, space: str, *, skip_unknown: bool = False, replace: bool = False
    ) -> None:
        self.rows = rows
        self.mapping = mapping
        self.space = space
        self.skip_unknown = skip_unknown
        self.replace = replace

    def draft(self, store: Store | None) -> Draft:
        """What is known of the table, and what is missing, beside what a catalog says; None for one that is not there.

        Raises
        ------
        CatalogError
            The table fits neither the space nor what its user says.
        """
        space = self._space(store)
        return self._draft(store, space, Keys(store, space))

    def _space(self, store: Store | None) -> SearchSpace:
        return space_named(self.space) if store is None else space_of(store, self.space)

    def _draft(self, store: Store | None, space: SearchSpace, keys: Keys) -> Draft:
        key = self.mapping.key
        if key is None:
            taken = {one.column for one in self.mapping.columns}
            columns = {name: cells for name, cells in self.rows.columns.items() if name not in taken}
            key = key_column(columns, space, keys, self.rows.name)
        return draft_of(self.rows, self.mapping, key, store)

    def completed(self, mapping: TableMapping) -> TableJob:
        """The same table with more said of it."""
        return TableJob(self.rows, mapping, self.space, skip_unknown=self.skip_unknown, replace=self.replace)

    def store(self, store: Store, listener: Listener) -> IngestReport:
        """Read the table into the catalog.

        Raises
        ------
        IncompleteMappingError
            Something is not said of it.
        CatalogError
            The table is wrong; nothing of it was stored.
        """
        from ingest.reading.job import ingest_content
        from ingest.table.loader import OwnTable

        space = self._space(store)
        keys = Keys(store, space)
        draft = self._draft(store, space, keys)
        if not draft.is_complete:
            raise incomplete(self.rows, draft)
        loader = OwnTable(store, space, self.rows, draft, keys, skip_unknown=self.skip_unknown)
        with listener.watch(f"reading {self.rows.name}") as advance:
            path = Path(self.rows.name)
            report = ingest_content(store, loader, path, self.rows.digest, advance, replace=self.replace)
        listener.note(f"{self.rows.name}: {report}")
        return report


def table_job(
    table: Any,
    space: str | None,
    said: str | Path | Mapping[str, Any] | None,
    facts: Mapping[str, Any],
    *,
    key: str | None = None,
    source: str | None = None,
    skip_unknown: bool = False,
    replace: bool = False,
    size_limit: int = DEFAULT_SIZE_LIMIT,
) -> TableJob:
    """Read a table and what its user says of it.

    Parameters
    ----------
    table
        A path, or a frame.
    space
        The space; None where the mapping names it.
    said
        The mapping: a TOML file, or what stands in one.
    facts
        The facts of one column, where no mapping is given: ``proxy`` or ``metric`` and what belongs to it; ``column``
        is the column's name where it is not that of the proxy or metric.
    key, source
        Go before what the mapping says.

    Raises
    ------
    UsageError
        Something that is said is wrong.
    IngestError
        The table cannot be read.
    """
    mapping = _mapping(said, {name: value for name, value in facts.items() if value is not None})
    if space is None and mapping.space is None:
        raise UsageError(f"name the space whose architectures the table names: --space NAME, such as {SPACES[1]}.")
    if space is not None and mapping.space not in (None, space):
        raise UsageError(f"the mapping is for the space {mapping.space!r}, not for {space!r}. Nothing was stored.")
    mapping = dataclasses.replace(
        mapping, key=key or mapping.key, source=source or mapping.source, space=space or mapping.space
    )
    if isinstance(table, str | Path):
        rows = read_rows(Path(table), size_limit)
    else:
        rows = frame_rows(table, mapping.source or _FRAME)
    return TableJob(rows, mapping, str(mapping.space), skip_unknown=skip_unknown, replace=replace)


def _mapping(said: str | Path | Mapping[str, Any] | None, facts: Mapping[str, Any]) -> TableMapping:
    if said is not None and facts:
        raise UsageError(f"a mapping says what all columns mean; leave {', '.join(facts)} out, or the mapping.")
    if isinstance(said, Mapping):
        return mapping_of(said, "the mapping")
    if said is not None:
        path = Path(said)
        if not path.is_file():
            raise UsageError(f"there is no mapping {path}. Without --map, the command prints one to save and complete.")
        try:
            return read_mapping(read_bytes(path, _LARGEST_MAPPING).decode("utf-8-sig"), path.name)
        except UnicodeDecodeError as error:
            raise UsageError(f"{path.name}: byte {error.start} is no UTF-8 text; a mapping is TOML.") from None
    if not facts:
        return TableMapping()
    if ("proxy" in facts) == ("metric" in facts):
        raise UsageError("say of one column what it is: --proxy NAME or --metric NAME; for several give a --map.")
    name = str(facts.get("column") or facts.get("proxy") or facts.get("metric"))
    column = {field: value for field, value in facts.items() if field != "column"}
    return mapping_of({"columns": {name: column}}, "the options")
