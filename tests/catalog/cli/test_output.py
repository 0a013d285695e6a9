"""A terminal gets at most a screen of rows, and is told how many there are; a file gets all."""

from __future__ import annotations

import io
import os
import shutil
import sys

import pytest

from catalog.cli.options import OutputFormat
from catalog.cli.output import emit
from catalog.storage.answer import Answer


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(
    monkeypatch: pytest.MonkeyPatch, rows: int, lines: int, output: io.StringIO, **given: object
) -> tuple[list[str], str]:
    errors = io.StringIO()
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(sys, "stderr", errors)
    monkeypatch.setattr(shutil, "get_terminal_size", lambda: os.terminal_size((80, lines)))
    answer = Answer(("number",), (True,), [(number,) for number in range(rows)])
    emit(answer, given.pop("output_format", None), **given)
    return output.getvalue().splitlines()[1:], errors.getvalue()


def test_a_screen_holds_the_head_the_rows_and_the_count(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, told = printed(monkeypatch, 15_625, 24, Terminal())
    assert len(rows) == 21
    assert told == "21 of 15,625 rows; --format csv gives all of them.\n"


@pytest.mark.parametrize(("rows", "lines", "shown"), [(21, 24, 21), (22, 24, 21), (10, 3, 10), (11, 3, 10), (0, 24, 0)])
def test_what_fits_is_shown_whole(rows: int, lines: int, shown: int, monkeypatch: pytest.MonkeyPatch) -> None:
    found, told = printed(monkeypatch, rows, lines, Terminal())
    assert len(found) == shown
    assert bool(told) == (shown < rows)


@pytest.mark.parametrize("output_format", [OutputFormat.CSV, OutputFormat.TABLE])
def test_a_file_gets_all(output_format: OutputFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    found, told = printed(monkeypatch, 100, 24, io.StringIO(), output_format=output_format)
    assert (len(found), told) == (100, "")


@pytest.mark.parametrize("given", [{"output_format": OutputFormat.CSV}, {"whole": True}])
def test_a_terminal_gets_all_that_it_asks_for(given: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    found, told = printed(monkeypatch, 100, 24, Terminal(), **given)
    assert (len(found), told) == (100, "")
