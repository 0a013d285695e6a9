"""Tables, comma-separated (plain or gzipped) or parquet, with errors that name the line."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from catalog.errors import IngestError
from catalog.message import readable_bytes
from ingest.reading.percents import ALLOWED, Percents
from ingest.reading.shown import shown
from ingest.reading.sources import DEFAULT_SIZE_LIMIT, require_ratio

_CHUNK = 2**22
PARQUET = b"PAR1"
"""What a parquet file begins with."""

_HEADER = 2**16
_LONGEST_LINE = _CHUNK
_MOST_COLUMNS = 10_000
_CELL = 8  # bytes, at least, of a parquet file's cell in memory


def read_bytes(path: Path, size_limit: int = DEFAULT_SIZE_LIMIT) -> bytes:
    """The file's bytes, unpacked if it is gzipped.

    Raises
    ------
    IngestError
        The file cannot be read, is a truncated or damaged gzip file, or unpacks to more than `size_limit` bytes.
    """
    parts, size = [], 0
    line = _Line(path.name)
    try:
        with path.open("rb") as raw:
            zipped = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            with gzip.open(raw) if zipped else raw as stream:
                while part := stream.read(_CHUNK):
                    size += len(part)
                    if size > size_limit:
                        raise IngestError(
                            f"{path.name} unpacks to more than {readable_bytes(size_limit)}; nothing was stored. If "
                            "you trust the file, raise the limit with --size-limit."
                        )
                    if zipped:
                        require_ratio(path.name, size, path.stat().st_size)
                    line.see(part)
                    parts.append(part)
    except (OSError, EOFError, zlib.error) as error:
        of_the_system = isinstance(error, OSError) and error.strerror  # a damaged archive has none
        remedy = "Check the path" if of_the_system else "The file may be damaged or cut off: get it again"
        raise IngestError(
            f"{path.name} cannot be read: {of_the_system or error}; nothing was stored. {remedy}."
        ) from error
    return b"".join(parts)


class _Line:
    """The length of the line that is being read: none of a table is so long that it would have to be kept whole."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._number = 1
        self._length = 0
        self._is_text: bool | None = None

    def see(self, part: bytes) -> None:
        """Read on; raises IngestError where a text's line is longer than `_LONGEST_LINE`."""
        if self._is_text is None:
            self._is_text = not part.startswith(PARQUET)
        if not self._is_text:
            return
        end = part.find(b"\n")  # parts are no longer than a line may be, so the first line of one is the only to check
        if self._length + (len(part) if end < 0 else end) <= _LONGEST_LINE:
            end = part.rfind(b"\n")
            self._number += part.count(b"\n")
            self._length = self._length + len(part) if end < 0 else len(part) - end - 1
            return
        raise IngestError(
            f"{self._name} line {self._number}: longer than {_LONGEST_LINE:,} bytes, the most that is allowed; nothing "
            "was stored."
        )


def read_parquet(path: Path, data: bytes, size_limit: int, *, lists: bool = False) -> pa.Table:
    """A parquet file's columns, which hold texts and numbers and, where `lists`, lists of them.

    Raises
    ------
    IngestError
        The file is damaged, too large, or holds other columns.
    """
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(io.BytesIO(data))
        groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
        if (size := sum(group.total_byte_size for group in groups)) > size_limit:
            raise IngestError(
                f"{path.name} unpacks to {readable_bytes(size)}, more than {readable_bytes(size_limit)}; nothing was "
                "stored. If you trust the file, raise the limit with --size-limit."
            )
        require_ratio(path.name, _CELL * file.metadata.num_rows * file.metadata.num_columns, len(data))
        if file.metadata.num_columns > _MOST_COLUMNS:
            raise _too_wide(path, file.metadata.num_columns)
        if other := [column for column in file.schema_arrow if not _is_plain(column.type, lists=lists)]:
            raise IngestError(
                f"{path.name}: the column {shown(other[0].name)} holds {shown(str(other[0].type))}; texts and numbers "
                "are read. Nothing was stored. Remove the column, or write it as texts."
            )
        table = file.read()
        table.validate(full=True)  # texts that are no UTF-8 would end the process
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    return table


def _parquet_frame(path: Path, data: bytes, size_limit: int) -> pl.DataFrame:
    """A parquet file's columns as texts; numbers keep all their digits."""
    try:
        frame = pl.from_arrow(read_parquet(path, data, size_limit))
        assert isinstance(frame, pl.DataFrame)
        return frame.select(pl.all().cast(pl.String)).fill_null("")
    except pl.exceptions.PolarsError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> IngestError:
    reason = shown(str(error).splitlines()[0], 200)
    return IngestError(f"{path.name} is no readable parquet table: {reason}; nothing was stored.")


def _is_plain(kind: pa.DataType, *, lists: bool) -> bool:
    """Whether a column of this type can only hold what a cell of a text table holds, or `lists` of it."""
    types = pa.types
    if lists and (types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind)):
        return _is_plain(kind.value_type, lists=True)
    if types.is_dictionary(kind):
        kind = kind.value_type
    tests = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean, types.is_null)
    return any(test(kind) for test in (*tests, types.is_string, types.is_large_string))


def _no_table(path: Path, reason: str) -> IngestError:
    return IngestError(f"{path.name} is no comma-separated table: {reason}; nothing was stored.")


