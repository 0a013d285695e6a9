"""Standard output and error of a command: all that was said arrives, or the command says that it did not."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TextIO

from catalog.message import as_message


def prepare() -> None:
    """Make both streams fit for what commands write.

    A terminal may not know every character of a drawing. And a stream without a buffer, which ``PYTHONUNBUFFERED`` asks
    for, drops what the system does not take at once and tells nobody.
    """
    sys.stdout, sys.stderr = _fit(sys.stdout), _fit(sys.stderr)


def _fit(stream: TextIO) -> TextIO:
    if not isinstance(stream, io.TextIOWrapper):
        return stream
    if stream.errors == "strict":
        stream.reconfigure(errors="replace")
    if isinstance(stream.buffer, io.RawIOBase):
        buffered = io.BufferedWriter(stream.buffer)
        return io.TextIOWrapper(buffered, stream.encoding, stream.errors, line_buffering=True)
    return stream


def give_up(stream: TextIO) -> None:
    """Drop what a stream still holds, so that the end of the program does not try to write it again."""
    with suppress(OSError, ValueError):  # no file of the system's, or closed already
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def tell(message: str) -> None:
    """A line on standard error; where nobody takes it, nothing else changes."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(as_message(message) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        give_up(sys.stderr)
