"""A file that is written anew says the same in less room, or is the one that it was."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

import catalog
from catalog.errors import LockedError, MissingDatabaseError, StoreError
from catalog.storage import compacting
from catalog.storage.compacting import compact
from catalog.storage.store import Store
from tests.catalog.processes import python, run_python
from tests.catalog.tables.states import failures

GROWN = """
INSERT INTO run SELECT range, 'score', '{{}}', '{{}}', now(), NULL, 'done', md5(range::VARCHAR) || md5('x' || range)
FROM range({0}, {1})
"""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def held(store: Store) -> list[object]:
    """Rows, and what is said of tables and columns."""
    columns = "SELECT table_name, column_name, data_type, is_nullable, comment FROM duckdb_columns()"
    constraints = "SELECT table_name, constraint_text FROM duckdb_constraints()"
    return [store.rows(f"{sql} ORDER BY ALL") for sql in ("FROM run", "FROM seal", columns, constraints)]


@pytest.fixture(scope="module")
def grown_once(tmp_path_factory: pytest.TempPathFactory, empty_catalog: Path) -> Path:
    """A catalog that many rows were deleted from."""
    path = Path(shutil.copy(empty_catalog, tmp_path_factory.mktemp("grown") / "catalog.duckdb"))
    with Store.open(path, mode="write") as store:
        for part in range(4):
            store.execute(GROWN.format(1 + 50_000 * part, 1 + 50_000 * (part + 1)))
        store.delete("run", "id > 10 AND id < 199990")
        store.execute("CREATE TABLE wide AS SELECT 1 AS architecture_id")
        store.execute("COMMENT ON COLUMN wide.architecture_id IS 'a comment'")
    return path


@pytest.fixture
def grown(grown_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(grown_once, tmp_path / "catalog.duckdb"))


def test_it_is_smaller_and_says_the_same(grown: Path) -> None:
    grown.chmod(0o640)
    with Store.open(grown) as store:
        before = held(store)
    done = compact(grown)
    assert done.before > 2 * done.after
    assert done.after == grown.stat().st_size
    assert grown.stat().st_mode & 0o777 == 0o640
    assert names(grown.parent) == ["catalog.duckdb"]
    with Store.open(grown) as store:
        assert held(store) == before
        assert not failures(store)
    with Store.open(grown, mode="write") as store:  # the keys hold
        with pytest.raises(StoreError):
            store.execute(GROWN.format(1, 2))
        store.execute(GROWN.format(11, 12))


def test_a_file_that_cannot_shrink_is_left(grown: Path) -> None:
    compact(grown)
    before = grown.stat().st_ino
    done = compact(grown)
    assert done.before == done.after
    assert "would not become smaller" in str(done)
    assert grown.stat().st_ino == before


def test_a_link_stays_one(grown: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(grown)
    compact(link)
    assert link.is_symlink()
    with Store.open(link) as store:
        assert store.rows("SELECT count(*) FROM run") == [(21,)]


def test_a_full_disk_leaves_the_old_file(grown: Path) -> None:
    before = grown.read_bytes()
    answer = run_python(
        """
import resource, signal, sys
from catalog.errors import StoreError
from catalog.storage.compacting import compact
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    compact(sys.argv[1])
except StoreError as error:
    print(error)
""",
        grown,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout
    assert grown.read_bytes() == before
    assert names(grown.parent) == ["catalog.duckdb"]


def test_what_a_killed_one_left_goes_with_the_next(grown: Path) -> None:
    (grown.parent / ".catalog.duckdb.0123.compact").write_bytes(b"half")
    (grown.parent / ".catalog.duckdb.0123.compact.wal").write_bytes(b"half")
    (grown.parent / ".other.duckdb.0123.compact").write_bytes(b"another's")
    compact(grown)
    assert names(grown.parent) == [".other.duckdb.0123.compact", "catalog.duckdb"]


def test_a_copy_that_differs_is_not_taken(grown: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = grown.read_bytes()
    monkeypatch.setattr(compacting, "_sums", lambda _, name: {"of": (name,)})
    with pytest.raises(StoreError, match="not the same as the file, which was left as it was"):
        compact(grown)
    assert grown.read_bytes() == before
    assert names(grown.parent) == ["catalog.duckdb"]


def test_nobody_else_may_have_it_open(grown: Path) -> None:
    reader = "import sys; from catalog.storage.store import Store; s = Store.open(sys.argv[1]); print(1); input()"
    with python(reader.replace("print(1)", "print(1, flush=True)"), grown), pytest.raises(LockedError):
        compact(grown)


def test_what_is_no_catalog_is_left(tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as database:
        database.execute("CREATE TABLE mine (a INTEGER)")
    with pytest.raises(StoreError, match="not a catalog"):
        compact(path)
    with pytest.raises(MissingDatabaseError):
        compact(tmp_path / "missing.duckdb")


def test_a_session_goes_on_with_the_new_file(grown: Path) -> None:
    with catalog.open(grown, mode="write") as c:
        c.query("SELECT 1")
        assert c.compact().after == grown.stat().st_size
        assert c.query("SELECT count(*) AS n FROM run")["n"][0] == 21
