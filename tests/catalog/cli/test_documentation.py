"""The documentation tells the truth: generated pages are fresh, examples run, shown output is what comes out."""

from __future__ import annotations

import gzip
import json
import os
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import typer.main

from catalog.cli.main import app
from tests.catalog.cli.commands import call_catalog
from tests.ingest.formats.writers import nds_log

CHECKOUT = Path(__file__).resolve().parents[3]
PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]


SPACES_PAGE = CHECKOUT / "docs/spaces.md"


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    command = command or typer.main.get_command(app)
    if not hasattr(command, "list_commands"):
        yield path, command
        return
    if command.invoke_without_command and path:
        yield path, command
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
    write_own_space(tmp_path)
    write_small_tables(tmp_path)
    for folder in ("nb201", "nb301", "darts", "spaces"):
        for table in (data_dir / folder).iterdir():
            (tmp_path / table.name).symlink_to(table)
    (tmp_path / "mine.jsonl").write_text(OWN_GRAPH)
    (tmp_path / "ops.json").write_text(OWN_OPERATORS)
    (tmp_path / "NASNet.json").write_text(json.dumps([nds_log("nasnet")]))
    for table in (data_dir / "nb101").glob("*.csv.gz"):  # the whole of it is read by tests/ingest
        with gzip.open(table, "rt") as whole, gzip.open(tmp_path / table.name, "wt") as part:
            part.writelines(islice(whole, 1000))
    database = tmp_path / "catalog.duckdb"
    if path != ("db", "init"):
        database.write_bytes(measured_database.read_bytes())
    arguments = example_of(dict(commands())[path])
    monkeypatch.chdir(tmp_path)
    if path == ("rename",):
        own = ("ingest", "graphs", "mine.jsonl", "--space", "mine", "--operators", "ops.json")
        assert call_catalog(*own, database=database).returncode == 0
    if path == ("merge",):
        shutil.copy(measured_database, "other.duckdb")
    if path == ("ingest", "staged"):
        assert call_catalog("spaces", "add", "my_space.toml", database=database).returncode == 0
    answer = call_catalog(*arguments, database=database)
    assert answer.returncode == 0, answer.stderr


def write_own_space(folder: Path) -> None:
    """The space of the page, and its table."""
    (folder / "my_space.toml").write_text(next(blocks(SPACES_PAGE, "toml")).text)
    (folder / "my_results.csv").write_text(next(blocks(SPACES_PAGE, "csv")).text)


def write_small_tables(folder: Path) -> None:
    """One record each of the benchmarks whose files are not at hand."""
    blocks_said = ",".join([" ".join(["3"] * 21)] * 2)
    (folder / "proxyless_subnets.csv").write_text(
        f"kernels,expansions,depths,resolution,top1\n{blocks_said},2 2 2 2 2 1,224,70.5\n"
    )
    net = {"block_type": "res_basic_block", "ds": [1, 1, 1, 1], "ws": [16, 16, 16, 16], "ss": [1, 1, 2, 2]}
    log = {"net": net, "optim": {}, "test_ep_top1": [50.0], "min_test_top1": 50.0}
    (folder / "ResNet.json").write_text(json.dumps([log]))


OWN_GRAPH = (
    '{"id": "a17", "ops": ["input", "conv3x3", "my_op", "output"], "edges": [[0, 1], [1, 2], [2, 3]], "metrics": '
    '[{"dataset": "cifar10", "split": "test", "name": "accuracy", "value": 93.1, "epochs": 200, "seed": 0}]}\n'
)
OWN_OPERATORS = '{"my_op": {"kind": "attention", "kernel": null, "weights": true, "description": "Self attention"}}'


@dataclass(frozen=True)
class Block:
    """One fenced block of a page: its language and its lines."""

    page: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path, *languages: str) -> Iterator[Block]:
    text = page.read_text()
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE):
        if found[1] in languages:
            yield Block(page.name, text.count("\n", 0, found.start()) + 1, found[1], found[2])


def run_console(block: Block, database: Path) -> None:
    """Every command of a block prints what stands below it, as tables; '...' stands for lines left out."""
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command)
        assert words[0] == "catalog", command
        arguments = words[1:] if "--format" in words or words[1] in NOT_ROWS else [*words[1:], "--format", "table"]
        answer = call_catalog(*arguments, database=database)
        assert answer.returncode == 0, answer.stderr
        parts = re.split(r"(^\.\.\.$)", shown.rstrip("\n"), flags=re.MULTILINE)
        pattern = "".join(".*" if part == "..." else re.escape(part) for part in parts)
        assert re.fullmatch(pattern, answer.stdout.rstrip("\n"), flags=re.DOTALL), answer.stdout


NOT_ROWS = ("show", "demo", "db", "report", "ingest", "remove")


