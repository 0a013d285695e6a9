"""Proxies that rank architectures in a pool: computed from stored components, over the pool that is chosen now."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from catalog.tables import views
from catalog.tables.column_names import proxy_column_name
from catalog.tables.proxies import PUBLISHED_VERSION, ProxyFacts, ensure_proxies
from catalog.tables.space_view import SpaceView
from catalog.tables.stored_graphs import read_vocabulary
from predictor.door import Given, Predictor
from predictor.door.guard import failed, scored
from predictor.door.registry import names
from predictor.scoring.configuration import Column, input_of, is_default, recorded_for, suffixed
from predictor.scoring.plan import NO_PATH
from predictor.scoring.predictors import shipped_digest
from predictor.scoring.selection import Selection
from predictor.zero_cost import MeasureConfig

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]


def store_pooled(
    catalog: Store,
    selection: Selection,
    pooled: Sequence[type[Predictor]],
    columns: Sequence[Column],
    config: MeasureConfig,
    run_id: int,
) -> list[tuple[str, int, str | None]]:
    """Compute proxies over the chosen pool and store them, in one transaction.

    The pool are the chosen architectures. Those without a path are in it, the last in every component, and their own
    score has the status ``disconnected``. What the same column held before, of this pool or another one, is replaced:
    values of two pools do not compare.

    Parameters
    ----------
    columns
        Where the components are stored.

    Returns
    -------
    list
        Name, ``proxy.id`` and input of each column.
    """
    stored = []
    with catalog.transaction():
        for proxy in pooled:
            own = [column for column in columns if column.proxy.name in proxy.needs.columns]
            stored.append(_store_one(catalog, selection, proxy, own, config, run_id))
        views.rebuild(catalog, selection.space)
    return stored


def _store_one(
    catalog: Store,
    selection: Selection,
    proxy: type[Predictor],
    columns: Sequence[Column],
    config: MeasureConfig,
    run_id: int,
) -> tuple[str, int, str | None]:
    columns_by_name = {column.proxy.name: column.name for column in columns}
    frame = _pool(catalog, selection, [columns_by_name.get(name, name) for name in proxy.needs.columns])
    frame = frame.join(_costs(catalog, proxy, columns), on="architecture_id", how="left", maintain_order="left")
    given_pool = _given(catalog, selection.space, frame)
    without = _without_values(proxy, given_pool)
    scores = failed(len(given_pool), without) if without else scored(proxy.ready(), given_pool)
    values = np.where(frame["is_connected"].to_numpy(), scores.mean, np.nan)
    given = next((found for column in columns if (found := input_of(column.proxy, config))), None)
    pool = selection.recorded(frame["native_id"].to_list()) | dict(scores.facts)
    facts = _facts(proxy, columns, config, selection.space, pool)
    _forget(catalog, selection.space, facts, given)
    proxy_id = ensure_proxies(catalog, [facts])[proxy.name]
    catalog.append("score", _rows(frame, values, scores.reasons, proxy_id, given, run_id))
    _inherit_training_members(catalog, proxy, proxy_id)
    return proxy_column_name({"column": facts.column, "published_as": None, "input": given}), proxy_id, given


def _pool(catalog: Store, selection: Selection, names: Sequence[str]) -> pl.DataFrame:
    """One row a chosen architecture, its components as ``part_0``, ``part_1``, ..."""
    view = SpaceView.of(catalog, selection.space)
    shown = [name for name in dict.fromkeys(names) if name in view.columns]  # the others have no value at all
    frame = view.frame(["architecture_id", "is_connected", view.native_id_name, *shown])
    frame = frame.filter(pl.col("architecture_id").is_in(pl.Series(selection.ids).implode()))
    parts = [
        (pl.col(name) if name in shown else pl.lit(None, pl.Float64)).alias(f"part_{place}")
        for place, name in enumerate(names)
    ]
    return frame.select("architecture_id", "is_connected", pl.col(view.native_id_name).alias("native_id"), *parts)


def _given(catalog: Store, space: str, frame: pl.DataFrame) -> Given:
    """The pool as a predictor is given it: its components alone."""
    parts = frame.select(pl.col("^part_.*$").cast(pl.Float64)).to_numpy()
    return Given(space, len(frame), read_vocabulary(catalog, space), {}, parts, frame["is_connected"].to_numpy())


def _without_values(proxy: type[Predictor], given: Given) -> str:
    """Which components no architecture of the pool has: ranks of nothing are the same for all. Empty for none."""
    of_pool = given.columns[given.connected]
    lacking = [name for place, name in enumerate(proxy.needs.columns) if np.isnan(of_pool[:, place]).all()]
    if not lacking or not len(of_pool):
        return ""
    return f"no architecture of the pool has a value of {' and '.join(lacking)}, which it reads"


def _costs(catalog: Store, proxy: type[Predictor], columns: Sequence[Column]) -> pl.DataFrame:
    """What the components of each architecture cost together; none where one of them was not measured on itself."""
    measured = [column for column in columns if not column.is_stored]  # what follows from the graph is free
    predictors = _predictor_ids(catalog, proxy)
    ids = [*(column.proxy_id for column in measured), *predictors]
    given = [*(column.input for column in measured), *[None] * len(predictors)]
    keys = pa.table({"proxy_id": pa.array(ids, pa.int32()), "input": pa.array(given, pa.string())})
    return catalog.query(
        """
        SELECT architecture_id, CASE WHEN count(mean) = ? THEN sum(mean) END AS seconds FROM (
            SELECT architecture_id, score.proxy_id, avg(seconds) AS mean FROM score JOIN keys
                ON keys.proxy_id = score.proxy_id AND keys.input IS NOT DISTINCT FROM score.input
            WHERE source_id IS NULL GROUP BY ALL
        ) GROUP BY architecture_id
        """,
        [len(ids)],
        tables={"keys": keys},
    )


def predictors_in(proxy: type[Predictor]) -> list[str]:
    """The predictors among the columns that a predictor reads."""
    return [name for name in proxy.needs.columns if name in names()]


def components_of(proxy: type[Predictor]) -> list[str]:
    """The proxies among the columns that a predictor reads, which are measured where they are missing."""
    return [name for name in proxy.needs.columns if name not in names()]


def _predictor_ids(catalog: Store, proxy: type[Predictor]) -> list[int]:
    """Rows of the table ``proxy`` of the predictors, with the weights that come with the package."""
    inner = predictors_in(proxy)
    wanted = pa.table(
        {
            "column": pa.array(inner, pa.string()),
            "checkpoint_digest": pa.array([shipped_digest(name) for name in inner], pa.string()),
        }
    )
    found: list[int] = catalog.query(
        'SELECT id FROM proxy SEMI JOIN wanted USING ("column", checkpoint_digest)', tables={"wanted": wanted}
    )["id"].to_list()
    return found


def _inherit_training_members(catalog: Store, proxy: type[Predictor], proxy_id: int) -> None:
    """What a predictor was trained on, a score made from it has seen as well; reports leave both out."""
    catalog.execute(
        """
        INSERT INTO training_member BY NAME
        SELECT DISTINCT ?::INTEGER AS proxy_id, architecture_id FROM training_member WHERE list_contains(?, proxy_id)
        """,
        [proxy_id, _predictor_ids(catalog, proxy)],
    )


def _facts(
    proxy: type[Predictor],
    columns: Sequence[Column],
    config: MeasureConfig,
    space: str,
    pool: Mapping[str, object],
) -> ProxyFacts:
    """The row of the table ``proxy``: the pool is in the configuration, but not in the column's name."""
    settings = {column.proxy.name: recorded_for(column.proxy, config, space) for column in columns}
    components = {"components": list(proxy.needs.columns), "settings": settings}
    facts = ProxyFacts(
        proxy.name,
        proxy.version,
        proxy.direction,
        proxy().description(),
        configuration=json.dumps(components, sort_keys=True),
    )
    if not all(is_default(column.proxy, config, space) for column in columns):
        facts = suffixed(facts)
    configuration = json.dumps(components | {"pool": pool}, sort_keys=True)
    return replace(facts, column=facts.column or facts.name, configuration=configuration)


def _forget(catalog: Store, space: str, facts: ProxyFacts, given: str | None) -> None:
    """Take away what the column holds in this space, and the description of a pool that nothing refers to any more."""
    catalog.execute(
        """
        DELETE FROM score WHERE source_id IS NULL AND input IS NOT DISTINCT FROM ?
            AND proxy_id IN (SELECT id FROM proxy WHERE name = ? AND "column" = ?)
            AND architecture_id IN (SELECT id FROM architecture WHERE space = ?)
        """,
        [given, facts.name, facts.column, space],
    )
    catalog.execute(
        'DELETE FROM proxy WHERE name = ? AND "column" = ? AND version != ? AND id NOT IN (SELECT proxy_id FROM score)',
        [facts.name, facts.column, PUBLISHED_VERSION],
    )
    catalog.execute("DELETE FROM training_member WHERE proxy_id NOT IN (SELECT id FROM proxy)")


def _rows(
    frame: pl.DataFrame,
    values: Values,
    reasons: Sequence[str | None] | None,
    proxy_id: int,
    given: str | None,
    run_id: int,
) -> pa.Table:
    connected = frame["is_connected"].to_numpy()
    lacking = connected & np.isnan(values)
    count = len(frame)
    status = np.where(lacking, "failed", np.where(connected, "ok", "disconnected"))
    parts = frame.select(pl.col("^part_.*$").cast(pl.Float64)).to_numpy()
    given_reasons = [text or "" for text in reasons or [None] * count]
    partly = np.isnan(parts).any(axis=1) & ~np.isnan(parts[connected]).all(axis=0).any()
    told = np.where(partly, "a component that it reads has no value", given_reasons)
    reason = np.where(lacking, told, np.where(connected, "", NO_PATH))
    return pa.table(
        {
            "architecture_id": frame["architecture_id"].to_arrow(),
            "proxy_id": pa.array(np.full(count, proxy_id, dtype=np.int32)),
            "input": pa.array([given] * count, pa.string()),
            "value": pa.array(values, mask=np.isnan(values)),
            "status": pa.array(status.tolist(), pa.string()),
            "reason": pa.array([text or None for text in reason.tolist()], pa.string()),
            "seconds": frame["seconds"].to_arrow(),
            "run_id": pa.array(np.full(count, run_id, dtype=np.int32)),
        }
    )
