"""Files and folders for users: each file appears whole under its name, or not at all."""

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
        partial.replace(target)
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
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", errors="replace")


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
