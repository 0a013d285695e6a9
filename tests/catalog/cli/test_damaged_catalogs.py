"""Every command on damaged catalogs: it works, or it says in clear words what is wrong and what to do."""

from __future__ import annotations

import shutil
import traceback
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
    "query": ["query 'SELECT * FROM mine'", "query 'SELECT * FROM architecture JOIN metric ON architecture_id = id'"],
    "top": ["top mine --by params"],
    "lookup": ["lookup mine a1"],
    "show": ["show mine a1"],
    "compare": ["compare mine a1 a2"],
    "export": ["export mine --out out.csv"],
    "doctor": ["doctor"],
    "match": ["match mine 'conv3x3 -> *'"],
    "motifs": ["motifs mine --target cifar10_test_accuracy"],
    "score": ["score mine --proxy tg_nas"],
    "train": ["train depth_times_width --space mine --target cifar10_test_accuracy --out trained"],
    "evaluate": ["evaluate mine --sample 1 --epochs 1 --seeds 1 --workers 1 --where false"],
    "correlate": ["correlate mine --target cifar10_test_accuracy"],
    "report": ["report mine --target cifar10_test_accuracy --out report.html"],
    "search": ["search mine --by params --method random --budget 3"],
    "search-bench": ["search-bench mine --by params --truth cifar10_test_accuracy --budget 3 --seeds 1"],
    "serve": ["serve --port 0 --seconds 0"],
}
"""At least one use of every command, but for `demo`, which makes its own catalog."""

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
}


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Path:
    folder = tmp_path_factory.mktemp("intact")
    (folder / "mine.jsonl").write_text(GRAPHS)
    path = Path(shutil.copy(empty_catalog, folder / "catalog.duckdb"))
    answer = call_catalog("ingest", "graphs", str(folder / "mine.jsonl"), "--space", "mine", database=path)
    assert answer.returncode == 0, answer.stderr
    return path


def words_of(text: str) -> list[str]:
    import shlex

    return shlex.split(text)


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) == set(MODULES) - {"demo"}


@pytest.mark.parametrize("damage", DAMAGE)
def test_commands_on_a_damaged_catalog(
    damage: str, intact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "more.jsonl").write_text(GRAPHS.replace('"a', '"b'))
    damaged = Path(shutil.copy(intact, tmp_path / "damaged.duckdb"))
    with duckdb.connect(str(damaged)) as connection:
        connection.execute(DAMAGE[damage])
    wrong = []
    for command in (one for several in COMMANDS.values() for one in several):
        path = Path(shutil.copy(damaged, tmp_path / "catalog.duckdb"))
        try:
            fault = fault_of(call_catalog(*words_of(command), database=path))
        except Exception:  # noqa: BLE001 - what no message was made of is what this test is for
            fault = traceback.format_exc(limit=-3)
        if fault:
            wrong.append(f"{command}: {fault}")
    assert not wrong, "\n".join(wrong)


def fault_of(answer: Answer) -> str | None:
    if answer.returncode not in (0, 1, 2):
        return f"exit code {answer.returncode}"
    said = answer.stderr + answer.stdout
    if "Traceback" in said or "bug of the catalog" in said:
        return said
    if answer.returncode and not answer.stderr and "failed" not in answer.stdout:
        return "it failed without a word"
    return None


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
    path = Path(shutil.copy(intact, tmp_path / "catalog.duckdb"))
    with duckdb.connect(str(path)) as connection:
        connection.execute(sql)
    answer = call_catalog("show", "mine", "a1", database=path)
    assert answer.returncode == 1
    assert answer.stderr.startswith(f"error: {path} is damaged: {words}")
    assert f"catalog doctor --db {path}" in answer.stderr


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
