"""Genotypes in text and Python files: those of the DARTS space, and by name and line those of other spaces."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import ForeignGenotypeError, IdentifierError, IngestError
from catalog.spaces import genotype
from ingest.formats.genotype_entries import Listed
from ingest.reading.sources import open_stream

_CALL = re.compile(r"\bGenotype\s{0,20}\(")
_NAMED = re.compile(r"([^\W\d]\w{0,100})\s{0,20}=\s{0,20}(?:\w{1,100}\.)?$")  # NASNet = genotypes.
_COMMENT = re.compile(r"#[^\n]*")
_LONGEST_CALL = 4000
_LONGEST_NAME = 300


@dataclass(frozen=True)
class _Call:
    """One ``Genotype(...)`` of a text: its line, the name it is assigned to, and itself without comments."""

    line: int
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.name} (line {self.line})" if self.name else f"line {self.line}"


def text_entries(path: Path, size_limit: int, notes: list[str]) -> Iterator[Listed]:
    """Every ``Genotype(...)`` of a text that is a DARTS cell; `notes` tells which ones were left out, and why.

    Raises
    ------
    IngestError
        The text holds no genotype of the DARTS space, or one that cannot be read.
    """
    left_out: dict[str, list[_Call]] = {}
    found = 0
    for call in _calls(path.name, _text(path, size_limit), is_python=path.suffix == ".py"):
        where = f"{path.name} line {call.line}"
        if call.text.startswith("#"):
            left_out.setdefault("it stands in a comment", []).append(call)
            continue
        try:
            read = genotype.parse(call.text)
        except ForeignGenotypeError as error:
            left_out.setdefault(error.reason, []).append(call)
        except IdentifierError as error:
            raise IngestError(f"{where}: {error} Nothing was stored.") from None
        else:
            found += 1
            yield Listed(where, read, name=call.name)
    reasons = [
        f"{len(calls)} left out, because {reason}: {', '.join(map(str, calls))}" for reason, calls in left_out.items()
    ]
    if not found:
        what = "; ".join(reasons) or "there is no Genotype(...) in it"
        raise IngestError(f"{path.name}: no Genotype of the DARTS space; {what}. Nothing was stored.")
    notes += [f"{reason}." for reason in reasons]


def _text(path: Path, size_limit: int) -> str:
    with open_stream(path, size_limit) as stream:
        data = b"".join(iter(stream.read, b""))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise IngestError(
            f"{path.name}: byte {error.start} is no UTF-8 text; a list of genotypes is text with Genotype(...) in it. "
            "Nothing was stored."
        ) from None


def _calls(file: str, text: str, *, is_python: bool) -> Iterator[_Call]:
    """The calls in order; one in a Python comment has a text that begins with ``#``."""
    line, counted, end = 1, 0, 0
    for match in _CALL.finditer(text):
        line += text.count("\n", counted, match.start())
        counted = match.start()
        start_of_line = text.rfind("\n", 0, counted) + 1
        before = text[max(start_of_line, counted - _LONGEST_NAME) : counted]
        if before.endswith("class ") or counted < end:
            continue
        named = _NAMED.search(before)
        name = named[1] if named else ""
        if is_python and "#" in before:
            yield _Call(line, name, "#")
            continue
        body = _closed(text[match.end() : match.end() + _LONGEST_CALL])
        if body is None:
            raise IngestError(f"{file} line {line}: a Genotype( without its closing bracket; nothing was stored.")
        end = match.end() + body[1]
        yield _Call(line, name, f"Genotype({body[0]}")


def _closed(rest: str) -> tuple[str, int] | None:
    """What stands up to the bracket that closes one before `rest`, without comments, and where it ends."""
    depth, parts, place = 1, [], 0
    for sign in re.finditer(r"[()#]", rest):
        if sign.start() < place:
            continue
        parts.append(rest[place : sign.start()])
        place = sign.end()
        if sign[0] == "#":
            comment = _COMMENT.match(rest, sign.start())
            place = comment.end() if comment else place
            continue
        parts.append(sign[0])
        depth += 1 if sign[0] == "(" else -1
        if depth == 0:
            return "".join(parts), place
    return None