def run_shell(block: Block, database: Path, programs: Path) -> None:
    """The lines as they are, in a shell that stops at the first failure."""
    environment = {name: value for name, value in os.environ.items() if name != "CATALOG_DATA"}
    environment |= {"CATALOG_DB": str(database), "PATH": f"{programs}{os.pathsep}{environment['PATH']}"}
    answer = subprocess.run(
        ["sh", "-e"], env=environment, input=block.text, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


def run_python(block: Block) -> None:
    exec(compile(block.text, str(block), "exec"), {"__name__": "__main__"})


NOT_RUN = {
    "make demo": "installs an environment; the demo itself has made the catalog that the page runs on",
    ". .venv/bin/activate": "stands for what the test does: the program on the path, the catalog in the environment",
    "catalog serve": "serves until it is stopped; tests/catalog/serving asks it for its pages",
    "catalog ingest nasbench201 NAS-Bench-201-v1_1-096897.pth": "reads official files of several gigabytes",
}
"""Shell blocks of the README that are not run, by their first line without its comment, and why."""


def first_line(block: Block) -> str:
    return block.text.partition("\n")[0].partition("#")[0].strip()


README = CHECKOUT / "README.md"
TOUR = [block for block in blocks(README, "console", "sh", "python") if first_line(block) not in NOT_RUN]


@pytest.fixture(scope="module")
def readers_folder(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader of the README stands after `make demo`: all blocks run here, in the order of the page."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "demo").mkdir()
    shutil.copy(demo_folder / "catalog.duckdb", folder / "demo")
    return folder


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the PATH with the program `catalog`, as an installation has it."""
    program = tmp_path_factory.mktemp("bin") / "catalog"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m catalog "$@"\n')
    program.chmod(0o755)
    return program.parent


@pytest.mark.parametrize("block", TOUR, ids=str)
def test_the_tour_runs_as_pasted(
    block: Block, readers_folder: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On what the demo leaves behind, without any benchmark file."""
    monkeypatch.chdir(readers_folder)
    monkeypatch.delenv("CATALOG_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    database = Path("demo/catalog.duckdb")
    if block.language == "console":
        run_console(block, database)
    elif block.language == "sh":
        run_shell(block, database, programs)
    else:
        run_python(block)


def test_what_is_not_run_of_the_tour_is_still_in_it() -> None:
    assert set(NOT_RUN) <= {first_line(block) for block in blocks(README, "sh")}


PLUG_IN = CHECKOUT / "tests/plugins/operator_ridge"
"""The package that docs/predictors.md shows."""

MISTAKES_PAGE = CHECKOUT / "docs/mistakes.md"
IN_ORDER = {
    README,
    CHECKOUT / "docs/python.md",
    CHECKOUT / "docs/computation_graphs.md",
    SPACES_PAGE,
    MISTAKES_PAGE,
}
"""Pages whose examples follow each other; those that are not run here are by tests/catalog/session."""

EXAMPLES = [block for page in PAGES if page not in IN_ORDER for block in blocks(page, "console", "python")]
PUBLISHED = {block.page for block in EXAMPLES if "cifar10_" in block.text}
"""Pages that show accuracies which the demo's catalog does not have."""


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_the_examples_of_a_page_run(
    block: Block, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On `catalog.duckdb` in the folder: the demo's, or one with the published accuracies where a page shows them."""
    if block.page in PUBLISHED:
        filled: Path = request.getfixturevalue("measured_database")
    else:
        filled = request.getfixturevalue("demo_folder") / "catalog.duckdb"
    database = Path(shutil.copy(filled, tmp_path / "catalog.duckdb"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(PLUG_IN))
    if block.language == "console":
        run_console(block, database)
    else:
        run_python(block)


def test_mistakes_are_taken_back_as_the_page_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an empty folder on, in the page's order."""
    monkeypatch.chdir(tmp_path)
    for name, block in zip(("lab.csv", "theirs.csv"), blocks(MISTAKES_PAGE, "csv"), strict=True):
        (tmp_path / name).write_text(block.text)
    run_in_order(MISTAKES_PAGE, tmp_path / "catalog.duckdb")


def test_the_walk_through_a_space_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the page is added, enumerated, asked and searched, in the page's order."""
    database = tmp_path / "catalog.duckdb"
    monkeypatch.chdir(tmp_path)
    write_own_space(tmp_path)
    run_in_order(SPACES_PAGE, database)


def run_in_order(page: Path, database: Path) -> None:
    """Every command of a page, one after the other."""
    for block in blocks(page, "sh", "console"):
        if block.language == "console":
            run_console(block, database)
            continue
        for line in block.text.splitlines():
            answer = call_catalog(*shlex.split(line)[1:], database=database)
            assert answer.returncode == 0, answer.stderr


NAMED = re.compile(
    r"\b(?:catalog|ingest|predictor|benchmarks|tests|docs)/[\w/]+(?:\.\w+)?|\b(?:catalog|ingest|predictor)(?:\.[A-Za-z_]\w*)+"
)
NO_MODULES = {"catalog.duckdb", "catalog.proxies", "catalog.predictors"}
"""The usual file, and groups of entry points."""

LINKED = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_modules_and_links_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text()
    missing = [name for name in set(NAMED.findall(text)) - NO_MODULES if not is_there(name)]
    for target, anchor in LINKED.findall(text):
        aim = page.parent / target if target else page
        if not aim.exists() or (anchor and anchor not in anchors(aim)):
            missing.append(f"{target}#{anchor}")
    assert not missing, f"{page.name} names {sorted(missing)}"


def is_there(name: str) -> bool:
    if "/" in name:
        return (CHECKOUT / name).exists()
    try:
        pkgutil.resolve_name(name)
    except (ImportError, AttributeError):
        return False
    return True


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
