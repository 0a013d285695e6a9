"""Each function of the installed DuckDB is called with paths that must not be read, wherever one may stand."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from catalog.errors import QueryError
from catalog.quoting import identifier, literal
from catalog.storage.allowed_functions import FUNCTIONS, OPERATORS
from catalog.storage.sandbox import _closed, attached
from catalog.storage.user_sql import TABLE_FUNCTIONS, check_condition, check_statement
from tests.catalog.hostile_sql import CANARY

READERS = {"json_serialize_plan", "query", "query_table", "read_blob", "read_csv", "read_duckdb", "read_json"} | {
    "parquet_metadata", "parquet_schema", "read_ndjson_objects", "read_parquet", "read_text", "sniff_csv",
    "parquet_scan",
}  # fmt: skip
"""Some that give away a line where nothing keeps them from it: the calls below are ones that can succeed."""

BREAK = {"enable_logging", "enable_profiling"}
"""Each later statement of the connection fails after some of their calls; the allow-list refuses both."""

NOT_RUN = ("BinderException", "CatalogException", "ParserException")

SAMPLES = {
    "BOOLEAN": "true", "INTEGER": "1", "BIGINT": "1", "UBIGINT": "1", "HUGEINT": "1", "DOUBLE": "0.5", "FLOAT": "0.5",
    "DATE": "DATE '2024-01-01'", "TIMESTAMP": "TIMESTAMP '2024-01-01'", "INTERVAL": "INTERVAL 1 DAY",
    "TIME": "TIME '1:00'",
}  # fmt: skip


@dataclass(frozen=True)
class Function:
    """One overload: its name, its kind, and the types of its places."""

    name: str
    kind: str
    types: tuple[str, ...]
    named: tuple[str, ...]

    def calls(self, texts: list[str]) -> Iterator[str]:
        """Statements that call it with each text in all places, and in those that its types leave to a text."""
        if self.kind == "pragma":
            yield f"PRAGMA {identifier(self.name)}"
            for text in texts:
                yield f"PRAGMA {identifier(self.name)}({literal(text)})"
                yield f"PRAGMA {identifier(self.name)} = {literal(text)}"
            return
        for text in texts:
            path = literal(text)
            for places in {1, 2, 3, len(self.types)}:
                yield self._call([path] * places)
            yield self._call([_sample(kind, path) for kind in self.types])
            for name in self.named:
                yield self._call([path, f"{identifier(name)} := {path}"])

    def _call(self, given: list[str]) -> str:
        call = f"{identifier(self.name)}({', '.join(given)})"
        return f"FROM {call}" if self.kind.startswith("table") else f"SELECT CAST({call} AS VARCHAR)"


def _sample(kind: str, path: str) -> str:
    if kind.endswith("[]"):
        return f"[{_sample(kind[:-2], path)}]"
    return SAMPLES.get(kind, path)


def functions(connection: duckdb.DuckDBPyConnection) -> list[Function]:
    rows = connection.execute(
        "SELECT DISTINCT function_name, function_type, parameter_types, parameters FROM duckdb_functions()"
    ).fetchall()
    found = []
    for name, kind, types, parameters in rows:
        is_table = kind.startswith("table")
        known = [(type_, given) for type_, given in zip(types, parameters, strict=True) if type_ is not None]
        places = [type_ for type_, given in known if not is_table or given.startswith("col")]
        named = [given for _, given in known if is_table and not given.startswith("col")]
        found.append(Function(name, kind, tuple(places), tuple(named)))
    return sorted(found, key=lambda one: (one.name, one.kind, one.types))


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Files that hold the secret in each format that DuckDB reads, and SQL that would read them."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret.csv").write_text(f"{CANARY}\n{CANARY},1\n")
    (folder / "secret.json").write_text(f'{{"{CANARY}": "{CANARY}"}}\n')
    with duckdb.connect(str(folder / "secret.duckdb")) as other:
        other.execute(f"CREATE TABLE words AS SELECT {literal(CANARY)} AS {identifier(CANARY)}")
        other.execute(f"COPY words TO {literal(str(folder / 'secret.parquet'))}")
    paths = [str(folder / f"secret.{ending}") for ending in ("csv", "json", "duckdb", "parquet")]
    return [*paths, f"SELECT nothing FROM read_csv({literal(paths[0])}, header = true)"]


def _told(connection: duckdb.DuckDBPyConnection, statement: str) -> str:
    """All that a statement lets be known: the names of its columns and its rows, or its error."""
    try:
        result = connection.execute(statement)
        return f"{[column[0] for column in result.description or ()]} {result.fetchmany(1000)}"
    except (duckdb.Error, RuntimeError, ValueError, OverflowError) as error:  # the last: no form in Python
        return f"{type(error).__name__}: {error}"


Connect = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]


def answers(connect: Connect, every: list[Function], texts: list[str]) -> Iterator[tuple[Function, str, str]]:
    """Each function with each of its calls and what that told.

    Some calls with nonsense make DuckDB give a database up: the rest goes on with another, so that it is called at all.
    """
    waiting = list({call: (one, call) for one in every for call in one.calls(texts)}.values())
    while waiting:
        with connect() as connection:
            while waiting:
                one, call = waiting.pop()
                told = _told(connection, call)
                yield one, call, told
                if not told.startswith(("[", *NOT_RUN)) and _told(connection, "SELECT 1") != "['1'] [(1,)]":
                    break


@pytest.fixture(scope="module")
def every() -> list[Function]:
    with duckdb.connect() as connection:
        found = functions(connection)
    assert len({one.name for one in found}) > 800
    return [one for one in found if one.name not in BREAK]


def test_the_calls_do_read_where_nothing_hinders_them(every: list[Function], texts: list[str]) -> None:
    readers = [one for one in every if one.name in READERS]
    assert {one.name for one, _, told in answers(duckdb.connect, readers, texts) if CANARY in told} == READERS


def test_without_external_access_no_function_reads(
    every: list[Function], texts: list[str], empty_catalog: Path
) -> None:
    """The second wall alone: nothing is judged, and what each function answers holds no line of a file."""
    answered = set()

    def closed() -> duckdb.DuckDBPyConnection:
        doors = opened.enter_context(attached(empty_catalog))
        return _closed(doors, None, {})

    with ExitStack() as opened:
        told_by_all = list(answers(closed, every, texts))
    for one, call, told in told_by_all:
        assert CANARY not in told, call
        if not told.startswith(NOT_RUN):
            answered.add(one.name)
    assert len(answered) > 450  # most of the rest want structures, lambdas or an OVER
    assert answered >= READERS - {"query", "query_table"}


def test_the_allow_list_refuses_what_could_read(every: list[Function], texts: list[str]) -> None:
    """The first wall alone: on a connection that may read all files, what is accepted reads none."""
    accepted = {key for key in {(one.name, one.kind) for one in every} if _accepted(*key)}
    names = {name for name, _ in accepted}
    assert {name.lower() for name in names} <= {name.lower() for name in FUNCTIONS | OPERATORS} | TABLE_FUNCTIONS
    assert not names & {*READERS, *BREAK}
    harmless = [one for one in every if (one.name, one.kind) in accepted and "sleep" not in one.name]
    assert len(harmless) > 1000
    for _, call, told in answers(duckdb.connect, harmless, texts):
        assert CANARY not in told, call


def _accepted(name: str, kind: str) -> bool:
    call = f"{identifier(name)}(params)"
    try:
        if kind == "pragma":
            check_statement(f"PRAGMA {call}")
        elif kind.startswith("table"):
            check_statement(f"FROM {call}")
        else:
            check_condition(f"{call} IS NULL")
    except QueryError:
        return False
    return True
