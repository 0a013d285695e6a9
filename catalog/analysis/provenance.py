"""Where the numbers of a pool come from, what they cost, and what else is known of its architectures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from catalog.analysis.pool import Pool, numbers
from catalog.development import spaces_in_sight
from catalog.tables.space_view import SpaceView
from catalog.tables.views import metric_groups, proxy_namer, published_as

if TYPE_CHECKING:
    from catalog.storage.store import Store

Values = NDArray[np.float64]

SUPERNET = "supernet"
"""The kind of the metrics that were measured with a supernet's weights."""

STRUCTURE = ("params", "flops", "depth", "n_conv", "n_skip")
"""Columns that say how an architecture is built."""


def read_sources(catalog: Store, pool: Pool, columns: Sequence[str] = ()) -> pl.DataFrame:
    """The files and publications behind the target, the published proxies and other `columns` of the wide view.

    Returns
    -------
    polars.DataFrame
        One row a column and source: ``column``, ``source``, ``kind``, ``path``, ``sha256``, ``version``, ``licence``,
        ``citation``, ``row_count`` (records in the file), ``used`` (architectures of the pool with a value of it in
        this column). What this catalog computed itself has no source: see `read_proxies`.
    """
    named = list(dict.fromkeys([pool.target, *pool.scores, *columns]))
    groups = metric_groups(catalog, pool.space)
    parts = [{"column": name, **group} for name in named for group in groups.get(name, ())]
    keys = ("name", "kind", "dataset", "split", "epochs", "stage", "device")
    same = " AND ".join(f"metric.{key} IS NOT DISTINCT FROM parts.{key}" for key in keys)
    metrics = catalog.query(
        f"""
        SELECT parts."column", metric.source_id, count(DISTINCT architecture_id) AS used
        FROM metric SEMI JOIN pool USING (architecture_id)
        JOIN parts ON metric.source_id = parts.source_id AND {same}
        WHERE value IS NOT NULL GROUP BY ALL
        """,
        tables={"pool": _ids(pool), "parts": _table(parts, keys)},
    )
    scores = catalog.query(
        f"""
        SELECT proxy."column", source_id, {published_as(catalog)} AS published_as, input,
            count(DISTINCT architecture_id) AS used
        FROM score JOIN proxy ON proxy.id = proxy_id SEMI JOIN pool USING (architecture_id)
        WHERE source_id IS NOT NULL AND status = 'ok' GROUP BY ALL
        """,
        tables={"pool": _ids(pool)},
    )
    published = scores.with_columns(column=_column_names(catalog, pool, scores)).filter(pl.col("column").is_in(named))
    found = pl.concat([metrics, published.select(metrics.columns)], how="vertical_relaxed")
    sources = catalog.query(
        "SELECT id AS source_id, name AS source, kind, path, sha256, version, licence, citation, row_count FROM source"
    )
    order = pl.DataFrame({"column": named, "place": range(len(named))}, schema={"column": pl.String, "place": pl.Int64})
    joined = found.join(sources, on="source_id").join(order, on="column").sort(["place", "source_id"])
    return joined.select("column", *sources.columns[1:], pl.col("used").cast(pl.Int64))


def read_proxies(catalog: Store, pool: Pool) -> pl.DataFrame:
    """What the proxies of a pool are.

    Returns
    -------
    polars.DataFrame
        One row a proxy and kind of score: ``column``, ``name``, ``version``, ``direction``, ``configuration``,
        ``checkpoint_digest``, ``description``, ``published_as``, ``input``, ``seeds`` (0 for a deterministic one).
    """
    found = catalog.query(
        f"""
        SELECT proxy."column", proxy.name, version, direction, configuration, checkpoint_digest, description,
            {published_as(catalog)} AS published_as, input, count(DISTINCT seed) AS seeds
        FROM score JOIN proxy ON proxy.id = proxy_id SEMI JOIN pool USING (architecture_id)
        GROUP BY ALL ORDER BY ALL
        """,
        tables={"pool": _ids(pool)},
    )
    order = pl.DataFrame(
        {"column": list(pool.scores), "place": range(len(pool.scores))}, schema={"column": pl.String, "place": pl.Int64}
    )
    named = found.with_columns(column=_column_names(catalog, pool, found)).join(
        order, on="column", maintain_order="left"
    )
    return named.sort("place", maintain_order=True).drop("place")


