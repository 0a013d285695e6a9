"""What a search on NAS-Bench-201 finds by so many labels: a predictor that learns from them, evolution and chance.

    nice -n 19 python -m benchmarks.bayesian_search --folder DIR [--half A] [--seeds 20] [--variant thompson]
    python -m benchmarks.bayesian_search --folder DIR --table

A query is one function asked for its validation accuracy; the incumbent is the best label so far, judged by its test
accuracy (`benchmarks.protocol`). Blind: the predictor reads nothing that was made with labels of the space in sight;
``cg`` reads the zero-shot score, ``cg-blind`` does not, ``thompson`` and ``ucb`` are `few_label`, blind. A row a
variant, seed and number of queries is written to ``DIR/bayesian_search.csv`` when the search has ended; what is there
is not searched again. Choices are made on half A.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks.protocol.pools import HALVES_SEED
from benchmarks.protocol.search import SEEDS
from benchmarks.protocol.spaces import catalog_of
from catalog.search.job import Prepared, prepare
from catalog.search.methods.history import History
from catalog.search.methods.problem import Budget
from catalog.search.methods.running import search
from catalog.search.request import Request
from catalog.storage.store import Store

Values = NDArray[np.float64]

LABEL, TRUTH = "cifar10_valid_accuracy", "cifar10_test_accuracy"
QUERIES = 100
SHOWN = (10, 20, 30, 50, 75, 90, 100)
BLIND = ("blind=true",)
VARIANTS: Mapping[str, Mapping[str, object]] = {
    "thompson": {"method": "bayesian", "settings": BLIND},
    "ucb": {"method": "bayesian", "settings": BLIND, "acquisition": "ucb"},
    "cg": {"method": "bayesian", "predictor": "cg"},
    "cg-blind": {"method": "bayesian", "predictor": "cg", "settings": BLIND},
    "regularized-evolution": {"method": "regularized-evolution"},
    "random": {"method": "random"},
}
HEADER = ("half", "variant", "seed", "queries", "regret", "seconds")


def regrets(prepared: Prepared, history: History) -> Values:
    """(queries,) how far the truth of the best label so far is from the best truth there is."""
    truth = prepared.stored.columns[TRUTH]
    rows = prepared.objectives.source.row_of([visit.candidate for visit in history.visits])
    labels = history.values()[:, 0]
    incumbents = [int(np.nanargmax(labels[: place + 1])) for place in range(len(labels))]
    return np.asarray(np.nanmax(truth[prepared.reachable]) - truth[rows[incumbents]])


def where_of(half: str) -> str | None:
    """The condition that leaves half A or B of the native indices; None for all."""
    if half == "all":
        return None
    order = np.random.default_rng(HALVES_SEED).permutation(15_625)
    chosen = order[:7_812] if half == "A" else order[7_812:]
    return f"index IN ({', '.join(map(str, sorted(chosen.tolist())))})"


def run(folder: Path, half: str, variants: list[str], seeds: range) -> None:
    """Search with every variant and seed that is not in the table yet."""
    table = folder / "bayesian_search.csv"
    done = set()
    if table.exists():
        done = set(pl.read_csv(table).select("half", "variant", "seed").iter_rows())
    with Store.open(catalog_of("nb201", folder)) as store:
        for seed in seeds:
            for variant in variants:
                if (half, variant, seed) in done:
                    continue
                asked = Request("nb201", (), budget=QUERIES, seed=seed, labels=LABEL, where=where_of(half))
                asked = type(asked)(**{**vars(asked), **VARIANTS[variant]})
                prepared = prepare(store, asked, [TRUTH])
                began = time.perf_counter()
                history = search(prepared.problem, str(asked.method), Budget(QUERIES), seed)
                seconds = time.perf_counter() - began
                found = regrets(prepared, history)
                rows = [(half, variant, seed, n, round(float(found[n - 1]), 4), round(seconds, 1)) for n in SHOWN]
                _append(table, rows)
                print(variant, seed, [row[4] for row in rows], f"{seconds:.0f} s", flush=True)


def _append(table: Path, rows: list[tuple[object, ...]]) -> None:
    is_new = not table.exists()
    with table.open("a", newline="") as file:
        writer = csv.writer(file)
        if is_new:
            writer.writerow(HEADER)
        writer.writerows(rows)


def show(folder: Path) -> None:
    """Print mean and standard deviation over the seeds."""
    frame = pl.read_csv(folder / "bayesian_search.csv")
    told = (
        frame.group_by("half", "variant", "queries", maintain_order=True)
        .agg(pl.len().alias("seeds"), pl.col("regret").mean().round(4), pl.col("regret").std().round(4).alias("sd"))
        .pivot("queries", index=["half", "variant", "seeds"], values=["regret", "sd"])
    )
    with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_width_chars=200):
        print(told)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--half", choices=("A", "B", "all"), default="all")
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="the seeds from 0 to one below this")
    parser.add_argument("--first", type=int, default=0, help="the first seed, for a second process")
    parser.add_argument("--variant", action="append", choices=tuple(VARIANTS))
    parser.add_argument("--table", action="store_true")
    given = parser.parse_args()
    if not given.table:
        run(given.folder, given.half, given.variant or list(VARIANTS), range(given.first, given.seeds))
    show(given.folder)


if __name__ == "__main__":
    main()
