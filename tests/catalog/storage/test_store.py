from pathlib import Path
from unittest.mock import Mock

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog.errors import (
    QueryError,
    SchemaVersionError,
    StoreError,
    UsageError,
)
from catalog.storage import migration
from catalog.storage.duckdb_errors import reported
from catalog.storage.runs import Run
from catalog.storage.store import Store
from catalog.tables.space_view import SpaceView
from tests.catalog.processes import run_python
from tests.catalog.small_catalog import proxies


def test_reading_imports_no_heavy_package(catalog_path: Path) -> None:
    ended = run_python(
        "import sys; from catalog.storage.store import Store\n"
        "with Store.open(sys.argv[1]) as catalog: catalog.query('SELECT 1')\n"
        "print(*sorted({'torch', 'scipy', 'networkx', 'sqlalchemy', 'alembic', 'sklearn'} & set(sys.modules)))",
        catalog_path,
    )
    assert ended.stdout.split() == [], ended.stderr
    assert ended.returncode == 0, ended.stderr


def test_create_makes_a_missing_file_and_keeps_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    with Store.open(path, mode="write", create=True) as catalog:
        Run.start(catalog, "ingest", {})
    with Store.open(path, create=True) as catalog:
        assert catalog.next_id("run") == 2


def test_who_comes_second_to_create_a_catalog_opens_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create = migration.init

    def meanwhile(path: Path) -> object:
        create(path)  # by another process, once it was seen that there is no file
        return create(path)

    monkeypatch.setattr(migration, "init", meanwhile)
    with Store.open(tmp_path / "new.duckdb", mode="write", create=True) as store:
        assert store.rows("SELECT count(*) FROM architecture") == [(0,)]
    with pytest.raises(StoreError, match="there is no folder"):
        Store.open(tmp_path / "no" / "new.duckdb", mode="write", create=True)


