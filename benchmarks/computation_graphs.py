"""How fast computation graphs are built, against tracing the real networks, and how large they are.

Times are processor times of one process; tracing needs the extra ``predict``.

Example
-------
``OMP_NUM_THREADS=1 python benchmarks/computation_graphs.py``
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from measure import circumstances

import catalog
from catalog.architecture.computation.arrays import batch_of_plans
from catalog.architecture.computation.fusing import fused
from catalog.architecture.graph import ArchitectureGraph
from catalog.spaces import space_named

Made = TypeVar("Made")

TRACED = ("nb201", "nb101", "darts")


def seconds(work: Callable[[], Made]) -> tuple[float, Made]:
    started = time.process_time()
    made = work()
    return time.process_time() - started, made


def traced(graphs: list[ArchitectureGraph]) -> float:
    """Graphs a second when networks are made and traced."""
    from ingest.model.torch_tracing import trace_module
    from predictor.networks import build

    networks = [build(graph) for graph in graphs]
    spent, _ = seconds(lambda: [trace_module(network, (1, 3, 32, 32)) for network in networks])
    return len(graphs) / spent


def row(space: str, count: int, tracings: int) -> str:
    known = space_named(space)
    graphs = [graph for graph in known.sample(2 * count, seed=0) if known.network_plan(graph) is not None][:count]
    known.network_plans(graphs)  # makes the blocks that all share
    build_time, plans = seconds(lambda: known.network_plans(graphs))
    array_time, batch = seconds(lambda: batch_of_plans(plans))
    fuse_time, short = seconds(lambda: fused(batch))
    every = batch_of_plans(known.network_plans(graphs[:100], compressed=False))
    sizes = [np.diff(one.first_node).mean() for one in (every, batch, short)]
    rate = len(graphs) / (build_time + array_time)
    trace_rate = traced(graphs[:tracings]) if space in TRACED and tracings else None
    shown = "" if trace_rate is None else f"{trace_rate:8.2f} {rate / trace_rate:8,.0f}"
    fused_rate = len(graphs) / (build_time + array_time + fuse_time)
    return f"{space:9} {rate:9,.0f} {fused_rate:9,.0f} {sizes[0]:7.0f} {sizes[1]:7.1f} {sizes[2]:7.1f} {shown}"


def whole_space(batch_size: int) -> str:
    with tempfile.TemporaryDirectory() as folder, catalog.open(Path(folder) / "c.duckdb", mode="write") as opened:
        opened.spaces(enumerate="nb201")
        spent, built = seconds(
            lambda: sum(len(batch) for batch in opened.computation_graphs("nb201", batch_size=batch_size))
        )
    return f"all {built:,} of nb201 read from a catalog, built and fused: {spent:.1f} s"


def main() -> None:
    """Print a line for each space, and one for a whole catalog."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=4000, help="architectures of each space")
    parser.add_argument("--tracings", type=int, default=8, help="networks of each space that are traced; 0 for none")
    arguments = parser.parse_args()
    print(f"{circumstances()}\n")
    print(f"{'':9} {'built/s':>9} {'fused/s':>9} {'layers':>7} {'nodes':>7} {'fused':>7} {'traced/s':>8} {'ratio':>8}")
    for space in ("nb201", "nb101", "darts", "nats-sss"):
        print(row(space, arguments.count, arguments.tracings), flush=True)
    print(whole_space(1000))


if __name__ == "__main__":
    main()
