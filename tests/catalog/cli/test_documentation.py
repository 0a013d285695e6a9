"""The documentation tells the truth: generated pages are fresh, examples run, shown output is what comes out."""

from __future__ import annotations

import json
import pkgutil
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from catalog.cli.main import app
from catalog.spaces.nb201 import format_cell, parse
from tests.catalog.cli.commands import call_catalog
from tests.catalog.cli.pages import (
    CHECKOUT,
    Block,
    blocks,
    first_line,
    link_programs,
    run_console,
    run_python,
    run_shell,
    written_files,
)
from tests.ingest.formats.writers import (
    model_metrics,
    nasbench101_row,
    nasbench201_archive,
    nds_log,
    torch_legacy,
    write_tfrecord,
)
from tests.ingest.mutated_files.good_files import GOOD_FILES

README = CHECKOUT / "README.md"
TUTORIALS = sorted((CHECKOUT / "docs/tutorials").glob("*.md"))
PAGES = [README, *sorted((CHECKOUT / "docs").glob("*.md")), *TUTORIALS]

SPACES_PAGE = CHECKOUT / "docs/spaces.md"
MISTAKES_PAGE = CHECKOUT / "docs/mistakes.md"


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
    (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
    (tmp_path / "mine.jsonl").write_text(OWN_GRAPH)
    (tmp_path / "ops.json").write_text(OWN_OPERATORS)
    (tmp_path / "NASNet.json").write_text(json.dumps([nds_log("nasnet")]))
    (tmp_path / "zc_nasbench301.json").symlink_to(next((data_dir / "nb301").glob("zc_nasbench301*.json")))
    write_official_files(tmp_path)
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


def write_official_files(folder: Path) -> None:
    """A record each, in the forms in which the benchmarks' authors publish theirs."""
    cells = {index: format_cell(parse(index)) for index in (0, 6111)}
    (folder / "NAS-Bench-201-v1_1-096897.pth").write_bytes(torch_legacy(nasbench201_archive(cells)))
    measured = model_metrics(
        [(0.0, 0.0, 0.1, 0.1, 0.1), (54.0, 9.0, 0.9, 0.8, 0.8), (108.0, 18.0, 1.0, 0.9, 0.9)], 8555530
    )
    module = ("00005c142e6f48ac74fdcf73e3439874", 108, "0100110001000000010010000010000001000000010000000", "02001")
    write_tfrecord(folder / "nasbench_only108.tfrecord", [nasbench101_row(*module, measured)])
    logs = next(file.value for file in GOOD_FILES if file.name == "NDS JSON")
    (folder / "DARTS.json").write_text(json.dumps(logs))


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


NOT_RUN = {
    "git clone ADDRESS catalog && cd catalog": "makes the checkout that is tested, and installs it",
    "catalog serve": "serves until it is stopped; tests/catalog/serving asks it for its pages",
}
"""Shell blocks of the README that are not run, by their first line without its comment, and why."""

TOUR = [block for block in blocks(README, "console", "sh", "python") if first_line(block) not in NOT_RUN]


@pytest.fixture(scope="module")
def readers_folder(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a reader of the README stands after `make demo`: all blocks run here, in the order of the page."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "demo").mkdir()
    shutil.copy(demo_folder / "catalog.duckdb", folder / "demo")
    shutil.copytree(CHECKOUT / "examples", folder / "examples")
    return folder


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return link_programs(tmp_path_factory.mktemp("bin"))


@pytest.mark.parametrize("block", TOUR, ids=str)
def test_the_tour_runs_as_pasted(
    block: Block, readers_folder: Path, programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On what the demo leaves behind, without any benchmark file."""
    monkeypatch.chdir(readers_folder)
    monkeypatch.delenv("CATALOG_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    run(block, Path("demo/catalog.duckdb"), programs)


def run(block: Block, database: Path, programs: Path) -> None:
    if block.language == "console":
        run_console(block, database, tolerance=0.002)
    elif block.language == "sh":
        run_shell(block, database, programs)
    else:
        run_python(block)


def test_what_is_not_run_of_the_tour_is_still_in_it() -> None:
    assert set(NOT_RUN) <= {first_line(block) for block in blocks(README, "sh")}


def test_the_picture_of_the_readme_is_drawn_from_the_demo(demo_folder: Path, tmp_path: Path) -> None:
    """With one search of each kind; ten of them take two minutes."""
    picture = tmp_path / "picture.svg"
    command = [sys.executable, "docs/pictures.py", "--db", str(demo_folder / "catalog.duckdb"), "--seeds", "1"]
    answer = subprocess.run(
        [*command, "--out", str(picture)], cwd=CHECKOUT, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr
    assert picture.read_text().count("<g id=") > 50


@pytest.mark.parametrize("page", [page for page in TUTORIALS if page.stem != "index"], ids=lambda page: page.stem)
def test_a_tutorial_runs_from_beginning_to_end(
    page: Path, demo_folder: Path, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a folder as a clone is after `make demo`: the demo's catalog and the examples."""
    (tmp_path / "demo").mkdir()
    shutil.copy(demo_folder / "catalog.duckdb", tmp_path / "demo")
    shutil.copytree(CHECKOUT / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CATALOG_DATA", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(CHECKOUT))
    monkeypatch.syspath_prepend(str(tmp_path))
    for name, text in written_files(page).items():
        Path(name).write_text(text)
    for block in blocks(page, "console", "sh", "python"):
        run(block, Path("demo/catalog.duckdb"), programs)


PLUG_IN = CHECKOUT / "tests/plugins/operator_ridge"
"""The package that docs/own_predictors.md shows."""

IN_ORDER = {
    README,
    SPACES_PAGE,
    MISTAKES_PAGE,
    *(CHECKOUT / "docs" / page for page in ("python.md", "computation_graphs.md", "own_numbers.md")),
}
"""Pages whose examples follow each other; others than the first three run in tests of their own rooms."""

ANY_ORDER = [page for page in PAGES if page not in {*IN_ORDER, *TUTORIALS}]
EXAMPLES = [block for page in ANY_ORDER for block in blocks(page, "console", "python")]
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
