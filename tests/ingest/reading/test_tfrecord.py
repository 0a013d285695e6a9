"""TFRecord framing."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import IngestError
from ingest.reading.sources import LimitedStream, open_stream
from ingest.reading.tfrecord import masked_crc32c, records
from tests.ingest.formats.damage import DAMAGE, Damage, damaged, survives
from tests.ingest.formats.writers import framed


def read(data: bytes) -> list[bytes]:
    return list(records(LimitedStream(io.BytesIO(data), "file.tfrecord")))


def test_the_checksum_is_castagnoli_and_masked() -> None:
    # RFC 3720, B.4: 32 bytes of zeros have the CRC-32C aa36918a (bytes in order of transmission)
    assert google_crc32c.value(bytes(32)) == 0x8A9136AA
    assert masked_crc32c(bytes(32)) == ((0x8A9136AA >> 15 | 0x8A9136AA << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


@given(st.lists(st.binary(max_size=3000), max_size=30))
def test_records_come_back_in_order(data: list[bytes]) -> None:
    assert read(b"".join(map(framed, data))) == data


def test_records_across_the_reading_blocks(tmp_path: Path) -> None:
    data = [bytes([number % 256]) * (number * 37 % 5000) for number in range(600)]
    path = tmp_path / "many.tfrecord"
    path.write_bytes(b"".join(map(framed, data)))
    with open_stream(path) as stream:
        assert list(records(stream)) == data


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (0, "checksum of its length"),
        (9, "checksum of its length"),
        (14, "checksum of its data"),
        (-1, "checksum of its data"),
    ],
)
def test_a_flipped_bit_is_found_with_record_and_offset(place: int, words: str) -> None:
    first, second = framed(b"first"), bytearray(framed(b"second"))
    second[place] ^= 1
    with pytest.raises(IngestError, match=rf"file\.tfrecord: record 2 at offset {len(first)}: the {words}"):
        read(first + bytes(second))


@pytest.mark.parametrize("kept", [1, 8, 12, 13, 20])
def test_a_cut_is_found(kept: int) -> None:
    with pytest.raises(IngestError, match="record 2 at offset 20: the file ends within the record"):
        read(framed(b"1234") + framed(b"12345")[:kept])


def test_an_absurd_length_with_a_right_checksum_allocates_nothing() -> None:
    length = struct.pack("<Q", 2**60)
    with pytest.raises(IngestError, match="1152921504606846976 bytes"):
        read(length + struct.pack("<I", masked_crc32c(length)) + bytes(8))


@given(DAMAGE, st.lists(st.binary(max_size=50), min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_is_a_clean_error(tmp_path: Path, damage: Damage, data: list[bytes]) -> None:
    whole = b"".join(map(framed, data))

    def read_file(path: Path) -> list[bytes]:
        with open_stream(path) as stream:
            found = list(records(stream))
        assert found == data[: len(found)]
        return found

    survives(read_file, tmp_path / "file.tfrecord", damaged(whole, damage))
