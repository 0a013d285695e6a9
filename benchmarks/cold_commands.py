"""Cold asking commands, each a process of its own, against the same question asked of DuckDB alone, run in turn.

The unit is ``python -c`` with nothing but ``import duckdb`` and the SQL of ``catalog top nb101 --by
cifar10_test_accuracy -k 10``. With ``--before CHECKOUT`` each command also runs from that checkout of the project, so
that two versions are compared in one run.

Example
-------
``python benchmarks/cold_commands.py --db catalog.duckdb --before ../older``
"""

from __future__ import annotations

import argparse
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path

from measure import circumstances

TOP = (
    'SELECT "index", cifar10_test_accuracy, hash FROM nb101 WHERE cifar10_test_accuracy IS NOT NULL '
    "ORDER BY cifar10_test_accuracy DESC, architecture_id LIMIT 10"
)
BARE = "import duckdb, sys; print(duckdb.connect(sys.argv[1], read_only=True).execute(sys.argv[2]).fetchall())"
COMMANDS = (
    "top nb101 --by cifar10_test_accuracy -k 10",
    'query "SELECT count(*) FROM nb101 WHERE params < 1e6"',
    "show nb201 6111",
    'match nb201 "(input)->(conv3x3)->(output), NOT (:pool)" -k 5',
    "correlate nb201 --target cifar10_test_accuracy --proxy params --proxy live_params",
    "compare nb201 6111 9930",
    "spaces",
)
CHECKOUT = Path(__file__).resolve().parents[1]


def seconds(command: list[str], checkout: Path | None) -> float:
    """Wall time of one run; it must succeed."""
    environment = os.environ | ({"PYTHONPATH": str(checkout)} if checkout else {})
    started = time.perf_counter()
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print one row a command: medians, and their ratios to DuckDB alone and to the older checkout."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", type=Path, required=True, help="a catalog with the tables of NAS-Bench-101 and 201")
    parser.add_argument("--before", type=Path, help="another checkout to compare with")
    parser.add_argument("--before-db", type=Path, help="the same catalog as that checkout reads it; by default --db")
    parser.add_argument("--runs", type=int, default=20)
    asked = parser.parse_args()
    checkouts = {"now": CHECKOUT} | ({"before": asked.before.resolve()} if asked.before else {})
    files = {"now": asked.db, "before": asked.before_db or asked.db}
    runs: dict[tuple[str, str], list[float]] = {}
    for _ in range(asked.runs + 1):  # the first one warms the disk's cache
        runs.setdefault(("duckdb", ""), []).append(seconds([sys.executable, "-c", BARE, str(asked.db), TOP], None))
        for words in COMMANDS:
            for name, checkout in checkouts.items():
                module = "catalog" if (checkout / "catalog" / "__main__.py").exists() else "catalog.cli.main"
                command = [sys.executable, "-m", module, *shlex.split(words), "--db", str(files[name])]
                runs.setdefault((words, name), []).append(seconds(command, checkout))
    medians = {key: statistics.median(values[1:]) for key, values in runs.items()}
    unit = medians["duckdb", ""]
    print(f"{circumstances()}\n{asked.runs} runs each, in turn; DuckDB alone: {unit:.3f} s\n")
    print(f"| catalog ... | {' | '.join(f'{name} [s]' for name in checkouts)} | to DuckDB | now / before |")
    print(f"|---|{'---|' * len(checkouts)}---|---|")
    for words in COMMANDS:
        found = [medians[words, name] for name in checkouts]
        change = f"{found[0] / found[1]:.2f}" if asked.before else ""
        print(f"| `{words}` | {' | '.join(f'{value:.3f}' for value in found)} | {found[0] / unit:.2f} | {change} |")


if __name__ == "__main__":
    main()
