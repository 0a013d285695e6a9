"""CSV for spreadsheets: texts that a spreadsheet would run as formulas, and how they are written so that it does not.

CSV is data first: an export has every text as it is stored. Where somebody opens it in a spreadsheet, a text that
begins with ``=``, ``+``, ``-``, ``@`` or a control character may be run. `as_cell` writes an apostrophe before it, and
before a text that begins with apostrophes and then such a character, so that `as_text` gives every text back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

STARTS = r"'*[=+\-@\t\r\n]"
"""Regular expression of how a text begins that a spreadsheet may run, or that was written for one."""

_START = re.compile(STARTS)
_WRITTEN = re.compile(f"'{STARTS}")


def runs(value: object) -> bool:
    """Whether a spreadsheet may run a value: a text that begins like a formula."""
    return isinstance(value, str) and _START.match(value) is not None


def as_cell(value: Any) -> Any:
    """A value as a spreadsheet shows it; only texts change."""
    return f"'{value}" if runs(value) else value


def as_text(cell: str) -> str:
    """The text that `as_cell` wrote."""
    return cell[1:] if _WRITTEN.match(cell) else cell


def warning(columns: Iterable[str]) -> str:
    """What to tell whoever gets CSV with such texts in these columns; nothing where there are none."""
    names = ", ".join(columns)
    if not names:
        return ""
    return (
        f"texts in {names} begin like formulas (=, +, -, @), which a spreadsheet may run; the file has them as they "
        "are. --format spreadsheet writes them for a spreadsheet, after an apostrophe."
    )
