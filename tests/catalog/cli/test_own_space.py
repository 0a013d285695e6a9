"""A user's own space through the command line: read, asked, matched, grown, and refused where it is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.catalog.cli.commands import call_catalog
from tests.catalog.processes import run_python

CHAIN = {"id": "a17", "ops": ["input", "conv3x3", "my_op", "output"], "edges": [[0, 1], [1, 2], [2, 3]]}
METRIC = {"dataset": "cifar10", "split": "test", "name": "accuracy", "value": 93.1, "epochs": 200, "seed": 0}
OPERATORS = {"my_op": {"kind": "attention", "weights": True, "description": "Self attention"}}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "ops.json").write_text(json.dumps(OPERATORS))
    (tmp_path / "mine.jsonl").write_text(
        json.dumps({**CHAIN, "metrics": [METRIC], "proxies": {"params": 1.2e6}}) + "\n"
    )
    return tmp_path / "catalog.duckdb"


def ingest(database: Path, file: str, *options: str) -> str:
    answer = call_catalog(
        "ingest", "graphs", str(database.parent / file), "--space", "mine", *options, database=database
    )
    return answer.stderr if answer.returncode == 0 else f"refused {answer.stderr}"


def test_the_space_is_asked_like_a_built_in_one(database: Path) -> None:
    said = ingest(database, "mine.jsonl", "--operators", str(database.parent / "ops.json"))
    stored, note = said.splitlines()
    assert stored == "mine.jsonl: 1 records of mine into mine: 1 new architectures, 1 metrics, 1 scores."
    assert "a field is missing: my_op (heads)." in note
    top = call_catalog("top", "mine", "--by", "cifar10_test_accuracy", database=database)
    assert top.stdout == "index,cifar10_test_accuracy,id\n,93.1,a17\n"
    assert "my_op" in call_catalog("show", "mine", "a17", database=database).stdout
    counted = call_catalog("match", "mine", "(conv3x3)->(:attention)->(output)", "--count", database=database)
    assert counted.stdout == "architectures,matches\n1,1\n"
    assert call_catalog("doctor", "--full", database=database).returncode == 0


def test_a_later_file_needs_no_descriptions_again(database: Path) -> None:
    ingest(database, "mine.jsonl", "--operators", str(database.parent / "ops.json"))
    (database.parent / "more.jsonl").write_text(json.dumps({**CHAIN, "id": "a18"}) + "\n")
    assert "1 new architectures" in ingest(database, "more.jsonl")
    twins = call_catalog("query", "SELECT count(DISTINCT canonical_id) AS functions FROM mine", database=database)
    assert twins.stdout == "functions\n1\n"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"kind": "conv"}, "kind 'attention' and not 'conv'"),
        ({"weights": False}, "weights True and not False"),
        ({"kernel": 5}, "kernel None and not 5"),
        (
            {"description": "Attention"},
            ", ".join(f"{style} 'Self attention' and not 'Attention'" for style in ("short", "medium", "long")),
        ),
        ({"long": "Attention"}, "long 'Self attention' and not 'Attention'"),
    ],
)
def test_another_operators_file_for_the_same_graphs_is_not_passed_over(
    database: Path, change: dict[str, object], words: str
) -> None:
    """What is stored of the graphs rests on it, so a change is refused, and the error says how to go on."""
    operators = database.parent / "ops.json"
    ingest(database, "mine.jsonl", "--operators", str(operators))
    operators.write_text(json.dumps({"my_op": OPERATORS["my_op"] | change}))
    said = ingest(database, "mine.jsonl", "--operators", str(operators))
    known = "refused error: operator 'my_op' is known in the space 'mine' with "
    assert said.startswith(f"{known}{words}; nothing was stored.")
    assert "to go on with the stored one" in said
    operators.write_text(json.dumps(OPERATORS))
    assert "nothing to do" in ingest(database, "mine.jsonl", "--operators", str(operators))
    assert "nothing to do" in ingest(database, "mine.jsonl")


def test_an_operator_that_is_added_later_is_stored_though_the_graphs_are_known(database: Path) -> None:
    operators = database.parent / "ops.json"
    ingest(database, "mine.jsonl", "--operators", str(operators))
    operators.write_text(json.dumps(OPERATORS | {"other": {"kind": "conv", "description": "Another"}}))
    said = ingest(database, "mine.jsonl", "--operators", str(operators))
    assert said == "mine.jsonl: already in the catalog as mine (1 records); 1 new operators stored.\n"
    assert "nothing to do" in ingest(database, "mine.jsonl", "--operators", str(operators))
    (database.parent / "more.jsonl").write_text(
        json.dumps({**CHAIN, "id": "a18", "ops": ["input", "conv3x3", "other", "output"]}) + "\n"
    )
    assert "1 new architectures" in ingest(database, "more.jsonl")
    runs = call_catalog("query", "SELECT outcome, detail FROM run WHERE kind = 'ingest' ORDER BY id", database=database)
    assert runs.stdout.splitlines()[2] == "done,the operators other"


def test_a_built_in_operator_keeps_its_description_once_graphs_have_it(database: Path) -> None:
    operators = database.parent / "ops.json"
    ingest(database, "mine.jsonl", "--operators", str(operators))
    again = {"kind": "conv", "kernel": 3, "dilation": 1, "weights": True, "description": "My own convolution"}
    operators.write_text(json.dumps(OPERATORS | {"conv3x3": again}))
    said = ingest(database, "mine.jsonl", "--operators", str(operators))
    assert "is known as a built-in operator in stored graphs of 'mine' with short " in said
    assert "and not 'My own convolution'" in said
    operators.write_text(json.dumps(OPERATORS | {"conv1x1": again | {"kernel": 1}}))
    assert "1 new operators" in ingest(database, "mine.jsonl", "--operators", str(operators))


def test_unknown_operators_come_back_as_a_template(database: Path) -> None:
    said = ingest(database, "mine.jsonl")
    assert said.startswith("refused error: mine.jsonl line 1: unknown operators")
    assert set(json.loads(said[said.index("{") :])) == {"my_op"}


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([[0, 1], [1, 2], [2, 1], [2, 3]], "line 2, id 'b': cell 'cell' has a cycle"),
        ([[0, 1], [1, 9]], "line 2, id 'b': cell 'cell': edge (1, 9) points outside"),
        ([[0, 1], [3, 2]], "line 2, id 'b': cell 'cell': edge (3, 2) leaves the output"),
    ],
)
def test_a_wrong_graph_stores_nothing_of_the_file(database: Path, edges: list[list[int]], words: str) -> None:
    good = database.parent / "mine.jsonl"
    (database.parent / "bad.jsonl").write_text(
        good.read_text() + json.dumps({**CHAIN, "id": "b", "edges": edges}) + "\n"
    )
    assert words in ingest(database, "bad.jsonl", "--operators", str(database.parent / "ops.json"))
    left = call_catalog("query", "SELECT count(*) AS architectures FROM architecture", database=database)
    assert left.stdout == "architectures\n0\n"


@pytest.mark.parametrize("name", ["nb201", "metric", "select", "My Space", "duckdb_x"])
def test_a_name_that_cannot_be_a_table_is_refused(database: Path, name: str) -> None:
    answer = call_catalog(
        "ingest", "graphs", str(database.parent / "mine.jsonl"), "--space", name, "--operators",
        str(database.parent / "ops.json"), database=database,
    )  # fmt: skip
    assert answer.returncode == 2
    assert f"{name!r} cannot be the name of a space" in answer.stderr


def test_ids_that_a_terminal_would_obey_are_refused_and_only_shown(database: Path) -> None:
    """Titles, colours and lines of their own."""
    native = "\x1b]0;title\x07\x1b[31mred\x1b[0m\nnext"
    file = database.parent / "escapes.jsonl"
    graph = {**CHAIN, "id": native, "ops": ["input", "conv3x3", "conv1x1", "output"], "metrics": [METRIC]}
    file.write_text(json.dumps(graph) + "\n")
    ingest(database, "mine.jsonl", "--operators", str(database.parent / "ops.json"))
    told = [
        ingest(database, file.name),
        ingest(database, "\x1b[31m.jsonl"),
        call_catalog("lookup", "mine", native, database=database).stderr,
        call_catalog("top", native, "--by", "x", database=database).stderr,
    ]
    assert r"the id '\x1b]0;title\x07\x1b[31mred\x1b[0m\nnext' cannot be kept" in told[0]
    assert not [text for text in told if "\x1b" in text or "\x07" in text or not text]


def test_what_an_architecture_brings_costs_what_it_is(database: Path) -> None:
    """An aggregate for each column, with a filter of its own, took 3 GB for these."""
    chains = [{**CHAIN, "id": name, "ops": ["input", "conv3x3", "conv1x1", "output"]} for name in ("a", "b")]
    for count, words in ((900, "1,800 scores"), (2_000, "line 1: 'a' has 2,000 proxies; 1,000 is the most")):
        proxies = {f"p{number}": {"value": float(number), "direction": "higher"} for number in range(count)}
        (database.parent / "many.jsonl").write_text(
            "".join(json.dumps({**c, "proxies": proxies}) + "\n" for c in chains)
        )
        ended = run_python(
            "import sys; from catalog.cli.main import main; sys.argv[0] = 'catalog'\n"
            "try: main()\n"
            "finally: print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))",
            *("ingest", "graphs", database.parent / "many.jsonl", "--space", f"of{count}", "--db", database),
        )
        assert words in ended.stderr
        assert int(ended.stdout) < 1_200_000


def test_a_space_has_a_number_of_columns_that_a_table_can_hold(database: Path) -> None:
    chain = {**CHAIN, "ops": ["input", "conv3x3", "conv1x1", "output"]}
    records = [
        {
            **chain,
            "id": str(part),
            "proxies": {f"p{part}_{number}": {"value": 1.0, "direction": "higher"} for number in range(600)},
        }
        for part in range(2)
    ]
    (database.parent / "wide.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    said = ingest(database, "wide.jsonl")
    assert "1,200 proxies" in said or "1,206 proxies" in said
    assert "1,000 columns is the most. Nothing was stored" in said
    assert call_catalog("spaces", database=database).stdout.count("\n") == 1


def test_repeats_are_no_damage(database: Path) -> None:
    """An architecture counts every repeat; an error on an intact file says nothing of damage."""
    node = {"op": "conv", "kernel": 3, "channels": 2, "repeats": 3}
    cell = {"name": "cell", "ops": ["input", node, "output"], "edges": [[0, 1], [1, 2]], "repeats": 2}
    (database.parent / "mine.jsonl").write_text(json.dumps({"id": "a", "cells": [cell]}))
    ingest(database, "mine.jsonl")
    answer = call_catalog("show", "mine", "a", "--computation", database=database)
    assert answer.returncode == 2
    assert "nothing says what network is around them" in answer.stderr
    assert "damaged" not in answer.stderr
