"""Children of tests hear Ctrl-C whatever their parent ignores, and end whatever happens to their test."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from tests.catalog import processes
from tests.catalog.processes import PATIENCE, is_running, python, running_python, wait_until

SLEEPING = "import time; print('ready', flush=True); time.sleep(600)"
WITH_A_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def deaf() -> Iterator[None]:
    """Ctrl-C is ignored and blocked, as a shell in the background or a supervisor leaves it."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    signal.signal(signal.SIGINT, before)


def test_a_child_hears_ctrl_c_although_its_parent_does_not(deaf: None) -> None:
    with python(SLEEPING) as process:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")


def test_nothing_of_a_child_outlives_a_test_that_fails() -> None:
    with pytest.raises(ZeroDivisionError), running_python("-c", WITH_A_CHILD) as process:
        assert process.stdout is not None
        grandchild = int(process.stdout.readline())
        assert is_running(grandchild)
        raise ZeroDivisionError
    assert process.returncode == -signal.SIGKILL
    deadline = time.monotonic() + PATIENCE
    while is_running(grandchild):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_is_stuck_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LIFETIME", 0.5)
    silent = "import time; time.sleep(600)"
    with pytest.raises(AssertionError, match="ended without a word"), python(silent):
        pass


def test_waiting_ends_with_the_child_and_with_patience() -> None:
    with pytest.raises(AssertionError, match="ended too early"), running_python("-c", "") as process:
        wait_until(lambda: False, process)
    with pytest.raises(AssertionError, match="nothing happened"), python(SLEEPING) as process:
        wait_until(lambda: False, process, patience=0.1)
    assert isinstance(process, subprocess.Popen)
