"""What a loader hands to the ingest job: checked records of one source, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from catalog.architecture.members import Members
from catalog.spaces.own import OwnSpace
from catalog.storage.row_schemas import METRIC_FIELDS, SCORE_FIELDS
from catalog.tables.proxies import ProxyFacts

METRIC_SCHEMA = pa.schema([("row", pa.int64()), *METRIC_FIELDS])
"""Metrics of a batch: ``row`` is the architecture's place in the batch, the rest as in the table ``metric``."""

SCORE_SCHEMA = pa.schema([("row", pa.int64()), ("proxy", pa.string()), *SCORE_FIELDS])
"""Published scores of a batch: ``row`` as above, ``proxy`` the published name, the rest as in the table ``score``."""

ATTRIBUTE_SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("form", pa.string()),
        ("cell", pa.string()),
        ("position", pa.int16()),
        ("name", pa.string()),
        ("shape", pa.list_(pa.int64())),
        ("kernel", pa.list_(pa.int32())),
        ("stride", pa.list_(pa.int32())),
        ("groups", pa.int32()),
        ("parameters", pa.int64()),
        ("multiply_accumulates", pa.int64()),
        ("settings", pa.string()),
    ]
)
"""Attributes of nodes of a batch: ``row`` as above, the rest as in the table ``node_attribute``."""


def metric_rows(rows: NDArray[np.int64], values: NDArray[np.float64], **columns: object) -> pa.Table:
    """A table in `METRIC_SCHEMA`: each further column a constant, an array, or left out for NULL."""
    arrays = []
    for schema_field in METRIC_SCHEMA:
        value = {"row": rows, "value": values, **columns}.get(schema_field.name)
        if value is None:
            arrays.append(pa.nulls(len(rows), schema_field.type))
        elif isinstance(value, str | int):
            arrays.append(pa.repeat(pa.scalar(value, schema_field.type), len(rows)))
        else:
            arrays.append(pa.array(value, schema_field.type))
    return pa.Table.from_arrays(arrays, schema=METRIC_SCHEMA)


@dataclass(frozen=True)
class SourceFacts:
    """What a source is, apart from the file's own path and digest.

    Parameters
    ----------
    name
        Short name; the suffix of wide columns where it is not the space's default source.
    kind
        The loader's name.
    is_named_by_user
        Whether the user chose the name, rather than the file's name or the benchmark.
    """

    name: str
    kind: str
    version: str | None = None
    licence: str | None = None
    citation: str | None = None
    is_named_by_user: bool = False


@dataclass(frozen=True)
class Batch:
    """Records of some architectures of one space.

    Parameters
    ----------
    members
        The architectures, each once.
    record_count
        Records of the file that the batch stands for.
    metrics, scores
        Tables in `METRIC_SCHEMA` and `SCORE_SCHEMA`.
    node_attributes
        A table in `ATTRIBUTE_SCHEMA`; stored for the architectures that are new.
    aliases
        Further names of the architectures, with the places in the batch that each stands for.
    notes
        Sentences for the summary: what was left out, or what a person should look at.
    """

    members: Members
    record_count: int
    metrics: pa.Table = field(default_factory=METRIC_SCHEMA.empty_table)
    scores: pa.Table = field(default_factory=SCORE_SCHEMA.empty_table)
    node_attributes: pa.Table = field(default_factory=ATTRIBUTE_SCHEMA.empty_table)
    aliases: Mapping[str, Sequence[int]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class Loader(Protocol):
    """Reads one file format. Reading raises IngestError with the place and the value of what is wrong."""

    space: str
    """Name of the search space that the records belong to."""

    def facts(self, path: Path) -> SourceFacts:
        """What the source is called."""
        ...

    def read(self, path: Path) -> Iterator[Batch]:
        """The file's records, in batches small enough to hold in memory."""
        ...


@runtime_checkable
class OwnProxiesLoader(Loader, Protocol):
    """A loader whose scores are of proxies that the user brought, and not of published ones."""

    proxies: Mapping[str, ProxyFacts]
    """By the name that the scores have."""


@runtime_checkable
class OwnSpaceLoader(Loader, Protocol):
    """A loader whose records belong to a space that the user brought."""

    own_space: OwnSpace
    """The definition of that space; `space` is its name."""
