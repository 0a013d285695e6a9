"""Files as bounded streams of bytes: plain, gzip or bzip2 by their first bytes, never larger than a limit."""

from __future__ import annotations

import bz2
import gzip
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from catalog.errors import IngestError
from catalog.message import readable_bytes
from ingest.reading.shown import shown

DEFAULT_SIZE_LIMIT = 16 * 2**30
"""Unpacked bytes that a reader takes from one compressed file or archive member before it suspects a bomb."""

JSON_SIZE_LIMIT = 2 * 2**30
"""Bytes of one JSON document; it has to stand in memory as a whole."""

LARGEST_RATIO = 100
"""Unpacked bytes to packed ones of a file that is larger than `UNSUSPECTED`; tables and records reach 5 to 30."""

UNSUSPECTED = 2**24
"""Unpacked bytes that are never too many, however well they were packed."""

BLOCK = 2**18

_ESCAPE = b"\\u"  # what both patterns begin with; most lines have none, and it is found fifty times as fast
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_GZIP = b"\x1f\x8b"
_BZIP2 = b"BZh"


class LimitedStream:
    """Bytes of one file, unpacked, with every fault of reading turned into an `IngestError`.

    Parameters
    ----------
    stream
        What to read; it is closed with this object.
    name
        What messages call the file.
    limit
        Unpacked bytes that may be read.
    packed
        Bytes of the stream before unpacking; None for what is not packed.
    """

    def __init__(
        self, stream: IO[bytes], name: str, limit: int = DEFAULT_SIZE_LIMIT, packed: int | None = None
    ) -> None:
        self.name = name
        self._stream = stream
        self._limit = limit
        self._packed = packed
        self._read = 0

    def read(self, size: int = BLOCK) -> bytes:
        """Up to `size` bytes; fewer, or none, at the end of the file."""
        try:
            block = self._stream.read(size)
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
            raise IngestError(
                f"{self.name}: damaged or incomplete after {self._read} unpacked bytes ({error}); nothing was stored. "
                "Fetch the file again."
            ) from None
        self._read += len(block)
        if self._read > self._limit:
            raise IngestError(
                f"{self.name}: unpacks to more than {readable_bytes(self._limit)}, which is more than the limit "
                "allows; nothing was stored. If the file is what it should be, raise the size limit."
            )
        if self._packed is not None:
            require_ratio(self.name, self._read, self._packed)
        return block

    def __enter__(self) -> LimitedStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


def open_stream(path: Path, size_limit: int = DEFAULT_SIZE_LIMIT) -> LimitedStream:
    """Open a file for reading, unpacking gzip and bzip2 by their first bytes.

    Raises
    ------
    IngestError
        The file cannot be opened.
    """
    try:
        with path.open("rb") as stream:
            first = stream.read(3)
        opener = _opener(first)
        opened = opener(path, "rb")
        packed = None if opener is open else path.stat().st_size
    except OSError as error:
        raise IngestError(f"{path.name}: cannot be read ({error.strerror}); check the path.") from None
    return LimitedStream(opened, path.name, size_limit, packed)


def require_ratio(name: str, unpacked: int, packed: int) -> None:
    """Refuse a small file that unpacks into a large one.

    Raises
    ------
    IngestError
        So many bytes are more than `UNSUSPECTED` and more than `LARGEST_RATIO` times those that were packed.
    """
    if unpacked > max(UNSUSPECTED, LARGEST_RATIO * packed):
        raise IngestError(
            f"{name}: its {readable_bytes(packed)} unpack to {readable_bytes(unpacked)} and more, over "
            f"{LARGEST_RATIO} times as many, as in a file that is made to fill the memory; nothing was stored. If it "
            "is what it should be, unpack it first and give the unpacked file."
        )


def _opener(first: bytes) -> Callable[[Path, str], Any]:
    if first.startswith(_GZIP):
        return gzip.open
    return bz2.open if first.startswith(_BZIP2) else open


def lines(stream: LimitedStream, longest: int) -> Iterator[tuple[int, bytes]]:
    """(number from 1, bytes) of each line, without its end.

    Raises
    ------
    IngestError
        A line is longer than `longest` bytes.
    """
    number = 1
    rest = b""
    while True:
        block = stream.read()
        parts = (rest + block).split(b"\n")
        rest = parts.pop()
        for line in parts:
            yield number, line
            number += 1
        if len(rest) > longest:
            raise IngestError(
                f"{stream.name} line {number}: longer than {longest} bytes, the most that is allowed; nothing was "
                "stored."
            )
        if not block:
            break
    if rest:
        yield number, rest


class UnusableJSONError(ValueError):
    """JSON that Python reads, but not as it stands: a key twice in one object, or what no name can hold."""


def parse_json(data: bytes) -> Any:
    """The value of a JSON text.

    Raises
    ------
    UnusableJSONError
        An object has a key twice, of which Python would keep the last, or a text holds half a surrogate pair or NUL,
        which names in a table cannot.
    ValueError
        The text is no JSON; `json.JSONDecodeError` and `UnicodeDecodeError` say where.
    RecursionError
        It is nested too deep.
    """
    value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)  # bytes might hold halves of characters
    if _ESCAPE not in data:
        return value
    if _NUL.search(data):
        raise UnusableJSONError("a text holds the character NUL (\\u0000), which no name may have")
    if _SURROGATE.search(data):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            near = shown(error.object[max(error.start - 20, 0) : error.end + 20])
            raise UnusableJSONError(f"near {near!r} stands half of a surrogate pair, which is no character") from None
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        key = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise UnusableJSONError(f"the key {shown(key)!r} stands twice in one object; each may occur once")
    return found


def read_json(path: Path, size_limit: int = JSON_SIZE_LIMIT) -> Any:
    """The value of a JSON document, plain or compressed.

    Raises
    ------
    IngestError
        The file is no JSON, is nested too deep, has a key of an object twice, or is larger than `size_limit`.
    """
    with open_stream(path, size_limit) as stream:
        blocks = []
        while block := stream.read():
            blocks.append(block)
    try:
        return parse_json(b"".join(blocks))
    except UnicodeDecodeError as error:
        raise IngestError(f"{path.name}: byte {error.start} is no UTF-8 text; nothing was stored.") from None
    except json.JSONDecodeError as error:
        raise IngestError(f"{path.name} line {error.lineno}: no JSON ({error.msg}); nothing was stored.") from None
    except UnusableJSONError as error:
        raise IngestError(f"{path.name}: {error}. Nothing was stored.") from None
    except (RecursionError, ValueError) as error:  # ValueError: a number of thousands of digits
        raise IngestError(f"{path.name}: no usable JSON ({error}); nothing was stored.") from None
