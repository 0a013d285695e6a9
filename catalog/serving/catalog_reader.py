"""What the pages read: the file is opened for each of them and closed again, so that others can write in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from catalog.asking.lookup import lookup
from catalog.errors import IdentifierError, QueryError
from catalog.serving.example_questions import Question, example_questions
from catalog.serving.worker_pool import Workers
from catalog.serving.worker_tasks import (
    EmbeddingOf,
    Limits,
    Matches,
    Result,
    ask_file,
    ask_pattern,
    ask_sql,
    make_embedding,
    make_report,
)
from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.report.architecture_comparison import Comparison
    from predictor.scoring.architecture_vectors import Embedding

DRAWN = 6
"""Matches of a pattern that are drawn."""

_LISTED = 500  # matches of a pattern that are listed


@dataclass(frozen=True)
class Overview:
    """What the catalog holds: one row a space, one a source, and questions that it answers."""

    spaces: list[dict[str, Any]]
    sources: list[dict[str, Any]]
    questions: list[Question] = field(default_factory=list)


@dataclass(frozen=True)
class SpaceFacts:
    """One space: its row, and the columns of its wide view with their meaning."""

    space: dict[str, Any]
    columns: list[dict[str, Any]]


class CatalogReader:
    """Answers the questions of the pages about one catalog file.

    Parameters
    ----------
    path
        The file.
    limits
        What one question may cost.
    embedding_of
        Gives a space's vectors, or the reason why there are none; a function of a module, which a process can import.
    """

    def __init__(self, path: Path, limits: Limits, embedding_of: EmbeddingOf) -> None:
        self.path = path
        self.limits = limits
        self.workers = Workers(limits.at_once)
        self._heavy = Workers(1)  # a report or a space's vectors take all the processors and a gigabyte
        self._embedding_of = embedding_of
        self._embedding: tuple[object, Embedding | str] | None = None
        self._embedding_lock = threading.Lock()

    def close(self) -> None:
        """End what is being looked for, so that nobody has to wait for it."""
        self.workers.close()
        self._heavy.close()

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """The catalog, open for reading for the time of one question."""
        with Store.open(self.path) as catalog:
            yield catalog

    def overview(self) -> Overview:
        """The spaces and the sources."""
        with self.opened() as catalog:
            spaces, sources = catalog.arrow(_SPACES).to_pylist(), catalog.arrow(_SOURCES).to_pylist()
            return Overview(spaces, sources, example_questions(catalog))

    def space(self, name: str) -> SpaceFacts:
        """One space; raises `UnknownSpaceError` if it is not stored."""
        with self.opened() as catalog:
            SpaceView.of(catalog, name)
            row = next(row for row in catalog.arrow(_SPACES).to_pylist() if row["name"] == name)
            return SpaceFacts(row, catalog.arrow(_COLUMNS, [name]).to_pylist())

    def sql(self, sql: str) -> Result:
        """The first rows of a user's query."""
        self._check_length(sql)
        return self.workers.run(self.limits.seconds, ask_sql, self.path, sql, self.limits)

    def file(self, sql: str, file_format: str) -> bytes:
        """All rows of a user's query as a file."""
        self._check_length(sql)
        return self.workers.run(self.limits.seconds, ask_file, self.path, sql, file_format, self.limits)

    def pattern(self, space: str, pattern: str, form: str, by: str | None) -> Matches:
        """The architectures that hold a pattern."""
        self._check_length(pattern)
        return self.workers.run(
            self.limits.seconds,
            ask_pattern,
            self.path,
            space,
            pattern,
            form,
            by,
            self.limits,
            most=_LISTED,
            drawn=DRAWN,
        )

    def report(self, space: str, targets: list[str], proxies: list[str], where: str | None, pool: str) -> str:
        """The page of a report."""
        asked = (space, targets, proxies, where, pool)
        return self._heavy.run(self.limits.report_seconds, make_report, self.path, *asked)

    def report_choices(self, name: str) -> dict[str, list[str]]:
        """Columns of a space that a report can judge by, and the proxies that it can judge."""
        from catalog.tables.views import FIXED_COLUMNS, proxy_directions

        facts = self.space(name)
        with self.opened() as catalog:
            proxies = [column for column in proxy_directions(catalog, name) if not column.endswith("_std")]
        targets = [
            column["name"]
            for column in facts.columns
            if column["type"] == "DOUBLE" and column["name"] not in (*FIXED_COLUMNS, *proxies)
        ]
        return {"targets": targets, "proxies": proxies}

    def space_of(self, number: int) -> str:
        """The space of an ``architecture.id``."""
        with self.opened() as catalog:
            rows = catalog.arrow("SELECT space FROM architecture WHERE id = ?", [number])
        if not len(rows):
            raise IdentifierError(f"{self.path} holds no architecture with the id {number}.")
        return str(rows["space"][0])

    def numbers(self, space: str, identifiers: list[str]) -> list[int]:
        """The ``architecture.id`` of native ids in any notation."""
        with self.opened() as catalog:
            found: list[int] = lookup(catalog, identifiers, space=space)["architecture_id"].to_list()
        return found

    def comparison(self, space: str, numbers: list[int], *, with_embedding: bool) -> Comparison:
        """What the page of one architecture or of several shows; the neighbours by embedding only if asked for."""
        from catalog.report.architecture_comparison import read_comparison

        with self.opened() as catalog:
            embedding = self._embedding_for(space) if with_embedding else ""
            return read_comparison(catalog, space, numbers, embedding)

    def _embedding_for(self, space: str) -> Embedding | str:
        """The vectors of a space, kept until another space or another state of the file is asked for."""
        state = self.path.stat()
        key = (space, state.st_mtime_ns, state.st_size)
        with self._embedding_lock:
            if self._embedding is None or self._embedding[0] != key:
                seconds = self.limits.report_seconds
                self._embedding = (
                    key,
                    self._heavy.run(seconds, make_embedding, self.path, space, self._embedding_of),
                )
            return self._embedding[1]

    def _check_length(self, text: str) -> None:
        if len(text) > self.limits.characters:
            raise QueryError(
                f"the text has {len(text):,} characters; {self.limits.characters:,} is the most here. "
                "The command line has no such limit: `catalog query -` reads from standard input."
            )


_SPACES = """
    SELECT name, description, size, citation, coalesce(stored, 0) AS stored, coalesce(columns, 0) AS columns
    FROM space
    LEFT JOIN (SELECT space AS name, count(*) AS stored FROM architecture GROUP BY space) USING (name)
    LEFT JOIN (
        SELECT table_name AS name, count(*) AS columns FROM duckdb_columns()
        WHERE database_name = current_database() GROUP BY table_name
    ) USING (name)
    ORDER BY name
"""
_SOURCES = """
    SELECT name, kind, version, licence, row_count AS rows, ingested_at AS ingested, sha256
    FROM source ORDER BY id
"""
_COLUMNS = """
    SELECT column_name AS name, data_type AS type, coalesce(comment, '') AS meaning FROM duckdb_columns()
    WHERE database_name = current_database() AND schema_name = 'main' AND table_name = ? ORDER BY column_index
"""
