"""Damaged files: every reader must give a result or an `IngestError`, whatever happens to its input."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from catalog.errors import IngestError

Damage = tuple[float, list[tuple[float, int]], bytes]
"""Share of the file that is kept, bits that flip as (place, bit), and bytes that are added."""

DAMAGE = st.tuples(
    st.one_of(st.just(1.0), st.floats(0, 1)),
    st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 7)), max_size=5),
    st.binary(max_size=5),
)


def damaged(data: bytes, damage: Damage) -> bytes:
    """`data` after the damage."""
    kept, flips, added = damage
    changed = bytearray(data[: round(kept * len(data))])
    for place, bit in flips:
        if changed:
            changed[int(place * len(changed))] ^= 1 << bit
    return bytes(changed) + added


def _packages() -> set[str]:
    """Packages that are imported; the standard library and what is imported anyway load parts of themselves late."""
    return {name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names


def survives(read: Callable[[Path], Iterable[Any]], path: Path, data: bytes) -> bool:
    """Whether the file can be read after all; any error but an `IngestError` that names the file goes through."""
    path.write_bytes(data)
    before = _packages()
    try:
        for _ in read(path):
            pass
    except IngestError as error:
        assert path.name.split(".")[0] in str(error)
        return False
    finally:
        assert _packages() == before
    return True
