"""What NAS-Bench-101 costs: enumeration, hashes, network counts, digests, reading, sampling, neighbours.

Example
-------
``python benchmarks/nb101.py``
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from typing import TypeVar

from measure import circumstances

from catalog.architecture.cell_arrays import CellArrays
from catalog.spaces.nb101 import NASBench101
from catalog.spaces.nb101_arrays import read_arrays
from catalog.spaces.nb101_enumeration import enumerate_arrays, first_forms
from catalog.spaces.nb101_hash import module_hashes
from catalog.spaces.nb101_identifiers import format_compact
from catalog.spaces.nb101_network import costs

Made = TypeVar("Made")


def timed(what: str, unit: str, work: Callable[[], tuple[int, Made]]) -> Made:
    """Do some work and print what it cost; `work` also tells how many things it made."""
    started, processor = time.perf_counter(), time.process_time()
    count, made = work()
    wall, used = time.perf_counter() - started, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    print(f"{what:28} {count:9,} {unit:10} {wall:8.2f} {used:11.2f} {1e6 * used / count:8.2f} {peak:8.0f}", flush=True)
    return made


def main() -> None:
    """Run every part once, in one process, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", type=int, default=200, help="modules for the parts that go one by one")
    small = parser.parse_args().small
    print(f"command   python benchmarks/nb101.py --small {small}\n{circumstances()}\n")
    print(f"{'':28} {'':9} {'':10} {'wall s':>8} {'processor s':>11} {'us each':>8} {'peak MB':>8}")
    batches = timed("enumerate", "modules", lambda: counted(list(enumerate_arrays())))
    size = sum(map(len, batches))
    timed("module hashes", "modules", lambda: (size, [module_hashes(b.adjacency, b.operators) for b in batches]))
    timed("parameters and flops", "modules", lambda: (size, [costs(b.adjacency, b.operators) for b in batches]))
    timed("first forms", "modules", lambda: (size, [first_forms(batch) for batch in batches]))
    timed(
        "canonical order, encoding", "modules", lambda: (size, [b.canonically_ordered().encodings() for b in batches])
    )
    space = NASBench101()
    graphs = timed("first sample", "graphs", lambda: (small, space.sample(small, seed=0)))
    timed("second sample", "graphs", lambda: (small, space.sample(small, seed=1)))
    texts = [format_compact(graph.cells[0]).split(":") for graph in graphs]
    rows = [texts[row % small] for row in range(size)]
    columns = [row[0] for row in rows], [row[1] for row in rows]
    timed("read a table's columns", "rows", lambda: (size, read_arrays(*columns)))
    timed("locate a specification", "modules", lambda: (small, [space.locate(":".join(text)) for text in texts]))
    timed("neighbours", "modules", lambda: (small, [space.neighbours(graph) for graph in graphs]))


def counted(batches: list[CellArrays]) -> tuple[int, list[CellArrays]]:
    """A list of batches and the number of modules in them."""
    return sum(map(len, batches)), batches


if __name__ == "__main__":
    main()
