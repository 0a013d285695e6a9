"""How a command ends: whatever happens in it becomes one clear message and an exit code."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from catalog.cli import streams
from catalog.cli.interruption import Interruption
from catalog.errors import CatalogError

_INTERRUPTED = 130  # what Typer makes of Ctrl-C


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command to its end, see that all it wrote has arrived, and give the exit code."""
    interruption = Interruption()
    with interruption.heard():
        try:
            code = _run(command)
            sys.stdout.flush()
        except KeyboardInterrupt:
            code = _INTERRUPTED
        except BrokenPipeError:
            # The reader of our output left (`catalog top ... | head`); nothing is wrong, and no more can be written.
            streams.give_up(sys.stdout)
            code = 0
        except OSError as error:
            code = _of_the_system(error)
    if code == _INTERRUPTED:
        interruption.tell()
        return interruption.exit_code
    if interruption.signal == signal.SIGTERM:  # whoever sends it asks whether it was obeyed, not how well
        return interruption.exit_code
    return code


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
