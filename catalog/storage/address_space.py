"""A limit on the memory of a whole process, which holds for what DuckDB does not count: a list, a text, a plan."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SLACK = 256 << 20
"""Bytes beyond what is used now and the room: two arenas of the C library, of 64 MB each, code, and small change.

Measured with DuckDB 1.5: a query that spills with a limit of 500 MB takes 570 MB more than before it began.
"""

_STACK = 8 << 20  # bytes of a thread


def limit_address_space(room: int) -> None:
    """Let this process take `room` bytes more than it has, for good; nothing where the system has no such limit.

    Linux keeps it. Windows has none, and macOS does not keep it: there a query has the database's limit alone.
    """
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + room + _SLACK + _STACK * (os.cpu_count() or 1)
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
