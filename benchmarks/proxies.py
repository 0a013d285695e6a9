"""Zero-cost proxies on NAS-Bench-201: what they cost, and whether they agree with the published scores.

    python benchmarks/proxies.py cost                       # all 13 together, one at a time, ratios
    python benchmarks/proxies.py scores --cells 600 --out scores.csv [--depth 5] [--batch-size 64] [--pool all]
    python benchmarks/proxies.py agreement scores.csv --data DIR

`scores` can be stopped and started again: it measures what the file does not hold yet. Everything runs on one thread.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import platform
import time
from pathlib import Path

import numpy as np
import torch

from catalog.architecture.graph import ArchitectureGraph
from catalog.spaces.nb201 import NASBench201
from catalog.tables.doctor import KNOWN_FUNCTIONS
from predictor.networks import NetworkConfig
from predictor.pooled.ranks import AZ_NAS, az_nas, swap_reg, te_nas
from predictor.zero_cost import SUITE_ZERO, MeasureConfig, Proxy, measure, measure_many, proxies_named

EXTRA = ("logsynflow", "zico", "swap", "meco", "linear_regions", *AZ_NAS)
PUBLISHED = {name: name for name in SUITE_ZERO} | {"logsynflow": "synflow"}
REFERENCE = {
    "nwot": 0.77,
    "jacov": 0.75,
    "synflow": 0.73,
    "logsynflow": 0.73,
    "params": 0.72,
    "epe_nas": 0.70,
    "flops": 0.69,
    "l2_norm": 0.68,
    "grad_norm": 0.58,
    "snip": 0.58,
    "grasp": 0.51,
    "fisher": 0.50,
    "zen": 0.35,
    "plain": -0.26,
}
"""Spearman with CIFAR-10 validation accuracy in NAS-Bench-Suite-Zero: 1,000 cells, 10 seeds."""


def main() -> None:
    """Run one of the three commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    cost = commands.add_parser("cost")
    cost.add_argument("--cells", type=int, default=8)
    cost.set_defaults(run=run_cost)
    scores = commands.add_parser("scores")
    scores.add_argument("--cells", type=int, default=600)
    scores.add_argument("--pool", choices=["published", "all"], default="published")
    scores.add_argument("--input", default="photos")
    scores.add_argument("--proxies", nargs="+", default=[*SUITE_ZERO, *EXTRA])
    scores.add_argument("--data", type=Path, required=True)
    scores.add_argument("--out", type=Path, required=True)
    scores.set_defaults(run=run_scores)
    for command in (cost, scores):
        command.add_argument("--depth", type=int, default=1)
        command.add_argument("--batch-size", type=int, default=16)
        command.add_argument("--seed", type=int, default=0)
    agreement = commands.add_parser("agreement")
    agreement.add_argument("scores", type=Path)
    agreement.add_argument("--data", type=Path, required=True)
    agreement.set_defaults(run=run_agreement)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    arguments.run(arguments)


def config_of(arguments: argparse.Namespace) -> MeasureConfig:
    """The configuration that the command line asks for."""
    return MeasureConfig(
        input=getattr(arguments, "input", "photos"),
        batch_size=arguments.batch_size,
        seed=arguments.seed,
        network=NetworkConfig(channels=16, cells=arguments.depth),
    )


def run_cost(arguments: argparse.Namespace) -> None:
    """Cost in CPU time of all 13 together and of each alone, drawing the minibatch included."""
    config = config_of(arguments)
    graphs = [graph for graph in NASBench201().sample(3 * arguments.cells, seed=1) if graph.is_connected]
    graphs = graphs[: arguments.cells]
    together = proxies_named(SUITE_ZERO)
    measure(graphs[0], together, config)  # first use pays for imports and the choice of algorithms
    spent = sum(_cpu_seconds(graph, together, config) for graph in graphs)
    single = {proxy.name: sum(_cpu_seconds(graph, [proxy], config) for graph in graphs) for proxy in together}
    dearest = max(single, key=lambda name: single[name])
    per_cell = spent / len(graphs)
    print(f"torch {torch.__version__}, Python {platform.python_version()}, one thread, {len(graphs)} cells")
    print(f"N = {arguments.depth}, batch {arguments.batch_size}; CPU milliseconds a cell")
    for name, seconds in sorted(single.items(), key=lambda item: -item[1]):
        print(f"  {name:10} {1e3 * seconds / len(graphs):8.1f}")
    print(f"  all 13     {1e3 * per_cell:8.1f}")
    print(f"all 13 / dearest single ({dearest}): {spent / single[dearest]:.2f}")
    print(f"one at a time / together: {sum(single.values()) / spent:.2f}")
    functions = KNOWN_FUNCTIONS["nb201"][1]
    print(f"{functions:,} distinct functions: {functions * per_cell / 3600:.2f} core hours")


