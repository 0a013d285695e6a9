"""Layers of the functions of NAS-Bench-201, measured part by part into files, and read in network order."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import polars as pl

from catalog.spaces.nb201 import NASBench201
from predictor.door import Layers
from predictor.parzc.predictors import STATISTICS

SPACE = NASBench201()
MEASURED = ("grad_norm", "snip", "synflow", "synflow_normed", "fisher", "plain", "l2_norm")
PART = 50
PLACES = ("stage", "repetition", "node", "role", "operator")


def functions() -> list[int]:
    """Native index of the first architecture of each function that has a path, in the order of measuring."""
    first: dict[str, int] = {}
    for index, graph in enumerate(SPACE.enumerate()):
        if graph.is_connected:
            first.setdefault(graph.digest, index)
    return np.random.default_rng(0).permutation(sorted(first.values())).tolist()


def measure_layers(folder: Path, count: int, until: float) -> None:
    import torch

    from predictor.zero_cost import MeasureConfig, measure, proxies_named
    from predictor.zero_cost.measuring import batches_for

    torch.set_num_threads(1)
    config = MeasureConfig(layerwise=True)
    batches = batches_for(config, SPACE.name)
    order = functions()[:count]
    (folder / "layers").mkdir(parents=True, exist_ok=True)
    for number, start in enumerate(range(0, len(order), PART)):
        path = folder / "layers" / f"part_{number:04}.parquet"
        if path.exists():
            continue
        rows = []
        for index in order[start : start + PART]:
            if time.monotonic() > until:
                return
            found = measure(SPACE.graph(index), proxies_named(MEASURED), config, batches=batches)
            facts = found[0].facts.values()
            row: dict[str, object] = {one.proxy: list(one.layers.values()) for one in found}
            row |= {name: [getattr(fact.place, name) for fact in facts] for name in PLACES}
            rows.append(row | {"index": index, "parameters": [fact.parameters for fact in facts]})
        making = path.with_suffix(".part")
        pl.DataFrame(rows).write_parquet(making)
        making.rename(path)


def read_layers(folder: Path, count: int, proxies: tuple[str, ...] = STATISTICS) -> tuple[list[int], Layers]:
    """Native indices of measured functions, and their layers in network order; only whole files count."""
    paths = sorted((folder / "layers").glob("part_*.parquet"))[: -(-count // PART)]
    frames = [pl.read_parquet(path) for path in paths]
    table = pl.concat([frame.with_columns(pl.col("stage").cast(pl.List(pl.Int64))) for frame in frames])[:count]
    names = [*MEASURED, *PLACES, "parameters"]
    rows = table.with_row_index("network").explode(names)
    rows = rows.with_columns(pl.int_range(pl.len()).over("network").alias("position"))
    start = pl.col("position").min().over("network", "stage", "repetition")
    in_cell = pl.col("repetition").is_not_null()
    rows = rows.sort(
        "network",
        pl.when(in_cell).then(start).otherwise(pl.col("position")),
        pl.when(in_cell).then(pl.col("node")).otherwise(0),
        "position",
    )
    layers = Layers(
        proxies,
        np.arange(len(table)),
        rows["network"].cast(pl.Int64).to_numpy(),
        rows.select(proxies).cast(pl.Float64).fill_null(np.nan).to_numpy(),
        *(rows[name].fill_null(-1).cast(pl.Int64).to_numpy() for name in ("parameters", "stage", "repetition", "node")),
        *(rows[name].fill_null("").to_list() for name in ("role", "operator")),
    )
    return table["index"].to_list(), layers
