"""Development numbers: what a predictor reaches on spaces that were looked at while it was made is no blind result."""

from __future__ import annotations

import re
from collections.abc import Sequence

MARK = "development number"
"""What stands beside such a number, wherever it is quoted."""

_IN_SIGHT = re.compile(r"; developed with (.+) in sight")


def in_sight(spaces: Sequence[str]) -> str:
    """What a predictor's stored description says at its end of the spaces that it was developed with."""
    return f"; developed with {' and '.join(spaces)} in sight" if spaces else ""


def spaces_in_sight(description: str | None) -> tuple[str, ...]:
    """The spaces that `in_sight` wrote into a description."""
    found = _IN_SIGHT.search(description or "")
    return tuple(found[1].split(" and ")) if found else ()


def marked(sentence: str, names: Sequence[str]) -> str:
    """A sentence in which each name whose numbers are development numbers is followed by the mark, once."""
    for name in sorted(names, key=len, reverse=True):
        whole = rf"(?<![\w]){re.escape(name)}(?![\w])(?! \({MARK}\))"
        sentence = re.sub(whole, lambda found: f"{found[0]} ({MARK})", sentence, count=1)
    return sentence


def explanation(space: str, names: Sequence[str]) -> str:
    """What the mark means, for the names that have it in one space; empty for none."""
    if not names:
        return ""
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"Each {MARK}, here of {listed}, is no blind result: {space} was in sight while it was developed."
