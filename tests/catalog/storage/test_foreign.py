"""Files that somebody else made: what they bring along runs only if it does no more than a query may."""

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from catalog.errors import StoreError
from catalog.storage import migration
from catalog.storage.sandbox import run_user_query
from catalog.storage.store import Store


def _bring(path: Path, *statements: str) -> None:
    with duckdb.connect(str(path)) as connection:
        for statement in statements:
            connection.execute(statement)


def _open(path: Path) -> None:
    Store.open(path).close()


def _ask(path: Path) -> None:
    run_user_query(path, "SELECT 1")


def _status(path: Path) -> None:
    migration.status(path)


@pytest.mark.parametrize("use", [_open, _ask, _status])
@pytest.mark.parametrize(
    "view",
    [
        "v AS FROM read_text('{secret}')",
        "v AS FROM enable_logging(storage_path = '{folder}/out')",
        "\"x AS SELECT 1; --\" AS FROM read_text('{secret}')",
        '"x"" AS SELECT 1; --" ("b AS SELECT 2") AS SELECT content FROM read_text(\'{secret}\')',
        "v AS SELECT getvariable('x')",
        "v AS FROM '{secret}.csv'",
    ],
)
def test_a_view_that_does_more_than_read_is_refused(
    catalog_path: Path, use: Callable[[Path], None], view: str, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    for path in (secret, tmp_path / "secret.csv"):
        path.write_text("word\na secret")
    _bring(catalog_path, f"CREATE VIEW {view.format(secret=secret, folder=tmp_path)}")
    with pytest.raises(StoreError, match=r"holds the view .*is refused.*DROP VIEW") as caught:
        use(catalog_path)
    assert "a secret" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "view",
    [
        "plain AS SELECT id FROM run",
        'named ("a column", b) AS WITH r AS (FROM run) SELECT id, kind FROM r',
        '"AS" AS VALUES (1)',
        "turned AS PIVOT run ON kind IN ('ingest') USING count(*)",
    ],
)
def test_a_view_that_reads_is_the_users_own(catalog_path: Path, view: str) -> None:
    _bring(catalog_path, f"CREATE VIEW {view}")
    _open(catalog_path)
    _ask(catalog_path)


@pytest.mark.parametrize("macro", ["abs(x) AS 1", "main.ABS(x) AS nextval('s')", '"+"(x, y) AS 3', "sum(x) AS 1"])
def test_a_macro_in_the_place_of_a_function_is_refused(catalog_path: Path, macro: str) -> None:
    _bring(catalog_path, "CREATE SEQUENCE s", f"CREATE MACRO {macro}")
    with pytest.raises(StoreError, match="macros that stand in for functions of DuckDB: .*DROP MACRO"):
        run_user_query(catalog_path, "SELECT abs(-1)")


def test_a_macro_under_a_name_of_its_own_is_never_called(catalog_path: Path) -> None:
    _bring(catalog_path, "CREATE MACRO mine(x) AS x + 1")
    _ask(catalog_path)


def test_views_do_not_hide_behind_macros(catalog_path: Path) -> None:
    """The view's text calls abs alone, and abs is not what it seems."""
    _bring(catalog_path, "CREATE MACRO abs(x) AS (SELECT count(*) FROM enable_logging())")
    _bring(catalog_path, "CREATE VIEW v AS SELECT abs(id) FROM run")
    with pytest.raises(StoreError, match="DROP MACRO"):
        _open(catalog_path)
