import shutil
import signal
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.errors import CatalogError, MissingDatabaseError, QueryError, SchemaVersionError, StoreError, UsageError
from catalog.storage import sandbox
from catalog.storage.answer import plain
from catalog.storage.runs import Run
from catalog.storage.sandbox import run_user_query
from catalog.storage.store import Store
from catalog.storage.user_sql import TABLE_FUNCTIONS, check_condition, check_statement
from tests.catalog.hostile_sql import CANARY, HOSTILE
from tests.catalog.processes import PATIENCE, python, run_python


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Path:
    """A catalog with one run, in a folder with files that no query may read; nothing in it ever changes."""
    folder = tmp_path_factory.mktemp("sealed")
    path = Path(shutil.copy(empty_catalog, folder / "catalog.duckdb"))
    with Store.open(path, mode="write") as catalog:
        Run.start(catalog, "ingest", {"rows": 3})
        catalog.execute("CREATE TABLE nb201 AS SELECT range AS index, range::DOUBLE * 2 AS params FROM range(10000)")
    (folder / "canary.csv").write_text(f"word\n{CANARY}\n")
    (folder / "canary.txt").write_text(CANARY)
    (folder / "canary.json").write_text(f'[{{"word": "{CANARY}"}}]')
    with duckdb.connect(str(folder / "canary.duckdb")) as other:
        other.execute("CREATE TABLE words AS SELECT ? AS word", [CANARY])
        other.execute(f"COPY words TO '{folder / 'canary.parquet'}'")
    return path


