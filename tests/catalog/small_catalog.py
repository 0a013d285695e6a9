"""A catalog small enough to know by heart."""

from __future__ import annotations

import pyarrow as pa

from catalog.spaces import space_named
from catalog.storage.store import Store

# NAS-Bench-201 architectures 0 to 3 in the published order; index 0 stands in the benchmark's documentation.
CELLS = [space_named("nb201").locate(index) for index in range(4)]


def fill(catalog: Store) -> None:
    """Four architectures of NAS-Bench-201 and two of a user's own space."""
    catalog.append(
        "space",
        pa.table({"name": ["nb201", "mine"], "description": ["", ""], "native_id_name": ["cell", "name"]}),
    )
    catalog.append("architecture", architectures([*CELLS, "first", "second"], ["nb201"] * 4 + ["mine"] * 2))
    catalog.append("proxy", proxies({"params": 1, "shortest_path": -1, "zen": 1}))
    catalog.execute(
        """
        CREATE TABLE nb201 AS SELECT id AS architecture_id, native_index AS index, native_id AS cell,
            ([30, 10, NULL, 10])[id] AS params, ([3.0, 1.0, 2.0, 2.0])[id]::DOUBLE AS shortest_path,
            ([2.5, 1.5, 0.5, 3.5])[id]::DOUBLE AS edgegpu_latency, ([90, 91, 93, NULL])[id] AS "accuracy (%)"
        FROM architecture WHERE space = 'nb201'
        """
    )
    catalog.execute("INSERT INTO measure VALUES ('latency', 'ms', -1), ('accuracy', 'percent', 1)")
    catalog.execute(
        """
        INSERT INTO wide_column SELECT 'nb201', name, NULL, id FROM proxy WHERE name != 'zen'
        UNION ALL VALUES ('nb201', 'edgegpu_latency', 'latency', NULL), ('nb201', 'accuracy (%)', 'accuracy', NULL)
        """
    )
    catalog.execute(
        "CREATE TABLE mine AS SELECT id AS architecture_id, native_index AS index, native_id AS name, 1 AS params"
        " FROM architecture WHERE space = 'mine'"
    )


def architectures(native_ids: list[str], spaces: list[str]) -> pa.Table:
    count = len(native_ids)
    operators = pa.array([[("conv", 1)]] * count, pa.map_(pa.string(), pa.int32()))
    return pa.table(
        {
            "space": spaces,
            "id": range(1, count + 1),
            "native_id": native_ids,
            "native_index": pa.array([place if space == "nb201" else None for place, space in enumerate(spaces)]),
            "canonical_digest": [f"{place:032x}" for place in range(count)],
            "canonical_id": range(1, count + 1),
            "is_connected": [True] * count,
            "nodes": [3] * count,
            "edges": [2] * count,
            "depth": [2] * count,
            "operator_counts": operators,
            "live_operator_counts": operators,
        }
    )


def proxies(directions: dict[str, int]) -> pa.Table:
    count = len(directions)
    return pa.table(
        {
            "id": range(1, count + 1),
            "name": list(directions),
            "column": list(directions),
            "version": ["1"] * count,
            "direction": list(directions.values()),
            "configuration": ["{}"] * count,
            "description": [""] * count,
        }
    )
