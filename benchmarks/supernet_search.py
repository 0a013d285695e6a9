"""What a search among the 2,223 networks of the once-for-all table finds by fifty labels, under bounds of its costs.

    python -m benchmarks.supernet_search --folder DIR [--seeds 5]
    python -m benchmarks.supernet_search --folder DIR --table

A query is one function asked for its accuracy with the supernet's weights, which is label and truth in one; the regret
is against the best network of the table within the bound. None of them was trained on its own. A row a bound, variant,
seed and number of queries is written to ``DIR/supernet_search.csv``; what is there is not searched again.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

import catalog
from benchmarks.protocol.spaces import data_folder
from catalog.search.job import prepare
from catalog.search.methods.problem import Budget
from catalog.search.methods.running import search
from catalog.search.request import Request
from catalog.storage.store import Store

SPACE, LABEL = "ofa", "imagenet_valid_accuracy_supernet"
TABLE = "spaces/ofa_mobilenetv3.csv.gz"
BOUNDS = (250e6, 400e6, 600e6)
"""Most multiply-accumulates."""
QUERIES, SHOWN = 50, (10, 20, 30, 50)
VARIANTS = {
    "cg": {"method": "bayesian", "predictor": "cg"},
    "few_label": {"method": "bayesian"},
    "random": {"method": "random"},
}
HEADER = ("bound", "variant", "seed", "queries", "regret")

Row = tuple[str, str, int, int, float]


def catalog_in(folder: Path) -> Path:
    """The catalog of the table; it is made if it is not there."""
    path = folder / f"{SPACE}.duckdb"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        making = path.with_suffix(".part.duckdb")
        making.unlink(missing_ok=True)
        with catalog.open(making, mode="write") as opened:
            opened.ingest(SPACE, data_folder() / TABLE)
        making.rename(path)
    return path


def searched(store: Store, bound: float, variant: str, seed: int) -> Iterator[Row]:
    """A row for each number of queries."""
    asked = Request(
        SPACE, (), budget=QUERIES, labels=LABEL, maximum=(f"flops={bound:.0f}",), seed=seed, **VARIANTS[variant]
    )
    prepared = prepare(store, asked)
    labels = search(prepared.problem, asked.method, Budget(QUERIES), seed).values()[:, 0]
    best = np.nanmax(prepared.stored.columns[LABEL][prepared.reachable])
    for queries in SHOWN:
        yield f"{bound:.0f}", variant, seed, queries, round(float(best - np.nanmax(labels[:queries])), 4)


def main() -> None:
    """Search what is missing, or print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--table", action="store_true")
    arguments = parser.parse_args()
    rows = arguments.folder / "supernet_search.csv"
    if not arguments.table:
        arguments.folder.mkdir(parents=True, exist_ok=True)
        done = set(pl.read_csv(rows).select("bound", "variant", "seed").iter_rows()) if rows.exists() else set()
        with Store.open(catalog_in(arguments.folder)) as store, rows.open("a", newline="") as file:
            writer = csv.writer(file)
            if not rows.stat().st_size:
                writer.writerow(HEADER)
            for bound in BOUNDS:
                for variant in VARIANTS:
                    for seed in range(arguments.seeds):
                        if (int(bound), variant, seed) not in done:
                            writer.writerows(list(searched(store, bound, variant, seed)))
                            file.flush()
    table = pl.read_csv(rows).pivot("queries", index=("bound", "variant"), values="regret", aggregate_function="mean")
    with pl.Config(tbl_rows=-1, float_precision=3):
        print(table)


if __name__ == "__main__":
    main()