@pytest.fixture
def path(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sealed catalog, in the current folder."""
    monkeypatch.chdir(sealed.parent)
    return sealed


@pytest.fixture
def own_path(sealed: Path, tmp_path: Path) -> Path:
    """A copy of the sealed catalog to change."""
    return Path(shutil.copy(sealed, tmp_path / "catalog.duckdb"))


@pytest.mark.parametrize("sql", HOSTILE)
def test_hostile_sql_is_refused(path: Path, sql: str, capfd: pytest.CaptureFixture[str]) -> None:
    before = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    with pytest.raises(QueryError) as caught:
        run_user_query(path, sql)
    assert CANARY not in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 6
    assert {file.name: file.read_bytes() for file in path.parent.iterdir()} == before
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("sql", [sql for sql in HOSTILE if "canary" in sql and "COPY run FROM" not in sql])
def test_second_wall_holds_alone(path: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the judgement of the text, the locked configuration still lets nothing out."""
    monkeypatch.setattr(sandbox, "check_statement", lambda sql: None)
    try:
        answer = str(run_user_query(path, sql).to_pylist())
    except (CatalogError, duckdb.Error) as error:
        answer = str(error)
    assert CANARY not in answer


READING = [
    ("SELECT count(*) AS n FROM nb201", [{"n": 10000}]),
    ("FROM run SELECT kind", [{"kind": "ingest"}]),
    ("SELECT kind FROM catalog.main.run;", [{"kind": "ingest"}]),
    ("SELECT kind FROM main.run -- comment", [{"kind": "ingest"}]),
    (
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT sum(n)::INT AS s FROM r",
        [{"s": 6}],
    ),
    ("VALUES (1)", [{"col0": 1}]),
    ("SELECT unnest([1, 2]) AS a", [{"a": 1}, {"a": 2}]),
    ("SELECT sum(range)::INT AS s FROM range(4)", [{"s": 6}]),
    ("SELECT round(corr(index, params), 9) AS r FROM nb201", [{"r": 1.0}]),
    ("SELECT table_name FROM information_schema.tables WHERE table_name = 'run'", [{"table_name": "run"}]),
    ("SELECT table_name FROM duckdb_tables() WHERE table_name = 'run'", [{"table_name": "run"}]),
    ("SELECT max(index) OVER () AS m FROM nb201 LIMIT 1", [{"m": 9999}]),
    ("SELECT list_transform([1, 2], x -> x + 1) AS l", [{"l": [2, 3]}]),
    ("SELECT 1 AS a WHERE false", []),
    ("SELECT parameters ->> 'rows' AS rows FROM run", [{"rows": "3"}]),
]


@pytest.mark.parametrize(("sql", "rows"), READING)
def test_reading_sql_is_answered(path: Path, sql: str, rows: list[dict[str, object]]) -> None:
    assert run_user_query(path, sql).to_pylist() == rows


@pytest.mark.parametrize(
    "sql",
    [
        "DESCRIBE nb201",
        "SHOW TABLES",
        "SUMMARIZE nb201",
        "EXPLAIN SELECT * FROM nb201",
        "explain analyze from nb201",
        "EXPLAIN (FORMAT json) SELECT 1",
        "PIVOT nb201 ON index IN (1, 2) USING sum(params)",
        "UNPIVOT run ON kind, outcome",
    ],
)
def test_other_forms_of_reading_are_answered(path: Path, sql: str) -> None:
    assert len(run_user_query(path, sql)) > 0


def test_columns_keep_their_types_without_rows(path: Path) -> None:
    assert (
        str(run_user_query(path, "SELECT index, params FROM nb201 WHERE false").schema)
        == "index: int64\nparams: double"
    )


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT parms FROM nb201", 'Candidate bindings: "params"'),
        ("SELECT * FROM nb102", 'Did you mean "nb201"?'),
        ("SELECT * FROM mine", "Table with name mine does not exist!\n+(?!Did you mean).*Tables: "),
        ("SELECT * FROM nb102", "Tables: alembic_version, architecture, .*nb201"),
        ("SELECT median_of(params) FROM nb201", "Did you mean"),
        ("SELEC 1", "syntax error"),
        ("SELECT 'x'::INTEGER", "Could not convert string 'x'"),
        ("SELECT CASE WHEN range = 199999 THEN error('late') END FROM range(200000)", "^late$"),
        ("COPY run TO 'x'", "COPY is refused: .*`catalog export`"),
        ("PIVOT nb201 ON index USING sum(params)", r"IN \(\.\.\.\)"),
        ("FROM read_csv('x')", "'read_csv' is refused: .*Allowed table functions: .*generate_series"),
        ("FROM 'x.csv'", "'x.csv' is refused: it names a file"),
    ],
)
def test_mistakes_are_explained(path: Path, sql: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        run_user_query(path, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(1000000000000)",
        "SELECT range, hash(range) FROM range(1000000000000) WHERE hash(range) = 0",
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        "SELECT sleep_ms(30000)",
        "SELECT pg_sleep(30)",
    ],
)
def test_timeout_stops_a_query(path: Path, sql: str) -> None:
    with pytest.raises(QueryError, match=r"stopped after 0\.1 seconds.*--timeout"):
        run_user_query(path, sql, timeout=0.1)


def test_timeout_leaves_fast_queries_alone(path: Path) -> None:
    assert len(run_user_query(path, "SELECT 1", timeout=1e300)) == 1


@pytest.mark.parametrize("timeout", [0, -1.5])
def test_timeout_must_be_positive(path: Path, timeout: float) -> None:
    with pytest.raises(UsageError, match="must be greater than 0"):
        run_user_query(path, "SELECT 1", timeout=timeout)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT list(range) FROM range(100000000)", "ran out of memory.*\n.*--memory-limit"),
        ("SELECT range FROM range(100000000)", "larger than the memory limit of 50 MB.*--memory-limit"),
        ("SELECT repeat('x', 10000) FROM range(100000)", "larger than the memory limit of 50 MB"),
    ],
)
def test_memory_limit_stops_a_query(path: Path, sql: str, words: str) -> None:
    with pytest.raises(QueryError, match=words):
        run_user_query(path, sql, memory_limit="50MB")


