"""A user's query in a process of its own, so that its limits are the system's and hold for whatever it does.

DuckDB counts only a part of the memory that it takes, and looks for an interrupt only between blocks of rows. The
process has a limit on its address space, and it is killed when its time is over.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Unpack

from catalog.errors import CatalogError, LimitError
from catalog.storage.answer import Answer
from catalog.storage.query_limits import QueryLimits, check_limits, died, stopped
from catalog.storage.query_process import READY, Form, Head, Request

if TYPE_CHECKING:
    import pyarrow as pa

_GRACE = 1.0  # seconds beyond the time limit, for DuckDB to stop by itself

_EARLY: ContextVar[list[subprocess.Popen[bytes]] | None] = ContextVar("_EARLY", default=None)

_CHILD = "from catalog.storage.query_process import main; main()"

Tables = Mapping[str, "pa.Table"]


def plain_rows(path: Path, sql: str, *, is_judged: bool = False, **limits: Unpack[QueryLimits]) -> Answer:
    """The rows of a user's query as plain values; see `arrow_rows`."""
    rows: Answer = _rows(Request(path, sql, "plain", limits, is_judged), None)
    return rows


def arrow_rows(
    path: Path,
    sql: str,
    *,
    is_judged: bool = False,
    tables: Tables | None = None,
    **limits: Unpack[QueryLimits],
) -> pa.Table:
    """The rows of a user's query as an Arrow table.

    Parameters
    ----------
    path
        The catalog file.
    sql
        One statement that reads.
    is_judged
        Whether the program composed the statement, from parts that were judged.
    tables
        The only tables that the query can read, by name, instead of those of the file: for a file that this process
        holds for writing, which no other can open.
    limits
        See `QueryLimits`.

    Raises
    ------
    QueryError
        The query is refused, is wrong, or runs out of time or memory.
    StoreError
        The file cannot be read.
    """
    names = None if tables is None else tuple(tables)
    return _rows(Request(path, sql, "arrow", limits, is_judged, names), tables)


def _rows(request: Request, tables: Tables | None) -> Any:
    check_limits(request.limits)
    with _taken() as process:
        assert process.stdin is not None
        assert process.stdout is not None
        timeout, expired = request.limits.get("timeout"), threading.Event()
        try:
            _load(process.stdout, READY)
            with _killed_after(process, request.limits, expired):
                _ask(process.stdin, request, tables or {})
                head = _load(process.stdout)
            if isinstance(head, CatalogError):
                raise head
            return _read(process.stdout, head, request.form)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            if expired.is_set():
                raise stopped(timeout) from error
            raise _died(process, request.limits) from error


@contextmanager
def starting_early(is_asked: bool = True, file: Path | None = None) -> Iterator[None]:
    """A block that asks one query, whose process is started now: it gets ready while the block prepares the query.

    With `file` it also opens the catalog that the query is about, which nobody may be about to write then.
    """
    if not is_asked:
        yield
        return
    with _started(file) as process:
        token = _EARLY.set([process])
        try:
            yield
        finally:
            _EARLY.reset(token)


@contextmanager
def _taken() -> Iterator[subprocess.Popen[bytes]]:
    """The process that was started early, or one that is started now."""
    if early := _EARLY.get():
        yield early.pop()
        return
    with _started() as process:
        yield process


@contextmanager
def _started(file: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for a query; at the end of the block it has ended, and what it wrote is gone."""
    with _folder() as environment:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CHILD, *([] if file is None else [str(file)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,  # Ctrl-C reaches this process, which ends that one
        )
        try:
            yield process
        finally:
            process.kill()
            with suppress(OSError):  # what was not read any more
                process.communicate()


@contextmanager
def _folder() -> Iterator[dict[str, str]]:
    """The environment of a process that may be killed: what it leaves in its folder for temporary files is removed."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(folder or str(Path.cwd()) for folder in sys.path),
        "MALLOC_ARENA_MAX": "2",  # of the C library, each of which takes 64 MB of addresses
        "ARROW_DEFAULT_MEMORY_POOL": "system",  # the others reserve addresses that they may never need
    }
    try:
        folder = tempfile.TemporaryDirectory(prefix="catalog-query-", ignore_cleanup_errors=True)
    except OSError:
        yield environment
        return
    with folder as name:
        yield environment | {"TMPDIR": name}


@contextmanager
def _killed_after(process: subprocess.Popen[bytes], limits: QueryLimits, expired: threading.Event) -> Iterator[None]:
    """Kill the process once its time is over, and set `expired` when that happens."""
    timeout = limits.get("timeout")
    if timeout is None:
        yield
        return

    def kill() -> None:
        expired.set()
        process.kill()

    seconds = timeout + _GRACE + (limits.get("wait") or 0.0)
    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), kill)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _ask(requests: BinaryIO | Any, request: Request, tables: Tables) -> None:
    pickle.dump(request, requests, pickle.HIGHEST_PROTOCOL)
    if tables:
        import pyarrow

        for table in tables.values():
            with pyarrow.ipc.new_stream(requests, table.schema) as writer:
                writer.write_table(table)
    requests.flush()


def _load(answers: Any, expected: object = None) -> Any:
    what = pickle.load(answers)  # noqa: S301 - from the process that this one started
    assert expected is None or what == expected
    return what


def _read(answers: Any, head: Head, form: Form) -> Any:
    if form == "plain":
        rows: list[tuple[Any, ...]] = []
        while part := _load(answers):
            rows += part
        return Answer(head.columns, head.is_number, rows)
    import pyarrow

    with pyarrow.ipc.open_stream(answers) as reader:
        return reader.read_all()


def _died(process: subprocess.Popen[bytes], limits: QueryLimits) -> LimitError:
    code = process.wait()
    return died(f"was killed by signal {-code}" if code < 0 else f"ended with code {code}", limits)