def developed_on(catalog: Store, pool: Pool) -> tuple[str, ...]:
    """Those proxies of a pool that were developed with its space in sight: their numbers are development numbers."""
    told = read_proxies(catalog, pool).select("column", "description").iter_rows()
    known = {column for column, description in told if pool.space in spaces_in_sight(description)}
    return tuple(name for name in pool.scores if name in known)


def read_seconds(catalog: Store, pool: Pool) -> dict[str, float]:
    """Proxy to its mean cost in seconds an architecture, over all its seeds, where it was measured."""
    found = catalog.query(
        f"""
        SELECT "column", {published_as(catalog)} AS published_as, input, avg(cost) AS seconds FROM (
            SELECT proxy."column", source_id, input, architecture_id, sum(seconds) AS cost
            FROM score JOIN proxy ON proxy.id = proxy_id SEMI JOIN pool USING (architecture_id)
            WHERE status = 'ok' AND shared_from IS NULL AND seconds IS NOT NULL GROUP BY ALL
        ) GROUP BY ALL ORDER BY ALL
        """,
        tables={"pool": _ids(pool)},
    )
    costs = dict(zip(_column_names(catalog, pool, found), found["seconds"], strict=True))
    return {name: float(costs[name]) for name in pool.scores if name in costs}


def read_seeds(catalog: Store, pool: Pool) -> dict[str, Values]:
    """Proxy to its (n, s) scores by seed, for those that we measured with several; turned and guarded as the pool's."""
    found = catalog.query(
        """
        SELECT proxy."column", NULL AS published_as, input, architecture_id, seed, favg(value) AS value
        FROM score JOIN proxy ON proxy.id = proxy_id SEMI JOIN pool USING (architecture_id)
        WHERE seed IS NOT NULL AND status = 'ok' AND source_id IS NULL GROUP BY ALL
        """,
        tables={"pool": _ids(pool)},
    )
    groups = ["column", "published_as", "input"]
    by_seed: dict[str, Values] = {}
    name_of = proxy_namer(catalog, pool.space)
    for key, rows in found.group_by(groups, maintain_order=True):
        name = name_of(dict(zip(groups, key, strict=True)))
        seeds, places = np.unique(rows["seed"].to_numpy(), return_inverse=True)
        if name not in pool.scores or len(seeds) < 2:
            continue
        scores = np.repeat(pool.scores[name].reshape(-1, 1), len(seeds), axis=1)
        scores[np.isfinite(scores)] = np.nan
        rows_of = np.searchsorted(pool.ids, rows["architecture_id"].to_numpy())
        scores[rows_of, places] = rows["value"].to_numpy() * pool.directions[name]
        scores[np.isnan(pool.scores[name])] = np.nan
        by_seed[name] = scores
    return {name: by_seed[name] for name in pool.scores if name in by_seed}


def read_repeats(catalog: Store, pool: Pool) -> Values:
    """(n, s) the target by seed of the training, turned as `Pool.truth` is; s = 0 if the source tells no seeds apart.

    Of several sources behind a column, the first that has seeds counts: seeds of two benchmarks are no repeats. Nor
    are measurements with one supernet's weights, which were trained once.
    """
    behind = metric_groups(catalog, pool.space).get(pool.target, ())
    groups = [group for group in behind if group["has_seeds"] and group["kind"] != SUPERNET]
    if not groups:
        return np.zeros((len(pool), 0))
    keys = ("source_id", "name", "kind", "dataset", "split", "epochs", "stage", "device")
    found = catalog.query(
        f"""
        SELECT architecture_id, coalesce(seed, repeat) AS seed, favg(value) AS value
        FROM metric SEMI JOIN pool USING (architecture_id)
        WHERE value IS NOT NULL AND coalesce(seed, repeat) IS NOT NULL
            AND {" AND ".join(f"{key} IS NOT DISTINCT FROM ?" for key in keys)}
        GROUP BY ALL
        """,
        [groups[0][key] for key in keys],
        tables={"pool": _ids(pool)},
    )
    seeds, places = np.unique(found["seed"].to_numpy(), return_inverse=True)
    repeats = np.full((len(pool), len(seeds)), np.nan)
    repeats[np.searchsorted(pool.ids, found["architecture_id"].to_numpy()), places] = found["value"].to_numpy()
    return repeats * pool.target_direction


