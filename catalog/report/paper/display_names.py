"""What columns are called in a paper: ``nwot=NASWOT``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from catalog.errors import UsageError
from catalog.nearest import did_you_mean

_NEXT = re.compile(r",(?=[^,=]+=)")


def parsed_names(options: Iterable[str] | Mapping[str, str] | None) -> dict[str, str]:
    """Column to display name, from texts ``COLUMN=NAME``, several of them after commas, or from a mapping.

    Raises
    ------
    UsageError
        A text has not this form, or two of them say different names of one column, or one name of two columns.
    """
    if options is None:
        return {}
    pairs = list(options.items()) if isinstance(options, Mapping) else []
    if not isinstance(options, Mapping):
        for option in [options] if isinstance(options, str) else options:
            for part in _NEXT.split(option):
                column, equals, name = part.partition("=")
                if not equals:
                    raise UsageError(f"--columns {part!r:.120} is not of the form COLUMN=NAME, as in nwot=NASWOT.")
                pairs.append((column, name))
    names: dict[str, str] = {}
    for column, name in ((column.strip(), name.strip()) for column, name in pairs):
        if not column or not name:
            raise UsageError(f"--columns {f'{column}={name}'!r:.120} is not of the form COLUMN=NAME: a side is empty.")
        if names.setdefault(column, name) != name:
            raise UsageError(f"--columns gives {column!r:.120} two names, {names[column]!r:.120} and {name!r:.120}.")
    for name in names.values():
        owners = [column for column, own in names.items() if own == name]
        if len(owners) > 1:
            raise UsageError(
                f"--columns gives the name {name!r:.120} to {', '.join(owners)}; a table would mix them up."
            )
    return names


def check_names(names: Mapping[str, str], known: Iterable[str]) -> None:
    """Refuse a display name of what is not there.

    Raises
    ------
    UsageError
        A column is unknown; the message has near ones.
    """
    known = list(known)
    for column in names:
        if column not in known:
            raise UsageError(
                f"--columns names {column!r:.120}, which is no column, no space and no heading of the table. "
                f"{did_you_mean(column, known)}"
            )
