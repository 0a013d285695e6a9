"""Numbers that the catalog holds already of what a table says: the same ones may come again, others are refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from catalog.errors import IngestError
from catalog.tables.forgetting import command
from catalog.tables.proxies import ProxyFacts
from ingest.reading.pickled_values import described

if TYPE_CHECKING:
    from catalog.storage.store import Store
    from ingest.table.rows import Rows
    from ingest.table.values import Values

_METRIC_KEYS = ("name", "kind", "dataset", "split", "epochs", "stage", "device", "seed", "repeat")


def refuse_other_values(
    store: Store, space: str, source: str, rows: Rows, values: Values, proxies: Mapping[str, ProxyFacts]
) -> None:
    """Check that no column would hold two values of one architecture, of which it could show only the earlier one.

    Raises
    ------
    IngestError
        An earlier table has another score of the same proxy, or an earlier table of the same source another value of
        the same metric.
    """
    owners = list(dict.fromkeys(str(key[0]) for key in values.found))
    lines: dict[str, str] = {}
    for (owner, _, *_), (_, row) in values.found.items():
        lines.setdefault(str(owner), rows.labels[row])
    metrics, scores = values.tables({owner: place for place, owner in enumerate(owners)})
    named = pa.table({"row": pa.array(range(len(owners)), pa.int64()), "native_id": pa.array(owners, pa.string())})
    tables = {"given": metrics, "named": named}
    same = " AND ".join(f"held.{key} IS NOT DISTINCT FROM given.{key}" for key in _METRIC_KEYS)
    found = store.rows(
        f"""
        SELECT named.native_id, given.name, given.value, held.value, source.id, source.path
        FROM given JOIN named ON named.row = given.row
        JOIN architecture ON architecture.native_id = named.native_id AND architecture.space = $1
        JOIN metric AS held ON held.architecture_id = architecture.id AND {same}
        JOIN source ON source.id = held.source_id AND source.name = $2
        WHERE held.value IS DISTINCT FROM given.value ORDER BY given.row LIMIT 1
        """,
        [space, source],
        tables=tables,
    )
    remedy = "Give the new numbers another --source"
    if not found:
        found = _other_scores(store, space, scores, named, proxies)
        remedy = "Give the proxy another name"
    for native_id, name, value, held, number, path in found:
        raise IngestError(
            f"{rows.name} {lines[str(native_id)]}: {name} of {described(native_id)} is {value!r}, but {held!r} in "
            f"{path}, which the catalog holds as the source {number}; a column can show one of them. Nothing was "
            f"stored. {remedy}, or take the old numbers out: {command(store, int(number))}"
        )


def _other_scores(
    store: Store, space: str, scores: pa.Table, named: pa.Table, proxies: Mapping[str, ProxyFacts]
) -> Sequence[tuple[Any, ...]]:
    listed = list(proxies.values())
    known = pa.table(
        {
            "proxy": pa.array([one.name for one in listed], pa.string()),
            "version": pa.array([one.version for one in listed], pa.string()),
            "configuration": pa.array([one.configuration for one in listed], pa.string()),
        }
    )
    return store.rows(
        """
        SELECT named.native_id, given.proxy, given.value, held.value, source.id, source.path
        FROM given JOIN named ON named.row = given.row JOIN known ON known.proxy = given.proxy
        JOIN proxy ON proxy.name = known.proxy AND proxy.version = known.version
            AND proxy.configuration = known.configuration
        JOIN architecture ON architecture.native_id = named.native_id AND architecture.space = $1
        JOIN score AS held ON held.architecture_id = architecture.id AND held.proxy_id = proxy.id
            AND held.input IS NOT DISTINCT FROM given.input AND held.seed IS NOT DISTINCT FROM given.seed
        JOIN source ON source.id = held.source_id
        WHERE held.value IS DISTINCT FROM given.value ORDER BY given.row LIMIT 1
        """,
        [space],
        tables={"given": scores, "named": named, "known": known},
    )
