"""Where a search's labels come from: what the options say, checked, and the source that follows from them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from catalog.errors import UsageError
from catalog.search.expression import parse
from catalog.search.labels.column import facts_of
from catalog.search.labels.command import LabelCommand
from catalog.search.labels.source import CommandLabels
from catalog.search.request import Request
from catalog.search.stored_values import Rows, StoredSpace
from catalog.tables.name_gate import checked_name
from catalog.tables.space_view import SpaceView

if TYPE_CHECKING:
    from catalog.spaces.base import SearchSpace
    from catalog.storage.store import Store


def with_score(asked: Request) -> Request:
    """A request that says what is searched by: the label, where it says nothing else.

    Raises
    ------
    UsageError
        Options that are about labels do not fit together, or do not fit the scores and bounds.
    """
    _check_options(asked)
    if asked.label is None:
        return asked
    option = "--labels" if asked.label_name is None else "--as"
    if '"' in checked_name(option, asked.label):
        raise UsageError(f"{option} {asked.label!r} holds a double quote, which no formula can name; leave it out.")
    if not asked.by:
        plain = asked.label.isidentifier()
        asked = replace(asked, by=(asked.label if plain else f'"{asked.label}"',))
    if not any(asked.label in parse(text).names for text in asked.by):
        raise UsageError(
            f"the search asks for labels, called {asked.label}, but --by {asked.by[0]!r} does not use them; leave --by "
            f'out, or write a formula of them, for example --by "{asked.label} - 0.1*log10(params)".'
        )
    for option, bounds in (("--max", asked.maximum), ("--min", asked.minimum)):
        for text in bounds:
            if asked.label_command is not None and asked.label in parse(text.rpartition("=")[0] or text).names:
                raise UsageError(
                    f"{option} {text!r} bounds the label, which is asked of what keeps the bounds; bound something "
                    "that is known before."
                )
    return asked


def _check_options(asked: Request) -> None:
    if asked.labels is not None and asked.label_command is not None:
        raise UsageError("labels come from a stored column or from a command; give --labels or --label-command.")
    if asked.label_command is None:
        of_commands = {"--as": asked.label_name, "--label-timeout": asked.label_timeout}
        given = [option for option, value in of_commands.items() if value is not None]
        given += ["--lower-is-better"] if asked.lower_is_better else []
        if given:
            why = "" if asked.labels is None else f"; whether {asked.labels} is good when it is low is stored with it"
            raise UsageError(f"{given[0]} is about the values of a --label-command, and there is none{why}.")
        return
    if asked.budget is None and asked.seconds is None:
        raise UsageError(
            "each label costs a run of your command, and nothing says how many there may be; give --budget N, or "
            "--seconds S."
        )
    if asked.label_timeout is not None and not 0 < asked.label_timeout < float("inf"):
        raise UsageError(f"--label-timeout {asked.label_timeout:g}: no command has an answer in that; give seconds.")


def of_functions(catalog: Store, space: SearchSpace, stored: StoredSpace, column: str) -> StoredSpace:
    """What is stored, with a label for every architecture of a function of which one has it.

    Raises
    ------
    UnknownColumnError
        There is no such column.
    UsageError
        Nobody has a value in it.
    """
    SpaceView.of(catalog, space.name).checked(column)
    shared = stored.shared(column)
    if np.isnan(shared.columns[column]).all():
        raise UsageError(f"no architecture of {space.name} has a value of {column}; ingest its metrics first.")
    return shared


def labelled(stored: StoredSpace, rows: Rows, column: str) -> Rows:
    """Those of some stored architectures that have a label: nobody else can be asked."""
    return rows[~np.isnan(stored.columns[column][rows])]


def command_labels(
    catalog: Store, space: SearchSpace, stored: StoredSpace, request: Request, workers: int
) -> CommandLabels | None:
    """The source of a command's labels; None where the request names no command.

    Raises
    ------
    UsageError
        The command cannot be run, or its values have no name of their own.
    """
    if request.label_command is None or request.label is None:
        return None
    command = LabelCommand.parse(request.label_command)
    facts = facts_of(catalog, space, command, request.label, lower_is_better=request.lower_is_better)
    return CommandLabels(catalog, space, stored, command, facts, workers=workers, timeout=request.label_timeout)


def notes_of(request: Request, labels: CommandLabels | None, rows: Rows, stored: StoredSpace) -> list[str]:
    """What the user should know about where the labels come from."""
    if labels is not None:
        at_once = "one at a time" if labels.workers == 1 else f"{labels.workers} at a time"
        return [f"{labels.name}: what {labels.command.text!r} prints, {at_once}; stored as the column {labels.column}."]
    if request.labels is not None and len(rows) < len(stored):
        return [f"searching the {len(rows):,} of {len(stored):,} stored architectures that have a {request.labels}."]
    return []
