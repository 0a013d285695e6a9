"""What the workers of the server do: each function opens the file, reads, and closes it."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from catalog.architecture.graph import ArchitectureGraph
    from catalog.storage.store import Store
    from predictor.scoring.architecture_vectors import Embedding

EmbeddingOf = Callable[["Store", str], "Embedding | str"]
"""Gives a space's vectors, or the reason why there are none."""

PLOTLY = "/static/plotly.js"
"""Where the server has plotly's script."""


@dataclass(frozen=True)
class Limits:
    """What one question may cost.

    Parameters
    ----------
    seconds
        Time until it is stopped.
    memory
        Memory of a query, and again of its result, as DuckDB writes it.
    characters
        Length of a query's or a pattern's text.
    rows, values
        Rows of a result that are handed over, and values in them.
    at_once
        Questions that are answered at the same time.
    report_seconds
        Time for a whole report.
    download
        Bytes of a downloaded result.
    """

    seconds: float = 30.0
    memory: str = "2GB"
    characters: int = 20_000
    rows: int = 20_000
    values: int = 200_000
    at_once: int = 4
    report_seconds: float = 600.0
    download: int = 100_000_000


@dataclass(frozen=True)
class Result:
    """The first rows of a result in Arrow's stream format, the number of all, and the seconds that it took."""

    packed: bytes
    total: int
    seconds: float

    @property
    def rows(self) -> pa.Table:
        """The first rows."""
        import pyarrow

        with pyarrow.ipc.open_stream(self.packed) as reader:
            return reader.read_all()


def _answered(path: Path, sql: str, limits: Limits) -> pa.Table:
    from catalog.storage.address_space import limit_address_space
    from catalog.storage.sandbox import ARROW_TO_SHOW, read_user_query

    return read_user_query(
        path,
        sql,
        ARROW_TO_SHOW,
        before=lambda room: limit_address_space(2 * room),  # of the query, and again of its result
        timeout=limits.seconds,
        memory_limit=limits.memory,
    )


def ask_file(path: Path, sql: str, file_format: str, limits: Limits) -> bytes:
    """All rows of a user's query as a file: ``csv`` that a spreadsheet may open, ``json`` or ``parquet``.

    Raises
    ------
    LimitError
        The file would be larger than it may.
    """
    from catalog.asking.row_text import as_csv, as_json
    from catalog.errors import LimitError
    from catalog.storage.answer import plain
    from catalog.storage.frames import as_frame
    from catalog.tables.spreadsheet import as_cell

    rows = _answered(path, sql, limits)
    if file_format == "parquet":
        buffer = io.BytesIO()
        as_frame(rows).write_parquet(buffer, compression="zstd")
        content = buffer.getvalue()
    else:
        answer = plain(rows)
        content = (as_csv(answer, as_cell) if file_format == "csv" else as_json(answer)).encode()
    if len(content) > limits.download:
        raise LimitError(
            f"the file would have {len(content):,} bytes; {limits.download:,} is the most here. Ask for fewer rows or "
            "columns, or write it with `catalog query ... --format` on the command line."
        )
    return content


def ask_sql(path: Path, sql: str, limits: Limits) -> Result:
    """The first rows of a user's query."""
    started = time.monotonic()
    rows = _answered(path, sql, limits)
    most = min(limits.rows, max(1, limits.values // max(1, rows.num_columns)))
    return Result(_packed(rows.slice(0, most)), rows.num_rows, time.monotonic() - started)


@dataclass(frozen=True)
class Matches:
    """The architectures that hold a pattern: the first rows, the counts, and the graphs of the first few."""

    result: Result
    architectures: int
    matches: int
    graphs: tuple[ArchitectureGraph, ...]


def ask_pattern(
    path: Path, space: str, pattern: str, form: str, by: str | None, limits: Limits, *, most: int, drawn: int
) -> Matches:
    """The architectures that hold a pattern, the best first where `by` says what is good."""
    from catalog.asking import patterns
    from catalog.quoting import literal
    from catalog.storage.address_space import limit_address_space
    from catalog.storage.store import Store
    from catalog.tables.stored_graphs import read_graphs

    started = time.monotonic()
    with Store.open(path) as catalog:
        catalog.execute(f"SET memory_limit = {literal(limits.memory)}")
        ((room,),) = catalog.rows("SELECT parse_formatted_bytes(current_setting('memory_limit'))")
        limit_address_space(2 * room)
        architectures, matches = patterns.count(catalog, space, pattern, form=form)
        rows = patterns.match(catalog, space, pattern, form=form, by=by, limit=most).frame()
        first = rows["architecture_id"].head(drawn).to_list()
        graphs = read_graphs(catalog, space, first, "canonical" if form == "canonical" else "native")
    result = Result(_packed(rows.to_arrow()), architectures, time.monotonic() - started)
    return Matches(result, architectures, matches, tuple(graphs))


def _packed(rows: pa.Table) -> bytes:
    """A part of a table without the rest, which pickling would take along."""
    import pyarrow

    buffer = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(buffer, rows.schema) as writer:
        writer.write_table(rows)
    return bytes(buffer.getvalue())


def make_embedding(path: Path, space: str, embedding_of: EmbeddingOf) -> Embedding | str:
    """The vectors of a space, or the reason why there are none."""
    from catalog.storage.store import Store

    with Store.open(path) as catalog:
        return embedding_of(catalog, space)


def make_report(path: Path, space: str, targets: list[str], proxies: list[str], where: str | None, pool: str) -> str:
    """The page of a report, which loads plotly from this server."""
    from catalog.report.report import build_report
    from catalog.storage.store import Store

    with Store.open(path) as catalog:
        report = build_report(catalog, [space], targets, proxies or None, where, pool=pool)
    return report.page(PLOTLY, served=True)
