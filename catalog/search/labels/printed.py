"""What a command's output means: one number on one line is a label, everything else a reason why there is none."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from catalog.message import visible

MOST_PRINTED = 65_536
"""Bytes of standard output, after which a command is ended: a label needs a few."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SHOWN = 80  # characters of what was printed
_RULE = "the label has to be the only line on standard output, one number (progress goes to standard error)"


@dataclass(frozen=True)
class Label:
    """What came of asking for one label.

    Parameters
    ----------
    value
        The number; None where there is none.
    reason
        Why there is none; None where there is one.
    seconds
        How long the command ran.
    """

    value: float | None
    reason: str | None
    seconds: float


def label_of(printed: bytes, seconds: float) -> Label:
    """The label that a command printed which ended well."""
    lines = [line.strip() for line in printed.decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return Label(None, f"it printed nothing; {_RULE}", seconds)
    if len(lines) > 1:
        return Label(None, f"it printed {len(lines):,} lines, the last of them {_shown(lines[-1])}; {_RULE}", seconds)
    (line,) = lines
    if _NUMBER.fullmatch(line) is None:
        return Label(None, f"it printed {_shown(line)}, which is no number; {_RULE}", seconds)
    value = float(line)
    if not math.isfinite(value):
        return Label(None, f"it printed {_shown(line)}, which no number of the catalog can hold; {_RULE}", seconds)
    return Label(value, None, seconds)


def failure_of(returncode: int, errors: bytes, seconds: float) -> Label:
    """Why a command has no label that ended badly: how it ended, and the last that it said of it."""
    how = f"exit code {returncode}" if returncode > 0 else f"it was ended by signal {-returncode}"
    said = [line.strip() for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    return Label(None, f"{how}: {_cut(visible(said[-1]), 3 * _SHOWN)}" if said else how, seconds)


def _shown(text: str) -> str:
    return repr(_cut(text, _SHOWN))


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 3] + "..."
