"""A small file that unpacks into a large one is refused before it fills the memory, whatever it is packed in."""

import bz2
import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet
import pytest

from catalog.errors import IngestError
from ingest.reading import text_table
from ingest.reading.sources import UNSUSPECTED, lines, open_stream, read_json
from ingest.reading.text_table import TextTable
from ingest.reading.torch_archive import TorchArchive

MUCH = 4 * UNSUSPECTED


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
@pytest.mark.parametrize("unit", [b"a", b'{"id": 1}\n', b"[],"])
def test_what_unpacks_too_well_is_refused(tmp_path: Path, pack: Callable[[bytes], bytes], unit: bytes) -> None:
    path = tmp_path / "small.json"
    path.write_bytes(pack(unit * (MUCH // len(unit))))
    with pytest.raises(IngestError, match="made to fill the memory; nothing was stored. .*unpack it first"):
        read_json(path)
    with pytest.raises(IngestError, match=r"made to fill the memory|longer than"), open_stream(path) as stream:
        for _ in lines(stream, 2**24):
            pass


@pytest.mark.parametrize("text", [b"a" * MUCH, b"a,b\n" * (MUCH // 4)])
def test_so_is_a_table(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(text))
    with pytest.raises(IngestError, match=r"made to fill the memory|line 1: longer than 4,194,304 bytes"):
        TextTable.read(path)


def test_so_is_a_member_of_an_archive(tmp_path: Path) -> None:
    path = tmp_path / "archive.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02(" + b"N0" * (MUCH // 2))
    with pytest.raises(IngestError, match="made to fill the memory"), TorchArchive(path)._member() as stream:
        while stream.read():
            pass


def test_so_is_a_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pa.parquet.write_table(pa.table({"a": pa.repeat(1, 4_000_000)}), path, compression="zstd")
    with pytest.raises(IngestError, match="made to fill the memory"):
        TextTable.read(path)


def test_a_plain_file_is_as_large_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "plain.json"
    path.write_bytes(b"[" + b"1," * (UNSUSPECTED // 2) + b"1]")
    assert len(read_json(path)) == UNSUSPECTED // 2 + 1


def test_a_table_has_no_line_of_millions(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,2\n" + b"3" * (text_table._LONGEST_LINE + 1))
    with pytest.raises(IngestError, match="line 3: longer than 4,194,304 bytes"):
        TextTable.read(path)


def test_a_table_has_a_number_of_columns_that_a_reader_can_hold(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text(",".join(f"c{number}" for number in range(10_001)) + "\n")
    with pytest.raises(IngestError, match="line 1: 10,001 columns; 10,000 is the most"):
        TextTable.read(path)
