"""What a user's query may cost, and the words for what costs more."""

from __future__ import annotations

import re
from typing import TypedDict

from catalog.errors import LimitError, UsageError

_AMOUNT = re.compile(r"\d+(\.\d+)?\s*[KMGT]i?B", re.IGNORECASE)


class QueryLimits(TypedDict, total=False):
    """What a user's query may cost, as keyword arguments.

    ``timeout``: seconds after which the query is stopped. ``memory_limit``: largest memory of the query, and again of
    its result, for example ``"500MB"``; without it DuckDB's own choice, which is 80 % of the machine's. ``wait``:
    seconds to wait for another process to let go of the file.
    """

    timeout: float | None
    memory_limit: str | None
    wait: float | None


CONDITION_LIMITS: QueryLimits = {"timeout": 60.0, "memory_limit": "2GB"}
"""What a condition may cost, which has no options of its own; on NAS-Bench-101 one takes hundredths of a second."""


def check_limits(limits: QueryLimits) -> None:
    """Refuse limits that are none.

    Raises
    ------
    UsageError
        The timeout is not positive, or the memory limit is no amount.
    """
    timeout, memory_limit = limits.get("timeout"), limits.get("memory_limit")
    if timeout is not None and timeout <= 0:
        raise UsageError(f"the timeout is {timeout:g} seconds; it must be greater than 0.")
    if memory_limit is not None and not _AMOUNT.fullmatch(memory_limit.strip()):
        raise UsageError(f"{memory_limit!r} is no amount of memory; allowed is for example 500MB or 4GB.")


def stopped(timeout: float | None) -> LimitError:
    """What a query is told that ran out of time."""
    return _beyond(f"the query was stopped after {timeout:g} seconds.", "Ask for less, or allow more with --timeout.")


def out_of_memory(detail: str) -> LimitError:
    """What a query is told that ran out of memory."""
    return _beyond(f"the query ran out of memory: {detail}", "Ask for less, or allow more with --memory-limit.", "\n")


def too_large(room: int) -> LimitError:
    """What a query is told whose result takes more than `room` bytes."""
    return _beyond(
        f"the result is larger than the memory limit of {room / 1e6:,.0f} MB.",
        "Ask for fewer rows or columns, aggregate in SQL, or allow more with --memory-limit.",
    )


def died(how: str, limits: QueryLimits) -> LimitError:
    """What a query is told whose process ended before it had answered."""
    allowed = limits.get("memory_limit") or "80 % of the machine's"
    return _beyond(
        f"the process of the query {how}, most likely for want of memory, of which it may have {allowed}.",
        "Ask for less, or allow more with --memory-limit.",
    )


def _beyond(what: str, remedy: str, between: str = " ") -> LimitError:
    return LimitError(f"{what}{between}{remedy}", what)
