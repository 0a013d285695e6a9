"""What one check of the file found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The result of one check: ``ok``, ``failed`` or ``note``, with the numbers behind it."""

    check: str
    result: str
    detail: str
