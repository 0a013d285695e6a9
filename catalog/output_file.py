"""Files and folders for users: each file appears whole under its name, or not at all, and is on the disk when it does.

A file that was written may still be in memory alone, where a full or failing disk can lose it. So it is said to be
there only after the system was asked to put it, and the name that it got, on the disk.
"""

from __future__ import annotations

import errno
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from catalog.errors import StoreError

_DETAILS = re.compile(r" \(os error \d+\).*", re.DOTALL)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` that the block writes, and that takes its name when the block is done.

    Raises
    ------
    StoreError
        The file cannot be written; what stood at `path` is still there, and nothing is left beside it.
    """
    target = Path(os.path.realpath(path))  # a link stays one
    partial = target.parent / f".{uuid.uuid4().hex}.partial"
    try:
        _require_place(target)
        yield partial
        flush(partial)
        partial.replace(target)
        flush_names(target.parent)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {reason_of(error)}; nothing was left behind. Name another file."
        ) from error
    finally:
        with suppress(OSError):  # a folder that cannot be written holds no partial file
            partial.unlink(missing_ok=True)


def _require_place(path: Path) -> None:
    """Raise `OSError` where no file can stand: the new one would take the place of a device, or has no folder."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is no regular file")
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, f"there is no folder {path.parent}")


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8; raises as `replacing`."""
    write_bytes(path, text.encode("utf-8", errors="replace"))


def write_bytes(path: Path, data: bytes | memoryview) -> None:
    """Write a file; raises as `replacing`."""
    with replacing(path) as partial:
        partial.write_bytes(data)


def flush(path: Path) -> None:
    """Have the system put a file's bytes on the disk; what it could not write before is an `OSError` now."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def flush_names(folder: Path) -> None:
    """Have the system put the names of a folder's files on the disk, where its file system can be asked to."""
    with suppress(OSError):  # the files are whole under one name or the other, and some systems open no folder
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def flush_all(folder: Path) -> None:
    """`flush` every file below a folder, and the names of all."""
    for path in folder.rglob("*"):
        if path.is_file():
            flush(path)
        else:
            flush_names(path)
    flush_names(folder)


def make_folder(folder: Path) -> None:
    """A folder to write into, made with those above it if it is missing.

    Raises
    ------
    StoreError
        It cannot be made or written.
    """
    probe = folder / f".{uuid.uuid4().hex}.probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except FileExistsError as error:
        raise StoreError(f"{folder} is a file; name a folder.") from error
    except OSError as error:
        raise StoreError(f"cannot write into the folder {folder}: {reason_of(error)}; name another.") from error


def reason_of(error: OSError) -> str:
    """What the system says, in its words alone: polars adds numbers and names of its own."""
    return error.strerror or _DETAILS.sub("", str(error)) or type(error).__name__
