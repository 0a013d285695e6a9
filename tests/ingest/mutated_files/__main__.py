"""The long run: ``python -m tests.ingest.mutated_files --count 10000 --seed 0``; prints counts by format and faults.

Each part runs in a process of its own, so that one that dies or hangs in native code is found as well.
"""

# ruff: noqa: T201
from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

_A_PART = 1000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--part", type=int, nargs=2, metavar=("FIRST", "END"))
    given = parser.parse_args()
    if given.part:
        return _part(given.seed, *given.part)
    parts = [(first, min(first + _A_PART, given.count)) for first in range(0, given.count, _A_PART)]
    with ThreadPoolExecutor(given.processes) as pool:
        found = [outcome for part in pool.map(lambda part: _in_process(given.seed, part), parts) for outcome in part]
    _report(found)
    return any(outcome["fault"] for outcome in found)


def _part(seed: int, first: int, end: int) -> int:
    """Run some trials; a line of JSON before and after each."""
    from tests.ingest.mutated_files.trial import Trials

    memory = Path("/dev/shm")  # a disk would be most of the time
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        trials = Trials(Path(folder), seed)
        for number in range(first, end):
            print(json.dumps({"begun": number}), flush=True)
            print(json.dumps(asdict(trials.run(number))), flush=True)
        trials.close()
    return 0


def _in_process(seed: int, part: tuple[int, int]) -> list[dict[str, Any]]:
    """The outcomes of a part; where its process dies, a fault, and the rest in another process."""
    first, end = part
    command = [sys.executable, "-m", "tests.ingest.mutated_files", "--seed", str(seed), "--part", str(first), str(end)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    outcomes = [line for line in lines if "begun" not in line]
    if answer.returncode == 0:
        return outcomes
    number = lines[-1]["begun"] if lines else first
    fault = f"the process died with {answer.returncode}: {answer.stderr[-2000:]}"
    died = {"number": number, "format": "?", "result": "failed", "seconds": 0.0, "fault": fault}
    return [*outcomes, died, *(_in_process(seed, (number + 1, end)) if number + 1 < end and lines else [])]


def _report(found: list[dict[str, Any]]) -> None:
    counts = Counter((outcome["format"], outcome["result"]) for outcome in found)
    slowest: dict[str, float] = {}
    for outcome in found:
        slowest[outcome["format"]] = max(slowest.get(outcome["format"], 0.0), outcome["seconds"])
    print(f"{'format':24} {'stored':>7} {'refused':>8} {'failed':>7} {'slowest':>8}")
    for name in sorted(slowest):
        numbers = [counts[name, result] for result in ("stored", "refused", "failed")]
        print(f"{name:24} {numbers[0]:7} {numbers[1]:8} {numbers[2]:7} {slowest[name]:7.2f}s")
    faults = [outcome for outcome in found if outcome["fault"]]
    for outcome in faults:
        print(f"\n--- {outcome['number']} {outcome['format']}\n{outcome['fault']}")
    print(f"\n{len(found)} files, {len(faults)} faults")


if __name__ == "__main__":
    sys.exit(main())
