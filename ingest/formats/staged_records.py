"""The rows of a staged space's table: comma-separated, parquet, lines of JSON, or one JSON object or list."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from catalog.errors import IngestError
from catalog.spaces.staged.public_table import alternatives
from ingest.reading.magnitudes import is_number, needed
from ingest.reading.pickled_values import described
from ingest.reading.sources import UnusableJSONError, lines, open_stream, parse_json, read_json
from ingest.reading.text_table import TextTable

_LONGEST_LINE = 2**24
_TABLES = (".csv", ".parquet")


class Row(NamedTuple):
    """One record, and what messages call its place."""

    where: str
    said: Mapping[str, Any]

    def fail(self, what: str) -> NoReturn:
        """Raise the error for something wrong in the record."""
        raise IngestError(f"{self.where}: {what} Nothing was stored. Fix the record and run the same command again.")

    def moved(self, paths: Mapping[str, str]) -> Row:
        """The record with what stands at some paths as columns, in place of the columns that it stood in."""
        found = {column: value for path, column in paths.items() if (value := self.get(path)) is not None}
        if not found:
            return self
        left = {path.partition(".")[0] for path, column in paths.items() if column in found}
        kept = {name: value for name, value in self.said.items() if name not in left}
        if twice := [name for name in found if name in kept]:
            self.fail(f"{twice[0]} stands there twice, in two forms of the table.")
        return Row(self.where, {**kept, **found})

    def has(self, path: str, value: object) -> bool:
        """Whether a value stands at a path."""
        said = self.get(path)
        return said == value and isinstance(said, bool) == isinstance(value, bool)

    def get(self, path: str) -> Any:
        """What stands at a path, of several at the only one where something does; None where there is nothing."""
        there = [(one, said) for one in alternatives(path) if (said := self._get(one)) is not None]
        if len(there) > 1 and any(str(said) != str(there[0][1]) for _, said in there):
            self.fail(f"{' and '.join(one for one, _ in there)} differ, and are to say the same.")
        return there[0][1] if there else None

    def shown(self, path: str) -> str:
        """A path as messages name it: of several those whose column is there."""
        several = alternatives(path)
        return " or ".join([one for one in several if one.partition(".")[0] in self.said] or several)

    def _get(self, path: str) -> Any:
        found: Any = self.said.get(path)
        if found is not None or "." not in path:
            return None if found == "" else found
        found = self.said
        for step in path.split("."):
            found = members(found)
            if isinstance(found, Mapping):
                found = found.get(step)
            elif isinstance(found, Sequence) and step.isdecimal() and int(step) < len(found):
                found = found[int(step)]
            else:
                return None
        return None if found == "" else found


def members(said: Any) -> Any:
    """What has members: of a text the JSON that it is, or its words."""
    if not isinstance(said, str):
        return said
    if not said.startswith(("{", "[")):
        return said.split()
    return _parsed(said)


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    """The paths of one record look into the same text many times."""
    try:
        return parse_json(text.encode())
    except (UnusableJSONError, RecursionError, ValueError):
        return text.split()


def read_rows(path: Path, key: str, size_limit: int) -> list[Row]:
    """All records of a file.

    Parameters
    ----------
    key
        The name of what stands before each record of one JSON object.

    Raises
    ------
    IngestError
        The file is none of the kinds.
    """
    if any(suffix in path.suffixes for suffix in _TABLES):
        table = TextTable.read(path, size_limit)
        return [Row(table.place(place), said) for place, said in enumerate(table.frame.iter_rows(named=True))]
    if ".json" in path.suffixes:
        return list(document_rows(path.name, read_json(path, size_limit), key))
    return list(line_rows(path, size_limit))


def document_rows(name: str, document: Any, key: str) -> Iterator[Row]:
    """The records of one JSON document: a list of objects, or an object with a record for each `key`.

    Raises
    ------
    IngestError
        It is neither.
    """
    if isinstance(document, list) and all(isinstance(said, Mapping) for said in document):
        yield from (Row(f"{name}, record {number}", said) for number, said in enumerate(document, 1))
        return
    if not isinstance(document, Mapping):
        raise IngestError(
            f"{name}: it is {described(document)}; an object with a record for each id, or a list of records, is "
            "needed. Nothing was stored."
        )
    for native_id, said in document.items():
        if not isinstance(said, Mapping):
            raise IngestError(
                f"{name}, key {described(native_id)}: it is {described(said)}; an object is needed. Nothing was stored."
            )
        yield Row(f"{name}, key {described(native_id)}", {key: native_id, **said})


def line_rows(path: Path, size_limit: int) -> Iterator[Row]:
    """The records of a file with a JSON object a line.

    Raises
    ------
    IngestError
        A line is none.
    """
    with open_stream(path, size_limit) as stream:
        for number, line in lines(stream, _LONGEST_LINE):
            if not line.strip():
                continue
            where = f"{path.name} line {number}"
            try:
                said = parse_json(line)
            except UnicodeDecodeError as error:
                raise _no_json(where, f"byte {error.start} is no UTF-8 text") from None
            except json.JSONDecodeError as error:
                raise _no_json(where, f"{error.msg} at column {error.colno}") from None
            except (UnusableJSONError, RecursionError, ValueError) as error:
                raise _no_json(where, str(error)) from None
            if not isinstance(said, Mapping):
                raise _no_json(where, f"it is {described(said)}, and an object is needed")
            yield Row(where, said)


def _no_json(where: str, what: str) -> IngestError:
    return IngestError(f"{where}: no record as JSON: {what}; nothing was stored.")


def number(row: Row, column: str, times: float = 1.0) -> float:
    """A column that has to be a number, multiplied as decimals are: 0.5888 of 1 is 58.88 of 100."""
    said = row.get(column)
    value = as_number(said)
    if value is None:
        row.fail(f"{column} is {described(said)}; {needed(_told(said))}.")
    return value if times == 1 else float(Decimal(repr(value)) * Decimal(repr(times)))


def as_number(said: Any) -> float | None:
    """A finite number, also one that stands as a text; None for all else."""
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        value = float(said)
    except (ValueError, OverflowError):
        return None
    return value if is_number(value) else None


def _told(said: Any) -> Any:
    """What a text says as a number, however large; anything else is itself."""
    try:
        return float(said) if isinstance(said, str) else said
    except ValueError:
        return said
