"""The process of one user's query: it reads a request from its standard input and writes the answer to its output.

What is written is a row of pickled objects: `READY`; then the rows' `Head`, or the `CatalogError` that there is
instead; then the rows, as lists of some thousand, and None. An Arrow table follows its head as Arrow's own stream.
"""

from __future__ import annotations

import gc
import os
import pickle
import sys
import threading
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

from catalog.storage.no_pandas import spare_pandas

if TYPE_CHECKING:
    import pyarrow as pa

    from catalog.storage.answer import Answer
    from catalog.storage.query_limits import QueryLimits
    from catalog.storage.sandbox import Attached

READY = "ready"
"""What the process says when it has imported what it needs."""

Form = Literal["plain", "arrow"]
"""The readings of `catalog.storage.sandbox` by name."""

_ROWS_A_PART = 2_048


@dataclass(frozen=True)
class Request:
    """One query, as `catalog.storage.sandbox.read_user_query` takes it.

    Parameters
    ----------
    path, sql, limits
        The file, the statement, and what it may cost.
    form
        How the rows are read.
    is_judged
        Whether the program composed the statement.
    tables
        Names of the tables that follow, each as an Arrow stream: all that the query can read, instead of the file.
    """

    path: Path
    sql: str
    form: Form
    limits: QueryLimits
    is_judged: bool = False
    tables: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Head:
    """What stands before the rows: of plain ones the columns, of an Arrow table nothing."""

    columns: tuple[str, ...] = ()
    is_number: tuple[bool, ...] = field(default=())


def serve_one(requests: BinaryIO, answers: BinaryIO, file: Path | None = None) -> None:
    """Answer the one query that comes; where it will be about `file`, that is opened until it does."""
    import duckdb

    from catalog.errors import CatalogError
    from catalog.storage import sandbox
    from catalog.storage.locking import require_file

    with ExitStack() as opened:
        prepared = None
        if file is not None:
            with suppress(CatalogError, duckdb.Error, OSError):  # which the query meets again, and tells
                require_file(file)
                prepared = opened.enter_context(sandbox.attached(file))
        _send(answers, READY)
        _answer(requests, answers, file, prepared)


def _answer(requests: BinaryIO, answers: BinaryIO, file: Path | None, prepared: Attached | None) -> None:
    from catalog.errors import CatalogError
    from catalog.storage import sandbox
    from catalog.storage.address_space import limit_address_space

    try:
        request: Request = pickle.load(requests)  # noqa: S301 - from the process that started this one
    except EOFError:
        return  # which had no question after all
    tables = None if request.tables is None else {name: _received(requests) for name in request.tables}
    threading.Thread(target=_end_with, args=(requests,), daemon=True).start()
    reading: Any = sandbox.PLAIN if request.form == "plain" else sandbox.ARROW
    try:
        rows = sandbox.read_user_query(
            request.path,
            request.sql,
            reading,
            is_judged=request.is_judged,
            tables=tables,
            before=lambda room: limit_address_space(2 * room),  # of the query, and again of its result
            prepared=prepared if request.path == file else None,
            **request.limits,
        )
    except CatalogError as error:
        _send(answers, error)
    else:
        if request.form == "plain":
            _send_plain(answers, rows)
        else:
            _send(answers, Head())
            _send_table(answers, rows)
    answers.flush()


def _end_with(parent: BinaryIO) -> None:
    """End this process, whatever it does, when the one that started it is gone."""
    parent.read()
    os._exit(1)


def _send(answers: BinaryIO, what: object) -> None:
    pickle.dump(what, answers, pickle.HIGHEST_PROTOCOL)
    answers.flush()


def _send_plain(answers: BinaryIO, rows: Answer) -> None:
    _send(answers, Head(rows.columns, rows.is_number))
    for start in range(0, len(rows.rows), _ROWS_A_PART):
        pickle.dump(rows.rows[start : start + _ROWS_A_PART], answers, pickle.HIGHEST_PROTOCOL)
    _send(answers, None)


def _send_table(answers: BinaryIO, table: pa.Table) -> None:
    import pyarrow

    with pyarrow.ipc.new_stream(answers, table.schema) as writer:
        writer.write_table(table)


def _received(requests: BinaryIO) -> pa.Table:
    import pyarrow

    with pyarrow.ipc.open_stream(requests) as reader:
        return reader.read_all()


def main() -> None:
    """Answer one query, of the file that the first argument names, if any.

    Nothing but the answer reaches the output, and no last words of a library the user.
    """
    gc.disable()  # rows hold no circles, and this process is short
    spare_pandas()
    answers = os.fdopen(os.dup(1), "wb")
    sys.stderr = os.fdopen(os.dup(2), "w", errors="backslashreplace")  # a fault of this program is still told
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    serve_one(sys.stdin.buffer, answers, Path(sys.argv[1]) if sys.argv[1:] else None)
    os._exit(0)  # the rows are out, and nobody waits for a tidy end
