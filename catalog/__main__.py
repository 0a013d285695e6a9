"""``python -m catalog``, and what the command ``catalog`` runs."""

from __future__ import annotations

import gc
import signal
import sys

# What imports allocate stays; looking through it again and again is a tenth of a short command.
_COLLECT_AFTER = 100_000


def main() -> None:
    """Run the command line."""
    gc.set_threshold(_COLLECT_AFTER)
    try:
        from catalog.cli.main import main as run
        from catalog.storage.no_pandas import spare_pandas

        spare_pandas()
        run()
    except KeyboardInterrupt:  # before the command began, or a second one after it has told of the first
        sys.exit(128 + signal.SIGINT)
    finally:
        gc.freeze()  # the end of the program would look through all of it once more, which can take seconds


if __name__ == "__main__":
    main()
