"""The nearest names, for an error about an unknown one."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``Did you mean a, b?`` with a space behind it; nothing where no known name is near."""
    import difflib

    close = difflib.get_close_matches(name, list(dict.fromkeys(known)), n=3, cutoff=0.5)
    return f"Did you mean {', '.join(close)}? " if close else ""
