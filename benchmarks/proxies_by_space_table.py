"""The table of proxies by space, and the measured values as a file, from what `proxies_by_space.py` measured."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

import catalog
from benchmarks.proxies_by_space import COUNTED, HEADLINE, MEASURED, complete
from catalog.analysis.intervals import Interval, tau_interval
from catalog.spaces import space_named
from catalog.storage.store import Store
from catalog.tables.direction import is_cost
from ingest.formats.proxies_by_space import CONFIGURATION, SCHEMA, TABLE
from predictor.networks import MOST_PIXELS, MOST_TOKENS
from predictor.pooled.ranks import AZ_NAS, az_nas
from predictor.zero_cost import MeasureConfig, proxies_named

PAGE = Path(__file__).parent.parent / "docs" / "proxies.md"
FREE = (*COUNTED, "root_macs", "activations")
"""Structural columns of the wide views that are judged beside the measured proxies."""

ORDER = (*FREE, *(name for name in MEASURED if name not in (*COUNTED, *AZ_NAS)), "az_nas")

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """What was measured of one space, beside its truth.

    Parameters
    ----------
    space
        Its name.
    truth
        (n,) the headline metric, turned so that more is better.
    functions
        (n,) equal numbers where the function is the same.
    values
        Proxy to (n,) values, NaN where there is none and minus infinity where no path leads to the output.
    reasons
        How often a proxy failed for a reason.
    seconds
        (n,) what all proxies of an architecture took.
    """

    space: str
    truth: Values
    functions: NDArray[np.int64]
    values: dict[str, Values]
    reasons: dict[tuple[str, str], int]
    seconds: Values

    def tau(self, proxy: str) -> tuple[int, Interval]:
        """Over how many architectures, and tau-b with its interval."""
        found = self.values[proxy]
        known = ~np.isnan(found)
        return int(known.sum()), tau_interval(found[known], self.truth[known], self.functions[known])


def write(out: Path) -> None:
    """Write the table of the page, and the file of the measured values."""
    lines = complete(out / "scores.csv")
    scores = pl.DataFrame(lines).with_columns(
        *(pl.col(name).replace("", None).cast(pl.Float64) for name in ("value", "seconds")),
        pl.col("reason").replace("", None),
    )
    shipped = scores.filter(~pl.col("proxy").is_in(COUNTED)).select(SCHEMA.names)
    configuration = json.dumps(
        {"batch_size": MeasureConfig.batch_size, "seed": 0, "pixels": MOST_PIXELS, "tokens": MOST_TOKENS}
    )
    table = shipped.to_arrow().cast(SCHEMA)
    table = table.replace_schema_metadata({CONFIGURATION: configuration, "torch": torch.__version__})
    pq.write_table(table, TABLE, compression="zstd", compression_level=19)
    spaces = [space for space in HEADLINE if space in set(scores["space"])]
    judged = [_judged(out, space, scores.filter(space=space)) for space in spaces]
    page = PAGE.read_text(encoding="utf-8")
    part = "\n".join(_page(judged))
    pattern = r"(<!-- proxies by space: .*? -->\n).*?(<!-- end -->)"
    PAGE.write_text(re.sub(pattern, rf"\g<1>\n{part}\n\n\g<2>", page, count=1, flags=re.DOTALL), encoding="utf-8")
    print(f"{TABLE.name}: {len(table):,} scores, {TABLE.stat().st_size:,} bytes; {PAGE.name} has their ranks.")


def _judged(out: Path, space: str, scores: pl.DataFrame) -> Judged:
    """Values of one space side by side with its truth."""
    name = space_named(space).native_id_name
    columns = ", ".join(f'"{column}"' for column in dict.fromkeys((HEADLINE[space], "canonical_id", *FREE)))
    with catalog.open(out / "truth.duckdb") as stored:
        truth = stored.query(f'SELECT "{name}" AS architecture, {columns} FROM "{space}"')
    with Store.open(out / "truth.duckdb") as store:
        turned = -1.0 if is_cost(store, space, HEADLINE[space]) else 1.0
    ranked = scores.with_columns(
        pl.when(pl.col("status") == "disconnected").then(-np.inf).otherwise(pl.col("value")).alias("value")
    )
    measured = ranked.filter(~pl.col("proxy").is_in(COUNTED)).pivot("proxy", index="architecture", values="value")
    wide = measured.join(truth, on="architecture", how="left")
    directions = {proxy.name: proxy.direction for proxy in proxies_named(MEASURED)}
    values = {proxy: wide[proxy].cast(pl.Float64).to_numpy() * directions.get(proxy, 1) for proxy in (*MEASURED, *FREE)}
    parts = np.array([values[part] for part in AZ_NAS])
    is_measured = ~np.isnan(parts).all(axis=0)
    values["az_nas"] = np.full(len(wide), np.nan)
    values["az_nas"][is_measured] = az_nas(*parts[:, is_measured])
    failed = scores.filter(status="failed").group_by("proxy", "reason").agg(pl.len())
    return Judged(
        space,
        wide[HEADLINE[space]].to_numpy() * turned,
        wide["canonical_id"].to_numpy(),
        values,
        {(proxy, reason): count for proxy, reason, count in failed.iter_rows()},
        scores.group_by("architecture").agg(pl.col("seconds").sum())["seconds"].to_numpy(),
    )


def _page(judged: Sequence[Judged]) -> Iterator[str]:
    """The generated part of the page."""
    yield f"| proxy | {' | '.join(one.space for one in judged)} |"
    yield f"|---{'|---' * len(judged)}|"
    for proxy in ORDER:
        yield f"| {proxy} | {' | '.join(_cell(one, proxy) for one in judged)} |"
    yield ""
    yield "| space | judged by | architectures | seconds an architecture (median) |"
    yield "|---|---|---|---|"
    for one in judged:
        median = np.median(one.seconds)
        yield f"| {one.space} | `{HEADLINE[one.space]}` | {len(one.truth)} | {median:.2f} |"
    hours = sum(one.seconds.sum() for one in judged) / 3600
    rows = sum(len(one.truth) for one in judged)
    yield ""
    yield f"{rows:,} architectures took {hours:.2f} hours of one thread in all. Without a value:"
    yield ""
    for one in judged:
        for reason, proxies in _by_reason(one).items():
            yield f"* {one.space}: {', '.join(proxies)}: {reason}."


def _cell(one: Judged, proxy: str) -> str:
    """Tau-b and its interval; how many architectures, where they are not all."""
    count, found = one.tau(proxy)
    if np.isnan(found.value):
        return "-"
    ends = "" if np.isnan(found.low) else f" [{found.low:.2f}, {found.high:.2f}]"
    return f"{found.value:.2f}{ends}" + (f" of {count}" if count < len(one.truth) else "")


def _by_reason(one: Judged) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for (proxy, reason), count in sorted(one.reasons.items()):
        found.setdefault(reason.removeprefix("ProxyError: "), []).append(f"{proxy} ({count})")
    return found
