"""Measures one command: wall time and peak memory of a process of its own, beside what it ran on.

Example
-------
``python benchmarks/measure.py --repeat 3 -- catalog top nb101 --by params -k 10``
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import metadata

PACKAGES = ("nas-catalog", "duckdb", "numpy", "polars", "pyarrow", "torch")


@dataclass(frozen=True)
class Measurement:
    """One run of one command.

    Parameters
    ----------
    seconds
        Wall time from start to end, imports included.
    processor_seconds
        User and system time of the process and the children it waited for.
    peak_bytes
        Largest resident memory of any one of them.
    exit_code
        What the command returned.
    """

    seconds: float
    processor_seconds: float
    peak_bytes: int
    exit_code: int


def measure(command: Sequence[str]) -> Measurement:
    """Run a command once; its output is thrown away, its errors are shown.

    A small process starts it: the kernel counts the memory of the starting process towards that of the started one.
    """
    starter = [sys.executable, "-S", __file__, "--raw", "--", *command]
    answer = subprocess.run(starter, stdout=subprocess.PIPE, check=True)
    return Measurement(**json.loads(answer.stdout))


def _measure_from_here(command: Sequence[str]) -> Measurement:
    started = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    unit = 1 if sys.platform == "darwin" else 1024  # the kernel's unit of ru_maxrss
    return Measurement(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit, process.returncode)


def circumstances() -> str:
    """The machine and the versions that a number belongs to, in two lines."""
    versions = []
    for package in PACKAGES:
        try:
            versions.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            versions.append(f"{package} absent")
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{processors} processors, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return f"machine   {machine}\nversions  {', '.join(versions)}"


def report(command: Sequence[str], runs: Sequence[Measurement]) -> str:
    """Command, circumstances and numbers: the fastest run, and all of them."""
    fastest = min(runs, key=lambda run: run.seconds)
    every = " ".join(f"{run.seconds:.2f}" for run in runs)
    return (
        f"command   {' '.join(command)}\n{circumstances()}\n"
        f"wall      {fastest.seconds:.2f} s (of {every})\n"
        f"processor {fastest.processor_seconds:.2f} s\n"
        f"memory    {max(run.peak_bytes for run in runs) / 1e6:.0f} MB at most"
    )


def main() -> int:
    """Read the command from the command line, run it, print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=1, help="how often to run it (default 1)")
    parser.add_argument("--raw", action="store_true", help="run it once and print the numbers alone, as JSON")
    parser.add_argument("command", nargs="+", help="the command, after --")
    arguments = parser.parse_args()
    if arguments.raw:
        print(json.dumps(asdict(_measure_from_here(arguments.command))))
        return 0
    runs = []
    for _ in range(arguments.repeat):
        runs.append(measure(arguments.command))
        if runs[-1].exit_code:
            print(f"the command failed with exit code {runs[-1].exit_code}", file=sys.stderr)
            return runs[-1].exit_code
    print(report(arguments.command, runs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
