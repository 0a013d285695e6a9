"""Own sized networks by the hundred thousand: a file of random ones is written, then ingested by a cold process.

Each has nine nodes: an input, seven convolutions, inverted residual blocks and poolings with sizes, in a chain with
random shortcuts between equal shapes, and an output; an input of 3x32x32, a head and one accuracy.

Example
-------
``python benchmarks/sized_graphs.py --graphs 1000000``
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INNER = 7
WIDTHS = tuple(range(8, 257, 8))
Shape = tuple[int, int]
"""Channels and resolution."""


def node(dice: random.Random, entering: Shape) -> tuple[dict[str, Any], Shape]:
    """A sized operator, and the shape that it gives."""
    channels, pixels = entering
    kind = dice.choice(("conv", "conv", "conv", "conv", "depthwise_conv", "max_pool", "avg_pool"))
    stride = 2 if pixels > 4 and dice.random() < 0.3 else 1
    said: dict[str, Any] = {"op": kind, "kernel": dice.choice((1, 3, 5)), "stride": stride}
    if not kind.endswith("pool"):
        channels = dice.choice((channels, channels, dice.choice(WIDTHS))) if channels > 3 else dice.choice(WIDTHS)
        said["channels"] = channels
    if kind == "depthwise_conv":
        said["expansion"] = dice.choice((1, 3, 6))
    return said, (channels, pixels // stride)


def record(dice: random.Random, name: str) -> dict[str, Any]:
    """One network as a line tells it."""
    shapes: list[Shape] = [(3, 32)]
    operators: list[Any] = ["input"]
    edges = []
    for place in range(1, INNER + 1):
        said, shape = node(dice, shapes[-1])
        equal = [source for source in range(place - 1) if shapes[source] == shapes[-1]]
        shortcuts = [source for source in equal if dice.random() < 0.4]
        edges += [[source, place] for source in (*shortcuts, place - 1)]
        operators.append(said)
        shapes.append(shape)
    accuracy = round(dice.uniform(60, 95), 2)
    return {
        "id": name,
        "input": {"shape": [3, 32, 32]},
        "head": {"classes": 10},
        "ops": [*operators, "output"],
        "edges": [*edges, [INNER, INNER + 1]],
        "metrics": [{"name": "accuracy", "dataset": "cifar10", "split": "test", "value": accuracy}],
    }


def lines(count: int, seed: int) -> Iterator[str]:
    """The lines of a file."""
    dice = random.Random(seed)
    return (json.dumps(record(dice, f"net{number:07}")) + "\n" for number in range(count))


def main() -> None:
    """Write one file, ingest it, and print what that took."""
    from measure import circumstances, measure  # a script beside this one

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where file and catalog go and stay; by default a temporary folder")
    options = parser.parse_args()
    print(circumstances())
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch)
        path, catalog = folder / f"sized_{options.graphs}_{options.seed}.jsonl", folder / "catalog.duckdb"
        if not path.exists():
            with path.with_suffix(".part").open("w") as stream:
                stream.writelines(lines(options.graphs, options.seed))
            path.with_suffix(".part").rename(path)
        catalog.unlink(missing_ok=True)
        print(f"{path.name}: {options.graphs:,} networks, {path.stat().st_size / 1e6:,.0f} MB")
        command = ["-m", "catalog", "ingest", "graphs", str(path), "--space", "sized", "--db", str(catalog)]
        run = measure([sys.executable, *command])
        print(
            f"ingest: {run.seconds:.0f} s wall, {run.processor_seconds:.1f} s of processor, "
            f"{run.peak_bytes / 1e6:,.0f} MB at most; exit code {run.exit_code}"
        )
        print(f"catalog: {catalog.stat().st_size / 1e6:,.0f} MB")


if __name__ == "__main__":
    main()
