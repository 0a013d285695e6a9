"""What the tests of searching share: reading an answer."""

from __future__ import annotations

import csv
import io

from tests.catalog.cli.commands import Answer

DEEP = "depth + 0.1*n_conv"
"""A score that costs nothing and that no file stores."""


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.returncode == 0, answer.stderr
    return list(csv.DictReader(io.StringIO(answer.stdout)))


def run_of(answer: Answer) -> int:
    """The run that an answer's notes name."""
    return int(answer.stderr.partition("run ")[2].partition(":")[0])
