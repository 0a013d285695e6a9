"""A search that asks for labels: once a function, by a stored column or the user's command, and never in vain twice."""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from pathlib import Path

import pytest

from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog, running_catalog
from tests.catalog.cli.searches import rows_of
from tests.catalog.processes import wait_until

TRAIN = """
import sys, time
native_id, log = sys.argv[1:3]
with open(log, "a") as asked:
    asked.write(native_id + "\\n")
time.sleep(float(sys.argv[3]) if len(sys.argv) > 3 else 0)
if native_id.count("none") == 2:
    sys.exit("two of them are none")
print(native_id.count("nor_conv_3x3") + 0.1 * native_id.count("skip_connect"))
"""
"""The user's training, which writes down what it was asked."""

HOSTILE = ["$(touch hit)", "; touch hit", "`touch hit`", "--help", "a'b\"c", "{id}", "x|y & z"]
COURSE = 'SELECT evaluation, canonical_digest, "values" FROM search_visit JOIN architecture ON id = architecture_id'


class Training:
    """A script that trains, the log of what it was asked, and the catalog beside it."""

    def __init__(self, folder: Path, program: str = TRAIN) -> None:
        self.database = folder / "catalog.duckdb"
        self.log = folder / "asked.log"
        script = folder / "train.py"
        script.write_text(program)
        self.command = shlex.join([sys.executable, str(script), "{id}", str(self.log)])

    @property
    def asked(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def training(tmp_path: Path) -> Training:
    return Training(tmp_path)


def test_every_method_asks_a_command_for_each_function_once(training: Training) -> None:
    arguments = ("search", "nb201", "--method", "regularized-evolution", "--budget", "60", "--workers", "2")
    answer = call_catalog(*arguments, "--label-command", training.command, database=training.database)
    assert float(rows_of(answer)[0]["label"]) >= 3
    assert len(training.asked) == len(set(training.asked))
    with Store.open(training.database) as catalog:
        visited = catalog.query(COURSE)
        held = catalog.query("SELECT cell, label, canonical_digest FROM nb201 WHERE label IS NOT NULL").to_dicts()
        failed = catalog.query("SELECT DISTINCT reason FROM score WHERE status = 'failed'").to_series().to_list()
    assert len(visited) == visited["canonical_digest"].n_unique() == 60
    assert {row["cell"] for row in held} <= set(training.asked)
    for row in held:
        expected = row["cell"].count("nor_conv_3x3") + 0.1 * row["cell"].count("skip_connect")
        assert row["label"] == pytest.approx(expected)
    assert failed == ["exit code 1: two of them are none"]
    without = sum(one[0] is None for one in visited["values"].to_list())
    assert f"label: measuring failed for {without} of 60 candidates, most often: exit code 1" in answer.stderr
    assert call_catalog("doctor", "--full", database=training.database).returncode == 0


def test_what_one_search_was_told_another_does_not_ask_again_but_for_failures(training: Training) -> None:
    command = ("--label-command", training.command)
    call_catalog("search", "nb201", "--method", "random", "--budget", "30", *command, database=training.database)
    first = Counter(training.asked)
    failed = {native_id for native_id in first if native_id.count("none") == 2}
    assert failed
    call_catalog("search", "nb201", "--method", "random", "--budget", "30", *command, database=training.database)
    again = Counter(training.asked) - first
    assert set(again) == failed
    other = ("--label-command", training.command + " 0")
    call_catalog("search", "nb201", "--method", "random", "--budget", "30", *other, database=training.database)
    with Store.open(training.database) as catalog:
        columns = catalog.query("SELECT \"column\" FROM proxy WHERE name = 'label' ORDER BY id").to_series().to_list()
        same = catalog.query(f'SELECT count(*) FROM nb201 WHERE label IS DISTINCT FROM "{columns[1]}"').item()
    assert columns[0] == "label"
    assert columns[1].startswith("label_")
    assert same == 0


def test_a_killed_search_asks_nothing_again_that_was_answered(training: Training) -> None:
    command = ("--label-command", f"{training.command} 0.2")
    arguments = ("search", "nb201", "--method", "random", "--seed", "5", "--workers", "2", *command)
    with running_catalog(*arguments, "--budget", "40", database=training.database) as process:
        wait_until(lambda: len(training.asked) >= 10, process, patience=120)
        process.kill()
    killed = list(training.asked)
    with Store.open(training.database) as catalog:
        answers = "SELECT native_id FROM score JOIN architecture ON id = architecture_id WHERE seconds > 0"
        answered = set(catalog.query(answers).to_series().to_list())
    assert len(answered) >= 6
    refused = call_catalog("search", "nb201", "--resume", "1", database=training.database)
    assert refused.returncode == 2
    assert "may be somebody else's" in refused.stderr
    resumed = call_catalog(
        *("search", "nb201", "--resume", "1", "--workers", "2", *command), database=training.database
    )
    assert resumed.returncode == 0, resumed.stderr
    twice = {native_id for native_id, count in Counter(training.asked).items() if count > 1}
    assert twice <= set(killed) - answered
    assert len(twice) <= 2  # what was running when the search was killed
    folder = training.database.parent / "whole"
    folder.mkdir()
    whole = Training(folder)
    answer = call_catalog(
        *("search", "nb201", "--method", "random", "--seed", "5", "--budget", "40", "--label-command", whole.command),
        database=whole.database,
    )
    assert rows_of(answer) == rows_of(resumed)
    with Store.open(training.database) as catalog, Store.open(whole.database) as other:
        assert catalog.query(f"{COURSE} ORDER BY 1").equals(other.query(f"{COURSE} ORDER BY 1"))


def test_ids_are_passed_whole_and_no_shell_sees_them(tmp_path: Path) -> None:
    script = "import sys; open(sys.argv[2], 'a').write(sys.argv[1] + '\\n'); print(len(sys.argv[1]))"
    training = Training(tmp_path, script)
    chain = ["conv3x3", "conv1x1", "maxpool3x3"]
    lines = []
    for place, native_id in enumerate(HOSTILE):  # a chain of its own for each: functions, not twins
        ops = ["input", *(chain[place // 3**step % 3] for step in range(3)), "output"]
        lines.append(json.dumps({"id": native_id, "ops": ops, "edges": [[at, at + 1] for at in range(4)]}))
    (tmp_path / "mine.jsonl").write_text("\n".join([*lines, lines[0].replace("hit)", "twin)")]) + "\n")
    ingested = call_catalog(
        "ingest", "graphs", str(tmp_path / "mine.jsonl"), "--space", "mine", database=training.database
    )
    assert ingested.returncode == 0, ingested.stderr
    answer = call_catalog(
        *("search", "mine", "--method", "exhaustive", "--budget", "100", "--top", "100"),
        *("--label-command", training.command, "--lower-is-better", "--as", "loss"),
        database=training.database,
    )
    assert [float(row["loss"]) for row in rows_of(answer)] == sorted(map(len, HOSTILE))
    assert sorted(training.asked) == sorted(HOSTILE)  # and not the twin of the first
    assert "lower is better" in answer.stderr
    assert not list(Path.cwd().glob("hit*")) + list(tmp_path.glob("hit*"))


def test_a_command_is_asked_for_nothing_that_computes_nothing(training: Training) -> None:
    call_catalog("spaces", "--enumerate", "nb201", database=training.database)
    call_catalog(
        *("search", "nb201", "--method", "exhaustive", "--where", "index < 30 OR NOT is_connected"),
        *("--budget", "40", "--label-command", training.command),
        database=training.database,
    )
    with Store.open(training.database) as catalog:
        status = catalog.query(
            "SELECT is_connected, status, count(*) FROM score JOIN architecture ON id = architecture_id "
            "WHERE proxy_id = (SELECT id FROM proxy WHERE name = 'label') GROUP BY ALL ORDER BY ALL"
        ).rows()
        pathless = set(catalog.query("SELECT cell FROM nb201 WHERE NOT is_connected").to_series().to_list())
    assert {is_connected for is_connected, state, _ in status if state == "disconnected"} == {False}
    assert {state for is_connected, state, _ in status if is_connected} == {"ok", "failed"}
    assert not pathless & set(training.asked)


def test_a_formula_and_a_front_of_labels(training: Training) -> None:
    arguments = ("--budget", "30", "--label-command", training.command, "--as", "convs")
    answer = call_catalog(
        *("search", "nb201", "--method", "random", "--by", "convs - params/1e6", *arguments), database=training.database
    )
    first = rows_of(answer)[0]
    assert float(first["convs - params/1e6"]) == pytest.approx(float(first["convs"]) - float(first["params"]) / 1e6)
    front = call_catalog(
        *("search", "nb201", "--method", "nsga2", "--by", "convs", "--by", "-params", *arguments),
        database=training.database,
    )
    assert rows_of(front)
    repeated = {native_id for native_id, count in Counter(training.asked).items() if count > 1}
    assert all(native_id.count("none") == 2 for native_id in repeated)  # they failed in the first search


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--labels", "params", "--label-command", "sh {id}"), "give --labels or --label-command"),
        (("--label-command", "sh {id}"), "give --budget N"),
        (("--label-command", "sh {id}", "--budget", "5", "--by", "params"), "does not use them"),
        (("--label-command", "sh {id}", "--budget", "5", "--max", "label=3"), "bounds the label"),
        (("--label-command", "sh {id}", "--budget", "5", "--as", "params"), "another name with --as"),
        (("--label-command", "sh {id}", "--budget", "5", "--as", ""), "is empty"),
        (("--label-command", "sh {id}", "--budget", "5", "--as", 'a "b"'), "holds a double quote"),
        (("--labels", 'a"b'), "holds a double quote"),
        (("--by", "params", "--seed", "4294967296"), "from 0 to 4,294,967,295"),
        (("--label-command", "sh {id}", "--budget", "5", "--label-timeout", "0"), "--label-timeout 0"),
        (("--label-command", "sh x", "--budget", "5"), "where the architecture goes"),
        (("--by", "params", "--lower-is-better"), "--lower-is-better is about the values of a --label-command"),
        (("--by", "params", "--as", "x"), "--as is about the values"),
        ((), "say with --labels or --label-command"),
    ],
)
def test_options_that_do_not_fit_are_told_before_anything_runs(
    catalog_path: Path, options: tuple[str, ...], words: str
) -> None:
    answer = call_catalog("search", "nb201", "--method", "random", *options, database=catalog_path)
    assert answer.returncode == 2, answer.stderr
    assert words in answer.stderr
    with Store.open(catalog_path) as catalog:
        assert catalog.query("SELECT count(*) FROM run WHERE kind = 'search'").item() == 0


def test_a_stored_column_is_asked_once_a_function_and_only_where_it_has_a_value(tmp_path: Path) -> None:
    database = tmp_path / "catalog.duckdb"
    chain = ["conv3x3", "conv1x1", "maxpool3x3"]
    lines = []
    for place in range(27):
        ops = ["input", *(chain[place // 3**step % 3] for step in range(3)), "output"]
        for copy in range(3):  # of three that compute the same: one without a label, and two whose labels differ
            value = {"dataset": "mine", "split": "test", "name": "accuracy", "value": 50.0 + place + copy / 10}
            known = {"metrics": [value]} if copy and place % 2 else {}
            edges = [[at, at + 1] for at in range(4)]
            lines.append(json.dumps({"id": f"{place} {copy}", "ops": ops, "edges": edges, **known}))
    (tmp_path / "mine.jsonl").write_text("\n".join(lines))
    stored = call_catalog("ingest", "graphs", str(tmp_path / "mine.jsonl"), "--space", "mine", database=database)
    assert stored.returncode == 0, stored.stderr
    arguments = ("search", "mine", "--labels", "mine_test_accuracy", "--method", "random", "--budget", "400")
    answer = call_catalog(*arguments, "--top", "100", database=database)
    rows = rows_of(answer)
    assert {row["id"].split()[0] for row in rows} == {str(place) for place in range(1, 27, 2)}
    assert len(rows) == 13
    for row in rows:
        place, copy = map(int, row["id"].split())
        # One that has no label of its own stands with the first that is known of its function.
        assert float(row["mine_test_accuracy"]) == pytest.approx(50 + place + (copy or 1) / 10)
    by_score = call_catalog(
        *("search", "mine", "--by", "mine_test_accuracy", "--method", "random", "--budget", "400", "--top", "100"),
        database=database,
    )
    assert len(rows_of(by_score)) == 26  # there each architecture is looked at for itself
    lost = call_catalog("search", "mine", "--labels", "no_such", "--method", "random", database=database)
    assert lost.returncode != 0
    assert "no_such" in lost.stderr
