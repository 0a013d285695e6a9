"""Layers out of the catalog, in network order, each measured network once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from catalog.spaces import NATIVE_NETWORKS
from catalog.tables.column_names import DEFAULT_INPUT
from predictor.door import Layers

if TYPE_CHECKING:
    from catalog.storage.store import Store

_FACTS = ("stage", "repetition", "node", "role", "operator", "parameters")
_NOWHERE = -1

_MEASURED = """
    WITH function AS (  -- what two architectures have in common that share a network
        SELECT id, CASE WHEN ? THEN id ELSE canonical_id END AS function_id FROM architecture WHERE space = ?
    ),
    measured AS (
        SELECT DISTINCT ON (function_id, place) function_id, place, proxy_id, input, seed,
            coalesce(shared_from, architecture_id) AS measured_id
        FROM score JOIN function ON function.id = architecture_id
        JOIN proxy ON proxy.id = proxy_id JOIN wanted ON proxy.name = wanted.name AND "column" = wanted.name
        WHERE source_id IS NULL AND status = 'ok' AND coalesce(input, ?) = ? AND EXISTS (
            FROM layer_score AS layer WHERE layer.architecture_id = coalesce(shared_from, score.architecture_id)
                AND layer.proxy_id = score.proxy_id AND layer.input IS NOT DISTINCT FROM score.input
                AND layer.seed IS NOT DISTINCT FROM score.seed AND role IS NOT NULL
        )
        ORDER BY function_id, place, seed, measured_id
    )
    SELECT architecture_id, measured.* EXCLUDE (function_id)
    FROM asked JOIN function ON function.id = architecture_id JOIN measured USING (function_id)
"""
_LAYERS = """
    SELECT measured_id, place, position, layer, value, stage, repetition, node, role, operator, parameters
    FROM layer_score AS layer JOIN (
        SELECT DISTINCT measured_id, place, proxy_id, input, seed FROM measured
    ) AS one ON layer.architecture_id = measured_id AND layer.proxy_id = one.proxy_id
        AND layer.input IS NOT DISTINCT FROM one.input AND layer.seed IS NOT DISTINCT FROM one.seed
    WHERE role IS NOT NULL
"""


def read_layers(catalog: Store, space: str, ids: NDArray[np.int64], proxies: Sequence[str]) -> Layers:
    """The layers of the networks of some architectures of a space, measured here, under the proxies' plain names.

    An architecture has the layers of any that computes the same function; none, where its network lacks one of the
    proxies, or where an earlier version stored layers without their places. Of several seeds it is the lowest.
    """
    tables = {
        "asked": pa.table({"architecture_id": ids}),
        "wanted": pa.table({"name": pa.array(proxies, pa.string()), "place": np.arange(len(proxies))}),
    }
    is_own = space in NATIVE_NETWORKS
    measured = catalog.arrow(_MEASURED, [is_own, space, DEFAULT_INPUT, DEFAULT_INPUT], tables=tables)
    rows = pl.DataFrame(catalog.arrow(_LAYERS, tables={"measured": measured}))
    networks, of_ids = _networks(pl.DataFrame(measured), len(proxies))
    layers = _in_network_order(networks.join(rows, on=["measured_id", "place"]), len(proxies))
    found = pl.DataFrame({"architecture_id": ids}).join(of_ids, on="architecture_id", how="left", maintain_order="left")
    numbers = {
        name: layers[name].fill_null(_NOWHERE).cast(pl.Int64).to_numpy()
        for name in ("parameters", "stage", "repetition", "node")
    }
    return Layers(
        tuple(proxies),
        found["network"].fill_null(_NOWHERE).cast(pl.Int64).to_numpy(),
        layers["network"].cast(pl.Int64).to_numpy(),
        layers.select(f"value_{place}" for place in range(len(proxies))).to_numpy(),
        **numbers,
        role=layers["role"].fill_null("").to_list(),
        operator=layers["operator"].fill_null("").to_list(),
    )


def _networks(measured: pl.DataFrame, proxies: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """By network and place the architecture that was measured, and the network of each architecture.

    The proxies of one function may have been measured on several of its architectures.
    """
    complete = (
        measured.sort("architecture_id", "place")
        .group_by("architecture_id", maintain_order=True)
        .agg(pl.col("measured_id"), pl.col("place"))
        .filter(pl.col("place").list.len() == proxies)
    )
    networks = (
        complete.select("measured_id", "place").unique("measured_id", maintain_order=True).with_row_index("network")
    )
    of_ids = complete.join(networks, on="measured_id").select("architecture_id", "network")
    return networks.explode("measured_id", "place"), of_ids


def _in_network_order(rows: pl.DataFrame, proxies: int) -> pl.DataFrame:
    """One row a layer with the value of each proxy; inside a cell in the order of the native nodes."""
    layers = (
        rows.sort("place")
        .group_by("network", "layer")
        .agg(
            pl.col("position").min(),
            *(pl.col(name).first() for name in _FACTS),
            *(
                pl.col("value").filter(pl.col("place") == place).first().alias(f"value_{place}")
                for place in range(proxies)
            ),
        )
    )
    start = pl.col("position").min().over("network", "stage", "repetition")
    in_cell = pl.col("repetition").is_not_null()
    return layers.sort(
        "network",
        pl.when(in_cell).then(start).otherwise(pl.col("position")),
        pl.when(in_cell).then(pl.col("node").fill_null(_NOWHERE)).otherwise(0),
        "position",
        "layer",
    )