def _too_wide(path: Path, columns: int) -> IngestError:
    return IngestError(
        f"{path.name} line 1: {columns:,} columns; {_MOST_COLUMNS:,} is the most. Nothing was stored. Leave some out."
    )


def refuse_other_kinds(path: Path, data: bytes) -> None:
    """Name what a file is that is no text table at all, and a header that says one name twice.

    Raises
    ------
    IngestError
        It is one of these.
    """
    start = data[:_HEADER].removeprefix(codecs.BOM_UTF8).lstrip()
    if not start:
        raise _no_table(path, "it is empty")
    if (place := data.find(b"\0")) >= 0:
        raise _no_table(path, f"byte {place} is NUL, as in binary files and in UTF-16; a table is UTF-8 text")
    if (columns := data.count(b",", 0, data.find(b"\n") + 1 or len(data)) + 1) > _MOST_COLUMNS:
        raise _too_wide(path, columns)
    if start[:1] in (b"{", b"["):
        raise _no_table(path, f"it begins with {start[:1].decode()}, as JSON does")
    if b"\n" not in data and b"\r" in data.strip():
        raise _no_table(path, "its lines end in carriage returns alone: save it with line feeds")
    try:
        header = next(csv.reader(io.StringIO(start.decode("utf-8", "replace"))), [])
    except csv.Error as error:
        raise _no_table(path, f"its header cannot be read ({error})") from error
    if len(header) == 1 and (other := next((sign for sign in "\t;|" if sign in header[0]), "")):
        raise _no_table(path, f"its header has no comma, but '{shown(other)}': separate the columns with commas")
    if twice := [name for name, count in Counter(header).items() if count > 1]:
        raise IngestError(
            f"{path.name} line 1: the column {shown(twice[0]) or 'without a name'} stands there twice; each may occur "
            "once. Nothing was stored. Rename or remove one of them."
        )


def _uneven(data: bytes) -> str:
    """The first line that has more fields than the header, in words."""
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace")))
    try:
        width = len(next(rows, []))
        for row in rows:
            if len(row) > width:
                return f"line {rows.line_num} has {len(row)} fields, but the header {width}"
    except csv.Error:
        return ""
    return ""


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
        self.percents = Percents(path.name)

    @classmethod
    def read(cls, path: Path, size_limit: int = DEFAULT_SIZE_LIMIT) -> TextTable:
        """Read a table with a header line.

        Raises
        ------
        IngestError
            The file is no such table.
        """
        data = read_bytes(path, size_limit)
        if data.startswith(PARQUET):
            return cls(path, _parquet_frame(path, data, size_limit))
        refuse_other_kinds(path, data)
        try:
            frame = pl.read_csv(data.rstrip(), infer_schema=False).fill_null("")
        except pl.exceptions.PolarsError as error:
            raise _no_table(path, _uneven(data) or shown(str(error).splitlines()[0], 200)) from error
        return cls(path, frame)

    @property
    def columns(self) -> tuple[str, ...]:
        """The header."""
        return tuple(self.frame.columns)

    def __len__(self) -> int:
        return self.frame.height

    def __repr__(self) -> str:
        return f"TextTable({self.path.name!r}, {len(self)} rows, {len(self.columns)} columns)"

    def place(self, row: int) -> str:
        """What messages call a row (0 is the first after the header)."""
        return f"{self.path.name} line {row + 2}"

    def fail(self, row: int, what: str) -> NoReturn:
        """Raise the error for something wrong in a row."""
        raise IngestError(
            f"{self.place(row)}: {what}\nnothing was stored. Fix the line and run the same command again."
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

    def accuracies(self, column: str) -> NDArray[np.float64]:
        """A column of accuracies in percent.

        Raises
        ------
        IngestError
            A cell is no number from 0 to 100, or the whole column holds fractions.
        """
        values = self.numbers(column, 0, 100, ALLOWED)
        self.percents.see_all(column, values, self.place)
        self.percents.refuse_fractions()
        return values

    def refuse_same_meaning(self, meanings: Mapping[str, object]) -> None:
        """Check that no two columns mean the same, as ``mean_val_acc_108`` and ``mean_valid_acc_108`` would.

        Parameters
        ----------
        meanings
            Column to what it means, in a comparable form.

        Raises
        ------
        IngestError
            Two do; the message names both.
        """
        first: dict[object, str] = {}
        for column, meaning in meanings.items():
            if meaning in first:
                raise IngestError(
                    f"{self.path.name} line 1: the columns {shown(first[meaning])} and {shown(column)} mean the same; "
                    "nothing was stored. Remove one of them."
                )
            first[meaning] = column

    def _checked(self, column: str, texts: pl.Series, low: float, high: float, meaning: str) -> NDArray[np.float64]:
        values = texts.cast(pl.Float64, strict=False).to_numpy()
        wrong = np.flatnonzero(~((values >= low) & (values <= high)))
        if len(wrong):
            row = int(wrong[0])
            self.fail(row, f"{shown(column)} is {shown(texts[row] or 'empty')}; {meaning}.")
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
                self.fail(
                    row,
                    f"{column} {shown(str(value), 200)} stands in line {seen[value] + 2} already; each may occur once.",
                )
            seen[value] = row
