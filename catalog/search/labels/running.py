"""Running the user's command for many architectures, several at a time."""

from __future__ import annotations

import selectors
import time
from collections import deque
from collections.abc import Generator, Sequence

from catalog.message import visible
from catalog.search.labels.child import Child
from catalog.search.labels.command import LabelCommand
from catalog.search.labels.printed import Label
from catalog.search.labels.watchdog import Watchdog

_TICK = 0.1  # seconds between two looks at the clock


def run_commands(
    command: LabelCommand, native_ids: Sequence[str], *, workers: int = 1, timeout: float | None = None
) -> Generator[list[tuple[int, Label]], None, None]:
    """The labels of some architectures as they come: each batch has the places of those that ended together.

    At most `workers` commands run at once. What still runs when the generator is closed, or when this process is
    interrupted or killed, is killed too.
    """
    waiting = deque(enumerate(native_ids))
    running: dict[int, Child] = {}
    with selectors.DefaultSelector() as selector, Watchdog() as watchdog:
        try:
            while waiting or running:
                ended = []
                while waiting and len(running) < workers:
                    place, native_id = waiting.popleft()
                    try:
                        child = Child(command.words_for(native_id), timeout)
                    except (OSError, ValueError) as error:  # ValueError: a NUL, UnicodeError: half a character
                        ended.append((place, Label(None, f"it cannot be started: {visible(str(error))}", 0.0)))
                        continue
                    watchdog.started(child.leader)
                    running[place] = child
                    for pipe in child.pipes:
                        selector.register(pipe, selectors.EVENT_READ, child)
                _read(selector)
                for place, child in list(running.items()):
                    label = child.label()
                    if label is not None:
                        ended.append((place, label))
                        _let_go(running.pop(place), selector, watchdog)
                if ended:
                    yield ended
        finally:
            for child in running.values():
                _let_go(child, selector, watchdog)


def _read(selector: selectors.BaseSelector) -> None:
    """Take what the commands print; wait a moment where none does."""
    if not selector.get_map():  # they closed what they print to, and go on
        time.sleep(_TICK)
    for key, _ in selector.select(_TICK):
        if not key.data.read(key.fileobj):
            selector.unregister(key.fileobj)


def _let_go(child: Child, selector: selectors.BaseSelector, watchdog: Watchdog) -> None:
    for pipe in child.pipes:
        if pipe in {key.fileobj for key in selector.get_map().values()}:
            selector.unregister(pipe)
    child.end()
    watchdog.ended(child.leader)
