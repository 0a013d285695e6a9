"""What graph patterns cost on NAS-Bench-101: a cold process as a user starts it, and the SQL alone.

Example
-------
``python benchmarks/patterns.py catalog.duckdb``, on a catalog made with ``catalog ingest nasbench101 FILE``
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

from measure import circumstances, measure

from catalog.analysis.motifs import motifs
from catalog.asking import patterns
from catalog.storage.store import Store

TARGET = "(conv3x3)->(conv1x1)->*(output)"
QUESTIONS = (
    (TARGET, "canonical"),
    (TARGET, "native"),
    ("(conv3x3)->(conv1x1)", "canonical"),
    ("(a:conv)->(b:conv), (input)->(b)", "canonical"),
    ("(a:conv)->(b:conv), (input)->(b), NOT (input)->(output)", "canonical"),
    ("NOT (input)->(output)", "canonical"),
    ("(conv3x3)->*(maxpool3x3)", "canonical"),
    ("(input)->*(output)", "canonical"),
    ("(a:input)->(conv3x3), (a)->(conv1x1), (a)->(output)", "canonical"),
)


def cold(database: Path, repeat: int) -> None:
    """The command of the target, each time in a new process."""
    command = [sys.executable, "-m", "catalog", "match", "nb101", TARGET, "--count", "--db", str(database)]
    runs = [measure(command) for _ in range(repeat)]
    if any(run.exit_code for run in runs):
        sys.exit("the command failed")
    fastest = min(runs, key=lambda run: run.seconds)
    print(f'catalog match nb101 "{TARGET}" --count   (target 1.5 s)')
    print(f"  wall {fastest.seconds:.2f} s (of {' '.join(f'{run.seconds:.2f}' for run in runs)})")
    print(f"  processor {min(run.processor_seconds for run in runs):.2f} s, {fastest.peak_bytes / 1e6:.0f} MB\n")


def warm(database: Path, repeat: int) -> None:
    """Each question on an open catalog; the fastest run counts."""
    print(f"{'count, catalog open':58} {'form':9} {'wall':>7} {'processor':>9} {'architectures':>13} {'matches':>9}")
    with Store.open(database) as catalog:
        for question, form in QUESTIONS:
            timings = []
            for _ in range(repeat):
                started, busy = time.perf_counter(), time.process_time()
                found = patterns.count(catalog, "nb101", question, form)
                timings.append((time.perf_counter() - started, time.process_time() - busy))
            wall, processor = min(timings)
            print(f"{question:58} {form:9} {wall:5.2f} s {processor:7.2f} s {found[0]:13,} {found[1]:9,}", flush=True)
        started, busy = time.perf_counter(), time.process_time()
        found_motifs = motifs(catalog, "nb101", "cifar10_test_accuracy")
        wall, processor = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"\nmotifs nb101 --by cifar10_test_accuracy: {len(found_motifs)} motifs, ", end="")
    print(f"wall {wall:.2f} s, processor {processor:.2f} s; all questions and this one within {peak:.0f} MB")


def main() -> None:
    """Measure on the catalog that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("database", type=Path, help="a catalog that holds nb101")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each; the fastest counts (default 3)")
    arguments = parser.parse_args()
    print(f"command   python benchmarks/patterns.py {arguments.database.name} --repeat {arguments.repeat}")
    print(f"{circumstances()}\n")
    cold(arguments.database, arguments.repeat)
    warm(arguments.database, arguments.repeat)


if __name__ == "__main__":
    main()
