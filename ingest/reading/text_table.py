"""Tables, comma-separated (plain or gzipped) or parquet, with errors that name the line."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
from numpy.typing import NDArray

from catalog.errors import IngestError
from ingest.reading.sources import DEFAULT_SIZE_LIMIT

_CHUNK = 2**22
_PARQUET = b"PAR1"


def read_bytes(path: Path, size_limit: int = DEFAULT_SIZE_LIMIT) -> bytes:
    """The file's bytes, unpacked if it is gzipped.

    Raises
    ------
    IngestError
        The file cannot be read, is a truncated or damaged gzip file, or unpacks to more than `size_limit` bytes.
    """
    parts, size = [], 0
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.open(raw) if zipped else raw as stream:
                while part := stream.read(_CHUNK):
                    size += len(part)
                    if size > size_limit:
                        raise IngestError(
                            f"{path.name} unpacks to more than {size_limit:,} bytes; nothing was stored. If you trust "
                            "the file, raise the limit with --size-limit."
                        )
                    parts.append(part)
    except (OSError, EOFError, zlib.error) as error:
        raise IngestError(
            f"{path.name} cannot be read: {error}; nothing was stored. "
            "The file may be damaged or cut off: get it again."
        ) from error
    return b"".join(parts)


def _parquet_frame(path: Path, data: bytes, size_limit: int) -> pl.DataFrame:
    """A parquet file's columns as texts; numbers keep all their digits."""
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
        if (size := sum(group.total_byte_size for group in groups)) > size_limit:
            raise IngestError(
                f"{path.name} unpacks to {size:,} bytes, more than {size_limit:,}; nothing was stored. If you trust "
                "the file, raise the limit with --size-limit."
            )
        frame = pl.from_arrow(file.read())
        assert isinstance(frame, pl.DataFrame)
        return frame.select(pl.all().cast(pl.String)).fill_null("")
    except (pyarrow.ArrowException, pl.exceptions.PolarsError, OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise IngestError(f"{path.name} is no readable parquet table: {reason}; nothing was stored.") from error


class TextTable:
    """A table whose cells are texts until a column is asked for; line 1 is the header.

    Parameters
    ----------
    path
        Where it was read from, for messages.
    frame
        All columns as strings.
    """

    def __init__(self, path: Path, frame: pl.DataFrame) -> None:
        self.path = path
        self.frame = frame

    @classmethod
    def read(cls, path: Path, size_limit: int = DEFAULT_SIZE_LIMIT) -> TextTable:
        """Read a table with a header line.

        Raises
        ------
        IngestError
            The file is no such table.
        """
        data = read_bytes(path, size_limit)
        if data.startswith(_PARQUET):
            return cls(path, _parquet_frame(path, data, size_limit))
        try:
            frame = pl.read_csv(data, infer_schema=False).fill_null("")
        except pl.exceptions.PolarsError as error:
            reason = str(error).splitlines()[0]
            raise IngestError(f"{path.name} is no comma-separated table: {reason}; nothing was stored.") from error
        return cls(path, frame)

    @property
    def columns(self) -> tuple[str, ...]:
        """The header."""
        return tuple(self.frame.columns)

    def __len__(self) -> int:
        return self.frame.height

    def __repr__(self) -> str:
        return f"TextTable({self.path.name!r}, {len(self)} rows, {len(self.columns)} columns)"

    def fail(self, row: int, what: str) -> NoReturn:
        """Raise the error for something wrong in a row (0 is the first after the header)."""
        raise IngestError(
            f"{self.path.name} line {row + 2}: {what}\nnothing was stored. Fix the line and run the same command again."
        )

    def texts(self, column: str) -> list[str]:
        """A column as texts."""
        return self.frame[column].to_list()

    def numbers(self, column: str, low: float, high: float, meaning: str) -> NDArray[np.float64]:
        """A column as numbers within [low, high]; `meaning` completes the message '... is 943.7; '.

        Raises
        ------
        IngestError
            A cell is no number or lies outside; the message names the line and the value.
        """
        return self._checked(column, self.frame[column].str.strip_chars(), low, high, meaning)

    def _checked(self, column: str, texts: pl.Series, low: float, high: float, meaning: str) -> NDArray[np.float64]:
        values = texts.cast(pl.Float64, strict=False).to_numpy()
        wrong = np.flatnonzero(~((values >= low) & (values <= high)))
        if len(wrong):
            row = int(wrong[0])
            self.fail(row, f"{column} is {texts[row] or 'empty'}; {meaning}.")
        return values

    def unique(self, column: str, values: Sequence[str | int]) -> None:
        """Check that no value of a column occurs twice.

        Raises
        ------
        IngestError
            One does; the message names both lines.
        """
        seen: dict[str | int, int] = {}
        for row, value in enumerate(values):
            if value in seen:
                self.fail(row, f"{column} {value} stands in line {seen[value] + 2} already; each may occur once.")
            seen[value] = row
