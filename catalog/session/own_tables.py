"""The verb that brings a user's own numbers: a table of any kind, about the architectures of any space."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.session.handle import Handle
from catalog.spaces import SPACES

if TYPE_CHECKING:
    from ingest.reading.job import IngestReport
    from ingest.table.draft import Draft
    from ingest.table.mapping import TableMapping


class OwnTables(Handle):
    """Numbers of one's own; the catalog must be open for writing, and a missing file is made for a built-in space."""

    def ingest_table(
        self,
        table: Any,
        space: str | None = None,
        *,
        map: str | Path | Mapping[str, Any] | None = None,  # noqa: A002 - the command's word
        key: str | None = None,
        source: str | None = None,
        skip_unknown: bool = False,
        replace: bool = False,
        size_limit: int | None = None,
        complete: Callable[[Draft], TableMapping] | None = None,
        **column: Any,
    ) -> IngestReport:
        """Read a table of your own numbers: metrics and scores of architectures; all of it or nothing.

        Parameters
        ----------
        table
            A path (csv, csv.gz, parquet, JSON lines), or a frame of pandas, polars or pyarrow.
        space
            The space whose architectures it names, built in or your own.
        map
            What its columns mean: a TOML file, or a mapping of the same form. See docs/own_numbers.md.
        key
            The column that names the architectures; by default it is found.
        source
            What the source of the numbers is called; by default after the file.
        skip_unknown
            Leave rows out whose architectures nobody knows, instead of refusing the table.
        replace
            Whether the earlier reading of the table goes in the same step.
        size_limit
            Unpacked bytes that a file may have.
        complete
            Called where something is not said: gives the completed mapping.
        column
            Of the one column to read, where no mapping is given: ``proxy`` or ``metric`` and what belongs to it, as the
            options of ``catalog ingest table`` say it; ``direction`` is ``"higher"`` or ``"lower"``.

        Raises
        ------
        IncompleteMappingError
            Something is not said; its ``draft`` has the mapping to complete.
        UsageError
            Something that is said is wrong.
        IngestError
            The table cannot be read, or something in it is wrong; nothing of it was stored.
        """
        from ingest.reading.sources import DEFAULT_SIZE_LIMIT
        from ingest.table.draft import incomplete
        from ingest.table.job import table_job

        job = table_job(
            table,
            space,
            map,
            column,
            key=key,
            source=source,
            skip_unknown=skip_unknown,
            replace=replace,
            size_limit=size_limit or DEFAULT_SIZE_LIMIT,
        )
        if not self.path.exists():
            draft = job.draft(None)
        else:
            with self._reading() as store:
                draft = job.draft(store)
        if not draft.is_complete:
            if complete is None:
                raise incomplete(job.rows, draft)
            with self._let_others_read():
                job = job.completed(complete(draft))
        with self._writing(create=job.space in SPACES) as store:
            return job.store(store, self._listener)
