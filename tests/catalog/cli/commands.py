"""Running the command line, in this process (fast) or in one of its own, as a user's shell does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

from catalog.cli.main import main
from tests.catalog.processes import LIFETIME, running_python

Answer = subprocess.CompletedProcess[str]
Ask = Callable[..., Answer]

TABLES = ("nb201/nb201_v1.1_200ep.csv.gz", "nb201/nb201_12ep.csv.gz", "nb201/nats_v1.0_200ep_test.csv.gz")
"""Tables of the data folder that the measured catalog holds."""


def run_catalog(*arguments: str, cwd: Path | None = None, database: Path | None = None, stdin: str = "") -> Answer:
    """Run the command line in a process of its own, as a user's shell does."""
    command = [sys.executable, "-m", "catalog", *arguments]
    environment = environment_with(database)
    return subprocess.run(
        command, cwd=cwd, env=environment, input=stdin, capture_output=True, text=True, check=False, timeout=LIFETIME
    )


def running_catalog(*arguments: str, database: Path) -> AbstractContextManager[subprocess.Popen[str]]:
    """The command line as a process that may be interrupted, and that is ended with the block."""
    return running_python("-m", "catalog", *arguments, environment=environment_with(database))


def environment_with(database: Path | None) -> dict[str, str]:
    """Our environment with this catalog and without ours."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CATALOG_DB", "CATALOG_DATA")}
    return environment if database is None else environment | {"CATALOG_DB": str(database)}


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