def test_texts_too_long_for_arrow_are_a_result_too_large(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """2,048 texts of more than a megabyte: quicker told by DuckDB's words than by making them."""

    def fail(*arguments: object) -> None:
        raise OSError("Invalid Input Error: Arrow Appender: The maximum total string size is 2147483647")

    monkeypatch.setattr(sandbox, "_told", fail)
    with pytest.raises(QueryError, match="larger than the memory limit of 50 MB"):
        run_user_query(path, "SELECT 1", memory_limit="50MB")


@pytest.mark.parametrize("memory_limit", ["much", "", "-1", "-1GB", "50", "50%", "1; SET threads = 9", "1GB'"])
def test_memory_limit_must_be_an_amount(path: Path, memory_limit: str) -> None:
    with pytest.raises(UsageError, match="no amount of memory"):
        run_user_query(path, "SELECT 1", memory_limit=memory_limit)


def test_spilling_is_private_bounded_and_cleaned(
    path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    spill = tmp_path_factory.mktemp("spill")
    monkeypatch.setattr(tempfile, "tempdir", str(spill))
    before = sorted(path.parent.iterdir())
    sql = "SELECT count(*) AS n FROM (SELECT DISTINCT md5(range::VARCHAR) FROM range(1000000))"
    assert run_user_query(path, sql, memory_limit="40MB").to_pylist() == [{"n": 1000000}]
    monkeypatch.setattr(sandbox, "SPILL_LIMIT", "1MB")
    with pytest.raises(QueryError, match="ran out of memory"):
        run_user_query(path, sql, memory_limit="40MB")
    assert list(spill.iterdir()) == []
    assert sorted(path.parent.iterdir()) == before


def test_no_room_for_spilling_is_no_failure(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert len(run_user_query(path, "FROM run")) == 1


def test_query_beside_an_open_catalog_keeps_its_own_limits(path: Path) -> None:
    with Store.open(path) as catalog:
        limit = "SELECT value FROM duckdb_settings() WHERE name = 'memory_limit'"
        before = catalog.arrow(limit)
        assert len(run_user_query(path, "FROM run", memory_limit="50MB")) == 1
        assert catalog.arrow(limit).equals(before)


@pytest.mark.parametrize(
    ("revision", "error"), [("0001", SchemaVersionError), ("9999", SchemaVersionError), (None, StoreError)]
)
def test_query_wants_a_current_catalog(own_path: Path, revision: str | None, error: type[Exception]) -> None:
    with duckdb.connect(str(own_path)) as connection:
        if revision is None:
            connection.execute("DROP TABLE alembic_version")
        else:
            connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    with pytest.raises(error):
        run_user_query(own_path, "SELECT 1")


def test_query_of_a_missing_file_creates_none(tmp_path: Path) -> None:
    with pytest.raises(MissingDatabaseError):
        run_user_query(tmp_path / "none.duckdb", "SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_damage_found_while_reading_is_reported(own_path: Path) -> None:
    with duckdb.connect(str(own_path)) as connection:
        connection.execute("CREATE TABLE big AS SELECT range, md5(range::VARCHAR) AS m FROM range(200000)")
    content = bytearray(own_path.read_bytes())
    for start in range(len(content) // 3, len(content) - 4096, 100_000):
        content[start : start + 64] = bytes(64)
    own_path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged or cut short"):
        run_user_query(own_path, "SELECT max(m) FROM big")


def test_query_imports_no_heavy_package(path: Path) -> None:
    ended = run_python(
        "import sys; from catalog.storage.sandbox import run_user_query; run_user_query(sys.argv[1], 'FROM run')\n"
        "print(*sorted({'torch', 'scipy', 'networkx', 'sqlalchemy', 'alembic', 'polars'} & set(sys.modules)))",
        path,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == []


def test_interrupt_of_a_query_is_a_keyboard_interrupt(path: Path) -> None:
    code = (
        "import sys; from catalog.storage.sandbox import run_user_query\n"
        "print('asking', flush=True); run_user_query(sys.argv[1], 'SELECT count(*) FROM range(1000000000000)')"
    )
    with python(code, path) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert errors.rstrip().endswith("KeyboardInterrupt")


@settings(max_examples=30)
@given(
    words=st.lists(st.sampled_from([*"SELECT FROM WITH COPY TO SET ( ) ; , ' \" -- /* * x 1 run $$".split(" "), "\n"]))
)
def test_judging_random_text_never_fails_otherwise(words: list[str]) -> None:
    for judge in (check_statement, check_condition):
        try:
            judge(" ".join(words))
        except QueryError as error:
            assert str(error)


def test_allowed_table_functions_exist() -> None:
    with duckdb.connect() as connection:
        rows = connection.execute("SELECT DISTINCT function_name FROM duckdb_functions()").fetchall()
    assert {name for (name,) in rows} >= TABLE_FUNCTIONS


def test_condition_names_its_columns_once() -> None:
    assert check_condition("params < 1e6 AND (depth > 2 OR params = 7) AND t.kind = 'x'").columns == (
        "params",
        "depth",
        "kind",
    )


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("SELECT 'infinity'::DATE", "infinity"),
        ("SELECT DATE '290000-01-01'", "290000-01-01"),
        ("SELECT TIMESTAMP_NS '2024-01-01 00:00:00.123456789'", "2024-01-01 00:00:00.123456789"),
        ("SELECT INTERVAL 90 SECOND", "00:01:30"),
        ("SELECT '12:00:00+05'::TIMETZ", "12:00:00+05"),
        ("SELECT (1, 2)", "(1, 2)"),
        ("SELECT [INTERVAL 3 DAY] -- a comment; with a semicolon\n;", "[3 days]"),
        ("SELECT {'a': 340282366920938463463374607431768211455::UHUGEINT}", None),
        ("SELECT 340282366920938463463374607431768211455::UHUGEINT", None),
    ],
)
def test_what_python_or_arrow_would_change_is_told_as_it_is(path: Path, sql: str, told: str | None) -> None:
    """Python ends in the year 9999 and Arrow in 128 bits with a sign; a value is never changed to fit."""
    largest = "340282366920938463463374607431768211455"
    for reading in (sandbox.PLAIN, sandbox.ARROW_TO_SHOW):
        found = sandbox.read_user_query(path, sql, reading)
        ((value,),) = plain(found).rows
        assert str(value) == told if told is not None else largest in str(value)


def test_sums_of_integers_are_integers(path: Path) -> None:
    """DuckDB adds up in 128 bits, which come as decimals."""
    sql = "SELECT sum(i) AS fits, 170141183460469231731687303715884105727::HUGEINT AS huge FROM range(7) AS t(i)"
    found = run_user_query(path, sql)
    assert str(found.schema.field("fits").type) == "int64"
    assert found.to_pylist() == [{"fits": 21, "huge": Decimal(2**127 - 1)}]
    assert sandbox.read_user_query(path, sql, sandbox.PLAIN).rows == [(21, 2**127 - 1)]


def test_two_columns_of_one_name_stay_two(path: Path) -> None:
    found = sandbox.read_user_query(path, "SELECT 1 AS a, INTERVAL 1 DAY AS a", sandbox.PLAIN)
    assert (found.columns, found.rows) == (("a", "a"), [(1, "1 day")])


def test_times_do_not_depend_on_the_machine(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some containers set TZ to nothing, which Python does not know."""
    code = (
        "import sys; from catalog.storage.sandbox import run_user_query; from catalog.storage.store import Store\n"
        "print(run_user_query(sys.argv[1], \"SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00' AS t\").to_pylist()[0]['t'])\n"
        "with Store.open(sys.argv[1]) as store:\n"
        "    print(store.rows(\"SELECT TIMESTAMPTZ '2024-01-01 00:00:00+00'\")[0][0])"
    )
    for zone in ("", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        answer = run_python(code, path)
        assert answer.stdout.split("\n")[:2] == ["2024-01-01 00:00:00+00:00"] * 2, answer.stderr


def test_a_connection_that_writes_reads_no_file_either(sealed: Path, tmp_path: Path) -> None:
    own = Path(shutil.copy(sealed, tmp_path / "catalog.duckdb"))
    (tmp_path / "secret.csv").write_text(CANARY)
    with Store.open(own, mode="write") as store, pytest.raises(CatalogError, match="disabled by configuration"):
        store.rows(f"FROM read_csv('{tmp_path / 'secret.csv'}')")
