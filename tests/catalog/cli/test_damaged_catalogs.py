"""Every command on damaged catalogs: it works, or it says in clear words what is wrong and what to do."""

from __future__ import annotations

import re
import shlex
import shutil
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from catalog.cli.main import MODULES
from catalog.cli.outcome import report_bug
from tests.catalog.cli.commands import Answer, call_catalog

GRAPHS = "".join(
    f'{{"id": "a{number}", "ops": ["input", "{first}", "{second}", "output"], "edges": [[0, 1], [1, 2], [2, 3]], '
    f'"metrics": [{{"dataset": "cifar10", "split": "test", "name": "accuracy", "value": {90 + number}, "epochs": 200, '
    '"seed": 0}]}\n'
    for number, (first, second) in enumerate(
        (a, b) for a in ("conv3x3", "conv1x1", "skip_connect") for b in ("conv3x3", "maxpool3x3", "skip_connect")
    )
)

COMMANDS = {
    "db": ["db status", "db upgrade", "db forget 1"],
    "ingest": ["ingest graphs more.jsonl --space mine"],
    "fetch": ["fetch"],
    "spaces": ["spaces"],
    "operators": ["operators"],
    "measures": ["measures"],
    "query": ["query 'SELECT * FROM mine JOIN metric USING (architecture_id)'"],
    "top": ["top mine --by depth"],
    "lookup": ["lookup mine a1"],
    "show": ["show mine a1"],
    "compare": ["compare mine a1 a2", "compare mine a1 a2 --out compare.html"],
    "export": ["export mine --out out.csv"],
    "doctor": ["doctor"],
    "remove": ["remove source mine --yes"],
    "rename": ["rename space mine yours"],
    "merge": ["merge other.duckdb"],
    "match": ["match mine '(conv3x3)->(*)'"],
    "motifs": ["motifs mine --by cifar10_test_accuracy --share 0.5"],
    "score": ["score mine --proxy tg_nas"],
    "train": ["train tg_nas --space mine --target cifar10_test_accuracy --set members=1 --out trained"],
    "evaluate": ["evaluate mine --sample 1 --epochs 1 --seeds 1 --workers 1"],
    "correlate": ["correlate mine --target cifar10_test_accuracy"],
    "report": ["report mine --target cifar10_test_accuracy --out report.html"],
    "search": ["search mine --by cifar10_test_accuracy --method random --budget 3"],
    "serve": ["serve --port 0 --seconds 0"],
}
"""At least one real use of every command but two: `demo` makes its own catalog, `search-bench` needs a whole space."""

DAMAGE = {
    "a table is missing": "DROP TABLE layer_score",
    "a table of all is missing": "DROP TABLE metric",
    "a column is missing": "ALTER TABLE measure DROP COLUMN direction",
    "a column has another name": "ALTER TABLE proxy RENAME COLUMN version TO edition",
    "a column has the wrong type": "ALTER TABLE search_visit ALTER evaluation TYPE VARCHAR",
    "a view instead of a table": "CREATE TABLE kept AS FROM wide_column; DROP TABLE wide_column; "
    "CREATE VIEW wide_column AS FROM kept",
    "no wide view": "DROP TABLE mine",
    "no columns of the wide view": "DELETE FROM wide_column",
    "an empty wide view": "DELETE FROM mine",
    "NULL in the ids of a wide view": "UPDATE mine SET architecture_id = NULL",
    "no metrics": "DELETE FROM metric",
    "no nodes": "DELETE FROM node",
    "no edges": "DELETE FROM edge",
    "a cycle": "INSERT INTO edge SELECT e.* REPLACE (e.target AS source, e.source AS target) FROM edge e LIMIT 9",
    "an edge to nowhere": "UPDATE edge SET target = 99",
    "an unknown operator": "UPDATE node SET operator = 'warp' WHERE position = 1",
    "a hostile operator": "UPDATE node SET operator = chr(27) || '[2J\"; DROP TABLE x' WHERE position = 1",
    "huge numbers": "UPDATE architecture SET nodes = 2147483647, depth = -2147483648",
    "configuration is no JSON": "UPDATE proxy SET configuration = '{'",
    "parameters are no JSON": "UPDATE run SET parameters = 'none', versions = ''",
    "numbers that point nowhere": "UPDATE wide_column SET proxy_id = 99; UPDATE source SET run_id = 99",
    "a hostile name": "UPDATE architecture SET native_id = chr(10) || '=1+1' || id",
    "no spaces": "DELETE FROM space",
    "a revision that does not exist": "UPDATE alembic_version SET version_num = 'x'",
    "no revision": "DELETE FROM alembic_version",
    "two revisions": "INSERT INTO alembic_version VALUES ('0006')",
}


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Path:
    folder = tmp_path_factory.mktemp("intact")
    (folder / "mine.jsonl").write_text(GRAPHS)
    path = Path(shutil.copy(empty_catalog, folder / "catalog.duckdb"))
    answer = call_catalog("ingest", "graphs", str(folder / "mine.jsonl"), "--space", "mine", database=path)
    assert answer.returncode == 0, answer.stderr
    return path


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) == set(MODULES) - {"demo", "search-bench"}


