import os
import signal
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from catalog.errors import LockedError, MissingDatabaseError, StoreError
from catalog.storage import locking, migration
from catalog.storage.duckdb_errors import store_error
from catalog.storage.runs import Run
from catalog.storage.sandbox import run_user_query
from catalog.storage.store import Store
from tests.catalog.processes import PATIENCE, python, run_python

HOLD = """
import sys
from catalog.storage.store import Store
with Store.open(sys.argv[1], mode=sys.argv[2]):
    print("open", flush=True)
    sys.stdin.readline()
"""

IN_A_TRANSACTION = """
import sys
import pyarrow as pa
from catalog.storage.runs import Run
from catalog.storage.store import Store
with (
    Store.open(sys.argv[1], mode="write") as catalog, Run.start(catalog, "ingest", {"file": "big"}),
    catalog.transaction(),
):
    source = {"id": 2, "name": "half", "kind": "k", "row_count": 1, "ingested_at": catalog.now(), "run_id": 2}
    catalog.append("source", pa.Table.from_pylist([source]))
    rows = pa.table({"architecture_id": pa.array(range(500_000)), "form": ["native"] * 500_000,
                     "cell": ["cell"] * 500_000, "position": [0] * 500_000, "operator": ["input"] * 500_000})
    catalog.append("node", rows)
    print("half way", flush=True)
    catalog.execute("SELECT count(*) FROM range(1000000000000)")
"""


@pytest.fixture
def filled(catalog_path: Path) -> Path:
    """A catalog with one finished run and one source."""
    with Store.open(catalog_path, mode="write") as catalog, Run.start(catalog, "ingest", {}) as run:
        catalog.execute(
            "INSERT INTO source BY NAME SELECT 1 AS id, 'whole' AS name, 'k' AS kind, 1 AS row_count,"
            " now() AS ingested_at, ? AS run_id",
            [run.id],
        )
    return catalog_path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def contents(path: Path) -> tuple[list[str], int, list[str]]:
    """Names of the sources, number of nodes, outcomes of the runs."""
    with Store.open(path) as catalog:
        return (
            catalog.arrow("SELECT name FROM source ORDER BY id")["name"].to_pylist(),
            catalog.arrow("SELECT count(*) FROM node").column(0)[0].as_py(),
            catalog.arrow("SELECT outcome FROM run ORDER BY id")["outcome"].to_pylist(),
        )


@pytest.mark.parametrize(("first", "second"), [("write", "write"), ("write", "read"), ("read", "write")])
def test_second_process_learns_who_holds_the_file(catalog_path: Path, first: str, second: str) -> None:
    with python(HOLD, catalog_path, first) as holder:
        with pytest.raises(LockedError, match=f"in use by process {holder.pid} .*--wait SECONDS") as caught:
            Store.open(catalog_path, mode=second)  # type: ignore[arg-type]
        assert caught.value.process_id == holder.pid
        assert "python" in str(caught.value)
        assert "\n" not in str(caught.value)


def test_user_query_learns_who_holds_the_file(catalog_path: Path) -> None:
    with python(HOLD, catalog_path, "write") as holder, pytest.raises(LockedError) as caught:
        run_user_query(catalog_path, "SELECT 1")
    assert caught.value.process_id == holder.pid


def test_readers_share_the_file(catalog_path: Path) -> None:
    with python(HOLD, catalog_path, "read"), Store.open(catalog_path) as catalog:
        assert len(catalog.arrow("SELECT 1")) == 1


def test_waiting_succeeds_when_the_holder_ends(catalog_path: Path) -> None:
    with python(HOLD, catalog_path, "write") as holder:
        assert holder.stdin is not None
        release = threading.Timer(0.3, holder.stdin.close)
        release.start()
        with Store.open(catalog_path, mode="write", wait=PATIENCE) as catalog:
            assert catalog.next_id("run") == 1
        release.join()


def test_waiting_in_vain_says_how_long(catalog_path: Path) -> None:
    with python(HOLD, catalog_path, "write"), pytest.raises(LockedError, match=r"after 0\.2 seconds of waiting"):
        Store.open(catalog_path, wait=0.2)


def test_same_process_in_another_mode_is_told_so(catalog_path: Path) -> None:
    with Store.open(catalog_path, mode="write"):
        with pytest.raises(LockedError, match="open in this process already"):
            Store.open(catalog_path)
        with pytest.raises(LockedError, match="open in this process already"):
            run_user_query(catalog_path, "SELECT 1")


def test_a_failed_attempt_does_not_weaken_the_lock(catalog_path: Path) -> None:
    """The system drops all locks of a process on a file when it closes any handle on it: nobody may open it aside."""
    with Store.open(catalog_path, mode="write"):
        with pytest.raises(LockedError):
            Store.open(catalog_path)
        other = run_python("import sys; from catalog.storage.store import Store; Store.open(sys.argv[1])", catalog_path)
    assert f"in use by process {os.getpid()}" in other.stderr


def test_kill_in_the_middle_of_a_transaction_loses_and_leaves_nothing(filled: Path) -> None:
    with python(IN_A_TRANSACTION, filled) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    assert contents(filled) == (["whole"], 0, ["done", "running"])
    assert run_user_query(filled, "SELECT count(*) AS n FROM source").to_pylist() == [{"n": 1}]
    with Store.open(filled, mode="write") as catalog:  # and it can be written again
        assert catalog.next_id("source") == 2


def test_interrupt_leaves_a_clean_file(filled: Path) -> None:
    with python(IN_A_TRANSACTION, filled) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert contents(filled) == (["whole"], 0, ["done", "interrupted"])
    assert [file.name for file in filled.parent.iterdir()] == [filled.name]


