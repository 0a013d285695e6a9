"""Work in processes of their own: answers come back, and whatever goes wrong stays there."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from catalog.errors import BusyError, CatalogError, LockedError, QueryError
from catalog.serving import worker_pool as workers
from catalog.serving.worker_pool import Workers
from tests.catalog.processes import is_running


def doubled(number: int, *, more: int = 0) -> tuple[int, int]:
    return 2 * number + more, os.getpid()


def refused() -> None:
    raise LockedError("somebody has it", 17)


def wrong() -> None:
    raise ValueError("a fault of ours")


def killed_while_writing(note: Path) -> None:
    folder = tempfile.mkdtemp()
    note.write_text(folder)
    os.kill(os.getpid(), signal.SIGKILL)


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def left() -> None:
    sys.exit("enough")


def deaf(note: Path) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    note.write_text(str(os.getpid()))
    time.sleep(60)


def test_a_function_runs_in_a_process_of_its_own() -> None:
    number, process = Workers(1).run(20.0, doubled, 4, more=1)
    assert number == 9
    assert process != os.getpid()


def test_its_process_splits_off_from_one_without_threads_and_locks() -> None:
    assert Workers(1).run(20.0, os.getppid) != os.getpid()


def test_the_catalogs_errors_come_back_whole() -> None:
    with pytest.raises(LockedError, match="somebody has it") as caught:
        Workers(1).run(20.0, refused)
    assert caught.value.process_id == 17


def test_a_fault_and_a_crash_are_told_apart() -> None:
    with pytest.raises(ValueError, match="a fault of ours"):
        Workers(1).run(20.0, wrong)
    for crash in (killed, left):
        with pytest.raises(QueryError, match="died"):
            Workers(1).run(20.0, crash)


def test_a_killed_worker_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="died"):
        Workers(1).run(20.0, killed_while_writing, tmp_path / "note")
    folder = Path((tmp_path / "note").read_text())
    assert folder.parent.name.startswith("catalog-serve-")
    assert not folder.parent.exists()


def test_what_does_not_end_is_killed_and_frees_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = Workers(1)
    assert crew.run(20.0, doubled, 1)[0] == 2
    monkeypatch.setattr(workers, "_GRACE", 0.0)
    monkeypatch.setattr(workers, "_PATIENCE", 0.1)
    ended: list[CatalogError] = []

    def ask() -> None:
        try:
            crew.run(3.0, deaf, tmp_path / "note")
        except CatalogError as error:
            ended.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    with pytest.raises(BusyError, match="as many questions are being answered already as can be, 1;"):
        crew.run(3.0, doubled, 1)
    asking.join()
    assert "more than 3 seconds" in str(ended[0])
    assert not is_running(int((tmp_path / "note").read_text()))
    monkeypatch.setattr(workers, "_GRACE", 20.0)
    assert crew.run(3.0, doubled, 1)[0] == 2


def test_closing_ends_what_runs_and_starts_nothing_more() -> None:
    crew = Workers(1)
    ended: list[CatalogError] = []

    def ask() -> None:
        try:
            crew.run(60.0, time.sleep, 60)
        except CatalogError as error:
            ended.append(error)

    asking = threading.Thread(target=ask)
    asking.start()
    time.sleep(0.5)
    crew.close()
    asking.join(timeout=20)
    assert not asking.is_alive()
    assert [str(error) for error in ended] == ["the server is ending; ask again when it runs again."]
    with pytest.raises(BusyError, match="the server is ending"):
        crew.run(60.0, doubled, 1)