def faults(commands: Sequence[str], catalog: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run each command on a copy of a catalog; what is wrong with its answer."""
    monkeypatch.chdir(folder)
    shutil.copy(catalog, folder / "other.duckdb")
    (folder / "more.jsonl").write_text(GRAPHS.replace('"id": "a', '"id": "b'))
    for command in commands:
        path = Path(shutil.copy(catalog, folder / "catalog.duckdb"))
        try:
            fault = fault_of(call_catalog(*shlex.split(command), database=path), path)
        except Exception:  # noqa: BLE001 - what no message was made of is what this test is for
            fault = traceback.format_exc(limit=-3)
        if fault:
            yield f"{command}: {fault}"


def fault_of(answer: Answer, path: Path) -> str | None:
    """A command works, or names the file and says what to do next."""
    said = answer.stderr + answer.stdout
    if "Traceback" in said or "bug of the catalog" in said or answer.returncode not in (0, 1, 2):
        return f"exit code {answer.returncode}: {said}"
    if answer.returncode and f"error: {path}: these checks failed" in answer.stderr:
        return None  # of the doctor itself, whose details say what to do
    named = f"{path} is damaged: " in answer.stderr
    if answer.returncode and not (named and re.search("catalog doctor --db|Restore the file from a copy", said)):
        return f"exit code {answer.returncode}, but no word of the file and what to do: {said}"
    return None


ALL = [command for several in COMMANDS.values() for command in several]


def test_commands_on_an_intact_catalog(intact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of the table works, so that one which fails on a damaged catalog fails of the damage."""
    monkeypatch.setattr(f"{__name__}.fault_of", lambda answer, _path: answer.stderr if answer.returncode else None)
    assert list(faults(ALL, intact, tmp_path, monkeypatch)) == []


@pytest.mark.parametrize("damage", DAMAGE)
def test_commands_on_a_damaged_catalog(
    damage: str, intact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = damaged_copy(intact, tmp_path / "damaged.duckdb", DAMAGE[damage])
    assert list(faults(ALL, damaged, tmp_path, monkeypatch)) == []


@pytest.mark.parametrize("damage", ["a table of all is missing", "no spaces", "no nodes", "two revisions"])
def test_a_comparison_of_methods_on_a_damaged_catalog(
    damage: str, nb201_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damaged = damaged_copy(nb201_path, tmp_path / "damaged.duckdb", DAMAGE[damage])
    command = "search-bench nb201 --by live_params --truth depth --methods random --budget 3 --seeds 1"
    assert list(faults([command], damaged, tmp_path, monkeypatch)) == []


def damaged_copy(intact: Path, path: Path, sql: str) -> Path:
    shutil.copy(intact, path)
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)
    return path


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP TABLE metric", "its table metric is missing"),
        ("UPDATE mine SET architecture_id = NULL", "the wide view of mine and its architectures differ in 18 rows"),
        ("DELETE FROM node", "9 architectures have no graph"),
        ("UPDATE edge SET target = 99", "48 edges begin or end at no node"),
    ],
)
def test_damage_is_named_with_the_file_and_the_next_step(intact: Path, tmp_path: Path, sql: str, words: str) -> None:
    path = damaged_copy(intact, tmp_path / "catalog.duckdb", sql)
    answer = call_catalog("show", "mine", "a1", database=path)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"error: {path} is damaged: {words}")
    assert f"catalog doctor --db {path}" in answer.stderr


@pytest.mark.parametrize(
    ("command", "sql", "mistake", "words"),
    [
        ("top mine --by price", "DELETE FROM wide_column", "mine has no column 'price'", "no column of a wide view"),
        ("show mine a1", "DELETE FROM mine", "does not hold: 'a1'", "differ in 9 rows"),
        ("export mine --where 'prise > 1'", "DROP TABLE seal", "prise", "its table seal is missing"),
        ("query 'SELECT prise FROM mine'", "DROP TABLE seal", "", "its table seal is missing"),
    ],
)
def test_what_may_be_a_mistake_is_told_beside_the_damage(
    intact: Path, tmp_path: Path, command: str, sql: str, mistake: str, words: str
) -> None:
    path = damaged_copy(intact, tmp_path / "catalog.duckdb", sql)
    answer = call_catalog(*shlex.split(command), database=path)
    assert answer.returncode
    assert mistake in answer.stderr
    assert f"{path} is damaged: " in answer.stderr
    assert words in answer.stderr
    assert f"catalog doctor --db {path}" in answer.stderr


@pytest.mark.parametrize("command", ["top mine --by price", "query 'SELECT price FROM mine'"])
def test_after_a_mistake_nothing_large_is_read(intact: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    """On the largest space, the doctor takes as long as some thousand questions."""
    monkeypatch.setattr("catalog.tables.doctor.examine", lambda *_: pytest.fail("asked the doctor"))
    monkeypatch.setattr("catalog.cli.damage._ROWS", {"{} rows": "asked what takes seconds"})
    answer = call_catalog(*shlex.split(command), database=intact)
    assert "price" in answer.stderr
    assert "damaged" not in answer.stderr


def test_a_bug_on_an_intact_file_is_told_as_one(
    intact: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyError("what")

    monkeypatch.setattr("catalog.cli.opened.CommandCatalog.show", fail)
    with pytest.raises(KeyError) as caught:  # which Python hands to the hook as the program ends
        call_catalog("show", "mine", "a1", database=intact)
    report_bug(caught.type, caught.value, caught.tb)
    said = capsys.readouterr().err
    assert said.startswith("error: this is a bug of the catalog, in test_damaged_catalogs.py line")
    assert "KeyError: 'what'" in said
    assert said.count("\n") == 1
    monkeypatch.setenv("CATALOG_TRACEBACK", "1")
    report_bug(caught.type, caught.value, caught.tb)
    assert "Traceback" in capsys.readouterr().err