def is_of_supernet(catalog: Store, pool: Pool) -> bool:
    """Whether the target was measured with the weights of a supernet, so that no network was trained for it."""
    return any(group["kind"] == SUPERNET for group in metric_groups(catalog, pool.space).get(pool.target, ()))


def read_columns(catalog: Store, pool: Pool, names: Sequence[str]) -> dict[str, Values]:
    """Numeric columns of the wide view for the architectures of a pool, (n,) each, as they are stored.

    Raises
    ------
    UnknownColumnError
        The view has no such column.
    UsageError
        One holds no numbers.
    """
    frame = SpaceView.of(catalog, pool.space).frame(columns=["architecture_id", *names])
    frame = frame[np.searchsorted(frame["architecture_id"].to_numpy(), pool.ids)]
    return {name: numbers(frame, name, pool.space) for name in names}


def read_structure(catalog: Store, pool: Pool) -> dict[str, Values]:
    """Those of the columns `STRUCTURE` that the space has; of parameters and FLOPs, published ones if need be."""
    present = set(SpaceView.of(catalog, pool.space).columns)
    columns = {name: next((c for c in (name, f"{name}_published") if c in present), None) for name in STRUCTURE}
    chosen = {name: column for name, column in columns.items() if column is not None}
    found = read_columns(catalog, pool, list(chosen.values()))
    return {name: found[column] for name, column in chosen.items()}


def short_training(catalog: Store, pool: Pool) -> tuple[str, str] | None:
    """What the target's metric after the shortest training is called, and its column, if there is a shorter one.

    Its validation split comes first: that is what a search could look at.
    """
    groups = metric_groups(catalog, pool.space)
    if pool.target not in groups:
        return None
    target = groups[pool.target][0]
    shorter = [
        (group["epochs"], group["split"] != "valid", name)
        for name, members in groups.items()
        for group in members[:1]
        if group["name"] == target["name"]
        and group["kind"] == "trained"
        and _base(group["dataset"]) == _base(target["dataset"])
        and (group["epochs"] or np.inf) < (target["epochs"] or 0)
        and group["split"] in ("valid", "test")
    ]
    if not shorter:
        return None
    epochs, _, column = min(shorter)
    return f"{epochs}-epoch {target['name']}", column


def _base(dataset: str | None) -> str:
    """The dataset whose validation part it may be."""
    return (dataset or "").removesuffix("-valid")


def _column_names(catalog: Store, pool: Pool, groups: pl.DataFrame) -> pl.Series:
    name_of = proxy_namer(catalog, pool.space)
    return pl.Series("column", [name_of(group) for group in groups.iter_rows(named=True)], dtype=pl.String)


def _ids(pool: Pool) -> pa.Table:
    return pa.table({"architecture_id": pa.array(pool.ids, pa.int64())})


def _table(parts: Sequence[dict[str, Any]], keys: Sequence[str]) -> pa.Table:
    fields = [("column", pa.string()), ("source_id", pa.int32())]
    fields += [(key, pa.int32() if key == "epochs" else pa.string()) for key in keys]
    rows = [{name: part[name] for name, _ in fields} for part in parts]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def read_training_sizes(catalog: Store, pool: Pool) -> pl.DataFrame:
    """Of each proxy column that a predictor filled which was trained on labels of the pool's space: how many.

    Returns
    -------
    polars.DataFrame
        ``proxy``, ``predictor`` (what it is called whatever it was trained on) and ``labels``, the architectures of the
        space that the predictor was trained on.
    """
    return catalog.query(
        """
        SELECT wide_column.name AS proxy, proxy.name AS predictor, count(*) AS labels
        FROM wide_column JOIN proxy ON proxy.id = wide_column.proxy_id
        JOIN training_member ON training_member.proxy_id = proxy.id
        JOIN architecture ON architecture.id = training_member.architecture_id
        WHERE wide_column.space = ? AND architecture.space = ? AND list_contains(?, wide_column.name)
        GROUP BY ALL ORDER BY predictor, labels, proxy
        """,
        [pool.space, pool.space, list(pool.scores)],
    )
