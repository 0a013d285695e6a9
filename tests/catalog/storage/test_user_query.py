"""A user's query in a process of its own: whatever it takes, its limits hold, and nothing of it outlives its end."""

import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from catalog.errors import LockedError, MissingDatabaseError, QueryError, StoreError, UsageError
from catalog.storage import sandbox
from catalog.storage.store import Store
from catalog.storage.user_query import arrow_rows, plain_rows, starting_early
from tests.catalog.processes import PATIENCE, is_running, python, run_python, wait_until

ENDLESS = "SELECT levenshtein(repeat('a', 200000), repeat('b', 200000))"
"""One call of a function for many seconds, in which DuckDB sees no interrupt."""


def children_of(parent: int) -> list[int]:
    listed = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(child) for child in listed.split()]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS a, 'x' AS b, NULL AS c, [1, 2] AS d, {'e': 1.5} AS f, DATE '2024-01-01' AS g",
        "SELECT range AS i, md5(range::VARCHAR) AS m FROM range(5000)",
        "SELECT 1 AS a WHERE false",
        "SELECT 'ä'::ENUM ('ä', 'b') AS e, 170141183460469231731687303715884105727 AS h, 0.10::DECIMAL(9, 2) AS d",
    ],
)
def test_rows_are_those_that_the_same_query_gives_here(empty_catalog: Path, sql: str) -> None:
    assert plain_rows(empty_catalog, sql) == sandbox.read_user_query(empty_catalog, sql, sandbox.PLAIN)
    assert arrow_rows(empty_catalog, sql).equals(sandbox.read_user_query(empty_catalog, sql, sandbox.ARROW))


@pytest.mark.parametrize("ask", [plain_rows, arrow_rows])
def test_one_call_that_sees_no_interrupt_is_killed(empty_catalog: Path, ask: Callable[..., object]) -> None:
    started = time.monotonic()
    with pytest.raises(QueryError, match=r"stopped after 0\.2 seconds.*--timeout"):
        ask(empty_catalog, ENDLESS, timeout=0.2)
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT len(range(300000000))",
        "SELECT length(repeat('x', 3000000000))",
        "SELECT list(range) FROM range(100000000)",
        "SELECT string_agg(repeat('x', 1000000), '') FROM range(10000)",
        "SELECT map(range(100000000), range(100000000))",
        "SELECT repeat('x', 1000000) FROM range(10000)",
    ],
)
def test_memory_is_the_process_s(empty_catalog: Path, sql: str) -> None:
    ended = run_python(
        "import resource, sys; from pathlib import Path; from catalog.storage.user_query import plain_rows\n"
        "try: plain_rows(Path(sys.argv[1]), sys.argv[2], memory_limit='100MB', timeout=60)\n"
        "except Exception as error: print(type(error).__name__, '--memory-limit' in str(error))\n"
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
        empty_catalog,
        sql,
    )
    told, largest = ended.stdout.splitlines()
    assert told == "LimitError True", ended.stderr
    assert int(largest) < 700_000


def test_a_query_that_spills_needs_no_more_than_it_may_have(empty_catalog: Path) -> None:
    sql = "SELECT count(*) AS n FROM (SELECT md5(range::VARCHAR) AS m FROM range(2000000) ORDER BY m)"
    assert plain_rows(empty_catalog, sql, memory_limit="100MB").rows == [(2000000,)]


def test_nothing_is_left_of_a_query_that_was_killed(
    empty_catalog: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(QueryError, match="stopped"):
        plain_rows(empty_catalog, ENDLESS, timeout=0.1)
    assert list(tmp_path.iterdir()) == []


def test_errors_come_as_they_are(empty_catalog: Path, tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="COPY is refused"):
        plain_rows(empty_catalog, "COPY run TO 'x'")
    with pytest.raises(MissingDatabaseError):
        plain_rows(tmp_path / "none.duckdb", "SELECT 1")
    for limits in ({"timeout": 0.0}, {"memory_limit": "much"}):
        with pytest.raises(UsageError):
            plain_rows(empty_catalog, "SELECT 1", **limits)  # type: ignore[arg-type]


def test_tables_are_handed_over_where_the_file_is_held(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write"):
        with pytest.raises(LockedError):
            plain_rows(catalog_path, "SELECT 1")
        tables = {"few": pa.table({"a": range(5)}), "other": pa.table({"b": [3]})}
        sql = "SELECT a FROM few WHERE a > (SELECT max(b) FROM other)"
        assert arrow_rows(catalog_path, sql, tables=tables).to_pylist() == [{"a": 4}]
        with pytest.raises(QueryError, match="run"):
            arrow_rows(catalog_path, "FROM run", tables=tables)


def test_a_process_that_has_the_file_open_answers_like_any_other(empty_catalog: Path) -> None:
    for sql in ("SELECT 1 AS a", "SELECT count(*) AS n FROM run"):
        expected = plain_rows(empty_catalog, sql)
        with starting_early(file=empty_catalog):
            assert plain_rows(empty_catalog, sql, memory_limit="100MB") == expected
    with starting_early(file=empty_catalog), pytest.raises(QueryError, match="nothing"):
        plain_rows(empty_catalog, "FROM nothing")


def test_what_is_wrong_with_a_file_is_told_although_it_was_opened_early(catalog_path: Path, tmp_path: Path) -> None:
    with starting_early(file=tmp_path / "none"), pytest.raises(MissingDatabaseError):
        plain_rows(tmp_path / "none", "SELECT 1")
    (tmp_path / "text").write_text("no catalog")
    with starting_early(file=tmp_path / "text"), pytest.raises(StoreError, match="text"):
        plain_rows(tmp_path / "text", "SELECT 1")
    with (
        Store.open(catalog_path, mode="write"),
        starting_early(file=catalog_path),
        pytest.raises(LockedError, match=str(os.getpid())),
    ):
        plain_rows(catalog_path, "SELECT 1")


def test_a_file_that_was_opened_early_is_closed_to_the_query(empty_catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("1")
    for sql in ("SET memory_limit = '10GB'", f"FROM read_csv('{tmp_path}/secret.csv')", f"ATTACH '{tmp_path}/a'"):
        with starting_early(file=empty_catalog), pytest.raises(QueryError):
            plain_rows(empty_catalog, sql)
        with starting_early(file=empty_catalog), pytest.raises(QueryError):
            plain_rows(empty_catalog, sql, is_judged=True)


def test_the_query_ends_with_who_asked(empty_catalog: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from catalog.storage.user_query import plain_rows\n"
        f'print("asking", flush=True); plain_rows(Path(sys.argv[1]), "{ENDLESS}")'
    )
    for ending in (signal.SIGKILL, signal.SIGINT):
        with python(code, empty_catalog) as process:
            wait_until(lambda asked=process.pid: len(children_of(asked)) == 1, process)  # type: ignore[misc]
            (child,) = children_of(process.pid)
            time.sleep(1)  # until it runs
            process.send_signal(ending)
            process.communicate(timeout=PATIENCE)
            deadline = time.monotonic() + 5
            while is_running(child):
                assert time.monotonic() < deadline
                time.sleep(0.05)


def test_who_asks_for_plain_rows_imports_no_database(empty_catalog: Path) -> None:
    ended = run_python(
        "import sys; from pathlib import Path; from catalog.storage.user_query import plain_rows\n"
        "plain_rows(Path(sys.argv[1]), 'FROM run')\n"
        "print(*sorted({'duckdb', 'pyarrow', 'numpy', 'polars'} & set(sys.modules)))",
        empty_catalog,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == []
