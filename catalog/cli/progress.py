"""What jobs tell, on standard error: notes, and progress that is silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from catalog.cli.streams import tell
from catalog.progress import Advance, Listener

_RATE_SECONDS = 120.0


def note(message: str) -> None:
    """A line for the person at the terminal; never mixed with the data."""
    tell(message)


class Terminal(Listener):
    """Shows notes on standard error, and progress with rate and time left where that is a terminal."""

    def note(self, message: str) -> None:
        note(message)

    @contextmanager
    def watch(self, what: str) -> Iterator[Advance]:
        if not sys.stderr.isatty():
            with super().watch(what) as ignored:
                yield ignored
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[done]}"),
            TextColumn("{task.fields[rate]}"),
            TextColumn("elapsed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        with Progress(*columns, console=console, transient=True, speed_estimate_period=_RATE_SECONDS) as progress:
            task = progress.add_task(what, total=None, rate="", done="")

            def advance(done: int, total: int | None = None, /) -> None:
                reached = f"{done:,}" if total is None else f"{done:,}/{total:,}"
                progress.update(task, completed=done, total=total, done=reached)
                speed = progress.tasks[0].speed
                progress.update(task, rate=rate_text(speed) if speed and total is not None else "")

            yield advance


def rate_text(speed: float) -> str:
    """How many a second, a minute or an hour: whichever reads as a number above one."""
    for unit, seconds in (("s", 1), ("min", 60)):
        if speed * seconds >= 1:
            return f"{speed * seconds:.1f}/{unit}"
    return f"{speed * 3600:.1f}/h"
