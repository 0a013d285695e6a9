"""Progress on standard error for whatever takes more than a second; silent where nobody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def counting(what: str) -> Iterator[Callable[[int], None]]:
    """A counter of records; the block gets a function that takes the number reached so far."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TextColumn("{task.completed:,}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done: progress.update(task, completed=done)


@contextmanager
def advancing(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar with rate and time left; the block gets a function that takes how many are done and how many there are."""
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("elapsed"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, speed_estimate_period=_RATE_SECONDS) as progress:
        task = progress.add_task(what, total=None, rate="")

        def advance(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total)
            speed = progress.tasks[0].speed
            progress.update(task, rate=rate_text(speed) if speed else "")

        yield advance


_RATE_SECONDS = 120.0


def rate_text(speed: float) -> str:
    """How many a second, a minute or an hour: whichever reads as a number above one."""
    for unit, seconds in (("s", 1), ("min", 60)):
        if speed * seconds >= 1:
            return f"{speed * seconds:.1f}/{unit}"
    return f"{speed * 3600:.1f}/h"
