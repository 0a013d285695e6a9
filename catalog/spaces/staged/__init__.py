"""Staged spaces: networks of stages and blocks, each space described by one small file.

`NAMES` are those that come with the catalog, one file of ``built_in`` each; docs/spaces.md tells how to write one.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from catalog.spaces.staged.space import StagedSpace

_FILES = Path(__file__).parent / "built_in"

NAMES = tuple(sorted(file.stem for file in _FILES.glob("*.toml")))
"""The staged spaces that come with the catalog."""


def built_in(name: str) -> StagedSpace:
    """The staged space of a file that comes with the catalog."""
    from catalog.spaces.staged.reading import read_description
    from catalog.spaces.staged.space import StagedSpace

    file = _FILES / f"{name}.toml"
    return StagedSpace(read_description(file.read_text(encoding="utf-8"), file.name))
