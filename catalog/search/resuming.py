"""Going on with a stored search: it is asked what it was asked before, but for its limits."""

from __future__ import annotations

import shlex
from dataclasses import replace

from catalog.errors import UsageError
from catalog.search.request import Request


def resumed(stored: Request, given: Request, seed: int | None, run_id: int) -> Request:
    """The stored request with new limits; whatever else is given must be what it was.

    Parameters
    ----------
    stored
        What run `run_id` was asked.
    given
        What is asked now; an empty or missing part means as before.
    seed
        The seed that is asked for now, None for none.

    Raises
    ------
    UsageError
        A part differs, or the run followed other rules of which architectures compute one function.
    """
    if stored.rules != given.rules:
        raise UsageError(
            f"run {run_id} was searched under version {stored.rules} of the rules of what is one function (canonical "
            f"form), and version {given.rules} counts functions otherwise; start a new search without --resume. What "
            f"the run visited stays in the table search_visit."
        )
    if stored.label_command is not None and given.label_command is None:
        raise UsageError(
            f"run {run_id} asked {stored.label_command!r} for labels. A catalog file may be somebody else's, so no "
            f"command is run that it names; give it again: --label-command {shlex.quote(stored.label_command)}."
        )
    asked = {
        "SPACE": (given.space, stored.space),
        "--by": (given.by, stored.by),
        "--method": (given.method, stored.method),
        "--where": (given.where, stored.where),
        "--max": (given.maximum, stored.maximum),
        "--min": (given.minimum, stored.minimum),
        "--seed": (seed, stored.seed),
        "--labels": (given.labels, stored.labels),
        "--label-command": (given.label_command, stored.label_command),
        "--label-timeout": (given.label_timeout, stored.label_timeout),
        "--predictor": (given.predictor, stored.predictor),
        "--set": (given.settings, stored.settings),
        "--acquisition": (given.acquisition, stored.acquisition),
        "--batch": (given.batch, stored.batch),
        "--as": (given.label_name, stored.label_name),
        "--lower-is-better": (given.lower_is_better or None, stored.lower_is_better),
    }
    for option, (now, before) in asked.items():
        if now not in (None, ()) and now != before:
            known = option == "--label-command" and stored.label_command is not None
            how = f"write {option} as it was" if known else f"leave {option} out"  # a command is always wanted anew
            raise UsageError(
                f"run {run_id} was started with {option} {before!r}, not {now!r}; {how} to go on with it, "
                "or start a new search without --resume."
            )
    if given.budget is None and given.seconds is None:
        return stored
    return replace(stored, budget=given.budget, seconds=given.seconds)
