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
    """A sentence that says at its end which of the names in it are quoted with development numbers."""
    found = {name: re.search(rf"(?<!\w){re.escape(name)}(?!\w)", sentence) for name in names}
    quoted = sorted((place.start(), name) for name, place in found.items() if place is not None)
    if not quoted:
        return sentence
    return f"{sentence.removesuffix('.')} ({MARK} of {_listed([name for _, name in quoted])})."


def explanation(space: str, names: Sequence[str]) -> str:
    """What the mark means, for the names that have it in one space; empty for none."""
    if not names:
        return ""
    return f"Each {MARK}, here of {_listed(names)}, is no blind result: {space} was in sight while it was developed."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
