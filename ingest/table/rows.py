"""The rows of a user's table: comma-separated, parquet, JSON or lines of it, or a frame that is in memory."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from catalog.errors import IngestError
from ingest.formats.staged_records import Row, document_rows, line_rows
from ingest.reading.shown import shown, shown_names
from ingest.reading.sources import DEFAULT_SIZE_LIMIT, open_stream, read_json
from ingest.reading.text_table import PARQUET, read_bytes, read_parquet, refuse_other_kinds

KEY_OF_OBJECT = "key"
"""The column of what stands before each record of one JSON object."""

_LONGEST_CELL = 2**22
_JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True)
class Rows:
    """A table, whose cells are texts or plain values; None is a cell with nothing in it.

    Parameters
    ----------
    name
        What messages call the table.
    columns
        Name to as many cells as there are rows.
    labels
        What messages call each row, such as ``line 7``.
    digest
        SHA-256 of the file's bytes, or of what a frame holds.
    """

    name: str
    columns: Mapping[str, Sequence[Any]]
    labels: Sequence[str]
    digest: str

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"Rows({self.name!r}, {len(self)} rows, {len(self.columns)} columns)"

    def fail(self, row: int, what: str) -> NoReturn:
        """Raise the error for something wrong in a row."""
        raise IngestError(
            f"{self.name} {self.labels[row]}: {what} Nothing was stored. Fix it and run the same command again."
        )


def read_rows(path: Path, size_limit: int = DEFAULT_SIZE_LIMIT) -> Rows:
    """All rows of a file, whose first bytes say what it is.

    Raises
    ------
    IngestError
        It is no table.
    """
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise IngestError(f"{path} {what}; nothing was stored. Check the path and run the command again.")
    with open_stream(path, size_limit) as stream:
        start = stream.read().lstrip()
    if start.startswith(PARQUET):
        return _parquet(path, size_limit)
    if start[:1] in (b"{", b"["):
        return _json(path, size_limit)
    return _comma_separated(path, size_limit)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _parquet(path: Path, size_limit: int) -> Rows:
    table = read_parquet(path, read_bytes(path, size_limit), size_limit, lists=True)
    columns = {name: [_plain(cell) for cell in table[name].to_pylist()] for name in table.column_names}
    return _checked(Rows(path.name, columns, _numbered("row", len(table)), _digest(path)))


def _json(path: Path, size_limit: int) -> Rows:
    is_lines = any(suffix in path.suffixes for suffix in _JSON_LINES) or ".json" not in path.suffixes
    records = (
        list(line_rows(path, size_limit))
        if is_lines
        else list(document_rows(path.name, read_json(path, size_limit), KEY_OF_OBJECT))
    )
    names = dict.fromkeys(name for record in records for name in record.said)
    columns = {name: [_plain(record.said.get(name)) for record in records] for name in names}
    return _checked(Rows(path.name, columns, [_label(path.name, record) for record in records], _digest(path)))


def _label(file: str, record: Row) -> str:
    return record.where.removeprefix(file).lstrip(", ")


def _comma_separated(path: Path, size_limit: int) -> Rows:
    data = read_bytes(path, size_limit)
    refuse_other_kinds(path, data)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise IngestError(
            f"{path.name} line {line}: byte {error.start} is no UTF-8 text; nothing was stored. Save it as UTF-8."
        ) from None
    csv.field_size_limit(_LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] = []
    cells: list[list[str]] = []
    labels: list[str] = []
    begun = 1
    try:
        for row in reader:
            if header and row:
                if len(row) != len(header):
                    raise IngestError(
                        f"{path.name} line {begun}: {len(row)} cells, but the header has {len(header)} columns; "
                        "nothing was stored. Fix the line, or quote cells that hold commas."
                    )
                cells.append(row)
                labels.append(f"line {begun}")
            elif not header:
                header = row
            begun = reader.line_num + 1
    except csv.Error as error:
        raise IngestError(
            f"{path.name} line {begun}: no comma-separated cells ({error}); nothing was stored. A cell that holds "
            'commas or quotes stands in quotes, and a quote in it is doubled: "".'
        ) from None
    columns = {name.strip(): [_plain(row[place]) for row in cells] for place, name in enumerate(header)}
    return _checked(Rows(path.name, columns, labels, _digest(path)))


def frame_rows(frame: Any, name: str) -> Rows:
    """The rows of a frame: of pandas, polars or pyarrow, of anything that gives Arrow data, or a mapping of lists.

    A pandas index that has a name is a column like the others; ``NaN`` is what pandas writes where nothing is.

    Raises
    ------
    IngestError
        It is nothing of this kind.
    """
    columns = {str(column): [_plain(cell) for cell in cells] for column, cells in _columns_of(frame, name)}
    if len({len(cells) for cells in columns.values()}) > 1:
        raise IngestError(f"{name}: its columns have different lengths; nothing was stored.")
    count = len(next(iter(columns.values()), ()))
    told = hashlib.sha256()
    for column, cells in columns.items():
        told.update(repr((column, cells)).encode(errors="surrogatepass"))
    return _checked(Rows(name, columns, _numbered("row", count), told.hexdigest()))


def _columns_of(frame: Any, name: str) -> Iterable[tuple[str, Iterable[Any]]]:
    package = type(frame).__module__.partition(".")[0]
    if package == "pandas":
        return _of_pandas(frame, name)
    if isinstance(frame, Mapping):
        return [(column, list(cells)) for column, cells in frame.items()]
    if package == "polars" and hasattr(frame, "collect"):
        frame = frame.collect()
    if not hasattr(frame, "__arrow_c_stream__"):
        raise IngestError(
            f"{name} is a {type(frame).__name__}; a path, or a frame of pandas, polars or pyarrow, is needed."
        )
    import pyarrow

    table = pyarrow.table(frame)
    _refuse_twice(name, table.column_names)
    return [(column, cells.to_pylist()) for column, cells in zip(table.column_names, table.columns, strict=True)]


def _of_pandas(frame: Any, name: str) -> list[tuple[str, list[Any]]]:
    if not hasattr(frame, "columns"):
        raise IngestError(
            f"{name} is a {type(frame).__name__} of pandas; a DataFrame is needed: .to_frame() makes one."
        )
    if any(level is not None for level in frame.index.names):
        frame = frame.reset_index()
    _refuse_twice(name, [str(column) for column in frame.columns])
    columns = [(str(column), frame[column]) for column in frame.columns]
    return [
        (column, [None if is_empty else cell for cell, is_empty in zip(cells, cells.isna(), strict=True)])
        for column, cells in columns
    ]


def _refuse_twice(name: str, columns: Sequence[str]) -> None:
    if twice := [column for column, count in Counter(columns).items() if count > 1]:
        raise IngestError(f"{name}: two columns are called {shown(twice[0])!r}; nothing was stored. Rename one.")


def _plain(cell: Any) -> Any:
    """A cell as Python's own value; a text without anything in it is no value."""
    if isinstance(cell, str):
        return cell.strip() or None
    if hasattr(cell, "tolist"):  # numpy's numbers and arrays
        return cell.tolist()
    return cell


def _numbered(word: str, count: int) -> list[str]:
    return [f"{word} {number}" for number in range(1, count + 1)]


def _checked(rows: Rows) -> Rows:
    if not len(rows):
        raise IngestError(
            f"{rows.name} holds no rows under its columns {shown_names(list(rows.columns))}; nothing was stored."
        )
    return rows
