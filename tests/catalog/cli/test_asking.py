"""Questions through the command line: the answers, and what happens to a wrong question."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.catalog.cli.commands import Ask, call_catalog, run_catalog


def test_query_answers_on_standard_output_alone(ask: Ask) -> None:
    answer = ask("query", "SELECT count(*) AS cells, count(DISTINCT canonical_digest) AS functions FROM nb201")
    assert (answer.stdout, answer.stderr, answer.returncode) == ("cells,functions\n15625,5260\n", "", 0)


def test_every_format_gives_the_same_rows(ask: Ask, tmp_path: Path) -> None:
    question = ("query", "SELECT index, params, cell FROM nb201 ORDER BY index LIMIT 3")
    from_csv = pl.read_csv(ask(*question, "--format", "csv").stdout.encode())
    from_json = pl.DataFrame(json.loads(ask(*question, "--format", "json").stdout))
    assert from_csv.rows() == from_json.rows()
    table = ask(*question, "--format", "table").stdout.splitlines()
    assert table[0].split() == ["index", "params", "cell"]
    assert [int(line.split()[1]) for line in table[1:]] == from_csv["params"].to_list()


@pytest.mark.parametrize(
    "statement",
    [
        "COPY nb201 TO 'stolen.csv'",
        "ATTACH 'other.duckdb'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "INSTALL httpfs",
        "SET memory_limit = '1TB'",
        "DROP TABLE nb201",
    ],
)
def test_hostile_sql_is_refused_in_one_message(ask: Ask, statement: str) -> None:
    answer = ask("query", statement)
    assert answer.returncode == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("error: ")
    assert "Traceback" not in answer.stderr


def test_top_is_ordered_and_says_what_it_ranks_by(ask: Ask) -> None:
    rows = pl.read_csv(ask("top", "nb201", "--by", "live_params", "-k", "4", "--where", "params < 7e5").stdout.encode())
    assert rows.columns == ["index", "live_params", "params", "cell"]
    assert rows["live_params"].to_list() == [671386] * 4
    assert rows["index"].is_sorted()


def test_top_shows_the_columns_that_are_asked_for(ask: Ask) -> None:
    answer = ask("top", "nb201", "--by", "live_params", "-k", "1", "--column", "depth", "--column", "index")
    assert answer.stdout.splitlines()[0] == "depth,index"


def test_a_wrong_column_is_answered_with_the_right_one(ask: Ask) -> None:
    answer = ask("top", "nb201", "--by", "live_parms")
    assert answer.returncode == 2
    assert "Did you mean live_params" in answer.stderr


def test_lookup_keeps_the_order_and_accepts_every_notation(ask: Ask) -> None:
    best = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    answer = ask(
        "lookup", "nb201", "9930", best, "(2, 2, 0, 2, 2, 3)", "9930", "--column", "index", "--column", "depth"
    )
    assert answer.stdout == "index,depth\n9930,4.0\n6111,4.0\n6111,4.0\n9930,4.0\n"


def test_lookup_reads_ids_from_standard_input(ask: Ask) -> None:
    assert ask("lookup", "nb201", "-", "--column", "index", stdin="6111\n\n(2, 2, 0, 2, 2, 3)\n").stdout == (
        "index\n6111\n6111\n"
    )
    assert ask("lookup", "nb201", "-", "--column", "index").stdout == "index\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nb201", "6111", "15625"), "1 of 2 identifiers name no architecture of nb201: '15625'"),
        (("nb201", ""), "1 of 1 identifiers name no architecture"),
        (("nb201", "6111", "--column", "parms"), "Did you mean params"),
        (("nb202", "6111"), "no search space 'nb202'"),
    ],
)
def test_lookup_of_what_is_not_there_is_refused(ask: Ask, words: tuple[str, ...], said: str) -> None:
    answer = ask("lookup", *words)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert said in answer.stderr


def test_show_accepts_every_native_id(ask: Ask) -> None:
    by_index = ask("show", "nb201", "6111")
    cell = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    assert by_index.stdout.startswith(f"nb201 {cell}\nindex 6111 ")
    assert ask("show", "nb201", cell).stdout == ask("show", "nb201", "(2, 2, 0, 2, 2, 3)").stdout == by_index.stdout


def test_show_draws_either_form_and_writes_an_svg(ask: Ask, tmp_path: Path) -> None:
    picture = tmp_path / "cell.svg"
    assert "skip_connect" in ask("show", "nb201", "6111", "--svg", str(picture)).stdout
    assert picture.read_text().startswith("<svg")
    assert "skip_connect" not in ask("show", "nb201", "6111", "--form", "canonical").stdout.split("canonical graph")[1]
    assert ask("show", "nb201", "6111", "--form", "planar").returncode == 2


def test_compare_puts_architectures_side_by_side(ask: Ask) -> None:
    rows = pl.read_csv(ask("compare", "nb201", "6111", "9930").stdout.encode(), infer_schema=False)
    assert rows.columns == ["column", "6111", "9930"]
    assert rows.row(by_predicate=pl.col("column") == "params") == ("params", "1073466.0", "1288506.0")
    assert rows.row(by_predicate=pl.col("column") == "depth") == ("depth", "4.0", "4.0")
    assert ask("compare", "nb201", "6111").returncode == 2
    assert "more than once" in ask("compare", "nb201", "6111", "6111").stderr


@pytest.mark.parametrize("ending", ["parquet", "csv", "json"])
def test_export_writes_the_wide_view(ask: Ask, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"nb201.{ending}"
    assert ask("export", "nb201", "--out", str(path), "--where", "index < 20").returncode == 0
    read = {"parquet": pl.read_parquet, "csv": pl.read_csv, "json": pl.read_ndjson}[ending]
    assert read(path)["index"].to_list() == list(range(20))
    assert list(tmp_path.iterdir()) == [path]


def test_export_names_the_file_itself(ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert ask("export", "nb201", "--format", "parquet", "--where", "index < 3").returncode == 0
    assert pl.read_parquet(tmp_path / "nb201.parquet").height == 3


def test_export_to_an_unknown_format_or_place_leaves_nothing(ask: Ask, tmp_path: Path) -> None:
    assert ask("export", "nb201", "--out", str(tmp_path / "nb201.xlsx")).returncode == 2
    assert ask("export", "nb201", "--out", str(tmp_path / "missing" / "nb201.csv")).returncode == 1
    assert not list(tmp_path.iterdir())


def test_doctor_passes_a_good_file_and_fails_a_changed_one(ask: Ask, demo_folder: Path, tmp_path: Path) -> None:
    assert ask("doctor").returncode == 0
    changed = tmp_path / "changed.duckdb"
    changed.write_bytes((demo_folder / "catalog.duckdb").read_bytes())
    with duckdb.connect(str(changed)) as connection:
        connection.execute("DELETE FROM node WHERE architecture_id = 7 AND position = 3")
        connection.execute("UPDATE architecture SET canonical_id = 9 WHERE id = 8")
    answer = call_catalog("doctor", "--full", database=changed)
    assert answer.returncode == 1
    results = dict(pl.read_csv(answer.stdout.encode()).select("check", "result").iter_rows())
    assert [check for check, result in results.items() if result == "failed"] == [
        "rows of node",
        "edge ends",
        "nb201 twins",
        "nb201 digests",
        "view nb201",
    ]
    repaired = call_catalog("doctor", "--repair", database=changed)
    assert repaired.returncode == 0, repaired.stderr
    assert "nb201: derived 1 architectures anew from their native graphs." in repaired.stderr
    again = call_catalog("doctor", "--repair", database=changed)
    assert "nothing that can be derived had to be repaired." in again.stderr


def test_doctor_explains_a_column_and_checks_nothing(ask: Ask) -> None:
    rows = pl.read_csv(ask("doctor", "--explain", "nb201", "digits_test_accuracy").stdout.encode())
    facts = {fact: value for part, fact, value in rows.rows() if part == 1}
    assert facts["source"] == "nb201-digits (id 1, nb201-digits)"
    assert len(facts["sha256"]) == 64
    assert facts["command of run 2"] == "catalog ingest nb201-digits"
    shown = ask("doctor", "--explain", "nb201", "params", "--format", "table").stdout
    assert shown.startswith("nb201.params\n  shows ")
    assert "derived: counted from the stored graph" in shown


def test_doctor_refuses_to_explain_what_is_not_there_or_beside_checks(ask: Ask) -> None:
    unknown = ask("doctor", "--explain", "nb201", "parms")
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert "Did you mean params" in unknown.stderr
    both = ask("doctor", "--full", "--explain", "nb201", "params")
    assert both.returncode == 2
    assert "leave --full and --repair out" in both.stderr


def test_scores_are_forgotten_by_their_column(demo_folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "fewer.duckdb"
    path.write_bytes((demo_folder / "catalog.duckdb").read_bytes())
    assert call_catalog("db", "forget", database=path).returncode == 2
    assert call_catalog("db", "forget", "1", "--scores", "params", database=path).returncode == 2
    assert "follows from the graphs" in call_catalog("db", "forget", "--scores", "params", database=path).stderr
    assert "no column of scores" in call_catalog("db", "forget", "--scores", "odd", database=path).stderr


def test_a_missing_database_says_how_to_make_one(tmp_path: Path) -> None:
    answer = run_catalog("spaces", cwd=tmp_path)
    assert answer.returncode == 1
    assert "catalog db init" in answer.stderr
    assert not list(tmp_path.iterdir())


def test_an_unknown_id_space_or_form_is_a_usage_error(ask: Ask) -> None:
    for arguments in (("show", "nb201", "99999"), ("show", "nb202", "1"), ("match", "nb201", "(conv9x9)")):
        answer = ask(*arguments)
        assert answer.returncode == 2, arguments
        assert answer.stderr.startswith("error: ")


def test_reading_commands_import_neither_torch_nor_scipy(demo_folder: Path) -> None:
    script = (
        "import sys\nfrom catalog.cli.main import app\n"
        "app(['query', 'SELECT 1', '--db', sys.argv[1]], standalone_mode=False)\n"
        "app(['top', 'nb201', '--by', 'params', '--db', sys.argv[1]], standalone_mode=False)\n"
        "app(['match', 'nb201', '(:conv)->(:pool)', '--count', '--db', sys.argv[1]], standalone_mode=False)\n"
        "heavy = {'torch', 'scipy', 'sqlalchemy', 'alembic', 'networkx', 'sentence_transformers'} & set(sys.modules)\n"
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    database = str(demo_folder / "catalog.duckdb")
    answer = subprocess.run([sys.executable, "-c", script, database], capture_output=True, text=True, check=False)
    assert (answer.stderr, answer.returncode) == ("", 0)


def test_a_drawing_that_cannot_be_written_is_one_message(ask: Ask, tmp_path: Path) -> None:
    answer = ask("show", "nb201", "6111", "--svg", str(tmp_path))
    assert (answer.returncode, answer.stderr) == (
        1,
        f"error: cannot write {tmp_path}: Is a directory; nothing was left behind. Name another file.\n",
    )


def test_json_is_valid_and_loses_no_column(ask: Ask) -> None:
    nested = ask("query", "SELECT [1.5, 'nan'::DOUBLE] AS values", "--format", "json").stdout
    assert "NaN" not in nested
    assert json.loads(nested) == [{"values": [1.5, None]}]
    twice = ask("query", "SELECT 1 AS a, 2 AS a", "--format", "json")
    assert twice.returncode == 2
    assert "two columns are named a" in twice.stderr


def test_a_plan_is_readable_as_a_table(ask: Ask) -> None:
    plan = ask("query", "EXPLAIN SELECT count(*) FROM nb201", "--format", "table").stdout
    assert plan.count("\n") > 5
    assert "\ufffd" not in plan


@pytest.mark.parametrize("options", [("--target", "cell"), ("--target", "params", "--proxy", "cell")])
def test_a_text_column_cannot_be_correlated(ask: Ask, options: tuple[str, ...]) -> None:
    answer = ask("correlate", "nb201", *options)
    assert answer.returncode == 2
    assert "the column 'cell' of nb201 holds no numbers" in answer.stderr


def test_ctrl_c_says_what_is_stored(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("catalog.storage.user_query.plain_rows", interrupt)
    answer = ask("query", "SELECT 1")
    assert answer.returncode == 130
    assert "nothing else is" in answer.stderr


@pytest.mark.parametrize("condition", ["nope > 1", "params >", "1; DROP TABLE run", "cell > 'a' AND params > 'b'"])
def test_a_condition_that_fails_is_the_users_mistake(ask: Ask, condition: str) -> None:
    answer = ask("top", "nb201", "--by", "params", "--where", condition)
    assert answer.returncode == 2
    assert repr(condition) in answer.stderr


def test_numbers_are_numbers_in_json_and_parquet(ask: Ask) -> None:
    sql = "SELECT sum(x) AS s, 1.5 AS d, [1.5] AS l, MAP {'conv': 2} AS m, INTERVAL 3 DAY AS i FROM range(7) t(x)"
    answer = ask("query", sql, "--format", "json")
    assert json.loads(answer.stdout) == [{"s": 21, "d": 1.5, "l": [1.5], "m": {"conv": 2}, "i": "3 days"}]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "ascii", "cp437"])
def test_a_terminal_may_not_know_every_character(encoding: str, demo_folder: Path) -> None:
    command = [sys.executable, "-m", "catalog", "show", "nb201", "6111", "--db", str(demo_folder / "catalog.duckdb")]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    answer = subprocess.run(
        command, env=environment, capture_output=True, encoding=encoding, errors="replace", check=False
    )
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "native graph" in answer.stdout
