"""What the foundation costs: ingest of both benchmarks, file size, and the questions asked most, each a cold process.

Example
-------
``CATALOG_DATA=../shared/data python benchmarks/foundation.py``
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import tempfile
import time
from pathlib import Path

from measure import Measurement, circumstances, measure

from catalog.asking.lookup import lookup
from catalog.storage.store import Store

NB201 = ("nb201/nb201_v1.1_200ep.csv.gz", "nb201/nb201_12ep.csv.gz", "nb201/nats_v1.0_200ep_test.csv.gz")
NB101 = ("nb101/nb101_108ep_mean_test.csv.gz", "nb101/nb101_108ep_subset_3repeats.csv")
QUESTIONS = (
    ("top nb101 --by params -k 10", "0.8 s, 250 MB"),
    ('match nb101 "(conv3x3)->(conv1x1)->*(output)" --count', "1.5 s"),
    (
        "correlate nb101 --target cifar10_test_accuracy --proxy params --proxy flops --proxy live_params "
        "--proxy conv_depth --proxy path_count --proxy shortest_path",
        "3 s",
    ),
    ("correlate nb201 --target cifar10_test_accuracy", ""),
    ("show nb101 0", ""),
    ('query "SELECT count(*) FROM nb101 WHERE params < 1e6"', ""),
    ("doctor", ""),
)


def line(what: str, run: Measurement, target: str) -> None:
    """One row of the table."""
    print(f"{what:60.60} {run.seconds:7.2f} s {run.peak_bytes / 1e6:7.0f} MB   {target}", flush=True)


def catalog(database: Path, words: str, repeat: int = 1) -> Measurement:
    """The fastest of some runs of one command."""
    command = [sys.executable, "-m", "catalog", *shlex.split(words), "--db", str(database)]
    runs = [measure(command) for _ in range(repeat)]
    if any(run.exit_code for run in runs):
        sys.exit(f"failed: catalog {words}")
    return min(runs, key=lambda run: run.seconds)


def lookups(database: Path) -> float:
    """Seconds to look up all 15,625 architecture strings in one call."""
    with Store.open(database) as opened:
        cells = opened.query("SELECT cell FROM nb201")["cell"].to_list()
        started = time.perf_counter()
        found = lookup(opened, cells, space="nb201")
        seconds = time.perf_counter() - started
    if len(found) != len(cells):
        sys.exit("the look-up lost rows")
    return seconds


def main() -> None:
    """Build a catalog of both benchmarks in a temporary folder and ask it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=3, help="runs of each question; the fastest counts")
    repeat = parser.parse_args().repeat
    folder = os.environ.get("CATALOG_DATA")
    if not folder:
        sys.exit("set CATALOG_DATA to the folder with the benchmarks' tables")
    data = Path(folder)
    print(f"command   python benchmarks/foundation.py --repeat {repeat}\n{circumstances()}\n")
    print(f"{'catalog ...':60} {'wall':>9} {'memory':>10}   target")
    with tempfile.TemporaryDirectory() as scratch:
        database = Path(scratch) / "catalog.duckdb"
        for name, tables, target in (("nasbench201", NB201, "10 s"), ("nasbench101", NB101, "60 s, 3 GB")):
            files = " ".join(str(data / table) for table in tables)
            line(f"ingest {name} ({len(tables)} tables)", catalog(database, f"ingest {name} {files}"), target)
        print(f"{'size of the file with both':60} {database.stat().st_size / 1e6:7.0f} MB               250 MB")
        for words, target in QUESTIONS:
            line(words, catalog(database, words, repeat), target)
        fastest = min(lookups(database) for _ in range(repeat))
        print(f"{'Catalog.lookup of 15,625 ids':60} {fastest:7.2f} s              0.3 s")


if __name__ == "__main__":
    main()