def test_unknown_mode_is_refused(catalog_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown mode 'append'"):
        Store.open(catalog_path, mode="append")  # type: ignore[arg-type]


def test_other_databases_are_no_catalogs(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(StoreError, match="not a catalog.*catalog db init"):
        Store.open(path)


@pytest.mark.parametrize(
    ("revision", "words"), [("0001", "catalog db upgrade --db"), ("9999", "a newer version wrote the file")]
)
def test_other_schema_versions_are_refused(catalog_path: Path, revision: str, words: str) -> None:
    with duckdb.connect(str(catalog_path)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [revision])
    with pytest.raises(SchemaVersionError, match=words):
        Store.open(catalog_path)


def test_reading_touches_no_other_file(catalog_path: Path) -> None:
    canary = catalog_path.with_name("canary.csv")
    canary.write_text("word\ncanary\n")
    with Store.open(catalog_path) as catalog:
        for sql in (f"FROM '{canary}'", f"FROM read_text('{canary}')", f"COPY run TO '{canary}.out'"):
            with pytest.raises(QueryError):
                catalog.arrow(sql)
        with pytest.raises(QueryError, match="read-only"):
            catalog.execute("DELETE FROM run")
    assert sorted(file.name for file in catalog_path.parent.iterdir()) == ["canary.csv", catalog_path.name]


def test_variables_of_the_program_are_no_tables(small_catalog: Store) -> None:
    frame = pl.DataFrame({"a": [1]})
    with pytest.raises(QueryError, match="frame does not exist"):
        small_catalog.query("FROM frame")
    assert small_catalog.query("FROM lent", tables={"lent": frame.to_arrow()}).equals(frame)
    with pytest.raises(QueryError, match="lent does not exist"):
        small_catalog.query("FROM lent")


def test_repr_names_file_and_mode(catalog_path: Path) -> None:
    with Store.open(catalog_path) as catalog:
        assert repr(catalog) == f"Store('{catalog_path}', mode='read')"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(
    rows=st.lists(
        st.tuples(
            st.integers(-(2**62), 2**62), st.text(), st.none() | st.text(), st.integers(0, 2**15 - 1), st.booleans()
        ),
        max_size=20,
    )
)
def test_rows_come_back_as_they_went_in(
    small_catalog: Store, rows: list[tuple[int, str, str | None, int, bool]]
) -> None:
    table = pa.table(
        {
            "architecture_id": pa.array([row[0] for row in rows], pa.int64()),
            "status": pa.array([row[1] + "!" for row in rows], pa.string()),
            "reason": pa.array([row[2] for row in rows], pa.string()),
            "run_id": pa.array([row[3] for row in rows], pa.int32()),
            "proxy_id": pa.array([int(row[4]) for row in rows], pa.int32()),
        }
    )
    small_catalog.execute("DELETE FROM score")
    assert small_catalog.append("score", table) == len(rows)
    assert small_catalog.arrow("SELECT architecture_id, status, reason, run_id, proxy_id FROM score").equals(table)


def test_append_goes_by_name_and_leaves_the_rest_null(small_catalog: Store) -> None:
    stored = small_catalog.query("SELECT id, name, checkpoint_digest FROM proxy ORDER BY id")
    assert stored.rows() == [(1, "params", None), (2, "shortest_path", None), (3, "zen", None)]


@pytest.mark.parametrize(
    ("table", "rows", "error", "words"),
    [
        ("nothing", {"id": [1]}, QueryError, "nothing does not exist"),
        ("space", {"nmae": ["x"]}, QueryError, "nmae"),
        ("space", {"name": ["x"]}, StoreError, "NOT NULL constraint failed: space.description"),
        ("space", {"name": ["mine"], "description": [""], "native_id_name": [""]}, StoreError, "Duplicate key"),
    ],
)
def test_append_explains_what_does_not_fit(
    small_catalog: Store, table: str, rows: dict[str, list[object]], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        small_catalog.append(table, pa.table(rows))


def metric(**changes: object) -> pa.Table:
    row = {"architecture_id": 1, "source_id": 1, "name": "accuracy", "kind": "trained", "value": 50.0, **changes}
    return pa.Table.from_pylist([row])


@pytest.mark.parametrize("value", [-0.1, 100.1, float("nan"), float("inf")])
def test_no_accuracy_outside_percent_is_stored(small_catalog: Store, value: float) -> None:
    with pytest.raises(StoreError, match="break a rule of the schema"):
        small_catalog.append("metric", metric(value=value))


@pytest.mark.parametrize("changes", [{"value": None}, {"value": 100.0}, {"name": "training_time", "value": 1769.13}])
def test_other_metrics_are_stored(small_catalog: Store, changes: dict[str, object]) -> None:
    assert small_catalog.append("metric", metric(**changes)) == 1


@pytest.mark.parametrize(
    ("value", "status"), [(None, "ok"), (float("nan"), "ok"), (float("inf"), "ok"), (-1e8, "failed")]
)
def test_a_score_has_a_value_exactly_if_it_is_ok(small_catalog: Store, value: float | None, status: str) -> None:
    row = {"architecture_id": 1, "proxy_id": 1, "value": value, "status": status, "run_id": 1}
    with pytest.raises(StoreError, match="break a rule of the schema"):
        small_catalog.append("score", pa.Table.from_pylist([row]))


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_transaction_that_raises_stores_nothing(small_catalog: Store, error: type[BaseException]) -> None:
    with pytest.raises(error), small_catalog.transaction():
        small_catalog.execute("DELETE FROM proxy")
        raise error
    assert small_catalog.next_id("proxy") == 4
    with small_catalog.transaction():  # and the next one works
        small_catalog.execute("DELETE FROM proxy WHERE id = 3")
    assert small_catalog.next_id("proxy") == 3


def test_a_transaction_survives_no_failed_statement(small_catalog: Store) -> None:
    with pytest.raises(StoreError, match="Duplicate key"), small_catalog.transaction():
        small_catalog.execute("DELETE FROM mine")
        small_catalog.append("proxy", proxies({"params": 1}))
    assert SpaceView.of(small_catalog, "mine").count == 2


def test_transactions_do_not_nest(small_catalog: Store) -> None:
    with pytest.raises(StoreError, match="cannot nest"), small_catalog.transaction(), small_catalog.transaction():
        pass
    assert not small_catalog.in_transaction


def test_execute_counts_changed_rows(small_catalog: Store) -> None:
    assert small_catalog.execute("UPDATE proxy SET version = '2' WHERE id > 1") == 2
    assert small_catalog.execute("CREATE TABLE x (a INTEGER)") == 0
    assert small_catalog.execute("SELECT 7") == 0


def test_first_id_is_one(small_catalog: Store) -> None:
    assert small_catalog.next_id("run") == 1


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Query interrupted"),
        duckdb.InvalidInputException("Required module 'uuid' failed to import: KeyboardInterrupt: <EMPTY MESSAGE>"),
    ],
)
def test_interrupt_during_a_statement_stops_it(error: Exception) -> None:
    """DuckDB 1.5 leaves it running, and the ROLLBACK after it would wait for its end."""
    connection = Mock(spec=duckdb.DuckDBPyConnection)
    with pytest.raises(KeyboardInterrupt), reported(Path("x"), connection):
        raise error
    connection.interrupt.assert_called_once_with()


def test_other_runtime_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="something else"), reported(Path("x")):
        raise RuntimeError("something else")
