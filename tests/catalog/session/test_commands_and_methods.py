"""A command and the method of its name give the same rows, and no command is without one of the two."""

from __future__ import annotations

import csv
import inspect
import io
import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars
import pytest
import typer.main

import catalog
from catalog import Catalog
from catalog.cli.main import MODULES, app
from tests.catalog.cli.commands import call_catalog

SQL = (
    "SELECT index, params, cell, is_connected, NULL AS nothing, 'nan'::DOUBLE AS nan, sum(index) OVER () AS total, "
    "[depth, NULL] AS list, {'a': nodes, 'b': cell} AS struct, DATE '2024-02-29' AS day FROM nb201 "
    "ORDER BY index LIMIT 3"
)
PATTERN = "(nor_conv_3x3)->(:pool)"
TRUTH = "digits_test_accuracy"


@dataclass(frozen=True)
class Pair:
    """A command's words, and the same asked of the session; ``is_measured``: of the catalog with real accuracies."""

    words: tuple[str, ...]
    ask: Callable[[Catalog], polars.DataFrame]
    is_measured: bool = False


PAIRS = {
    "fetch": Pair((), lambda c: c.fetch()),
    "spaces": Pair((), lambda c: c.spaces()),
    "operators": Pair(("--space", "nb201"), lambda c: c.operators("nb201")),
    "query": Pair((SQL,), lambda c: c.query(SQL)),
    "top": Pair(
        ("nb201", "--by", "live_params", "-k", "5", "--where", "depth < 4"),
        lambda c: c.top("nb201", by="live_params", k=5, where="depth < 4"),
    ),
    "lookup": Pair(("nb201", "6111", "0", "6111"), lambda c: c.lookup([6111, 0, 6111], "nb201")),
    "show": Pair(("nb201", "6111"), lambda c: c.show("nb201", 6111).numbers()),
    "compare": Pair(("nb201", "6111", "0"), lambda c: c.compare("nb201", [6111, 0]).frame),
    "match": Pair(
        ("nb201", PATTERN, "--by", "params", "-k", "5"), lambda c: c.match("nb201", PATTERN, by="params", limit=5)
    ),
    "motifs": Pair(("nb201", "--by", "live_params", "-k", "5"), lambda c: c.motifs("nb201", by="live_params", k=5)),
    "correlate": Pair(
        ("nb201", "--target", TRUTH, "--proxy", "params", "--proxy", "depth", "--intervals"),
        lambda c: c.correlate("nb201", target=TRUTH, proxies=["params", "depth"], intervals=True).frame,
    ),
    "search": Pair(
        ("nb201", "--by", "live_params", "--max", "params=5e5", "--method", "random", "--budget", "50", "--seed", "1"),
        lambda c: c.search("nb201", by="live_params", max={"params": 5e5}, method="random", budget=50, seed=1).frame,
    ),
    "search-bench": Pair(
        ("nb201", "--budget", "20", "--seeds", "2", "--methods", "random,local-search"),
        lambda c: c.search_bench("nb201", budget=20, seeds=2, methods=["random", "local-search"]).frame,
        is_measured=True,
    ),
    "measures": Pair((), lambda c: c.measures()),
    "doctor": Pair((), lambda c: c.doctor().frame),
}

PRINT_NO_ROWS = {
    "export": "writes the rows into a file: see test_an_export_is_the_same_file",
    "report": "writes a page and prints sentences: see test_a_report_says_the_same",
    "ingest": "fills the catalog and tells of it on standard error",
    "remove": "changes the catalog and shows what goes",
    "merge": "changes the catalog and tells of it on standard error",
    "rename": "changes the catalog and tells of it on standard error",
    "score": "fills the catalog and tells of it on standard error",
    "train": "writes weights and tells of it on standard error",
    "evaluate": "fills the catalog and tells of it on standard error",
    "db": "makes and upgrades files, which is no question to an open one",
    "serve": "answers a browser until it is stopped",
    "demo": "tells a story with many questions in it",
}
NO_METHODS = {"db", "serve", "demo"}
COMMANDS_ALONE = {
    "show": {"form", "svg", "computation"},  # .text(form) and .svg(form) of the result; the method `computation`
    "match": {"explain"},  # the method `pattern_sql`
    "doctor": {"explain"},  # the method `origin`
    "remove": {"yes", "json"},  # a call is not asked, and the result has `as_json`
    "train": {"pretrain"},  # the method `pretrain`
}
"""Options that are no argument of the method."""
OTHER_WORDS = {
    "score": {"as": "column"},  # a keyword of Python
    "search": {"as": "label_name", "set": "options"},
    # The predictor's own options are arguments by their own names.
    "train": {"name": "predictor", "set": "options", "encoder": "options", "objective": "options"},
}


