"""What a message may hold of somebody else's text: nothing that a terminal obeys, and no more than a reader wants."""

from __future__ import annotations

import re
import unicodedata

LONGEST_VALUE = 120
"""Characters of a quoted value."""
LONGEST_LINE = 2_000
"""Characters of a line."""

_UNITS = ("kB", "MB", "GB", "TB")
_LONGEST_WORD = 300  # a path may be long
_INSIDE = rf"(?P<value>(?:\\.|(?!(?P=quote))[^\\\n]){{{LONGEST_VALUE},}}?)"
_QUOTED = re.compile(rf"(?<!\w)(?P<quote>['\"]){_INSIDE}(?P=quote)(?!\w)")
_WORD = re.compile(rf"\S{{{_LONGEST_WORD},}}")
OBEYED = {
    "Cc": "a control character",
    "Cf": "a character that nobody sees, or that turns the direction of writing round",
    "Cs": "half of a surrogate pair",
    "Zl": "a line end",
    "Zp": "a line end",
}
"""Unicode's categories of characters that a terminal obeys or does not show, and what such a character is."""

_KEPT = frozenset("\n\t\u200c\u200d")  # the last two join letters of some scripts


def as_message(text: str) -> str:
    """A text that is safe to show: control characters as Python writes them, long values cut in their middle."""
    if len(text) > LONGEST_VALUE:
        text = _QUOTED.sub(lambda found: f"{found['quote']}{_cut(found['value'])}{found['quote']}", text)
        text = _with_short_brackets(text)
        text = _WORD.sub(lambda found: _cut(found[0], _LONGEST_WORD), text)
        text = "\n".join(_cut(line, LONGEST_LINE) for line in text.split("\n"))
    return visible(text)


def visible(text: str) -> str:
    """A text that a terminal only shows: its control characters as Python writes them, but the ends of its lines."""
    if text.isprintable():
        return text
    return "".join(_written(character) for character in text)


def readable_bytes(count: int) -> str:
    """A number of bytes as people read it, in the units of disks: 1,500,000 is 1.5 MB."""
    if count < 1000:
        return f"{count:,} bytes"
    power = min((len(str(count)) - 1) // 3, len(_UNITS))
    size = count / 1000**power
    return f"{f'{size:,.0f}' if size >= 100 else f'{size:.3g}'} {_UNITS[power - 1]}"


def _with_short_brackets(text: str) -> str:
    """A text whose lists and mappings on one line are cut, each from its bracket to the one that closes it."""
    shown, begun, last = [], [], 0
    outermost: list[tuple[int, int]] = []
    for place, character in enumerate(text):
        if character in "[{":
            begun.append(place)
        elif character in "]}" and begun:
            start = begun.pop()
            while outermost and outermost[-1][0] > start:
                outermost.pop()
            outermost.append((start, place + 1))
    for start, end in outermost:
        if "\n" in text[start:end]:  # laid out for a reader, who may copy it
            continue
        shown += [text[last:start], _cut(text[start:end], 2 * LONGEST_VALUE)]
        last = end
    return "".join([*shown, text[last:]])


def _cut(text: str, longest: int = LONGEST_VALUE) -> str:
    if len(text) <= longest:
        return text
    half = (longest - 3) // 2
    return f"{text[:half]}...{text[-half:]}"


def _written(character: str) -> str:
    if unicodedata.category(character) not in OBEYED or character in _KEPT:
        return character
    return character.encode("unicode_escape").decode("ascii")
