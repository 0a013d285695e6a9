"""What a command writes arrives, or the command says that it did not; what is interrupted ends at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.catalog.cli.commands import environment_with
from tests.catalog.processes import CHECKOUT, PATIENCE, first_line, is_running, run_python, running_python

LITTLE_ROOM = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv[:2] = ["catalog"]
from catalog.__main__ import main
main()
"""
ALL = ("query", "SELECT * FROM range(100000)")
USES = {"csv": ALL, "parquet": (*ALL, "--format", "parquet"), "help": ("db", "--help")}


def write(output: object, database: Path, *words: str, room: int = 10**9, unbuffered: str = "") -> tuple[int, str]:
    ended = subprocess.run(
        [sys.executable, "-c", LITTLE_ROOM, str(room), *words],
        cwd=CHECKOUT,
        env=environment_with(database) | {"PYTHONUNBUFFERED": unbuffered},
        stdout=output,  # type: ignore[call-overload]
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "words", [ALL, (*ALL, "--format", "parquet"), ("db", "--help")], ids=["csv", "parquet", "help"]
)
def test_a_device_that_takes_nothing_is_told(catalog_path: Path, words: tuple[str, ...], unbuffered: str) -> None:
    with Path("/dev/full").open("w") as full:
        code, said = write(full, catalog_path, *words, unbuffered=unbuffered)
    assert (code, said.count("\n")) == (1, 1)
    assert "cannot write the output: No space left on device; not all of it is there" in said


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_is_cut_is_no_success(catalog_path: Path, tmp_path: Path, unbuffered: str) -> None:
    out = tmp_path / "o.csv"
    with out.open("w") as output:
        code, said = write(output, catalog_path, *ALL, room=100_000, unbuffered=unbuffered)
    assert code == 1
    assert "not all of it is there" in said
    with out.open("w") as output:
        assert write(output, catalog_path, *ALL, unbuffered=unbuffered) == (0, "")
    assert out.read_text().splitlines()[-1] == "99999"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_error(catalog_path: Path, unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert write(writing, catalog_path, *ALL, unbuffered=unbuffered) == (0, "")
    os.close(writing)


def test_a_catalog_that_finds_no_room_is_not_created(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    for room in (0, 4096, 300_000, 1_000_000):
        code, said = write(subprocess.DEVNULL, path, "db", "init", room=room)
        assert code == 1
        assert "created" not in said
        assert "Traceback" not in said
        assert list(tmp_path.iterdir()) == []


STUCK = """
import re, sys
import catalog.cli.main as main
print("ready", flush=True)
main.app = lambda **_: re.match("(a+)+$", "a" * 60 + "b")  # one step of a library that takes years
main.main()
"""
SLEEPING = """
import sys, threading
import catalog.cli.main as main
def job(**_):
    print("ready", flush=True)
    threading.Event().wait()
main.app = job
main.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("program", [STUCK, SLEEPING], ids=["stuck", "sleeping"])
def test_a_signal_ends_what_never_would(program: str, number: signal.Signals, code: int) -> None:
    with running_python("-c", program) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.5)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == code
    assert said.startswith("interrupted; what was finished before is stored")
    assert said.count("\n") == 1


BEFORE = """
import os, signal, threading
import catalog.cli.main as main
def start(thread, begin=threading.Thread.start):
    begin(thread)
    os.kill(os.getpid(), signal.{name})
threading.Thread.start = start  # the last step before the command
main.app = lambda **_: None
main.main()
"""
IMPORTING = """
import os, signal
import catalog.cli.main as main
def job(**_):
    try:
        os.kill(os.getpid(), signal.{name})
    finally:
        raise ImportError("of a library that cannot be imported a second time")
main.app = job
main.main()
"""
STARTING = """
import os, signal, sys
import catalog.__main__
class Finder:
    def find_spec(self, name, *_):
        if name == "typer":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
catalog.__main__.main()
"""


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("program", [BEFORE, IMPORTING], ids=["before", "importing"])
def test_a_signal_at_any_moment_is_one(program: str, name: str, code: int) -> None:
    answer = run_python(program.format(name=name))
    assert answer.returncode == code
    assert answer.stderr.startswith("interrupted; what was finished before is stored")
    assert answer.stderr.count("\n") == 1


def test_ctrl_c_before_the_command_has_begun_shows_no_traceback() -> None:
    answer = run_python(STARTING)
    assert (answer.returncode, answer.stderr) == (130, "")


IN_A_TEXT = """
import os, signal
import catalog.cli.main as main
main.app = lambda **_: exec("os.kill(os.getpid(), signal.SIGTERM)\\nfor _ in range(9): pass")  # as a dataclass is made
main.main()
"""


def test_a_signal_in_code_that_is_executed_from_a_text_is_told_as_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in_a_text.py").write_text(IN_A_TEXT)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{CHECKOUT}")
    with running_python("-m", "in_a_text") as process:
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143


STARTER = """
import re, subprocess, sys
import catalog.cli.main as main
def job(**_):
    sleeper = "import os, subprocess, sys, time; print(os.getpid(), flush=True); time.sleep(600)"
    middle = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {sleeper!r}])"
    subprocess.Popen([sys.executable, "-c", middle], start_new_session=True)
    re.match("(a+)+$", "a" * 60 + "b")
main.app = job
main.main()
"""


def test_all_that_a_stuck_command_started_ends_with_it() -> None:
    with running_python("-c", STARTER) as process:
        started = int(first_line(process))
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 143
    assert not is_running(started)
