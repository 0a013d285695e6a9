"""Running commands: several at a time, each with its own end, and none that outlives the search."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalog.search.labels.command import LabelCommand
from catalog.search.labels.printed import Label
from catalog.search.labels.running import run_commands
from tests.catalog.processes import is_running, python, wait_until

SLEEPER = "sh -c 'echo $$ > \"$0\"; sleep 60 & wait' {id}"
"""Writes the id of its process and then does nothing, by a process of its own."""


def answers(text: str, native_ids: list[str], workers: int = 1, timeout: float | None = None) -> dict[str, Label]:
    command = LabelCommand.parse(text)
    found = [one for batch in run_commands(command, native_ids, workers=workers, timeout=timeout) for one in batch]
    assert sorted(place for place, _ in found) == list(range(len(native_ids)))
    return {native_ids[place]: label for place, label in found}


def test_each_command_answers_for_itself() -> None:
    script = 'case "$0" in good) echo 3.5;; silent) ;; fails) echo why >&2; exit 4;; dies) kill -9 $$;; esac'
    found = answers(f"sh -c '{script}' {{id}}", ["good", "silent", "fails", "dies", "\0", "\ud800"], workers=3)
    assert found["good"].value == 3.5
    reasons = {native_id: str(label.reason) for native_id, label in found.items()}
    assert reasons["silent"].startswith("it printed nothing")
    assert reasons["fails"] == "exit code 4: why"
    assert reasons["dies"] == "it was ended by signal 9"
    assert reasons["\0"].startswith("it cannot be started")
    assert reasons["\ud800"].startswith("it cannot be started")


def test_a_program_that_is_gone_when_it_is_wanted_is_a_reason(tmp_path: Path) -> None:
    found = answers(f"{tmp_path}/{{id}}", ["nobody"])
    assert str(found["nobody"].reason).startswith("it cannot be started: ")


def test_a_flood_of_output_is_ended_at_once_and_not_kept() -> None:
    flood = "while :; do echo 123456789012345678901234567890; done"
    found = answers(f"sh -c '{flood}' {{id}}", ["out"])
    assert found["out"].reason == "it printed more than 65,536 bytes; a label is one number"
    noise = "import sys; sys.stderr.write('x' * 3_000_000); print(5)"
    assert answers(f'{sys.executable} -c "{noise}" {{id}}', ["err"])["err"].value == 5


def test_a_command_has_so_many_seconds_and_no_more(tmp_path: Path) -> None:
    place = tmp_path / "leader"
    began = time.monotonic()
    found = answers(SLEEPER, [str(place)], timeout=0.4)
    assert time.monotonic() - began < 20
    assert found[str(place)].reason == "it had no answer after 0.4 seconds (--label-timeout)"
    assert not is_running(int(place.read_text()))


def test_what_a_command_leaves_running_is_not_waited_for() -> None:
    began = time.monotonic()
    assert answers("sh -c 'sleep 30 & echo 7' {id}", ["x"])["x"].value == 7
    assert time.monotonic() - began < 20


def test_several_run_at_once_and_never_more_than_allowed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = f"sh -c 'echo + >> {log}; sleep 0.3; echo - >> {log}; echo 1' {{id}}"
    answers(command, list("abcdef"), workers=3)
    running = most = 0
    for line in log.read_text().split():
        running += 1 if line == "+" else -1
        most = max(most, running)
    assert (running, most) == (0, 3)


def test_leaving_early_ends_what_runs(tmp_path: Path) -> None:
    place = tmp_path / "leader"
    found = run_commands(LabelCommand.parse(SLEEPER.replace("{id}", f"{place} {{id}}")), ["a", "b"])
    with closing(found), pytest.raises(KeyboardInterrupt):
        _interrupted_after(found, place)
    assert not is_running(int(place.read_text()))


def _interrupted_after(found: Iterator[object], place: Path) -> None:
    """Go on until the command has begun, and be interrupted as a user would interrupt."""

    def strike(*_: object) -> None:
        if place.exists() and place.read_text().strip():
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    try:
        next(found)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


DRIVER = """
import sys
from catalog.search.labels.command import LabelCommand
from catalog.search.labels.running import run_commands
print("begins", flush=True)
list(run_commands(LabelCommand.parse(sys.argv[1]), [sys.argv[2]]))
"""


def test_commands_end_with_a_search_that_is_killed(tmp_path: Path) -> None:
    place = tmp_path / "leader"
    with python(DRIVER, SLEEPER, place) as driver:
        wait_until(lambda: place.exists() and bool(place.read_text().strip()), driver)
        leader = int(place.read_text())
        driver.kill()
        driver.wait()
        deadline = time.monotonic() + 20
        while is_running(leader) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert not is_running(leader)
