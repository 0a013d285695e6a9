"""Zero-cost proxies by space: the measured scores that come with the package."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from catalog.architecture.members import Members
from catalog.errors import IngestError, UsageError
from catalog.nearest import did_you_mean
from ingest.reading.batch import SCORE_SCHEMA, Batch, SourceFacts

TABLE = Path(__file__).parent / "proxies_by_space.parquet"
"""The table; ``benchmarks/proxies_by_space.py --table`` makes it."""

SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("space", "architecture", "proxy", "status", "reason")),
        ("value", pa.float64()),
        ("seconds", pa.float32()),
    ]
)
"""One row a score: the architecture by its native id; a score without a value has the reason."""

CONFIGURATION = b"configuration"
"""Key of the file's metadata: how the scores were measured, as JSON."""

_INPUT = "photos"


class ProxiesBySpace:
    """Scores of the architectures of one space that the package's table has.

    Parameters
    ----------
    space
        One of `spaces_of` the table.
    """

    def __init__(self, space: str) -> None:
        self.space = space

    def facts(self, path: Path) -> SourceFacts:
        return SourceFacts(
            name="proxies-by-space",
            kind="proxies-by-space",
            version=_configuration(path),
            licence="Apache-2.0",
            citation="measured for this package by benchmarks/proxies_by_space.py",
        )

    def read(self, path: Path) -> Iterator[Batch]:
        table = _table(path)
        table = table.filter(pc.equal(table["space"], self.space))
        ids = table["architecture"].combine_chunks().dictionary_encode()
        columns = {
            **{name: table[name] for name in ("proxy", "value", "status", "reason", "seconds")},
            "row": ids.indices,
            "input": pa.repeat(_INPUT, len(table)),
            "seed": pa.nulls(len(table)),
        }
        scores = pa.table([columns[name] for name in SCORE_SCHEMA.names], names=SCORE_SCHEMA.names).cast(SCORE_SCHEMA)
        yield Batch(Members(ids.dictionary.to_pylist()), len(table), scores=scores)


def chosen_spaces(space: str | None) -> list[str]:
    """The spaces that the package's table has, or the one that is asked for.

    Raises
    ------
    UsageError
        The table has no scores of it.
    """
    known = spaces_of(TABLE)
    if space is None:
        return known
    if space not in known:
        raise UsageError(
            f"no scores of {space!r} come with the package. {did_you_mean(space, known)}It has {', '.join(known)}."
        )
    return [space]


@cache
def spaces_of(path: Path) -> list[str]:
    """The spaces that a table has, by name."""
    return sorted(pc.unique(_table(path)["space"]).to_pylist())


def _table(path: Path) -> pa.Table:
    _configuration(path)
    return pq.read_table(path, columns=SCHEMA.names)


def _configuration(path: Path) -> str:
    """How the scores were measured, as JSON."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise IngestError(
            f"{path} is no parquet file ({error}); nothing was stored. Install the package again."
        ) from error
    found: bytes | None = (schema.metadata or {}).get(CONFIGURATION)
    if found is None or not set(SCHEMA.names) <= set(schema.names):
        raise IngestError(
            f"{path} is no table that benchmarks/proxies_by_space.py made: its columns are "
            f"{', '.join(schema.names)}; nothing was stored."
        )
    return found.decode()
