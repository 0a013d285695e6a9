"""TFRecord framing: length, checksum of the length, data, checksum of the data; no TensorFlow.

The package tfrecord (1.14) reads the same frames, but checks no checksum.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import google_crc32c

from catalog.errors import IngestError
from ingest.reading.byte_source import ByteSource
from ingest.reading.sources import LimitedStream

_HEAD = struct.Struct("<8sI")
_LENGTH = struct.Struct("<Q")
_CHECKSUM = struct.Struct("<I")
_FRAME = _HEAD.size + _CHECKSUM.size
_MASK_DELTA = 0xA282EAD8
_LONGEST_RECORD = 2**24


def masked_crc32c(data: bytes) -> int:
    """The CRC-32C of `data`, rotated right by 15 bits plus a constant: a checksum of data that hold checksums."""
    checksum: int = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + _MASK_DELTA) & 0xFFFFFFFF


def records(stream: LimitedStream) -> Iterator[bytes]:
    """The data of each record, in the file's order.

    Raises
    ------
    IngestError
        A checksum is wrong, the file ends within a record, or a record is longer than 16 MiB. The message has the
        record's number, from 1, and its offset.
    """
    source = ByteSource(stream)
    number = 0
    while source.need(_FRAME) or len(source.window) > source.position:
        number += 1
        if not source.need(_FRAME):
            raise _fault(source, number, "the file ends within the record")
        length_bytes, length_checksum = _HEAD.unpack_from(source.window, source.position)
        if masked_crc32c(length_bytes) != length_checksum:
            raise _fault(source, number, "the checksum of its length is wrong")
        length = _LENGTH.unpack(length_bytes)[0]
        if length > _LONGEST_RECORD:
            raise _fault(source, number, f"it has {length} bytes, {_LONGEST_RECORD} are allowed")
        if not source.need(_FRAME + length):
            raise _fault(source, number, "the file ends within the record")
        start = source.position + _HEAD.size
        data = source.window[start : start + length]
        if masked_crc32c(data) != _CHECKSUM.unpack_from(source.window, start + length)[0]:
            raise _fault(source, number, "the checksum of its data is wrong")
        source.position = start + length + _CHECKSUM.size
        yield data


def _fault(source: ByteSource, number: int, what: str) -> IngestError:
    return IngestError(
        f"{source.name}: record {number} at offset {source.offset}: {what}; nothing was stored. The file is damaged, "
        "incomplete, or no TFRecord file: fetch it again."
    )
