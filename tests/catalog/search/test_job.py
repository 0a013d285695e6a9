"""What a stored run was asked may come from somebody else's file."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from catalog.derivation import VERSIONS
from catalog.errors import ConditionError, UsageError
from catalog.search.job import prepare
from catalog.search.request import Request
from catalog.search.resuming import resumed
from catalog.search.unit import FUNCTION
from catalog.storage.runs import Run
from catalog.storage.store import Store

NOW = VERSIONS["canonical form"]
ASKED: dict[str, Any] = {
    "space": "nb201", "by": ["live_params"], "method": "random", "budget": 5, "seconds": None, "where": None,
    "maximum": [], "minimum": ["depth=1"], "seed": 0,
}  # fmt: skip


def _stored(path: Path, parameters: object) -> Request:
    with Store.open(path, mode="write") as store:
        run = Run.start(store, "search", {})
        text = parameters if isinstance(parameters, str) else json.dumps(parameters)
        store.execute("UPDATE run SET parameters = ? WHERE id = ?", [text, run.id])
        return Request.of_run(store, run.id)


def test_a_run_says_what_was_searched(catalog_path: Path) -> None:
    found = _stored(catalog_path, ASKED)
    assert found == Request("nb201", ("live_params",), "random", 5, minimum=("depth=1",), unit=FUNCTION, rules=1)


@pytest.mark.parametrize(
    "parameters",
    [
        "",
        "no JSON",
        "[" * 100_000,
        "[]",
        {},
        {"space": "nb201"},
        ASKED | {"further": 1},
        ASKED | {"by": "live_params"},
        ASKED | {"by": [1]},
        ASKED | {"maximum": None},
        ASKED | {"space": None},
        ASKED | {"where": 5},
        ASKED | {"where": ["params < 1"]},
        ASKED | {"budget": "5"},
        ASKED | {"budget": True},
        ASKED | {"seed": 1.5},
        ASKED | {"rules": None},
        ASKED | {"rules": "2"},
    ],
)
def test_parameters_of_something_else_are_refused(catalog_path: Path, parameters: object) -> None:
    with pytest.raises(UsageError, match=r"run 1 does not say what was searched: .* without --resume"):
        _stored(catalog_path, parameters)


@pytest.mark.parametrize(("held", "version"), [({}, 1), ({"rules": 1}, 1), ({"rules": NOW + 1}, NOW + 1)])
def test_a_search_under_other_rules_is_not_resumed(catalog_path: Path, held: dict[str, int], version: int) -> None:
    """A run from before the version was stored counts as version 1."""
    stored = _stored(catalog_path, ASKED | held)
    with pytest.raises(UsageError, match=f"run 1 .* version {version} .* version {NOW} .* without --resume"):
        resumed(stored, Request("nb201", ()), None, 1)


def test_a_search_under_these_rules_is_resumed(catalog_path: Path) -> None:
    stored = _stored(catalog_path, ASKED | {"rules": NOW})
    assert resumed(stored, Request("nb201", (), budget=9), None, 1) == replace(stored, budget=9)


def test_another_command_is_told_to_write_the_first_again() -> None:
    stored = Request("nb201", ("label",), "random", 5, label_command="sh a {id}")
    with pytest.raises(UsageError, match="write --label-command as it was to go on"):
        resumed(stored, Request("nb201", (), label_command="sh b {id}"), None, 1)
    with pytest.raises(UsageError, match="leave --label-command out"):
        resumed(replace(stored, label_command=None), Request("nb201", (), label_command="sh b {id}"), None, 1)


@pytest.mark.parametrize(
    "where",
    [
        "json_serialize_plan('SELECT * FROM read_csv(''/etc/passwd'')') IS NULL",
        "EXISTS (FROM read_text('/etc/passwd'))",
        "nextval('s') > 0",
        "1 = 1) OR (SELECT count(*) FROM read_text('/etc/passwd')) > (0",
        "1 = 1); DROP TABLE run; SELECT (1",
    ],
)
def test_the_condition_of_a_strangers_run_is_judged(nb201_path: Path, tmp_path: Path, where: str) -> None:
    path = tmp_path / "catalog.duckdb"
    path.write_bytes(nb201_path.read_bytes())
    request = _stored(path, ASKED | {"where": where})
    with Store.open(path, mode="write") as store:
        with pytest.raises(ConditionError, match="refused|is not one condition"):
            prepare(store, request)
        assert store.rows("SELECT count(*) FROM run WHERE kind = 'search'") == [(1,)]
