"""Texts of a file for a message: short, and without characters that a terminal would obey."""

from __future__ import annotations

from collections.abc import Sequence

_LONGEST = 60
_MOST_NAMES = 12


def shown(text: str, longest: int = _LONGEST) -> str:
    """The text, cut after `longest` characters, with escapes for what cannot be printed."""
    cut = text if len(text) <= longest else f"{text[: longest - 3]}..."
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in cut)


def shown_names(names: Sequence[str]) -> str:
    """Names in a row, such as a table's columns; of many only the first."""
    listed = ", ".join(shown(name) or "''" for name in names[:_MOST_NAMES])
    return f"{listed} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else listed
