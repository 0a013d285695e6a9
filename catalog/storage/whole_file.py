"""Whether a database file is whole, told from a few of its bytes before DuckDB opens it.

DuckDB opens a file whose end is missing and notices when it reads there, perhaps after it has written; it opens a pipe
and waits; and a log beside the file that is none it passes over, and replaces.
"""

from __future__ import annotations

import os
import stat
import struct
import time
from contextlib import suppress
from pathlib import Path

import duckdb

from catalog.errors import StoreError

_HEADER = 4096
"""Bytes of the main header and of each of the two headers behind it, of which the one with the larger number counts."""

_FIELDS = struct.Struct("<8xQ16xQQ")  # number; blocks and the size of one
_MAGIC = slice(8, 12)
_LOG_BEGINS = b"\x64\x00\x62"  # the record that gives the log's version; a killed writer may leave only a part of it
_ATTEMPTS = 3
_PAUSE = 0.05  # seconds; a writer may be at its headers


def require_whole(path: Path) -> None:
    """Refuse what is no file, a file that ends too early, and a file with a foreign log beside it.

    Other files than DuckDB's pass: DuckDB knows their names.

    Raises
    ------
    StoreError
        The file or its log is not whole; nothing was changed.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise StoreError(f"{path} is a pipe or a device, not a database file; give the path of a file with --db.")
        if path.stat().st_size == 0:
            raise StoreError(
                f"{path} is empty, so it is not a DuckDB database file; it was left as it is. "
                f"Delete it and create a catalog with `catalog db init --db {path}`, or restore it from a copy."
            )
        if not _is_open_here(path):
            _require_end(path)
        _require_log(path.with_name(path.name + ".wal"), path)
    except OSError as error:
        raise StoreError(f"cannot open or read {error.filename or path}: {(error.strerror or '').lower()}.") from error


def _is_open_here(path: Path) -> bool:
    """Whether this process has the file open; closing it once more would drop its locks, which are one process's."""
    looked_for = path.stat()
    for entry in Path("/dev/fd").glob("*"):
        with suppress(OSError):  # the folder itself, which is closed again
            if os.path.samestat(os.fstat(int(entry.name)), looked_for):
                return True
    return False


def _require_end(path: Path) -> None:
    for _ in range(_ATTEMPTS):
        missing = _missing_bytes(path)
        if missing <= 0 or not _misses_data(path):
            return
        time.sleep(_PAUSE)
    raise StoreError(
        f"{path} is damaged or cut short: its last {missing:,} bytes are missing. It was left as it is. "
        "Restore it from a copy, or create a new catalog and ingest again."
    )


def _missing_bytes(path: Path) -> int:
    with path.open("rb") as file:
        begin = file.read(3 * _HEADER)
    if begin[_MAGIC] != b"DUCK":
        return 0  # another kind of file
    if len(begin) < 3 * _HEADER:
        return 3 * _HEADER - len(begin)
    _, blocks, size = max(_FIELDS.unpack_from(begin, place) for place in (_HEADER, 2 * _HEADER))
    there = path.stat().st_size - 3 * _HEADER
    if size == 0 or there % size == 0:
        return 0  # DuckDB itself takes free blocks away from the end
    return int(blocks * size - there)


def _misses_data(path: Path) -> bool:
    """Whether rows lie in blocks that are not there: a full disk may leave a part of a block that nobody needs."""
    try:
        with duckdb.connect(str(path.absolute()), read_only=True) as connection:
            ((size,),) = connection.execute("SELECT block_size FROM pragma_database_size()").fetchall()
            blocks = (path.stat().st_size - 3 * _HEADER) // int(size)
            for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
                needed = "SELECT coalesce(max(block_id), -1) FROM pragma_storage_info(?)"
                ((last,),) = connection.execute(needed, [name]).fetchall()
                if last >= blocks:
                    return True
    except duckdb.Error as error:
        return "Could not read enough bytes" in str(error)  # anything else is told by who opens it
    return False


def _require_log(log: Path, path: Path) -> None:
    if not log.exists():
        return
    if stat.S_ISREG(log.stat().st_mode):
        with log.open("rb") as file:
            begin = file.read(len(_LOG_BEGINS))
        if _LOG_BEGINS.startswith(begin):
            return
    raise StoreError(
        f"{log} is damaged: it is not the log that DuckDB keeps beside {path}, which may hold what was stored last. "
        f"Nothing was changed. Restore both files from a copy, or move {log.name} away to go on without it."
    )