def _cpu_seconds(graph: ArchitectureGraph, proxies: list[Proxy], config: MeasureConfig) -> float:
    """The best of three: what else the machine does can only add."""
    best = float("inf")
    for _ in range(3):
        start = time.process_time()
        measure(graph, proxies, config)
        best = min(best, time.process_time() - start)
    return best


def run_scores(arguments: argparse.Namespace) -> None:
    """Measure random cells of a pool into a CSV file."""
    space = NASBench201()
    if arguments.pool == "published":
        pool = [row["net_str"] for row in rows_of(arguments.data / "nb201" / "published_proxies_cifar10.csv.gz")]
    else:
        pool = [space.native_id(graph) for graph in space.enumerate()]
    order = np.random.default_rng(arguments.seed).permutation(len(pool))[: arguments.cells]
    names = arguments.proxies
    done = {row["cell"] for row in rows_of(arguments.out)} if arguments.out.exists() else set()
    cells = [pool[place] for place in order if pool[place] not in done]
    scores = measure_many([space.graph(cell) for cell in cells], proxies_named(names), config_of(arguments))
    with arguments.out.open("a", newline="") as file:
        writer = csv.writer(file)
        if not done:
            writer.writerow(["cell", *names, "seconds"])
        for cell, found in zip(cells, scores, strict=True):
            total = sum(one.seconds or 0.0 for one in found)
            writer.writerow([cell, *("" if one.value is None else one.value for one in found), f"{total:.4f}"])
            file.flush()


def run_agreement(arguments: argparse.Namespace) -> None:
    """Spearman correlations of a file of scores with the published ones and with validation accuracy."""
    from scipy.stats import spearmanr

    rows = rows_of(arguments.scores)
    published = {row["net_str"]: row for row in rows_of(arguments.data / "nb201" / "published_proxies_cifar10.csv.gz")}
    truth_rows = rows_of(arguments.data / "nb201" / "nb201_v1.1_200ep.csv.gz")
    truth = {row["arch_str"]: float(row["cifar10_valid_acc"]) for row in truth_rows}
    names = [name for name in rows[0] if name not in ("cell", "seconds")]
    columns = {name: np.array([float(row[name] or "nan") for row in rows]) for name in names}
    if set(AZ_NAS) <= set(columns):
        columns["az_nas"] = az_nas(*(columns[name] for name in AZ_NAS))
    if "ntk_cond" in columns:
        columns["te_nas"] = te_nas(columns["ntk_cond"], columns["linear_regions"])
    if "swap" in columns:
        columns["swap_reg"] = swap_reg(columns["swap"], columns["params"])
    accuracy = np.array([truth[row["cell"]] for row in rows])
    print(f"{len(rows)} cells, {np.median([float(row['seconds']) for row in rows]):.3f} s a cell")
    print("| proxy | values | with the published score | cells | with validation accuracy | Suite-Zero's |")
    print("|---|---|---|---|---|---|")
    for name, ours in columns.items():
        theirs = np.array([published_score(published.get(row["cell"]), name) for row in rows])
        both = np.isfinite(ours) & np.isfinite(theirs)
        agreement = f"{spearmanr(ours[both], theirs[both]).statistic:.3f}" if both.sum() > 2 else ""
        ranked = np.where(np.isnan(ours), -np.inf, ours)
        with_truth = spearmanr(ranked, accuracy).statistic
        reference = f"{REFERENCE[name]:.2f}" if name in REFERENCE else ""
        print(f"| {name} | {np.isfinite(ours).sum()} | {agreement} | {both.sum()} | {with_truth:.3f} | {reference} |")


def published_score(row: dict[str, str] | None, name: str) -> float:
    """NaN where nothing is published, or where -1e8 marks a failure."""
    value = float(row[PUBLISHED[name]]) if row is not None and name in PUBLISHED else np.nan
    return np.nan if value == -1e8 else value


def rows_of(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file, packed or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    main()
