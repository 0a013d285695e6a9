"""``catalog remove``: it shows what goes, asks who can be asked, and refuses where nobody can."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from catalog.cli import mending
from tests.catalog.cli.commands import call_catalog

TABLE = "nb201_index,cifar10_test_acc\n0,91.5\n1,90.25\n"


@pytest.fixture(scope="module")
def filled_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mine")
    (folder / "mine.csv").write_text(TABLE)
    database = folder / "catalog.duckdb"
    answer = call_catalog("ingest", "nasbench201", str(folder / "mine.csv"), "--epochs", "200", database=database)
    assert answer.returncode == 0, answer.stderr
    return database


@pytest.fixture
def database(filled_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled_once, tmp_path / "catalog.duckdb"))


def sources(database: Path) -> str:
    return call_catalog("query", "SELECT count(*) AS n FROM source", database=database).stdout.split()[1]


def test_nobody_is_asked_off_a_terminal(database: Path) -> None:
    answer = call_catalog("remove", "source", "mine", database=database)
    assert answer.returncode == 2
    assert "2  rows of metric" in answer.stdout
    assert "nothing was removed" in answer.stderr
    assert "--yes" in answer.stderr
    assert sources(database) == "1"


def test_dry_only_shows(database: Path) -> None:
    answer = call_catalog("remove", "source", "mine", "--dry", database=database)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "run 1 stays and is marked as removed" in answer.stdout
    assert sources(database) == "1"


def test_json_says_the_same_and_yes_removes(database: Path) -> None:
    planned = call_catalog("remove", "source", "mine", "--dry", "--json", database=database)
    removed = call_catalog("remove", "source", "1", "--yes", "--json", database=database)
    assert removed.returncode == 0
    assert "removed source 1" in removed.stderr
    assert json.loads(planned.stdout) == json.loads(removed.stdout) | {"name": "mine"}
    assert json.loads(removed.stdout)["rows"]["metric"] == 2
    assert sources(database) == "0"


@pytest.mark.parametrize("answer", [True, False])
def test_a_person_is_asked(answer: bool, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(mending, "can_ask", lambda: True)
    monkeypatch.setattr(mending.typer, "confirm", lambda text, **_: asked.append(text) or answer)
    assert call_catalog("remove", "source", "mine", database=database).returncode == 0
    assert asked == ["Remove all of this?"]
    assert sources(database) == ("0" if answer else "1")


def test_what_changed_while_somebody_thought_is_left(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = database.with_name("more.csv")
    more.write_text("nb201_index,cifar100_test_acc\n0,71.5\n")

    def change(*_: object, **__: object) -> bool:
        answer = call_catalog("ingest", "nasbench201", str(more), "--epochs", "200", database=database)
        assert answer.returncode == 0, answer.stderr
        return True

    monkeypatch.setattr(mending, "can_ask", lambda: True)
    monkeypatch.setattr(mending.typer, "confirm", change)
    answer = call_catalog("remove", "source", "mine", database=database)
    assert answer.returncode == 1
    assert "changed meanwhile; nothing was removed" in answer.stderr
    assert sources(database) == "2"


def test_a_wrong_name_is_a_usage_error(database: Path) -> None:
    answer = call_catalog("remove", "source", "min", "--yes", database=database)
    assert answer.returncode == 2
    assert "Did you mean mine" in answer.stderr
