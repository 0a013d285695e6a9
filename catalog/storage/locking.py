"""Opening the file: one writing process, or any number of reading ones, and a clear word for whoever comes second."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import duckdb

from catalog.errors import LockedError, MissingDatabaseError, StoreError
from catalog.storage.duckdb_errors import store_error
from catalog.storage.whole_file import require_whole

Opened = TypeVar("Opened")
Settings = Mapping[str, str | bool | int | float | list[str]]

CLOSED_TO_OTHERS: Settings = {
    "enable_external_access": "false",
    "autoload_known_extensions": "false",
    "autoinstall_known_extensions": "false",
    "python_enable_replacements": "false",
}
"""SQL reaches the catalog file and the tables it is handed, and nothing else; files are read by Python alone."""

TIMES_IN_UTC = "SET TimeZone = 'UTC'"
"""The machine's time zone may be unknown to Python, and what is told must not depend on it."""

_PAUSE = 0.1  # seconds between two attempts; a lock is noticed at once, so this bounds the idle time after its end
_HOLDER = re.compile(r"\(PID (\d+)\)")
_LONGEST_COMMAND = 80


def connect(
    path: Path, *, read_only: bool, wait: float | None = None, settings: Settings | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection to the existing database file at `path`.

    Parameters
    ----------
    path
        The file. It is never created.
    read_only
        Whether to leave the file open for other readers.
    wait
        Seconds to keep trying while another process holds the file; None for one attempt.
    settings
        DuckDB's configuration; all connections of one process to one file must agree on it.

    Raises
    ------
    MissingDatabaseError
        There is no such file.
    LockedError
        Another process, or this one in another mode, still held the file after `wait` seconds.
    StoreError
        The file cannot be read, or not be written.
    """
    require_file(path)
    if not read_only:
        _require_writable(path)
    opened = waited_for(
        lambda: duckdb.connect(str(path.absolute()), read_only=read_only, config=dict(settings or CLOSED_TO_OTHERS)),
        path,
        wait,
    )
    opened.execute(TIMES_IN_UTC)
    return opened


def waited_for(attempt: Callable[[], Opened], path: Path, wait: float | None) -> Opened:
    """What `attempt` opens, tried again for `wait` seconds while the file at `path` is locked."""
    deadline = time.monotonic() + (wait or 0.0)
    while True:
        try:
            return attempt()
        except duckdb.Error as error:
            locked = locked_error(error, path, wait)
            if locked is None:
                raise store_error(error, path) from error
            if time.monotonic() >= deadline:
                raise locked from error
        time.sleep(_PAUSE)


def require_file(path: Path) -> None:
    """Refuse a path with nothing there, with a directory, or with a file that is not whole.

    Raises
    ------
    MissingDatabaseError
        There is no such file.
    StoreError
        It is a directory, its folder cannot be searched, or `require_whole` finds something.
    """
    try:
        exists, is_directory = path.exists(), path.is_dir()
    except OSError as error:
        raise StoreError(f"cannot open {path}: {error.strerror}.") from error
    if is_directory:
        raise StoreError(f"{path} is a directory, not a database file; give the path of a file with --db.")
    if not exists:
        raise MissingDatabaseError(
            f"there is no catalog at {path}. Create one with `catalog db init --db {path}`, or name another with --db."
        )
    require_whole(path)


def _require_writable(path: Path) -> None:
    for what, target in (("file", path), ("folder", path.absolute().parent)):
        if not os.access(target, os.W_OK):
            raise StoreError(
                f"cannot write {path}: the {what} {target} is read-only. "
                "Reading commands work on it; to store something, make it writable or copy the catalog elsewhere."
            )


def locked_error(error: duckdb.Error, path: Path, wait: float | None = None) -> LockedError | None:
    """The lock that `error` reports; None if it reports something else.

    DuckDB names the process in a sentence; where it does not, the message says only that there is one.
    """
    text = str(error)
    if "different configuration" in text or "Unique file handle conflict" in text:
        return LockedError(
            f"{path} is open in this process already, in another mode. Close that one first.", os.getpid()
        )
    if "Could not set lock" not in text:
        return None
    found = _HOLDER.search(text)
    process_id = int(found[1]) if found else None
    holder = f"process {process_id}{_command_of(process_id)}" if process_id else "another process"
    waited = f" after {wait:g} seconds of waiting" if wait else ""
    return LockedError(
        f"{path} is in use by {holder}{waited}. One process can write a catalog, or several can read it. "
        "Run the command again when that one has ended, or let it wait with --wait SECONDS.",
        process_id,
    )


def _command_of(process_id: int) -> str:
    """The command line of a process in parentheses, or nothing where the system does not tell."""
    try:
        words = Path(f"/proc/{process_id}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return ""
    command = " ".join(" ".join(words).split())
    if len(command) > _LONGEST_COMMAND:
        command = command[: _LONGEST_COMMAND - 3] + "..."
    return f" (`{command}`)" if command else ""
