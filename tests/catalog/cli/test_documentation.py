"""The documentation tells the truth: generated pages are fresh, examples run, shown output is what comes out."""

from __future__ import annotations

import gzip
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import typer.main

from catalog.cli.main import app
from tests.catalog.cli.commands import call_catalog

CHECKOUT = Path(__file__).resolve().parents[3]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    command = command or typer.main.get_command(app)
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    for name in command.list_commands(None):
        yield from commands(command.get_command(None, name), (*path, name))


def test_generated_pages_are_fresh() -> None:
    answer = subprocess.run(
        [sys.executable, "docs/generate.py", "--check"], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_every_command_is_documented_and_its_options_explained(path: tuple[str, ...]) -> None:
    command = dict(commands())[path]
    assert command.help, path
    assert f"## catalog {' '.join(path)}\n" in (CHECKOUT / "docs/commands.md").read_text()
    assert f"Example: catalog {' '.join(path)}" in (command.epilog or "")
    for parameter in command.params:
        assert parameter.name == "help" or parameter.help, (path, parameter.name)


def example_of(command: Any) -> list[str]:
    return shlex.split(command.epilog.split("Example: catalog ")[1].strip())


@pytest.mark.parametrize("path", [path for path, _ in commands()], ids=" ".join)
def test_the_example_of_every_help_runs_as_pasted(
    path: tuple[str, ...], measured_database: Path, data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in ("nb201", "nb301", "darts"):
        for table in (data_dir / folder).iterdir():
            (tmp_path / table.name).symlink_to(table)
    (tmp_path / "mine.jsonl").write_text(OWN_GRAPH)
    (tmp_path / "ops.json").write_text(OWN_OPERATORS)
    for table in (data_dir / "nb101").glob("*.csv.gz"):  # the whole of it is read by tests/ingest
        with gzip.open(table, "rt") as whole, gzip.open(tmp_path / table.name, "wt") as part:
            part.writelines(islice(whole, 1000))
    database = tmp_path / "catalog.duckdb"
    if path != ("db", "init"):
        database.write_bytes(measured_database.read_bytes())
    arguments = example_of(dict(commands())[path])
    monkeypatch.chdir(tmp_path)
    answer = call_catalog(*arguments, database=database)
    assert answer.returncode == 0, answer.stderr


OWN_GRAPH = (
    '{"id": "a17", "ops": ["input", "conv3x3", "my_op", "output"], "edges": [[0, 1], [1, 2], [2, 3]], "metrics": '
    '[{"dataset": "cifar10", "split": "test", "name": "accuracy", "value": 93.1, "epochs": 200, "seed": 0}]}\n'
)
OWN_OPERATORS = '{"my_op": {"kind": "attention", "kernel": null, "weights": true, "description": "Self attention"}}'


def console_blocks() -> Iterator[tuple[str, str, str]]:
    """(page, command, shown output) of every ```console block; a block may hold several commands."""
    for page in PAGES:
        for block in re.findall(r"```console\n(.*?)```", page.read_text(), flags=re.DOTALL):
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.partition("\n")
                yield page.name, command, output


@pytest.mark.parametrize(("page", "command", "shown"), list(console_blocks()))
def test_the_documentation_shows_what_comes_out(
    page: str, command: str, shown: str, measured_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Commands run on the measured catalog, in one folder, as tables; '...' stands for lines left out."""
    words = shlex.split(command)
    assert words[0] == "catalog", command
    arguments = words[1:] if "--format" in words or words[1] in NOT_ROWS else [*words[1:], "--format", "table"]
    database = tmp_path / "catalog.duckdb"
    database.write_bytes(measured_database.read_bytes())
    monkeypatch.chdir(tmp_path)
    answer = call_catalog(*arguments, database=database)
    assert answer.returncode == 0, answer.stderr
    parts = re.split(r"(^\.\.\.$)", shown.rstrip("\n"), flags=re.MULTILINE)
    pattern = "".join(".*" if part == "..." else re.escape(part) for part in parts)
    assert re.fullmatch(pattern, answer.stdout.rstrip("\n"), flags=re.DOTALL), answer.stdout


NOT_ROWS = ("show", "demo", "db", "report")
