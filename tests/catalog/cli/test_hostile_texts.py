"""What commands print of texts that a terminal would obey or a spreadsheet run."""

from __future__ import annotations

import csv
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.catalog.cli.commands import run_catalog

SQL = "SELECT chr(27) || '[31mred' AS a, '=1+1' AS b, -1 AS c, chr(8238) || 'x' AS d"


@pytest.fixture
def database(catalog_path: Path) -> Path:
    return catalog_path


def on_a_terminal(*arguments: str) -> str:
    """What a command writes to standard output where that is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "catalog", *arguments]
    with subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        os.close(theirs)
        parts = []
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux says so that the other end is closed
                break
            if not part:
                break
            parts.append(part)
        assert process.wait() == 0
    os.close(ours)
    return b"".join(parts).decode()


@pytest.mark.parametrize("output_format", ["table", "csv", "json", "spreadsheet"])
def test_a_terminal_is_never_told_to_do_something(output_format: str, database: Path) -> None:
    shown = on_a_terminal("query", SQL, "--format", output_format, "--db", str(database))
    assert "red" in shown
    assert shown.replace("\r\n", "").isprintable()


def test_csv_in_a_file_is_exact_and_says_which_columns_a_spreadsheet_runs(database: Path) -> None:
    answer = run_catalog("query", SQL, "--format", "csv", database=database)
    assert next(csv.reader(io.StringIO(answer.stdout.partition("\n")[2]))) == ["\x1b[31mred", "=1+1", "-1", "\u202ex"]
    assert "texts in b begin like formulas" in answer.stderr


def test_csv_for_spreadsheets(database: Path) -> None:
    answer = run_catalog("query", SQL, "--format", "spreadsheet", database=database)
    assert next(csv.reader(io.StringIO(answer.stdout.partition("\n")[2])))[1:3] == ["'=1+1", "-1"]
    assert "formulas" not in answer.stderr
