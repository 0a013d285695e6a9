"""What a message may hold of somebody else's text: nothing that a terminal obeys, and no more than a reader wants."""

from __future__ import annotations

import re
import unicodedata

LONGEST_VALUE = 120
"""Characters of a quoted value."""
LONGEST_LINE = 2_000
"""Characters of a line."""

_LONGEST_WORD = 300  # a path may be long
_INSIDE = rf"(?P<value>(?:\\.|(?!(?P=quote)).){{{LONGEST_VALUE},}}?)"
_QUOTED = re.compile(rf"(?<!\w)(?P<quote>['\"]){_INSIDE}(?P=quote)(?!\w)")
_BRACKETED = re.compile(rf"[\[{{][^\n]{{{2 * LONGEST_VALUE},}}[\]}}]")
_WORD = re.compile(rf"\S{{{_LONGEST_WORD},}}")
_OBEYED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # control, direction, halves of characters, other line ends
_KEPT = frozenset("\n\t\u200c\u200d")  # the last two join letters of some scripts


def as_message(text: str) -> str:
    """A text that is safe to show: control characters as Python writes them, long values cut in their middle."""
    if len(text) > LONGEST_VALUE:
        text = _QUOTED.sub(lambda found: f"{found['quote']}{_cut(found['value'])}{found['quote']}", text)
        text = _BRACKETED.sub(lambda found: _cut(found[0]), text)
        text = _WORD.sub(lambda found: _cut(found[0], _LONGEST_WORD), text)
        text = "\n".join(_cut(line, LONGEST_LINE) for line in text.split("\n"))
    if text.isprintable():
        return text
    return "".join(_written(character) for character in text)


def _cut(text: str, longest: int = LONGEST_VALUE) -> str:
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


def _written(character: str) -> str:
    if unicodedata.category(character) not in _OBEYED or character in _KEPT:
        return character
    return character.encode("unicode_escape").decode("ascii")