def test_every_command_is_compared_or_prints_no_rows() -> None:
    assert {*PAIRS, *PRINT_NO_ROWS} == set(MODULES)
    assert not PAIRS.keys() & PRINT_NO_ROWS.keys()


@pytest.mark.parametrize("command", [name for name in MODULES if name not in NO_METHODS])
def test_every_command_is_a_method(command: str) -> None:
    method = getattr(Catalog, command.replace("-", "_"))
    assert method.__doc__


@pytest.mark.parametrize("command", [name for name in MODULES if name not in {*NO_METHODS, "ingest"}])
def test_both_use_the_same_words(command: str) -> None:
    """An option that may be repeated is an argument in the plural; what is ingested is a method's first argument."""
    parsed = typer.main.get_command(app).get_command(None, command)  # type: ignore[attr-defined]
    options = {max(parameter.opts, key=len).lstrip("-").replace("-", "_") for parameter in parsed.params}
    options -= {"help", "db", "wait", "format"} | COMMANDS_ALONE.get(command, set())
    words = {OTHER_WORDS.get(command, {}).get(option, option) for option in options}
    arguments = set(inspect.signature(getattr(Catalog, command.replace("-", "_"))).parameters) - {"self", "format"}
    plural = {f"{word[:-1]}ies" if word.endswith("y") else f"{word}s" for word in words - arguments}
    assert (words & arguments) | plural == arguments


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A catalog of the test's own."""
    if request.param:
        source = request.getfixturevalue("measured_database")
    else:
        source = request.getfixturevalue("demo_folder") / "catalog.duckdb"
    return Path(shutil.copy(source, tmp_path / "catalog.duckdb"))


@pytest.mark.parametrize(
    ("command", "pair", "database"),
    [(command, pair, pair.is_measured) for command, pair in PAIRS.items()],
    indirect=["database"],
    ids=list(PAIRS),
)
def test_both_give_the_same_rows(command: str, pair: Pair, database: Path) -> None:
    printed = {
        name: call_catalog(command, *pair.words, "--format", name, database=database) for name in ("csv", "json")
    }
    with catalog.open(database, mode="write") as c:
        frame = pair.ask(c)
    assert frame.height
    for answer in printed.values():
        assert answer.returncode == 0, answer.stderr
    assert json.loads(printed["json"].stdout) == [
        {name: as_json(value) for name, value in row.items()} for row in frame.to_dicts()
    ]
    assert list(csv.reader(io.StringIO(printed["csv"].stdout))) == [
        frame.columns,
        *([as_cell(value) for value in row] for row in frame.rows()),
    ]


def as_json(value: Any) -> Any:
    """What a program reads: NULL for what is no number."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | list | dict | None) else str(value)


def as_cell(value: Any) -> str:
    """What a spreadsheet reads."""
    if isinstance(value, list | dict):
        return json.dumps(value)
    return "" if value is None else str(value)


def test_an_export_is_the_same_file(demo_folder: Path, tmp_path: Path) -> None:
    database = demo_folder / "catalog.duckdb"
    words = ("export", "nb201", "--where", "params < 1e5", "--out", str(tmp_path / "command.csv"))
    assert call_catalog(*words, database=database).returncode == 0
    with catalog.open(database) as c:
        exported = c.export("nb201", tmp_path / "method.csv", where="params < 1e5")
    assert exported.path.read_bytes() == (tmp_path / "command.csv").read_bytes()
    assert polars.read_csv(exported.path).shape == (exported.rows, exported.columns)


def test_a_report_says_the_same(demo_folder: Path, tmp_path: Path) -> None:
    database = demo_folder / "catalog.duckdb"
    words = ("nb201", "--target", TRUTH, "--proxy", "params", "--proxy", "depth", "--out", str(tmp_path / "page.html"))
    answer = call_catalog("report", *words, database=database)
    with catalog.open(database) as c:
        built = c.report("nb201", TRUTH, ["params", "depth"])
    assert answer.stdout == f"{built.summary}\n"
    assert (tmp_path / "page.html").read_text() == built.page()