def test_commits_of_a_killed_process_are_read_from_its_log(filled: Path) -> None:
    """A process that dies after a commit leaves a write-ahead log, which readers must see too."""
    run_python(
        "import os, signal, sys; from catalog.storage.runs import Run; from catalog.storage.store import Store;"
        "catalog = Store.open(sys.argv[1], mode='write');"
        "Run.start(catalog, 'score', {}); os.kill(os.getpid(), signal.SIGKILL)",
        filled,
    )
    assert filled.with_name(filled.name + ".wal").exists()
    assert contents(filled)[2] == ["done", "running"]
    assert len(run_user_query(filled, "FROM run")) == 2


FULL = """
import resource, sys
from catalog.storage import migration
from catalog.errors import StoreError
from catalog.storage.runs import Run
from catalog.storage.store import Store
import pyarrow as pa
path, size = sys.argv[1], int(sys.argv[2])
rows = pa.table({"architecture_id": pa.array(range(3_000_000)), "form": [str(i) for i in range(3_000_000)],
                 "cell": ["cell"] * 3_000_000, "position": [0] * 3_000_000, "operator": ["input"] * 3_000_000})
resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
try:
    with (
        Store.open(path, mode="write", create=True) as catalog, Run.start(catalog, "ingest", {}),
        catalog.transaction(),
    ):
        catalog.append("node", rows)
except StoreError as error:
    print(error)
"""


def test_full_disk_gives_one_clear_line_and_keeps_the_file(filled: Path) -> None:
    ended = run_python(FULL, filled, 4_000_000)
    assert ended.stdout.startswith(f"cannot write {filled}: no room left on the disk"), ended.stderr
    assert ended.stdout.count("\n") == 1
    assert contents(filled) == (["whole"], 0, ["done", "failed"])


def test_full_disk_at_creation_leaves_nothing_behind(tmp_path: Path) -> None:
    ended = run_python(FULL, tmp_path / "new.duckdb", 10_000)
    assert "no room left on the disk" in ended.stdout, ended.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", ["No space left on device", "Disk quota exceeded"])
def test_every_word_for_a_full_disk_is_understood(words: str) -> None:
    error = store_error(duckdb.IOException(f'IO Error: Could not write file "x.wal": {words}'), Path("x"))
    assert str(error).startswith("cannot write x: no room left on the disk")


AS_NOBODY = """
import os, sys
from catalog.errors import StoreError
from catalog.storage.store import Store
if os.geteuid() == 0:  # root may do everything
    os.setgid(65534)
    os.setuid(65534)
try:
    with Store.open(sys.argv[1], mode=sys.argv[2]) as catalog:
        print(catalog._connection.execute("SELECT count(*) FROM run").fetchone()[0], "runs")
except StoreError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("file_mode", "folder_mode", "mode", "answer"),
    [
        (0o444, 0o755, "read", "0 runs"),
        (0o444, 0o755, "write", "is read-only"),
        (0o666, 0o555, "write", "is read-only"),
        (0o000, 0o755, "read", "permission denied"),
        (0o666, 0o000, "read", "Permission denied"),
    ],
)
def test_permissions_are_explained(
    open_folder: Path, empty_catalog: Path, file_mode: int, folder_mode: int, mode: str, answer: str
) -> None:
    folder = open_folder / "folder"
    folder.mkdir()
    path = folder / "catalog.duckdb"
    path.write_bytes(empty_catalog.read_bytes())
    path.chmod(file_mode)
    folder.chmod(folder_mode)
    try:
        ended = run_python(AS_NOBODY, path, mode)
    finally:
        folder.chmod(stat.S_IRWXU)
    assert answer in ended.stdout, ended.stderr
    assert ended.stdout.count("\n") == 1


def test_missing_file_offers_to_create_it(tmp_path: Path) -> None:
    path = tmp_path / "none.duckdb"
    with pytest.raises(MissingDatabaseError, match=f"catalog db init --db {path}"):
        Store.open(path, mode="write")
    assert not path.exists()


def test_directory_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a directory"):
        Store.open(tmp_path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a DuckDB database file"),
        (b"SQLite format 3\0" * 300, "not a DuckDB database file"),
        (b"not a database at all\n" * 1000, "not a DuckDB database file"),
    ],
)
@pytest.mark.parametrize("mode", ["read", "write"])
def test_other_files_are_refused_and_kept(tmp_path: Path, content: bytes, words: str, mode: str) -> None:
    path = tmp_path / "other"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=words):
        Store.open(path, mode=mode)  # type: ignore[arg-type]
    assert path.read_bytes() == content


@pytest.mark.parametrize("share", [0.001, 0.01, 0.3])
def test_file_cut_short_is_reported_in_one_line(filled: Path, share: float) -> None:
    content = filled.read_bytes()
    filled.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreError) as caught:
        Store.open(filled)
    assert str(filled) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_path_is_never_an_address_of_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """DuckDB reads ``:memory:`` and ``scheme:...`` as other things than files."""
    monkeypatch.chdir(tmp_path)
    migration.init(":memory:")
    assert [file.name for file in tmp_path.iterdir()] == [":memory:"]
    with pytest.raises(MissingDatabaseError):
        Store.open("md:somebody")


def test_other_errors_are_no_locks(catalog_path: Path) -> None:
    assert locking.locked_error(duckdb.IOException("IO Error: something else"), catalog_path) is None


def test_lock_without_a_process_id_is_still_a_lock(catalog_path: Path) -> None:
    error = locking.locked_error(duckdb.IOException('IO Error: Could not set lock on file "x"'), catalog_path)
    assert error is not None
    assert error.process_id is None
    assert "in use by another process" in str(error)
