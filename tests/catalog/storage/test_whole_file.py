"""A file that is not whole is named when it is opened, by every way in, and nothing is changed."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pytest

from catalog.errors import StoreError
from catalog.storage import migration
from catalog.storage.sandbox import run_user_query
from catalog.storage.store import Store
from tests.catalog.cli.commands import call_catalog
from tests.catalog.processes import run_python


@pytest.mark.parametrize("mode", ["read", "write"])
@pytest.mark.parametrize("missing", [1, 1000, 300_000])
def test_a_file_whose_end_is_missing(catalog_path: Path, missing: int, mode: str) -> None:
    with duckdb.connect(str(catalog_path)) as connection:
        connection.execute("CREATE TABLE much AS SELECT hash(range) AS h FROM range(300000)")
    os.truncate(catalog_path, catalog_path.stat().st_size - missing)
    before = catalog_path.read_bytes()
    with pytest.raises(StoreError, match=rf"cut short: its last {missing:,} bytes are missing"):
        Store.open(catalog_path, mode=mode)  # type: ignore[arg-type]
    assert catalog_path.read_bytes() == before


def test_a_shorter_file_that_lacks_nothing(catalog_path: Path) -> None:
    """DuckDB takes free blocks away from the end, and a full disk may leave a part of one."""
    with duckdb.connect(str(catalog_path)) as connection:
        connection.execute("CREATE TABLE much AS SELECT hash(range) AS h FROM range(300000)")
    with duckdb.connect(str(catalog_path)) as connection:
        connection.execute("DROP TABLE much")
    Store.open(catalog_path).close()
    with catalog_path.open("ab") as file:
        file.write(b"part of a block")
    Store.open(catalog_path).close()


@pytest.mark.parametrize("content", [b"hello\n", b"\0", os.urandom(5000)])
def test_a_log_that_is_none(catalog_path: Path, content: bytes) -> None:
    log = catalog_path.with_name(catalog_path.name + ".wal")
    log.write_bytes(content)
    for opened in (
        lambda: Store.open(catalog_path),
        lambda: Store.open(catalog_path, mode="write"),
        lambda: run_user_query(catalog_path, "SELECT 1"),
        lambda: migration.status(catalog_path),
        lambda: migration.upgrade(catalog_path),
    ):
        with pytest.raises(StoreError, match=rf"{log.name} is damaged.*move {log.name} away"):
            opened()
    assert log.read_bytes() == content


@pytest.mark.parametrize("size", [0, 1, 3, 4])
def test_the_first_bytes_of_a_log_are_no_damage(catalog_path: Path, size: int) -> None:
    """A killed writer leaves so much."""
    code = "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('CREATE TABLE t (a INT)'); os._exit(0)"
    assert run_python(code, catalog_path).returncode == 0
    log = catalog_path.with_name(catalog_path.name + ".wal")
    assert log.stat().st_size > size
    os.truncate(log, size)
    Store.open(catalog_path).close()


@pytest.mark.parametrize("words", [("query", "SELECT 1"), ("db", "status"), ("db", "upgrade"), ("doctor",)])
def test_no_command_waits_for_a_pipe_or_takes_an_empty_file(tmp_path: Path, words: tuple[str, ...]) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").write_bytes(b"")
    for name, said in (("pipe", "is a pipe or a device"), ("empty", "is empty")):
        answer = call_catalog(*words, database=tmp_path / name)
        assert (answer.returncode, answer.stdout) == (1, "")
        assert said in answer.stderr
    assert (tmp_path / "empty").stat().st_size == 0
