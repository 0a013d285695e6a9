"""Running the command line, in this process (fast) or in one of its own, as a user's shell does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from catalog.cli.main import main

Answer = subprocess.CompletedProcess[str]
Ask = Callable[..., Answer]

TABLES = ("nb201/nb201_v1.1_200ep.csv.gz", "nb201/nb201_12ep.csv.gz", "nb201/nats_v1.0_200ep_test.csv.gz")
"""Tables of the data folder that the measured catalog holds."""


def run_catalog(*arguments: str, cwd: Path | None = None, database: Path | None = None, stdin: str = "") -> Answer:
    """Run the command line in a process of its own, as a user's shell does."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CATALOG_DB", "CATALOG_DATA")}
    if database is not None:
        environment["CATALOG_DB"] = str(database)
    command = [sys.executable, "-m", "catalog", *arguments]
    return subprocess.run(command, cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, check=False)


def call_catalog(*arguments: str, database: Path, stdin: str = "") -> Answer:
    """Run the command line in this process."""
    stdout, stderr = io.StringIO(), io.StringIO()
    status = 0
    with (
        mock.patch.object(sys, "argv", ["catalog", *arguments]),
        mock.patch.object(sys, "stdin", io.StringIO(stdin)),
        mock.patch.dict(os.environ, {"CATALOG_DB": str(database)}),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    return Answer(["catalog", *arguments], status, stdout.getvalue(), stderr.getvalue())
