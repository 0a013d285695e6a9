"""Files for users: each appears whole under its name, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from catalog.errors import StoreError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file beside `path` that the block writes, and that takes its name when the block is done.

    Raises
    ------
    StoreError
        The file cannot be written; what stood at `path` is still there, and nothing is left beside it.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise StoreError(
            f"cannot write {path}: {error.strerror or error}; nothing was left behind. Name another file."
        ) from error
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8; raises as `replacing`."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")
