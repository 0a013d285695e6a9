"""How many graphs a second TG-NAS scores once it is loaded: one network, five networks, and all with the prior.

    python benchmarks/tg_nas_speed.py [--threads 2] [--graphs 100000]

Cells of NAS-Bench-101 are all different functions; cells of NAS-Bench-201 fall together, and each function is scored
once. The last row is the same network built from torch-geometric's layers: what the hand-written batch buys.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import tg_nas_data as data
import torch
from torch_geometric.nn import DenseGraphConv

from predictor.tg_nas.ensemble import Scorer, member_outputs
from predictor.tg_nas.model import TGNASNetwork

REPEATS = 3


def best_seconds(work: Callable[[], object]) -> float:
    """Wall seconds of the fastest of some runs: what else the machine does can only add."""
    seconds = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def geometric(member: TGNASNetwork) -> TGNASNetwork:
    """The same weights in torch-geometric's layers."""
    twin = TGNASNetwork(member.features, member.config, DenseGraphConv)
    twin.load_state_dict(member.state_dict())
    return twin.eval()


def main() -> None:
    """Print one table a space."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--graphs", type=int, default=100_000, help="random modules of NAS-Bench-101")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    scorer = Scorer.load("tg_nas")
    twin = geometric(scorer.members[0])
    for target in (data.nb101(arguments.graphs), data.nb201()):
        print(f"\n{target.name}, {len(target):,} graphs, {arguments.threads} threads\n")
        print("\n".join(table(scorer, twin, target)), flush=True)


def table(scorer: Scorer, twin: TGNASNetwork, target: data.Target) -> list[str]:
    """One row for each way to score a target."""
    cells, count = target.cells, len(target)
    works: dict[str, Callable[[], object]] = {
        "one network": lambda: member_outputs(scorer.members[:1], cells, count),
        "five networks": lambda: member_outputs(scorer.members, cells, count),
        "five networks and prior": lambda: scorer.score_batches(cells, count),
        "one network of torch-geometric's layers": lambda: member_outputs([twin], cells, count),
    }
    seconds = {name: best_seconds(work) for name, work in works.items()}
    return [
        "| | graphs a second | of one network's time |",
        "|---|---|---|",
        *(f"| {name} | {count / one:,.0f} | {one / seconds['one network']:.2f} |" for name, one in seconds.items()),
    ]


if __name__ == "__main__":
    main()
