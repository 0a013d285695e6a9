"""The measuring helper tells what a command really took."""

from __future__ import annotations

import sys

import pytest

from benchmarks.measure import Measurement, circumstances, main, measure, report


def test_a_larger_command_takes_more_memory_whatever_starts_it():
    ballast = bytearray(300_000_000)
    ballast[::4096] = b"x" * len(ballast[::4096])
    small = measure([sys.executable, "-S", "-c", "pass"])
    large = measure([sys.executable, "-S", "-c", "x = bytearray(200_000_000); x[::4096] = b'x' * len(x[::4096])"])
    assert large.peak_bytes - small.peak_bytes > 150_000_000
    assert small.exit_code == large.exit_code == 0


def test_waiting_is_wall_time_and_not_processor_time():
    run = measure([sys.executable, "-S", "-c", "import time; time.sleep(1)"])
    assert run.seconds >= 1 > run.processor_seconds


def test_the_report_names_the_fastest_run_and_the_largest_memory():
    text = report(["catalog", "top"], [Measurement(0.5, 0.4, 80_000_000, 0), Measurement(0.25, 0.2, 90_000_000, 0)])
    assert text.startswith(f"command   catalog top\n{circumstances()}\n")
    assert text.endswith("wall      0.25 s (of 0.50 0.25)\nprocessor 0.20 s\nmemory    90 MB at most")


def test_a_failing_command_is_reported_as_one(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setattr(sys, "argv", ["measure.py", "--repeat", "3", "--", sys.executable, "-c", "raise SystemExit(7)"])
    assert main() == 7
    assert capsys.readouterr().err == "the command failed with exit code 7\n"
