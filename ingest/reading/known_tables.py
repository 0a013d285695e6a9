"""Tables recognised by their bytes: whose numbers they hold; every other table is its user's own source."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from catalog.errors import IngestError, UsageError
from catalog.tables.official_sources import (
    KNOWN_TABLES,
    LONGEST_NAME,
    OFFICIAL_SOURCES,
    KnownTable,
    checked_source,
    is_reserved,
)
from ingest.reading.batch import SourceFacts

MOST_EPOCHS = 100_000
"""The longest training that a reader believes in."""


def known_table(path: Path) -> KnownTable | None:
    """What the file is, if its bytes are known.

    Raises
    ------
    IngestError
        The file cannot be read.
    """
    try:
        with path.open("rb") as stream:
            return KNOWN_TABLES.get(hashlib.file_digest(stream, "sha256").hexdigest())
    except OSError as error:
        raise IngestError(f"{path} cannot be read: {error.strerror or error}; nothing was stored.") from error


def identified(path: Path, **given: str | int | None) -> dict[str, str | int | None]:
    """The user's word on a table where its bytes say nothing, and never against what they say.

    Parameters
    ----------
    given
        ``source``, ``epochs`` or ``version`` as the user gave them; None where nothing was said.

    Raises
    ------
    IngestError
        The file is known as something else than the user says.
    """
    known = known_table(path)
    if known is None:
        return dict(given)
    found: dict[str, str | int | None] = {name: getattr(known, name) for name in given}
    for name, value in given.items():
        if value is not None and found[name] is not None and value != found[name]:
            raise IngestError(
                f"{path.name} is known by its digest: its {name} is {found[name]}, not {value}. Leave the option out; "
                "nothing was stored."
            )
        found[name] = value if found[name] is None else found[name]
    return found


def table_facts(path: Path, kind: str, *, source: str | None = None, version: str | None = None) -> SourceFacts:
    """What the source of a table is called: the benchmark that its digest proves, or else the user's own.

    Raises
    ------
    IngestError
        The file is known as something else than the user says.
    UsageError
        The user gives the name of a benchmark to a table that is not known to be the benchmark's.
    """
    if known_table(path) is None:
        name = own_source(path, source)
        return SourceFacts(name, kind, version, is_named_by_user=source is not None)
    found = identified(path, source=source, version=version)
    official = OFFICIAL_SOURCES[str(found["source"])]
    return SourceFacts(
        name=str(found["source"]),
        kind=kind,
        version=None if found["version"] is None else str(found["version"]),
        licence=official.licence,
        citation=official.citation,
    )


def source_is_known(path: Path) -> UsageError:
    """The error for a name that a user gives to the source of a benchmark's own file."""
    return UsageError(
        f"--source names the source of your own table, but {path.name} is a file of the benchmark's; leave it out."
    )


def own_source(path: Path, given: str | None = None) -> str:
    """The name of a user's source: the one that was given, or a word made of the file's name.

    Raises
    ------
    UsageError
        The name is a benchmark's, or is no word that a column's name could end with.
    """
    if given is not None:
        return checked_source(given)
    word = re.sub(r"\W+", "_", path.name.split(".")[0].lower()).strip("_")[:LONGEST_NAME] or "table"
    return f"my_{word}" if is_reserved(word) else word


def checked_epochs(epochs: int | None) -> int | None:
    """The length of the trainings as the user gave it.

    Raises
    ------
    UsageError
        No training is so short or long.
    """
    if epochs is not None and not 1 <= epochs <= MOST_EPOCHS:
        raise UsageError(f"the trainings had {epochs} epochs; a number from 1 to {MOST_EPOCHS} is needed.")
    return epochs
