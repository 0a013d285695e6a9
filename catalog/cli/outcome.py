"""How a command ends: whatever happens in it becomes one clear message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import TracebackType

from catalog.cli import streams
from catalog.cli.interruption import Interruption, end_children
from catalog.errors import CatalogError
from catalog.user_code import place_of

TRACEBACK = "CATALOG_TRACEBACK"
"""The variable of the environment that asks for the traceback of an unexpected error."""

_INTERRUPTED = 130  # what Typer makes of Ctrl-C


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command to its end, see that all it wrote has arrived, and give the exit code."""
    interruption = Interruption()
    try:
        with interruption.heard():
            code = _code_of(command)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    except Exception:
        if interruption.signal is None:
            raise
        code = _INTERRUPTED  # a library that was stopped anywhere may fail in any way on the way out
    if code == _INTERRUPTED:
        interruption.tell()
        end_children()
        _forget_interrupt()
        return interruption.exit_code
    if interruption.signal == signal.SIGTERM:  # whoever sends it asks whether it was obeyed, not how well
        return interruption.exit_code
    return code


def _forget_interrupt() -> None:
    """Let ``python -m catalog`` end with the exit code that it is given.

    Where `KeyboardInterrupt` went through code that is executed from a text, as that of a dataclass is, Python would
    end itself with SIGINT, whatever became of the exception and whatever the signal was. The next text clears that.
    """
    exec("")  # noqa: S102


def _code_of(command: Callable[[], object]) -> int:
    try:
        code = _run(command)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output left (`catalog top ... | head`); nothing is wrong, and no more can be written.
        streams.give_up(sys.stdout)
        code = 0
    except OSError as error:
        code = _of_the_system(error)
    return code


def shows_tracebacks() -> bool:
    """Whether the user wants to see where an unexpected error came from."""
    return bool(os.environ.get(TRACEBACK))


def report_bug(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """What Python calls with an error that nobody expected, as the program ends: one message instead of a page."""
    if shows_tracebacks():
        sys.__excepthook__(kind, error, traceback)
        return
    streams.tell(
        f"error: this is a bug of the catalog, in {place_of(error)}. What was finished before is stored, nothing else "
        f"is. Give the command again with {TRACEBACK}=1 to see where it comes from, and report that."
    )


def _run(command: Callable[[], object]) -> int:
    output = sys.stdout
    try:
        command()
    except CatalogError as error:
        streams.tell(f"error: {error}")
        return error.exit_code
    except SystemExit as leaving:
        if sys.stdout is not output:  # Typer's way to say that the reader of our output has left
            sys.stdout = output
            raise BrokenPipeError from leaving
        if isinstance(leaving.code, int | None):
            return leaving.code or 0
        raise
    return 0


def _of_the_system(error: OSError) -> int:
    streams.give_up(sys.stdout)
    if error.filename is not None:
        streams.tell(f"error: cannot use {error.filename}: {error.strerror}.")
    else:
        streams.tell(f"error: cannot write the output: {error.strerror}; not all of it is there.")
    return 1
