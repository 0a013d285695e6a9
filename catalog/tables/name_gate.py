"""What a name may hold: the one rule for every id and name that enters a catalog.

A name is shown on terminals and pages, compared, typed again and written into tables. So nothing in it may be obeyed by
a terminal or be invisible, and two names that look the same have to be the same:

* refused are control characters (line ends and NUL among them), characters that turn the direction of writing round,
  have no width or mark the order of bytes, and halves of surrogate pairs;
* refused is a name that begins or ends with a space, or is not in Unicode's normal form C.

Texts that are no names, such as descriptions, keep their line ends; a file's own name is escaped instead of refused.
"""

from __future__ import annotations

import unicodedata

from catalog.errors import UsageError
from catalog.message import OBEYED, visible


def fault_of_name(text: str) -> str | None:
    """What is wrong with a text as a name, as the rest of a sentence; None if nothing is."""
    if text.isascii() and text.isprintable():
        return _fault_of_ends(text)
    for place, character in enumerate(text):
        if what := OBEYED.get(unicodedata.category(character)):
            return f"its character {place + 1} is {what} (U+{ord(character):04X}), which no name may have"
    if not unicodedata.is_normalized("NFC", text):
        return "it is not in Unicode's normal form C, so that it looks like another name: normalise it"
    return _fault_of_ends(text)


def _fault_of_ends(text: str) -> str | None:
    return "it begins or ends with a space; remove it" if text != text.strip() else None


def fault_of_text(text: str) -> str | None:
    """What is wrong with a text of more than a name, such as a description: as of a name, but it may have lines."""
    for place, character in enumerate(text):
        category = unicodedata.category(character)
        if category in OBEYED and character not in "\n\t":
            return f"its character {place + 1} is {OBEYED[category]} (U+{ord(character):04X}), which no text may have"
    return None


def checked_name(what: str, text: str) -> str:
    """A name that a user gives in a command or call; `what` says what is called so.

    Raises
    ------
    UsageError
        It is no name.
    """
    if not text:
        raise UsageError(f"{what} is empty; give a name.")
    if fault := fault_of_name(text):
        raise UsageError(f"{what} is {text[:200]!r}: {fault}.")
    return text


def shown_file_name(name: str) -> str:
    """A file's name as the catalog keeps it: escaped where a terminal would obey it or no text can hold it."""
    return visible(name)
